import { assert, assertEquals, assertThrows } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { latin1 } from "../../../lib/base/bytes.ts";
import type { SlowRequest } from "../../../lib/daemon/seam.ts";
import { makeSlowCall, SlowCallClient } from "../../../lib/daemon/slow_calls.ts";
import { closeFile, OPEN, openFile } from "../../../lib/ffi/libc/file.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

/** A client whose requests are carried out in this thread, when {@linkcode Desk.work} is called. */
class Desk {
  readonly requests: SlowRequest[] = [];
  readonly client = new SlowCallClient((request) => void this.requests.push(request));

  async work(): Promise<void> {
    for (const request of this.requests.splice(0)) {
      // What is handed over must survive the way between two threads.
      const result = await makeSlowCall(structuredClone(request));
      this.client.finish(request.id, result);
    }
  }
}

testDescriptors("a slow write, sync and read do what their calls do", async () => {
  await using folder = await TempFolder.make("slow");
  const fd = openFile(folder.file("f"), OPEN.readWrite | OPEN.create, 0o600);
  const desk = new Desk();
  const said: unknown[] = [];
  const bytes = latin1("0123456789");
  desk.client.write(fd, bytes, 3, (ok) => said.push(ok));
  bytes.fill(0);
  desk.client.fdatasync(fd, (ok) => said.push(ok));
  desk.client.fsync(fd, (ok) => said.push(ok));
  assertEquals(said, [], "nothing is said before it is done");
  await desk.work();
  desk.client.read(fd, { length: 4, offset: 5 }, (read) => said.push(read));
  desk.client.read(fd, { length: 100, offset: 10 }, (read) => said.push(read));
  await desk.work();
  assertEquals(said, [true, true, true, latin1("2345"), latin1("789")]);
  assertEquals(await Deno.readFile(folder.file("f")), latin1("\0\0\x000123456789"));
  desk.client.close(fd);
  await desk.work();
});

testDescriptors("a slow call on a bad descriptor fails, whichever it is", async () => {
  const desk = new Desk();
  const said: unknown[] = [];
  desk.client.fdatasync(-1, (ok) => said.push(ok));
  desk.client.fsync(-1, (ok) => said.push(ok));
  desk.client.write(-1, latin1("x"), 0, (ok) => said.push(ok));
  desk.client.read(-1, { length: 4, offset: 0 }, (read) => said.push(read));
  await desk.work();
  assertEquals(said, [false, false, false, undefined]);
});

testDescriptors("a slow write to a full device fails", async () => {
  const fd = openFile("/dev/full", OPEN.writeOnly);
  assert(fd >= 0);
  const desk = new Desk();
  const said: boolean[] = [];
  desk.client.write(fd, latin1("x"), 0, (ok) => said.push(ok));
  await desk.work();
  assertEquals(said, [false]);
  closeFile(fd);
});

Deno.test("SlowCallClient.finish() panics on an answer that nobody waits for", () => {
  const desk = new Desk();
  desk.client.fsync(-1, () => {});
  desk.client.finish(1, 0);
  assertThrows(() => desk.client.finish(1, 0), Panic, "slow call 1 is outstanding");
});

Deno.test("SlowCallClient.end() lets late answers fall", () => {
  const desk = new Desk();
  let said = 0;
  desk.client.fsync(-1, () => said++);
  desk.client.end();
  desk.client.finish(1, 0);
  assertEquals(said, 0);
});
