/**
 * File calls that leave the thread: each runs on a thread of Deno's own and answers with a promise.
 *
 * They take numbers and C addresses only; the memory of a JavaScript buffer could be gone before the
 * call is made. errno belongs to the thread that made the call and cannot be asked for, so every failure
 * is -1.
 *
 * @module
 */
import { libc } from "./libc.ts";

/** A place in C memory and in a file. */
export interface SlowTransfer {
  /** Address of the memory, which must stay allocated until the promise is settled. */
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
}

/** fdatasync(2): 0, or -1. */
export function fdatasyncSlowly(fd: number): Promise<number> {
  return libc.fdatasync_slowly(fd);
}

/** fsync(2): 0, or -1. */
export function fsyncSlowly(fd: number): Promise<number> {
  return libc.fsync_slowly(fd);
}

/** close(2): 0, or -1. */
export function closeSlowly(fd: number): Promise<number> {
  return libc.close_slowly(fd);
}

/** pread(2): the number of bytes read, or -1. */
export function preadSlowly(fd: number, to: SlowTransfer): Promise<number> {
  const pointer = Deno.UnsafePointer.create(to.address);
  return libc.pread_slowly(fd, pointer, to.length, BigInt(to.offset));
}

/** pwrite(2): the number of bytes written, or -1. */
export function pwriteSlowly(fd: number, from: SlowTransfer): Promise<number> {
  const pointer = Deno.UnsafePointer.create(from.address);
  return libc.pwrite_slowly(fd, pointer, from.length, BigInt(from.offset));
}
