/**
 * A small private file that several processes take turns to rewrite: no records, one state.
 *
 * The lock is flock(2) on the file itself, as other programs that know the file take it, and is never
 * waited for. Nothing here decides what the bytes mean, or when they are read. Owns the descriptor until
 * {@linkcode StateFile.close}.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { LOCK } from "../ffi/libc/file.ts";
import type { FileIo } from "./file_io.ts";
import { type PrivateFileRefusal, tryOpenPrivateFile } from "./private_file.ts";

/** One open state file. Texts that calls answer say why they failed. */
export class StateFile {
  /** The descriptor; not to be closed by others. */
  readonly fd: number;
  readonly #io: FileIo;

  private constructor(io: FileIo, fd: number) {
    this.#io = io;
    this.fd = fd;
  }

  /** Opens the private file `path` of user `ownerId`, and makes it if it is missing. */
  static open(io: FileIo, path: string, ownerId?: number): StateFile | PrivateFileRefusal {
    const opened = tryOpenPrivateFile(io, path, ownerId);
    return "fd" in opened ? new StateFile(io, opened.fd) : opened;
  }

  /** Takes the exclusive lock, unless another process has it. */
  tryLock(): "locked" | "busy" | { why: string } {
    const result = this.#io.flock(this.fd, LOCK.exclusive | LOCK.nonBlocking);
    if (result === -ERRNO.EAGAIN) return "busy";
    return result < 0 ? { why: describeErrno(-result) } : "locked";
  }

  /** Gives the lock back. */
  unlock(): void {
    // flock(2) fails only for descriptors that are none.
    this.#io.flock(this.fd, LOCK.unlock);
  }

  /** Whether the file still has a name. */
  hasName(): boolean | { why: string } {
    const status = this.#io.fstat(this.fd);
    return typeof status === "number" ? { why: describeErrno(-status) } : status.nlink > 0;
  }

  /** Reads from the beginning, at most as many bytes as `bytes` has; how many there were. */
  read(bytes: Bytes): number | { why: string } {
    const count = this.#io.pread(this.fd, bytes, bytes.length, 0);
    return count < 0 ? { why: describeErrno(-count) } : count;
  }

  /** Writes all of `bytes` to the beginning; why that failed, otherwise. */
  write(bytes: Bytes): string | undefined {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at);
      const count = this.#io.pwrite(this.fd, rest, rest.length, at);
      if (count < 0) return describeErrno(-count);
      if (count === 0) return "nothing was written";
      at += count;
    }
    return undefined;
  }

  /** Closes the file, and with it gives the lock back. */
  close(): void {
    this.#io.close(this.fd);
  }
}
