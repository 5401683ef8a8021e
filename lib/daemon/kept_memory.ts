/**
 * A little memory that outlives the process: a memory file that the service manager keeps in its
 * descriptor store and hands to the next run (sd_notify(3), FDSTORE=1).
 *
 * One file for the life of the service, of a size that is sealed, and written anew in place: nothing is
 * left behind of what was in it before, no message about a change can be lost, and whoever ends this
 * process in the middle of anything finds what was written last. It is not sealed against writing for
 * that reason; nobody but this process and the service manager has it. Nothing of it is on a disk, unless
 * the machine swaps.
 *
 * What is found in a file that comes from elsewhere is the reader's to judge.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { describeErrno } from "../ffi/errno.ts";
import { closeFile, FILE_KIND, fstat, ftruncate, pread, pwrite } from "../ffi/libc/file.ts";
import { addSeals, makeMemoryFile, SEAL, sealsOf } from "../ffi/libc/memory_file.ts";
import { sharedMonotonicUs } from "../ffi/libc/process.ts";

/** Bytes of the file. */
export const KEPT_BYTES = 1024;
const SIZE_SEALS = SEAL.seal | SEAL.shrink | SEAL.grow;

/** A fresh file of zeros, or why there is none. The caller owns the descriptor. */
export function makeKeptFile(name: string): number | string {
  const fd = makeMemoryFile(`postern ${name}`);
  if (fd < 0) return describeErrno(-fd);
  const sized = ftruncate(fd, KEPT_BYTES);
  const result = sized < 0 ? sized : addSeals(fd, SIZE_SEALS);
  if (result >= 0) return fd;
  closeFile(fd);
  return describeErrno(-result);
}

/**
 * Why a descriptor is no file of {@linkcode makeKeptFile}; `undefined`: it may be one.
 *
 * @param userIds who may have made it
 */
export function findKeptFault(fd: number, userIds: readonly number[]): string | undefined {
  const status = fstat(fd);
  if (typeof status === "number") return describeErrno(-status);
  if ((status.mode & FILE_KIND.mask) !== FILE_KIND.regular) return "it is no file";
  const seals = sealsOf(fd);
  if (seals < 0) return "it is no memory";
  if ((seals & SIZE_SEALS) !== SIZE_SEALS) return "its size is not sealed";
  if ((seals & SEAL.write) !== 0) return "it is sealed against writing";
  if (status.size !== KEPT_BYTES) return `it has ${status.size} bytes`;
  return userIds.includes(status.uid) ? undefined : `it belongs to user ${status.uid}`;
}

/** The content of such a file, for the thread that works with it. */
export class KeptMemory {
  readonly #fd: number;

  /** @param fd stays open as long as the process */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Microseconds of a clock that the next run can go on with, until the machine starts anew. */
  nowUs(): bigint {
    return sharedMonotonicUs();
  }

  /** Fills `bytes` from the front of the file; answers whether it could. */
  read(bytes: Bytes): boolean {
    return pread(this.#fd, bytes, bytes.length, 0) === bytes.length;
  }

  /** Puts `bytes` to the front of the file, all at once; answers whether it could. */
  write(bytes: Bytes): boolean {
    return pwrite(this.#fd, bytes, bytes.length, 0) === bytes.length;
  }
}
