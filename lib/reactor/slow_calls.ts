/**
 * Calls that may wait for a disk, made outside the service thread.
 *
 * The loop of a service thread must never stand still, and reading, writing and syncing a file can take
 * as long as a disk likes. Whoever has such a call to make hands it to a {@linkcode SlowCalls} and goes
 * on; `done` runs in the service thread in a later turn. Calls that were handed in together may be made
 * in any order and at the same time: who needs an order waits for the one before starting the next.
 *
 * The descriptor must stay open until `done` has run. Why a call failed cannot be told, because errno
 * belongs to the thread that made it. When the loop ends, what is outstanding is still carried out but
 * its `done` is never run.
 *
 * @module
 */

/** Slow calls on descriptors. */
export interface SlowCalls {
  /** fdatasync(2). */
  fdatasync(fd: number, done: (ok: boolean) => void): void;
  /** fsync(2). */
  fsync(fd: number, done: (ok: boolean) => void): void;
  /**
   * pread(2): at most `length` bytes from `offset` on; fewer at the end of the file, `undefined` on
   * failure.
   */
  read(
    fd: number,
    at: { length: number; offset: number },
    done: (bytes: Uint8Array | undefined) => void,
  ): void;
  /** pwrite(2) until all bytes are written. The bytes are copied before the call returns. */
  write(fd: number, bytes: Uint8Array, offset: number, done: (ok: boolean) => void): void;
  /** close(2): the last one of a long file that has no name any more gives all its blocks back. */
  close(fd: number): void;
}
