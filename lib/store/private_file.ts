/**
 * Opening files that nobody else may have a hand in, and the lock that makes one owner.
 *
 * A private file is regular, ours (the effective user's), has one name, is no symbolic link and is
 * closed to group and others; whatever else is found is left as it is and refused with a
 * {@linkcode FatalError}. The lock is flock(2) on a file of its own, `NAME.lock`: it outlives a
 * replacement of the file that it guards, and the kernel drops it when its owner dies, however that
 * happens. The owner's process id stands in it for the one who is refused; the lock file stays behind,
 * because removing it could hand the lock to two owners.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { latin1, toLatin1 } from "../base/bytes.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { FILE_KIND, LOCK, OPEN } from "../ffi/libc/file.ts";
import type { FileIo, FileStatus } from "./file_io.ts";

/** Only the owner reads and writes. */
export const PRIVATE_MODE = 0o600;

// Non-blocking, because opening a FIFO would otherwise wait for its other end.
const OPEN_PRIVATE = OPEN.readWrite | OPEN.create | OPEN.noFollow | OPEN.closeOnExec |
  OPEN.nonBlocking | OPEN.noControllingTerminal;

const OWNER_TEXT_BYTES_MAX = 20;

/** An open private file. */
export interface PrivateFile {
  fd: number;
  /** Bytes; 0 for a file that was just made. */
  size: number;
}

/** Opens the private file `path` for reading and writing; makes it if it is missing. */
export function openPrivateFile(io: FileIo, path: string): PrivateFile {
  const fd = io.open(path, OPEN_PRIVATE, PRIVATE_MODE);
  if (fd < 0) throw refuseOpen(path, -fd);
  const status = io.fstat(fd);
  const fault = typeof status === "number"
    ? { what: describeErrno(-status), hint: undefined }
    : findFault(status, io.effectiveUserId());
  if (fault === undefined) return { fd, size: (status as FileStatus).size };
  io.close(fd);
  throw new FatalError(`Cannot use cache file "${path}": ${fault.what}`, { hint: fault.hint });
}

function refuseOpen(path: string, errno: number): FatalError {
  if (errno === ERRNO.ELOOP) {
    return new FatalError(`Cannot use cache file "${path}": it is a symbolic link`, {
      hint: "Give the path of the file itself",
    });
  }
  const hint = errno === ERRNO.ENOENT
    ? "Make its folder first, owned by the user who runs postern"
    : errno === ERRNO.EISDIR
    ? "Give the path of a file in that folder"
    : errno === ERRNO.EACCES
    ? "Check who owns the folder and the file, and their modes"
    : undefined;
  return new FatalError(`Cannot open cache file "${path}": ${describeErrno(errno)}`, { hint });
}

function findFault(status: FileStatus, uid: number): { what: string; hint?: string } | undefined {
  if ((status.mode & FILE_KIND.mask) !== FILE_KIND.regular) {
    return { what: "it is not a regular file", hint: "Choose another name" };
  }
  if (status.uid !== uid) {
    return {
      what: `it belongs to user id ${status.uid}, not to ${uid}`,
      hint: "Remove it, or give it to the user who runs postern",
    };
  }
  if (status.nlink !== 1) {
    return {
      what: `it has ${status.nlink} names (hard links)`,
      hint: "Remove it, or choose another name",
    };
  }
  if ((status.mode & 0o077) !== 0) {
    return {
      what: `its mode 0${(status.mode & 0o777).toString(8)} lets others in`,
      hint: "It holds session keys: set its mode to 0600, or remove it",
    };
  }
  return undefined;
}

/**
 * Takes the lock of the file `path` for this process. Returns the descriptor that holds it; closing
 * that gives the lock back. Throws {@linkcode FatalError} if somebody has it.
 */
export function takeLock(io: FileIo, path: string): number {
  const lockPath = `${path}.lock`;
  const { fd } = openPrivateFile(io, lockPath);
  const result = io.flock(fd, LOCK.exclusive | LOCK.nonBlocking);
  if (result < 0) {
    const owner = readOwner(io, fd);
    io.close(fd);
    if (result !== -ERRNO.EAGAIN) {
      throw new FatalError(`Cannot lock cache file "${path}": ${describeErrno(-result)}`, {
        hint: "Put it on a file system that knows flock(2)",
      });
    }
    const isSelf = owner === String(Deno.pid);
    throw new FatalError(
      `Cannot lock cache file "${path}": process ${owner} uses it${isSelf ? " (this one)" : ""}`,
      { hint: isSelf ? "Give each cache a file of its own" : "Stop that process first" },
    );
  }
  const text = latin1(`${Deno.pid}\n`);
  // The id is for people: a disk too full to hold it does not make the lock less held.
  io.ftruncate(fd, 0);
  io.pwrite(fd, text, text.length, 0);
  return fd;
}

function readOwner(io: FileIo, fd: number): string {
  const bytes = new Uint8Array(OWNER_TEXT_BYTES_MAX);
  const length = io.pread(fd, bytes, bytes.length, 0);
  const digits = /^[0-9]+/.exec(length > 0 ? toLatin1(bytes, 0, length) : "");
  return digits === null ? "with an unknown id" : digits[0];
}

/** Syncs the folder of `path`, so that a rename in it lasts. 0, or `-errno`. */
export function syncFolderOf(io: FileIo, path: string): number {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const fd = io.open(folder, OPEN.readOnly | OPEN.directory | OPEN.closeOnExec, 0);
  if (fd < 0) return fd;
  const result = io.fsync(fd);
  io.close(fd);
  return result;
}

/** Makes the file `path`, which must not exist, for reading and writing. A descriptor or `-errno`. */
export function createPrivateFile(io: FileIo, path: string): number {
  return io.open(path, OPEN_PRIVATE | OPEN.exclusive, PRIVATE_MODE);
}
