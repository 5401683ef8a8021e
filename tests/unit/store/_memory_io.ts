/**
 * A disk in memory that fails when it is told to.
 *
 * Behaves as Linux does for the calls of the store: several names, descriptors of unlinked files,
 * flock(2) by open file. Each call is counted, and {@linkcode MemoryIo.fault} may answer in its place.
 *
 * @module
 */
import type { Bytes } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { FILE_KIND, LOCK, OPEN } from "../../../lib/ffi/libc/file.ts";
import type { FileIo, FileStatus } from "../../../lib/store/file_io.ts";

/** A file, whatever its names are. */
export interface MemoryFile {
  bytes: Bytes;
  mode: number;
  uid: number;
  nlink: number;
  inode: number;
  lockedBy: number | undefined;
}

/** The calls that can be made to fail. */
export type Call = Exclude<keyof FileIo, "effectiveUserId" | "within">;

/** An answer in the place of the call, or undefined to let it happen. */
export type Fault = (call: Call, nth: number) => number | "short" | undefined;

/** The disk. */
export class MemoryIo implements FileIo {
  readonly files = new Map<string, MemoryFile>();
  /** Open descriptors. */
  readonly descriptors = new Map<number, MemoryFile>();
  /** Calls made so far. */
  calls = 0;
  fault: Fault = () => undefined;
  /** Where the transfer begins that is being made, or was made last. */
  offset = 0;
  #nextFd = 3;
  #nextInode = 1;

  /** The content of `path`. */
  content(path: string): Bytes {
    const file = this.files.get(path);
    if (file === undefined) throw new Error(`No file ${path}`);
    return file.bytes.slice();
  }

  /** Puts a file there, as if an earlier process had. */
  setContent(path: string, bytes: Uint8Array): MemoryFile {
    const file = this.files.get(path) ?? this.#make(path, 0o600);
    file.bytes = new Uint8Array(bytes);
    return file;
  }

  /** What the end of a process does to its descriptors. */
  killProcess(): void {
    for (const fd of [...this.descriptors.keys()]) this.#drop(fd);
  }

  effectiveUserId(): number {
    return 1000;
  }

  /** There is one folder, whatever it is called. */
  within(_folderFd: number): this {
    return this;
  }

  open(path: string, flags: number, mode: number): number {
    return this.#call("open", () => {
      if ((flags & OPEN.directory) !== 0) return this.#openFile(this.#newFile(FILE_KIND.directory));
      let file = this.files.get(path);
      if (file !== undefined && (flags & OPEN.exclusive) !== 0) return -ERRNO.EEXIST;
      if (file === undefined && (flags & OPEN.create) === 0) return -ERRNO.ENOENT;
      file ??= this.#make(path, mode);
      return this.#openFile(file);
    });
  }

  close(fd: number): void {
    if (!this.descriptors.has(fd)) throw new Error(`Descriptor ${fd} is not open`);
    this.#drop(fd);
  }

  pread(fd: number, bytes: Bytes, length: number, offset: number): number {
    this.offset = offset;
    return this.#transfer("pread", length, (count) => {
      const piece = this.#file(fd).bytes.subarray(offset, offset + count);
      bytes.set(piece);
      return piece.length;
    });
  }

  pwrite(fd: number, bytes: Bytes, length: number, offset: number): number {
    this.offset = offset;
    return this.#transfer("pwrite", length, (count) => {
      const file = this.#file(fd);
      if (offset + count > file.bytes.length) resize(file, offset + count);
      file.bytes.set(bytes.subarray(0, count), offset);
      return count;
    });
  }

  ftruncate(fd: number, length: number): number {
    return this.#call("ftruncate", () => {
      resize(this.#file(fd), length);
      return 0;
    });
  }

  fdatasync(fd: number): number {
    return this.#call("fdatasync", () => this.#file(fd) ? 0 : -ERRNO.EBADF);
  }

  fsync(fd: number): number {
    return this.#call("fsync", () => this.#file(fd) ? 0 : -ERRNO.EBADF);
  }

  fchown(fd: number, ownerId: number): number {
    return this.#call("fchown", () => {
      this.#file(fd).uid = ownerId;
      return 0;
    });
  }

  flock(fd: number, operation: number): number {
    return this.#call("flock", () => {
      const file = this.#file(fd);
      if (operation === LOCK.unlock) {
        if (file.lockedBy === fd) file.lockedBy = undefined;
        return 0;
      }
      if (operation !== (LOCK.exclusive | LOCK.nonBlocking)) return -ERRNO.EINVAL;
      if (file.lockedBy !== undefined && file.lockedBy !== fd) return -ERRNO.EAGAIN;
      file.lockedBy = fd;
      return 0;
    });
  }

  rename(from: string, to: string): number {
    return this.#call("rename", () => {
      const file = this.files.get(from);
      if (file === undefined) return -ERRNO.ENOENT;
      const replaced = this.files.get(to);
      if (replaced !== undefined) replaced.nlink--;
      this.files.delete(from);
      this.files.set(to, file);
      return 0;
    });
  }

  unlink(path: string): number {
    return this.#call("unlink", () => {
      const file = this.files.get(path);
      if (file === undefined) return -ERRNO.ENOENT;
      file.nlink--;
      this.files.delete(path);
      return 0;
    });
  }

  fstat(fd: number): FileStatus | number {
    const file = this.#file(fd);
    const result = this.#call("fstat", () => 0);
    if (result < 0) return result;
    const { mode, uid, nlink, inode } = file;
    return { dev: 1n, ino: BigInt(inode), mode, nlink, uid, gid: uid, size: file.bytes.length };
  }

  #call(name: Call, act: () => number): number {
    const fault = this.fault(name, ++this.calls);
    return typeof fault === "number" ? fault : act();
  }

  #transfer(name: Call, length: number, act: (count: number) => number): number {
    const fault = this.fault(name, ++this.calls);
    if (typeof fault === "number") return fault;
    return act(fault === "short" && length > 1 ? length >> 1 : length);
  }

  #file(fd: number): MemoryFile {
    const file = this.descriptors.get(fd);
    if (file === undefined) throw new Error(`Descriptor ${fd} is not open`);
    return file;
  }

  #newFile(mode: number): MemoryFile {
    const inode = this.#nextInode++;
    return { bytes: new Uint8Array(), mode, uid: 1000, nlink: 1, inode, lockedBy: undefined };
  }

  #make(path: string, mode: number): MemoryFile {
    const file = this.#newFile(FILE_KIND.regular | mode);
    this.files.set(path, file);
    return file;
  }

  #openFile(file: MemoryFile): number {
    const fd = this.#nextFd++;
    this.descriptors.set(fd, file);
    return fd;
  }

  #drop(fd: number): void {
    const file = this.#file(fd);
    if (file.lockedBy === fd) file.lockedBy = undefined;
    this.descriptors.delete(fd);
  }
}

function resize(file: MemoryFile, length: number): void {
  const bytes = new Uint8Array(length);
  bytes.set(file.bytes.subarray(0, length));
  file.bytes = bytes;
}
