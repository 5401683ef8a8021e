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
  /**
   * The same calls with names in the open folder `folderFd` for paths, so that they find their files
   * whatever becomes of the folder's path, of the process's root and of its user. The folder stays the
   * caller's.
   */
  within(folderFd: number): FileIo;
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
  /** fchown(2) that leaves the group as it is. */
  fchown(fd: number, ownerId: number): number;
  /** flock(2) with an operation made of `LOCK`. */
  flock(fd: number, operation: number): number;
  rename(from: string, to: string): number;
  unlink(path: string): number;
  /** fstat(2), or `-errno`. */
  fstat(fd: number): file.FileStatus | number;
  /** geteuid(2): who makes files. */
  effectiveUserId(): number;
}

const SAME_GROUP = 0xffffffff;

/** The disks of the machine. */
export const libcFileIo: FileIo = {
  within(folderFd) {
    return {
      ...this,
      open: (name, flags, mode) => file.openFileAt(folderFd, name, flags, mode),
      rename: (from, to) => file.renameAt(folderFd, from, to),
      unlink: (name) => file.unlinkAt(folderFd, name),
    };
  },
  open: file.openFile,
  close: file.closeFile,
  pread: file.pread,
  pwrite: file.pwrite,
  ftruncate: file.ftruncate,
  fdatasync: file.fdatasync,
  fsync: file.fsync,
  fchown: (fd, ownerId) => file.fchown(fd, ownerId, SAME_GROUP),
  flock: file.flock,
  rename: (from, to) => file.renameAt(file.WORKING_FOLDER, from, to),
  unlink: file.unlink,
  fstat: file.fstat,
  effectiveUserId,
};
