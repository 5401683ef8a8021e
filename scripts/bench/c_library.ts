/**
 * What the benchmark needs of libc: sockets, epoll, clocks.
 *
 * It shares nothing with `lib/ffi`, so that the load stays the same when the program under the load
 * changes. Results below zero are failures; nothing here throws but {@linkcode must}.
 *
 * @module
 */

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // The kernel's size_t fits into 32 bits here, and 32 bits are cheaper to hand over.
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
});

export const { close, epoll_create1, epoll_ctl, epoll_wait, recv, send } = libc;

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const F_SETFL = 4;
/** The peer's closing must not end the process. */
export const MSG_NOSIGNAL = 0x4000;
export const EAGAIN = 11;

/** The error number of the call before, which must have failed. */
export function errno(): number {
  const place = libc.__errno_location();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}

/** `result`, or an error that says what failed. */
export function must(what: string, result: number): number {
  if (result < 0) throw new Error(`Cannot ${what}: errno ${errno()}`);
  return result;
}

function unixAddress(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(110);
  bytes[0] = AF_UNIX;
  bytes.set(new TextEncoder().encode(path), 2);
  return bytes;
}

function loopbackAddress(port: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** A socket connected to `path`, or less than zero when nobody listens there. */
export function connectUnix(path: string, options = { blocking: false }): number {
  const fd = must("make a socket", libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const address = unixAddress(path);
  if (libc.connect(fd, address, address.length) < 0) {
    close(fd);
    return -1;
  }
  setBlocking(fd, options.blocking);
  return fd;
}

/** A non-blocking socket connected to `port` of 127.0.0.1, without Nagle's delay. */
export function connectTcp(port: number): number {
  const fd = must("make a socket", libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(`connect to port ${port}`, libc.connect(fd, loopbackAddress(port), 16));
  must(
    "set TCP_NODELAY",
    libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, Uint8Array.of(1, 0, 0, 0), 4),
  );
  setBlocking(fd, false);
  return fd;
}

/** A non-blocking listening socket of 127.0.0.1 and its port. */
export function listenTcp(): { fd: number; port: number } {
  const type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const fd = must("make a socket", libc.socket(AF_INET, type, 0));
  must("bind a socket", libc.bind(fd, loopbackAddress(0), 16));
  must("listen", libc.listen(fd, 1024));
  const address = new Uint8Array(16);
  must("read a socket's address", libc.getsockname(fd, address, Uint8Array.of(16, 0, 0, 0)));
  return { fd, port: address[2] << 8 | address[3] };
}

/** A non-blocking listening socket at `path`. */
export function listenUnix(path: string): number {
  const type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const fd = must("make a socket", libc.socket(AF_UNIX, type, 0));
  const address = unixAddress(path);
  must(`bind ${path}`, libc.bind(fd, address, address.length));
  must("listen", libc.listen(fd, 4096));
  return fd;
}

/** The next connection of a listening socket, non-blocking; less than zero when there is none. */
export function accept(fd: number): number {
  return libc.accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/** Whether calls on `fd` wait. */
export function setBlocking(fd: number, blocking: boolean): void {
  must("set a socket's mode", libc.fcntl(fd, F_SETFL, blocking ? 0 : SOCK_NONBLOCK));
}

// One message of one byte with one descriptor; laid out once, because each `of` costs time.
const room = new Uint8Array(256);
const view = new DataView(room.buffer);
const message = room.subarray(0, 56);
{
  const base = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(room)));
  const [vector, control, byte] = [64, 96, 128];
  view.setBigUint64(16, base + BigInt(vector), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, base + BigInt(control), true);
  view.setBigUint64(40, 24n, true);
  view.setBigUint64(vector, base + BigInt(byte), true);
  view.setBigUint64(vector + 8, 1n, true);
  view.setBigUint64(control, 20n, true);
  view.setInt32(control + 8, SOL_SOCKET, true);
  view.setInt32(control + 12, SCM_RIGHTS, true);
}

/** Passes a copy of `passed` over the UNIX-domain socket `fd`. */
export function sendDescriptor(fd: number, passed: number): void {
  view.setInt32(96 + 16, passed, true);
  must("pass a descriptor", libc.sendmsg(fd, message, MSG_NOSIGNAL));
}

const time = new BigInt64Array(2);
const timeBytes = new Uint8Array(time.buffer);

/** Nanoseconds of clock `id` (clock_gettime(2)), or `undefined` when there is no such clock. */
export function readClock(id: number): number | undefined {
  if (libc.clock_gettime(id, timeBytes) !== 0) return undefined;
  return Number(time[0]) * 1e9 + Number(time[1]);
}

/** The clock that all processes share. */
export const CLOCK_MONOTONIC = 1;
/** Processor time of this process. */
export const CLOCK_PROCESS_CPUTIME = 2;
