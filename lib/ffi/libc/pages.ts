/**
 * Whole pages of memory, straight from the kernel.
 *
 * @module
 */
import { libc } from "./libc.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 0x2;
const MAP_ANONYMOUS = 0x20;
/** `MAP_FAILED`, as an address. */
const FAILED = 0xffff_ffff_ffff_ffffn;
const MADV_DONTNEED = 4;
const MADV_DONTDUMP = 16;

/**
 * mmap(2) of fresh pages, set to zero, that hold `bytes`; `undefined` when there is no memory.
 *
 * The pages are left out of core dumps (madvise(2), MADV_DONTDUMP), by debuggers that write one, too.
 */
export function mapSecretPages(bytes: number): Deno.PointerObject | undefined {
  const protection = PROT_READ | PROT_WRITE;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const pointer = libc.mmap(null, BigInt(bytes), protection, flags, -1, 0n);
  if (pointer === null || BigInt(Deno.UnsafePointer.value(pointer)) === FAILED) return undefined;
  // A kernel that does not know the advice keeps the pages in dumps; there is nothing else to do then.
  libc.madvise(pointer, BigInt(bytes), MADV_DONTDUMP);
  return pointer;
}

/** munmap(2): the memory is gone at once, and touching it ends the process. */
export function unmapPages(pointer: Deno.PointerObject, bytes: number): void {
  libc.munmap(pointer, BigInt(bytes));
}

/**
 * madvise(2), MADV_DONTNEED, of `bytes` from the address `start` on: the process forgets these pages, and
 * reads them from their file again where it needs them. Only for mappings of files with no page of the
 * process's own in them, for such a page would be lost.
 */
export function dropFilePages(start: bigint, bytes: bigint): void {
  libc.madvise(Deno.UnsafePointer.create(start), bytes, MADV_DONTNEED);
}
