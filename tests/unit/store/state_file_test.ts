import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { StateFile } from "../../../lib/store/state_file.ts";
import { MemoryIo } from "./_memory_io.ts";

const PATH = "state";

function open(io: MemoryIo): StateFile {
  const file = StateFile.open(io, PATH);
  assert(file instanceof StateFile, JSON.stringify(file));
  return file;
}

Deno.test("StateFile.open() makes the file private, and refuses one that is not", () => {
  const io = new MemoryIo();
  open(io).close();
  assertEquals(io.files.get(PATH)!.mode & 0o777, 0o600);
  io.files.get(PATH)!.uid = 0;
  const refusal = StateFile.open(io, PATH);
  assert(!(refusal instanceof StateFile));
  assertEquals([refusal.attempt, refusal.why], ["use", "it belongs to user id 0, not to 1000"]);
  io.fault = (call) => call === "open" ? -ERRNO.EROFS : undefined;
  const other = StateFile.open(io, PATH);
  assert(!(other instanceof StateFile));
  assertEquals([other.attempt, other.why], ["open", "Read-only file system"]);
  assertEquals(io.descriptors.size, 0);
});

Deno.test("StateFile.tryLock() excludes others until unlock() or close()", () => {
  const io = new MemoryIo();
  const [first, second] = [open(io), open(io)];
  assertEquals([first.tryLock(), second.tryLock()], ["locked", "busy"]);
  first.unlock();
  assertEquals([second.tryLock(), first.tryLock()], ["locked", "busy"]);
  second.close();
  assertEquals(first.tryLock(), "locked");
  io.fault = (call) => call === "flock" ? -ERRNO.EBADF : undefined;
  assertEquals(first.tryLock(), { why: "Bad file descriptor" });
});

Deno.test("StateFile.write() writes all, however little the disk takes at a time", () => {
  const io = new MemoryIo();
  const file = open(io);
  io.fault = (call) => call === "pwrite" ? "short" : undefined;
  assertEquals(file.write(Uint8Array.of(1, 2, 3, 4, 5)), undefined);
  assertEquals(io.content(PATH), Uint8Array.of(1, 2, 3, 4, 5));
  io.fault = (call) => call === "pwrite" ? 0 : undefined;
  assertEquals(file.write(Uint8Array.of(1)), "nothing was written");
  io.fault = (call) => call === "pwrite" ? -ERRNO.ENOSPC : undefined;
  assertEquals(file.write(Uint8Array.of(1)), "No space left on device");
});

Deno.test("StateFile.read() tells how much there is", () => {
  const io = new MemoryIo();
  io.setContent(PATH, Uint8Array.of(7, 8));
  const file = open(io);
  const bytes = new Uint8Array(4);
  assertEquals([file.read(bytes), bytes], [2, Uint8Array.of(7, 8, 0, 0)]);
  io.fault = (call) => call === "pread" ? -ERRNO.EIO : undefined;
  assertEquals(file.read(bytes), { why: "Input/output error" });
});

Deno.test("StateFile.hasName() notices that the file was removed", () => {
  const io = new MemoryIo();
  const file = open(io);
  assertEquals(file.hasName(), true);
  io.unlink(PATH);
  assertEquals(file.hasName(), false);
  io.fault = (call) => call === "fstat" ? -ERRNO.EIO : undefined;
  assertEquals(file.hasName(), { why: "Input/output error" });
});
