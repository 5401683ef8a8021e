/**
 * errno: read at once after the call that failed, here and nowhere else.
 *
 * errno belongs to the thread, and its address is looked up once per thread. It is only meaningful
 * after a synchronous call: a `nonblocking` one runs on a thread of its own.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { libc } from "./libc/libc.ts";

const location = libc.__errno_location();
assert(location !== null, "every thread has an errno");
const view = new Deno.UnsafePointerView(location);

/** The numbers that postern tells apart (asm-generic/errno.h; the same on x86-64 and arm64). */
export const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ELOOP: 40,
  ENOTSOCK: 88,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  ENOBUFS: 105,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
} as const;

/** errno of this thread: what the call just before left there. */
export function errno(): number {
  return view.getInt32();
}

/** The C library's words for an errno, for example `No such file or directory`. */
export function describeErrno(number: number): string {
  const text = libc.strerror(number);
  return text === null ? `errno ${number}` : Deno.UnsafePointerView.getCString(text);
}
