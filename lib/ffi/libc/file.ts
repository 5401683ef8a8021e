/**
 * Files: typed calls over descriptors. A result below zero is `-errno`.
 *
 * @module
 */
import { cString } from "../memory.ts";
import { errno } from "../errno.ts";
import { ABI } from "../abi.ts";
import { libc } from "./libc.ts";
import type { Bytes } from "../../base/bytes.ts";

/** Flags of open(2) (asm-generic/fcntl.h); those marked differ between the two machines. */
export const OPEN = {
  readOnly: 0o0,
  writeOnly: 0o1,
  readWrite: 0o2,
  create: 0o100,
  exclusive: 0o200,
  noControllingTerminal: 0o400,
  truncate: 0o1000,
  append: 0o2000,
  nonBlocking: 0o4000,
  /** 0o200000 on x86-64, 0o40000 on arm64. */
  directory: Deno.build.arch === "x86_64" ? 0o200000 : 0o40000,
  /** 0o400000 on x86-64, 0o100000 on arm64. */
  noFollow: Deno.build.arch === "x86_64" ? 0o400000 : 0o100000,
  closeOnExec: 0o2000000,
} as const;

/** Operations of flock(2). */
export const LOCK = { shared: 1, exclusive: 2, nonBlocking: 4, unlock: 8 } as const;

/** Kinds of file in {@linkcode FileStatus.mode} (S_IFMT and friends). */
export const FILE_KIND = {
  mask: 0o170000,
  socket: 0o140000,
  regular: 0o100000,
  directory: 0o040000,
} as const;

/** The fields of `struct stat` that are looked at. */
export interface FileStatus {
  dev: bigint;
  ino: bigint;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
}

const statBuffer = new Uint8Array(ABI.stat.bytes);
const statView = new DataView(statBuffer.buffer);

function orErrno(result: number): number {
  return result < 0 ? -errno() : result;
}

function readStatBuffer(): FileStatus {
  const at = ABI.stat;
  return {
    dev: statView.getBigUint64(at.dev, true),
    ino: statView.getBigUint64(at.ino, true),
    mode: statView.getUint32(at.mode, true),
    nlink: at.nlinkBytes === 8
      ? Number(statView.getBigUint64(at.nlink, true))
      : statView.getUint32(at.nlink, true),
    uid: statView.getUint32(at.uid, true),
    gid: statView.getUint32(at.gid, true),
    size: Number(statView.getBigInt64(at.size, true)),
  };
}

/** open(2). A descriptor, or `-errno`. */
export function openFile(path: string, flags: number, mode = 0): number {
  return orErrno(libc.open(cString(path), flags, mode));
}

/**
 * dup3(2): from here on `number` stands for what `fd` stands for, in all threads, and what it stood for
 * before is closed. Programs that are started do not inherit it.
 */
export function replaceDescriptor(number: number, fd: number): number {
  return orErrno(libc.dup3(fd, number, OPEN.closeOnExec));
}

/** In the place of a folder's descriptor: the working directory (fcntl.h: AT_FDCWD). */
export const WORKING_FOLDER = -100;

/** openat(2): a relative `path` begins at the open folder `folderFd`. A descriptor, or `-errno`. */
export function openFileAt(folderFd: number, path: string, flags: number, mode = 0): number {
  return orErrno(libc.openat(folderFd, cString(path), flags, mode));
}

/** renameat(2) within one folder. */
export function renameAt(folderFd: number, from: string, to: string): number {
  return orErrno(libc.renameat(folderFd, cString(from), folderFd, cString(to)));
}

/** unlinkat(2), for files. */
export function unlinkAt(folderFd: number, path: string): number {
  return orErrno(libc.unlinkat(folderFd, cString(path), 0));
}

/** close(2); what it answers is not examined, because nothing can be done about it. */
export function closeFile(fd: number): void {
  libc.close(fd);
}

/** read(2) into the front of `bytes`. */
export function readFile(fd: number, bytes: Bytes, length: number): number {
  return orErrno(libc.read(fd, bytes, length));
}

/** write(2) from the front of `bytes`. */
export function writeFile(fd: number, bytes: Bytes, length: number): number {
  return orErrno(libc.write(fd, bytes, length));
}

/** `struct pollfd`: a descriptor of 4 bytes, wanted and found events of 2 bytes each. */
const pollBytes = new Uint8Array(8);
const pollView = new DataView(pollBytes.buffer);
const POLLOUT = 0x4;

/**
 * Whether write(2) of a short text would return at once, with success or a failure: poll(2), which waits
 * for that at most `waitMs`. A pipe says so while a page is free in it, a file always.
 */
export function isWritable(fd: number, waitMs = 0): boolean {
  pollView.setInt32(0, fd, true);
  pollView.setInt16(4, POLLOUT, true);
  pollView.setInt16(6, 0, true);
  return libc.poll(pollBytes, 1, waitMs) !== 0;
}

/** pread(2) into the front of `bytes`; `offset` in bytes. */
export function pread(fd: number, bytes: Bytes, length: number, offset: number): number {
  return orErrno(libc.pread(fd, bytes, length, BigInt(offset)));
}

/** pwrite(2) from the front of `bytes`; `offset` in bytes. */
export function pwrite(fd: number, bytes: Bytes, length: number, offset: number): number {
  return orErrno(libc.pwrite(fd, bytes, length, BigInt(offset)));
}

const SEEK_SET = 0;
const DIRENT_BYTES_MAX = 32768;
/** Place of `d_reclen` in `struct linux_dirent64`. */
const RECORD_LENGTH_AT = 16;

/**
 * How many entries an open folder has, `.` and `..` included: getdents64(2) from the beginning, or
 * `-errno`.
 */
export function countEntries(folderFd: number): number {
  if (libc.lseek(folderFd, 0n, SEEK_SET) < 0n) return -errno();
  const bytes = new Uint8Array(DIRENT_BYTES_MAX);
  const view = new DataView(bytes.buffer);
  let entries = 0;
  for (;;) {
    const end = orErrno(libc.getdents64(folderFd, bytes, bytes.length));
    if (end <= 0) return end < 0 ? end : entries;
    for (let at = 0; at < end; at += view.getUint16(at + RECORD_LENGTH_AT, true)) entries++;
  }
}

/** ftruncate(2). */
export function ftruncate(fd: number, length: number): number {
  return orErrno(libc.ftruncate(fd, BigInt(length)));
}

/** fsync(2). */
export function fsync(fd: number): number {
  return orErrno(libc.fsync(fd));
}

/** fdatasync(2). */
export function fdatasync(fd: number): number {
  return orErrno(libc.fdatasync(fd));
}

/** flock(2) with an operation made of {@linkcode LOCK}. */
export function flock(fd: number, operation: number): number {
  return orErrno(libc.flock(fd, operation));
}

/** fchown(2); an id of 0xffffffff leaves that id as it is. */
export function fchown(fd: number, uid: number, gid: number): number {
  return orErrno(libc.fchown(fd, uid, gid));
}

/** unlink(2). */
export function unlink(path: string): number {
  return orErrno(libc.unlink(cString(path)));
}

/** chmod(2). */
export function chmod(path: string, mode: number): number {
  return orErrno(libc.chmod(cString(path), mode));
}

/** chown(2); an id of 0xffffffff leaves that id as it is. */
export function chown(path: string, uid: number, gid: number): number {
  return orErrno(libc.chown(cString(path), uid, gid));
}

/** fstat(2), or `-errno`. */
export function fstat(fd: number): FileStatus | number {
  return libc.fstat(fd, statBuffer) < 0 ? -errno() : readStatBuffer();
}

/** lstat(2), or `-errno`. */
export function lstat(path: string): FileStatus | number {
  return libc.lstat(cString(path), statBuffer) < 0 ? -errno() : readStatBuffer();
}
