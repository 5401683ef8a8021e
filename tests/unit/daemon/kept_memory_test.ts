import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { splitKept } from "../../../lib/daemon/activation.ts";
import {
  findKeptFault,
  KEPT_BYTES,
  KeptMemory,
  makeKeptFile,
} from "../../../lib/daemon/kept_memory.ts";
import { Notifier } from "../../../lib/daemon/notify.ts";
import { keepTicketKeys } from "../../../lib/daemon/ticket_key_file.ts";
import { closeFile, ftruncate, OPEN, openFile, pwrite } from "../../../lib/ffi/libc/file.ts";
import { addSeals, makeMemoryFile, SEAL, sealsOf } from "../../../lib/ffi/libc/memory_file.ts";
import {
  bind,
  receiveDescriptors,
  unixAddress,
  unixDatagram,
} from "../../../lib/ffi/libc/socket.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { FakeEnvironment } from "./_environment.ts";

const uid = Deno.uid()!;

function made(): number {
  const fd = makeKeptFile("test");
  assert(typeof fd === "number", String(fd));
  return fd;
}

testDescriptors("makeKeptFile() makes a file whose size nobody can change", () => {
  const fd = made();
  assertEquals(findKeptFault(fd, [uid]), undefined);
  assert(ftruncate(fd, 0) < 0);
  assert(ftruncate(fd, 2 * KEPT_BYTES) < 0);
  assert(addSeals(fd, SEAL.write) < 0, "nor forbid to write it");
  const one = new KeptMemory(fd);
  assert(one.write(utf8("a record")));
  const bytes = new Uint8Array(8);
  assert(new KeptMemory(fd).read(bytes));
  assertEquals(fromUtf8(bytes), "a record");
  assert(one.nowUs() > 0n);
  closeFile(fd);
});

testDescriptors("findKeptFault() knows what is none of its files", async () => {
  await using folder = await TempFolder.make("km");
  const memory = (bytes: number, seals: number) => {
    const fd = makeMemoryFile("test");
    ftruncate(fd, bytes);
    assertEquals(addSeals(fd, seals), 0);
    return fd;
  };
  const size = SEAL.seal | SEAL.shrink | SEAL.grow;
  const cases: [number, RegExp][] = [
    [openFile(await folder.write("file", "x".repeat(KEPT_BYTES)), OPEN.readWrite), /no memory/],
    [openFile(folder.path, OPEN.readOnly), /it is no file/],
    [memory(KEPT_BYTES, SEAL.shrink), /its size is not sealed/],
    [memory(KEPT_BYTES, size | SEAL.write), /sealed against writing/],
    [memory(KEPT_BYTES - 1, size), /it has 1023 bytes/],
  ];
  for (const [fd, why] of cases) {
    assertMatch(findKeptFault(fd, [uid]) ?? "", why);
    closeFile(fd);
  }
  assertMatch(findKeptFault(9_999, [uid]) ?? "", /Bad file descriptor/);
  const other = made();
  assertEquals(findKeptFault(other, [uid + 1]), `it belongs to user ${uid}`);
  assert((sealsOf(other) & size) === size);
  closeFile(other);
});

Deno.test("splitKept() tells ticket keys from sockets by their name alone", () => {
  const passed = [
    { fd: 3, name: "tlsmgr" },
    { fd: 4, name: "ticket-keys" },
    { fd: 5, name: "ticket-keys.socket" },
  ];
  assertEquals(splitKept(passed), { sockets: [passed[0], passed[2]], kept: [4] });
});

/** A service manager that takes notes. */
class Manager {
  readonly said: string[] = [];
  readonly warnings: string[] = [];
  isConnected = true;
  result = 0;

  keep(name: string, _fd: number): number {
    this.said.push(`keep ${name}`);
    return this.result;
  }

  forget(name: string): void {
    this.said.push(`forget ${name}`);
  }

  ask(kept: readonly number[], role: "tlsmgr" | "tlsproxy" = "tlsmgr"): number | undefined {
    const log = { warn: (text: string) => void this.warnings.push(text) };
    return keepTicketKeys(kept, { role, notifier: this, log, userIds: [uid] });
  }
}

testDescriptors("keepTicketKeys() makes a file once and takes it over from then on", () => {
  const manager = new Manager();
  const fd = manager.ask([]);
  assert(fd !== undefined);
  assertEquals(manager.said, ["keep ticket-keys"]);
  assertEquals(manager.ask([fd]), fd);
  assertEquals([manager.said.length, manager.warnings], [1, []]);
  closeFile(fd);
});

testDescriptors("keepTicketKeys() replaces what is none of its files, with one warning", () => {
  const manager = new Manager();
  const fd = manager.ask([openFile("/dev/null", OPEN.readWrite), makeMemoryFile("test")]);
  assert(fd !== undefined);
  assertEquals(manager.said, ["forget ticket-keys", "keep ticket-keys"]);
  assertEquals(manager.warnings.length, 1);
  assertMatch(manager.warnings[0], /it is no file; its size is not sealed$/);
  closeFile(fd);
});

testDescriptors("keepTicketKeys() has no file without a service manager, or for tlsproxy", () => {
  const manager = new Manager();
  assertEquals(manager.ask([], "tlsproxy"), undefined);
  assertEquals(manager.ask([made()], "tlsproxy"), undefined);
  manager.isConnected = false;
  assertEquals(manager.ask([]), undefined);
  assertEquals(manager.said, ["forget ticket-keys"]);
  // One that cannot be told: the keys end with this run, and that is said.
  manager.isConnected = true;
  manager.result = -11;
  closeFile(manager.ask([])!);
  assertMatch(manager.warnings.at(-1)!, /will not outlive this run: Resource temporarily/);
});

testDescriptors("Notifier.keep() sends the descriptor with its name", async () => {
  await using folder = await TempFolder.make("nf");
  const path = folder.file("notify");
  const systemd = unixDatagram();
  assertEquals(bind(systemd, unixAddress(path)!), 0);
  const notifier = Notifier.fromEnvironment(new FakeEnvironment({ NOTIFY_SOCKET: path }), () => {});
  const fd = made();
  pwrite(fd, utf8("key"), 3, 0);
  assertEquals(notifier.keep("ticket-keys", fd), 0);
  closeFile(fd);
  const { descriptors } = receiveDescriptors(systemd);
  assertEquals(descriptors.length, 1);
  const bytes = new Uint8Array(3);
  assert(new KeptMemory(descriptors[0]).read(bytes));
  assertEquals(fromUtf8(bytes), "key");
  closeFile(descriptors[0]);
  notifier.close();
  assertEquals(notifier.isConnected, false);
  assertEquals(notifier.keep("ticket-keys", 0), 0, "nobody is told");
  closeFile(systemd);
});
