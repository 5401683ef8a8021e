/**
 * Opening files that nobody else may have a hand in, and the lock that makes one owner.
 *
 * A private file is regular, ours (the effective user's, or that of the user whom the process will
 * become), has one name, is no symbolic link and is closed to group and others; whatever else is found is
 * left as it is and refused. Its folder is opened once, and everything afterwards is done by name in the
 * open folder. The lock is flock(2) on a file of its own, `NAME.lock`: it outlives a
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
const OPEN_PRIVATE = OPEN.readWrite | OPEN.noFollow | OPEN.closeOnExec | OPEN.nonBlocking |
  OPEN.noControllingTerminal;

const OWNER_TEXT_BYTES_MAX = 20;

/** An open private file. */
export interface PrivateFile {
  fd: number;
  /** Bytes; 0 for a file that was just made. */
  size: number;
}

/** Why a private file cannot be had. */
export interface PrivateFileRefusal {
  /** `open`: open(2) said no. `use`: it is open-able, but not private. */
  readonly attempt: "open" | "use";
  readonly why: string;
  readonly hint: string | undefined;
}

/** Where private files stand: a folder that is opened once, and a name in it. */
export interface PrivatePlace {
  /** For messages. */
  readonly path: string;
  readonly name: string;
  /** Its paths are names in the folder. */
  readonly io: FileIo;
  readonly folderFd: number;
  /** User id of the one owner of all files here. */
  readonly ownerId: number;
}

/**
 * Opens the folder of `path`, which must not let others put files of theirs in the place of ours: one
 * that group or world may write to must be sticky. Whoever opens it closes `folderFd`.
 */
export function openPrivatePlace(
  io: FileIo,
  path: string,
  ownerId: number = io.effectiveUserId(),
): PrivatePlace | PrivateFileRefusal {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const folderFd = io.open(folder, OPEN.readOnly | OPEN.directory | OPEN.closeOnExec, 0);
  if (folderFd < 0) return refuseOpen(-folderFd);
  const status = io.fstat(folderFd);
  const refusal = typeof status === "number"
    ? refuseOpen(-status)
    : judgeFolder(folder, status, { ownerId, userId: io.effectiveUserId() });
  if (refusal === undefined) {
    return { path, name: path.slice(slash + 1), io: io.within(folderFd), folderFd, ownerId };
  }
  io.close(folderFd);
  return refusal;
}

function judgeFolder(
  folder: string,
  { mode, uid }: FileStatus,
  { ownerId, userId }: { ownerId: number; userId: number },
): PrivateFileRefusal | undefined {
  if (isOpenToOthers(mode)) {
    return {
      attempt: "use",
      why: `others may put files into its folder "${folder}" ` +
        `(mode 0${(mode & 0o7777).toString(8)}, not sticky)`,
      hint: "Take the right to write away from group and others, or choose another folder",
    };
  }
  // Known now rather than at the first compaction, when this process is somebody else.
  const isOwners = ownerId === 0 || uid === ownerId || (mode & 0o022) !== 0;
  if (ownerId === userId || isOwners) return undefined;
  return {
    attempt: "use",
    why: `user id ${ownerId}, who is to own it, may not write to its folder "${folder}"`,
    hint: "Give the folder to that user, or choose another one",
  };
}

function isOpenToOthers(mode: number): boolean {
  return (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
}

/** As {@linkcode openPrivatePlace}, throwing a {@linkcode FatalError} about the cache file. */
export function demandPrivatePlace(io: FileIo, path: string, ownerId?: number): PrivatePlace {
  const place = openPrivatePlace(io, path, ownerId);
  if ("why" in place) throw refusalOf(path, place);
  return place;
}

/**
 * Opens the private file `name` of `place` for reading and writing; makes it if it is missing. Throws a
 * {@linkcode FatalError} about the cache file.
 */
export function openPrivateFile(place: PrivatePlace, name: string = place.name): PrivateFile {
  const opened = openIn(place, name);
  if ("fd" in opened) return opened;
  throw refusalOf(place.path.slice(0, -place.name.length) + name, opened);
}

function refusalOf(path: string, { attempt, why, hint }: PrivateFileRefusal): FatalError {
  return new FatalError(`Cannot ${attempt} cache file "${path}": ${why}`, { hint });
}

/** As {@linkcode openPrivateFile}, for those who have words of their own for a refusal. */
export function tryOpenPrivateFile(
  io: FileIo,
  path: string,
  ownerId?: number,
): PrivateFile | PrivateFileRefusal {
  const place = openPrivatePlace(io, path, ownerId);
  if ("why" in place) return place;
  const opened = openIn(place, place.name);
  io.close(place.folderFd);
  return opened;
}

function openIn(place: PrivatePlace, name: string): PrivateFile | PrivateFileRefusal {
  const { io, ownerId } = place;
  let fd = io.open(name, OPEN_PRIVATE, PRIVATE_MODE);
  // Opening and making apart, so that the owner of what was made here can be set, and only of that.
  if (fd === -ERRNO.ENOENT) fd = createPrivateFile(place, name);
  // Somebody made it in between.
  if (fd === -ERRNO.EEXIST) fd = io.open(name, OPEN_PRIVATE, PRIVATE_MODE);
  if (fd < 0) return refuseOpen(-fd);
  const status = io.fstat(fd);
  const fault = typeof status === "number"
    ? { what: describeErrno(-status), hint: undefined }
    : findFault(status, ownerId);
  if (fault === undefined) return { fd, size: (status as FileStatus).size };
  io.close(fd);
  return { attempt: "use", why: fault.what, hint: fault.hint };
}

/**
 * Makes the file `name` of `place`, which must not exist, for reading and writing. A descriptor, or
 * `-errno` and nothing was made.
 */
export function createPrivateFile({ io, ownerId }: PrivatePlace, name: string): number {
  const fd = io.open(name, OPEN_PRIVATE | OPEN.create | OPEN.exclusive, PRIVATE_MODE);
  if (fd < 0 || ownerId === io.effectiveUserId()) return fd;
  const result = io.fchown(fd, ownerId);
  if (result === 0) return fd;
  io.close(fd);
  io.unlink(name);
  return result;
}

function refuseOpen(errno: number): PrivateFileRefusal {
  if (errno === ERRNO.ELOOP) {
    const hint = "Give the path of the file itself";
    return { attempt: "use", why: "it is a symbolic link", hint };
  }
  const hint = errno === ERRNO.ENOENT
    ? "Make its folder first, owned by the user who runs postern"
    : errno === ERRNO.EISDIR
    ? "Give the path of a file in that folder"
    : errno === ERRNO.EACCES
    ? "Check who owns the folder and the file, and their modes"
    : undefined;
  return { attempt: "open", why: describeErrno(errno), hint };
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
      hint: "It holds secrets: set its mode to 0600, or remove it",
    };
  }
  return undefined;
}

/**
 * Takes the lock of the cache file of `place` for this process. Returns the descriptor that holds it;
 * closing that gives the lock back. Throws {@linkcode FatalError} if somebody has it.
 */
export function takeLock(place: PrivatePlace): number {
  const { io, path } = place;
  const { fd } = openPrivateFile(place, `${place.name}.lock`);
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
