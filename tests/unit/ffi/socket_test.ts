import { assert, assertEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { libc } from "../../../lib/ffi/libc/libc.ts";
import { closeFile, fstat, OPEN, openFile, readFile } from "../../../lib/ffi/libc/file.ts";
import {
  accept,
  bind,
  connect,
  listen,
  pipe,
  receive,
  receiveDescriptors,
  send,
  sendDescriptor,
  setNoDelay,
  setNonBlocking,
  shutdownSend,
  SOCKET,
  socketOption,
  socketPair,
  unixAddress,
  unixStream,
} from "../../../lib/ffi/libc/socket.ts";
import { Memory } from "../../../lib/ffi/memory.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

function pair(): [number, number] {
  const ends = socketPair();
  assert(typeof ends !== "number");
  return ends;
}

function closeAll(...fds: number[]): void {
  for (const fd of fds) closeFile(fd);
}

function flagsOf(fd: number): number {
  const text = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
  return Number.parseInt(/flags:\s*(\d+)/.exec(text)![1], 8);
}

function assertNonBlockingAndCloseOnExec(fd: number): void {
  const wanted = OPEN.nonBlocking | OPEN.closeOnExec;
  assertEquals(flagsOf(fd) & wanted, wanted, `descriptor ${fd}`);
}

/** Sends one byte with any number of descriptors, which the library itself never does. */
function sendSeveral(fd: number, descriptors: number[]): void {
  const controlBytes = 16 + 4 * descriptors.length;
  using memory = new Memory(56 + 16 + 8 + controlBytes + 8);
  const { view, address } = memory;
  view.setBigUint64(16, address + 56n, true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, address + 80n, true);
  view.setBigUint64(40, BigInt(controlBytes), true);
  view.setBigUint64(56, address + 72n, true);
  view.setBigUint64(64, 1n, true);
  view.setBigUint64(80, BigInt(controlBytes), true);
  view.setInt32(88, SOCKET.SOL_SOCKET, true);
  view.setInt32(92, SOCKET.SCM_RIGHTS, true);
  descriptors.forEach((descriptor, i) => view.setInt32(96 + 4 * i, descriptor, true));
  assertEquals(libc.sendmsg(fd, memory.pointer, SOCKET.MSG_NOSIGNAL), 1);
}

testDescriptors("every socket and pipe is non-blocking and closed on exec", async () => {
  await using folder = await TempFolder.make("sock");
  const listener = unixStream();
  const address = unixAddress(folder.file("s"))!;
  assertEquals([bind(listener, address), listen(listener, 1)], [0, 0]);
  const client = unixStream();
  assertEquals(connect(client, address), 0);
  const served = accept(listener);
  const ends = pipe();
  assert(typeof ends !== "number");
  const fds = [listener, client, served, ...pair(), ...ends];
  for (const fd of fds) assertNonBlockingAndCloseOnExec(fd);
  assertEquals(accept(listener), -ERRNO.EAGAIN);
  closeAll(...fds);
});

testDescriptors("connect() tells a full queue from a dead name", async () => {
  await using folder = await TempFolder.make("sock");
  const listener = unixStream();
  const address = unixAddress(folder.file("s"))!;
  bind(listener, address);
  listen(listener, 0);
  const first = unixStream();
  const second = unixStream();
  assertEquals(connect(first, address), 0);
  assertEquals(connect(second, address), -ERRNO.EAGAIN);
  closeFile(listener);
  const third = unixStream();
  assertEquals(connect(third, address), -ERRNO.ECONNREFUSED);
  closeAll(first, second, third);
});

Deno.test("unixAddress() takes 1 to 107 bytes, counted in UTF-8", () => {
  const address = unixAddress("/run/é")!;
  assertEquals(address.length, 110);
  assertEquals([address[0], address[1]], [1, 0]);
  assertEquals(address.slice(2, 10), Uint8Array.of(0x2f, 0x72, 0x75, 0x6e, 0x2f, 0xc3, 0xa9, 0));
  assertEquals(unixAddress(""), undefined);
  assertEquals(unixAddress("x".repeat(107))?.length, 110);
  assertEquals(unixAddress("x".repeat(108)), undefined);
  assertEquals(unixAddress("é".repeat(54)), undefined);
});

testDescriptors("send() and receive() never wait and never raise SIGPIPE", () => {
  const [near, far] = pair();
  const bytes = new Uint8Array(65536);
  assertEquals(receive(near, bytes, 10), -ERRNO.EAGAIN);
  // Another process may have cleared the flag: the transfers must not wait even then.
  assertEquals(libc.fcntl(near, 4, 0), 0);
  assertEquals(receive(near, bytes, 10), -ERRNO.EAGAIN);
  let sent = 0;
  for (;;) {
    const count = send(near, bytes, bytes.length);
    if (count < 0) {
      assertEquals(count, -ERRNO.EAGAIN);
      break;
    }
    sent += count;
  }
  assert(sent > 0);
  closeFile(far);
  assertEquals(send(near, bytes, 1), -ERRNO.EPIPE);
  closeFile(near);
});

testDescriptors("receive() answers 0 after the other end has stopped sending", () => {
  const [near, far] = pair();
  send(far, latin1("last"), 4);
  assertEquals(shutdownSend(far), 0);
  const bytes = new Uint8Array(10);
  assertEquals([receive(near, bytes, 10), receive(near, bytes, 10)], [4, 0]);
  assertEquals(send(near, bytes, 1), 1);
  closeAll(near, far);
});

testDescriptors("setNonBlocking() sets the flag where it is missing", () => {
  const [near, far] = pair();
  libc.fcntl(near, 4, 0);
  assertEquals(flagsOf(near) & OPEN.nonBlocking, 0);
  assertEquals(setNonBlocking(near), 0);
  assertEquals(flagsOf(near) & OPEN.nonBlocking, OPEN.nonBlocking);
  assertEquals(setNonBlocking(near), 0);
  setNoDelay(near);
  closeAll(near, far);
  assertEquals(setNonBlocking(-1), -ERRNO.EBADF);
});

testDescriptors("socketOption() tells what a descriptor is", async () => {
  await using folder = await TempFolder.make("sock");
  const [near, far] = pair();
  assertEquals(socketOption(near, SOCKET.SO_TYPE), SOCKET.SOCK_STREAM);
  assertEquals(socketOption(near, SOCKET.SO_ACCEPTCONN), 0);
  const listener = unixStream();
  bind(listener, unixAddress(folder.file("s"))!);
  listen(listener, 1);
  assertEquals(socketOption(listener, SOCKET.SO_ACCEPTCONN), 1);
  const file = openFile("/dev/null", OPEN.readOnly | OPEN.closeOnExec);
  assertEquals(socketOption(file, SOCKET.SO_TYPE), -ERRNO.ENOTSOCK);
  closeAll(near, far, listener, file);
});

testDescriptors("receiveDescriptors() gets one descriptor, closed on exec, and one byte", () => {
  const [near, far] = pair();
  const ends = pipe();
  assert(typeof ends !== "number");
  assertEquals(sendDescriptor(far, ends[0]), 1);
  assertEquals(send(far, latin1("plain"), 5), 5);
  const { result, descriptors } = receiveDescriptors(near);
  assertEquals([result, descriptors.length], [1, 1]);
  assert(descriptors[0] !== ends[0]);
  assertEquals(flagsOf(descriptors[0]) & OPEN.closeOnExec, OPEN.closeOnExec);
  libc.write(ends[1], latin1("through"), 7);
  const bytes = new Uint8Array(16);
  assertEquals(readFile(descriptors[0], bytes, 16), 7);
  // What is behind the byte was left alone.
  assertEquals(receive(near, bytes, 16), 5);
  assertEquals(bytes.slice(0, 5), latin1("plain"));
  closeAll(near, far, ...ends, ...descriptors);
});

testDescriptors("receiveDescriptors() gets none with a plain byte", () => {
  const [near, far] = pair();
  sendDescriptor(far, far);
  closeAll(...receiveDescriptors(near).descriptors);
  // The header still holds what came before.
  send(far, latin1("x"), 1);
  assertEquals(receiveDescriptors(near), { result: 1, descriptors: [] });
  closeAll(near, far);
});

testDescriptors("receiveDescriptors() gets two, so that both can be closed", () => {
  const [near, far] = pair();
  sendSeveral(far, [near, far]);
  const { result, descriptors } = receiveDescriptors(near);
  assertEquals([result, descriptors.length], [1, 2]);
  for (const fd of descriptors) {
    assertEquals(flagsOf(fd) & OPEN.closeOnExec, OPEN.closeOnExec);
  }
  assertEquals(
    descriptors.map((fd) => JSON.stringify(identity(fd))),
    [near, far].map((fd) => JSON.stringify(identity(fd))),
  );
  closeAll(near, far, ...descriptors);
});

testDescriptors("receiveDescriptors() leaves none behind of more than it has room for", () => {
  const [near, far] = pair();
  sendSeveral(far, Array.from({ length: 200 }, () => near));
  const { result, descriptors } = receiveDescriptors(near);
  assertEquals([result, descriptors.length], [1, 4]);
  closeAll(near, far, ...descriptors);
});

testDescriptors("receiveDescriptors() answers 0 at the end and -errno without a byte", () => {
  const [near, far] = pair();
  assertEquals(receiveDescriptors(near), { result: -ERRNO.EAGAIN, descriptors: [] });
  closeFile(far);
  assertEquals(receiveDescriptors(near), { result: 0, descriptors: [] });
  closeFile(near);
  assertEquals(receiveDescriptors(-1).result, -ERRNO.EBADF);
  assertEquals(sendDescriptor(-1, 0), -ERRNO.EBADF);
});

testDescriptors("sendDescriptor() sends one NUL byte and answers -errno", () => {
  const [near, far] = pair();
  assertEquals(sendDescriptor(far, -1), -ERRNO.EBADF);
  assertEquals(sendDescriptor(far, far), 1);
  const bytes = Uint8Array.of(9, 9);
  assertEquals(receive(near, bytes, 2), 1);
  assertEquals(bytes, Uint8Array.of(0, 9));
  closeFile(near);
  assertEquals(sendDescriptor(far, far), -ERRNO.EPIPE);
  closeFile(far);
});

function identity(fd: number): string[] {
  const status = fstat(fd);
  assert(typeof status !== "number");
  return [String(status.dev), String(status.ino)];
}
