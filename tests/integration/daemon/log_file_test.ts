/**
 * A log file that is moved away while all threads write into it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { posternBinary, toToml } from "../../support/postern.ts";
import { startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";

Deno.test("SIGHUP opens the log file anew, for the process and its service thread", async () => {
  await using folder = await TempFolder.make("rotate");
  const path = folder.file("postern.log");
  const socket = folder.file("tlsmgr");
  const settings = folder.file("postern.toml");
  await Deno.writeTextFile(
    settings,
    toToml({
      queue_directory: folder.path,
      data_directory: folder.path,
      log: { destination: path, verbose: 1 },
      service: { user: "", tlsmgr: { socket } },
    }),
  );
  const textOf = (path: string) => Deno.readTextFile(path).catch(() => "");
  await using role = startProcess(posternBinary(), ["--role", "tlsmgr", "--config", settings]);
  await waitUntil("readiness", async () => (await textOf(path)).includes(": ready: "));
  await Deno.rename(path, `${path}.1`);
  role.signal("SIGHUP");
  await waitUntil("a reload", async () => (await textOf(path)).includes(": reload: "));
  const before = await textOf(`${path}.1`);
  using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
  for (let i = 0; i < 5; i++) await client.ask([["request", "policy"], ["cache_type", "lmtp"]]);
  await waitUntil(
    "a line of the thread",
    async () => (await textOf(path)).includes(": policy lmtp"),
  );
  role.signal("SIGTERM");
  assertEquals(await role.ended(), 0, role.output());
  assertEquals(await textOf(`${path}.1`), before);
  // What the thread held back is told when it ends.
  const lines = (await textOf(path)).split("\n").map((line) => line.replace(/^.*?\]: /, ""));
  const first = lines.indexOf("policy lmtp: status 0, cachable 0, timeout 3600");
  assertEquals(lines[first + 1], "last message repeated 4 times");
  assert(before.includes(": [log] verbose = 1\n"), before);
});
