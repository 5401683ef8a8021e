import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { closeFile, OPEN, openFile } from "../../../lib/ffi/libc/file.ts";
import { pipe } from "../../../lib/ffi/libc/socket.ts";
import { connectUnix, isStreamSocket, sendWhole, socketPair } from "../../../lib/net/stream.ts";
import { UnixListener } from "../../../lib/net/unix_listener.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

testDescriptors("connectUnix() answers a descriptor or -errno", async () => {
  await using folder = await TempFolder.make("stream");
  const path = folder.file("s");
  assertEquals(connectUnix(path), -ERRNO.ENOENT);
  const listener = UnixListener.open(path, { mode: 0o600, backlog: 0 });
  const first = connectUnix(path);
  assert(first >= 0);
  assertEquals(connectUnix(path), -ERRNO.EAGAIN, "the queue is full");
  closeFile(first);
  listener.close();
  assertThrows(() => connectUnix("x".repeat(108)), FatalError, "1 to 107 bytes");
});

testDescriptors("isStreamSocket() takes connected stream sockets only", async () => {
  await using folder = await TempFolder.make("stream");
  const ends = socketPair();
  const tube = pipe();
  assert(typeof ends !== "number" && typeof tube !== "number");
  const listener = UnixListener.open(folder.file("s"), { mode: 0o600, backlog: 1 });
  const file = openFile("/dev/null", OPEN.readOnly | OPEN.closeOnExec);
  assertEquals(isStreamSocket(ends[0]), true);
  for (const fd of [listener.fd, file, tube[0], -1]) assertEquals(isStreamSocket(fd), false);
  for (const fd of [...ends, ...tube, file]) closeFile(fd);
  listener.close();
});

testDescriptors("sendWhole() says why not all bytes were taken", () => {
  const ends = socketPair();
  assert(typeof ends !== "number");
  assertEquals(sendWhole(ends[0], new Uint8Array(4000)), undefined);
  const large = new Uint8Array(10_000_000);
  assert(/^only \d+ of 10000000 bytes were taken$/.test(sendWhole(ends[0], large) ?? ""));
  closeFile(ends[1]);
  assertEquals(sendWhole(ends[0], new Uint8Array(1)), "Broken pipe");
  closeFile(ends[0]);
});
