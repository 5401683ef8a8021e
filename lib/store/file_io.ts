/**
 * The file calls of the store as one object, so that tests can put another disk under it.
 *
 * Every call is synchronous and made once; a result below zero is `-errno`. Nothing here retries,
 * logs or decides. Paths hold no NUL.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import * as file from "../ffi/libc/file.ts";
import { effectiveUserId } from "../ffi/libc/process.ts";

export type { FileStatus } from "../ffi/libc/file.ts";

/** What a store asks of a disk. */
export interface FileIo {
  /** open(2) with flags made of `OPEN`. A descriptor, or `-errno`. */
  open(path: string, flags: number, mode: number): number;
  close(fd: number): void;
  /** pread(2) into the front of `bytes`; may read less than `length`. */
  pread(fd: number, bytes: Bytes, length: number, offset: number): number;
  /** pwrite(2) from the front of `bytes`; may write less than `length`. */
  pwrite(fd: number, bytes: Bytes, length: number, offset: number): number;
  ftruncate(fd: number, length: number): number;
  fdatasync(fd: number): number;
  fsync(fd: number): number;
  /** flock(2) with an operation made of `LOCK`. */
  flock(fd: number, operation: number): number;
  rename(from: string, to: string): number;
  unlink(path: string): number;
  /** fstat(2), or `-errno`. */
  fstat(fd: number): file.FileStatus | number;
  /** geteuid(2): who must own a file. */
  effectiveUserId(): number;
}

/** The disks of the machine. */
export const libcFileIo: FileIo = {
  open: file.openFile,
  close: file.closeFile,
  pread: file.pread,
  pwrite: file.pwrite,
  ftruncate: file.ftruncate,
  fdatasync: file.fdatasync,
  fsync: file.fsync,
  flock: file.flock,
  rename: file.rename,
  unlink: file.unlink,
  fstat: file.fstat,
  effectiveUserId,
};
