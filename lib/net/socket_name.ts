/**
 * The name of a UNIX-domain socket in the file system: taking it, and giving it back.
 *
 * A name that a dead process left behind is taken over; a name that somebody answers on, or that is not a
 * socket, is left alone and refused. A name is removed only while it is the one that was made here.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { EXIT, FatalError } from "../base/errors.ts";
import { withoutEndSlashes } from "../config/paths.ts";
import { ABI } from "../ffi/abi.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { closeFile, FILE_KIND, lstat, unlink } from "../ffi/libc/file.ts";
import { connect, unixAddress, unixStream } from "../ffi/libc/socket.ts";

/** A name that is to be made. */
export interface WantedName {
  readonly path: string;
  /** What chooses the path, for people: `[service.ROLE] socket`. */
  readonly setting: string;
}

/**
 * Sees to it that nothing is at a path, and answers the path's address.
 *
 * Throws {@linkcode FatalError} when the path is too long, in use, not a socket, or out of reach.
 */
export function makeWayFor(wanted: WantedName): Bytes {
  const { path, setting } = wanted;
  const address = unixAddress(path);
  if (address === undefined) {
    throw new FatalError(
      `Cannot listen on "${path}": a socket path has 1 to ${ABI.sockaddrUn.pathBytesMax} bytes`,
      { hint: `Choose a shorter path in ${setting}` },
    );
  }
  const status = lstat(path);
  if (typeof status === "number") {
    if (status === -ERRNO.ENOENT) return address;
    throw nameRefusal(wanted, -status);
  }
  if ((status.mode & FILE_KIND.mask) !== FILE_KIND.socket) {
    throw new FatalError(`Cannot listen on "${path}": a file that is not a socket is there`, {
      hint: `Move that file away, or choose another path in ${setting}`,
    });
  }
  const probe = unixStream();
  if (probe < 0) throw nameRefusal(wanted, -probe);
  const answer = connect(probe, address);
  closeFile(probe);
  if (answer === 0 || answer === -ERRNO.EAGAIN) {
    throw new FatalError(`Cannot listen on "${path}": another process already serves it`, {
      hint: `Stop that process, or give this one another path in ${setting}`,
    });
  }
  if (answer !== -ERRNO.ECONNREFUSED) throw nameRefusal(wanted, -answer);
  const removed = unlink(path);
  if (removed < 0) throw nameRefusal(wanted, -removed);
  return address;
}

/** The error for a call about a name that failed with `number`, an errno. */
export function nameRefusal({ path, setting }: WantedName, number: number): FatalError {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const hint = number === ERRNO.ENOENT
    ? `Create the folder "${folder}", or choose another path in ${setting}`
    : number === ERRNO.EACCES || number === ERRNO.EROFS
    ? `Let this user write into "${folder}", or choose another path in ${setting}`
    : `Choose another path in ${setting}`;
  return new FatalError(`Cannot listen on "${path}": ${describeErrno(number)}`, {
    hint,
    exitCode: EXIT.config,
  });
}

/** A name that was made here. */
export class OwnName {
  /** As the process sees it. */
  #path: string;
  readonly #identity: string;

  /** To be made at once when the socket is there. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  /** The process has been shut into the folder `jail`: paths begin there. */
  enterJail(jail: string): void {
    const folder = withoutEndSlashes(jail);
    if (this.#path.startsWith(`${folder}/`)) this.#path = this.#path.slice(folder.length);
  }

  /** Removes the name, unless somebody else has put another one in its place. */
  remove(): void {
    if (this.#identity !== "" && identityOf(this.#path) === this.#identity) unlink(this.#path);
  }
}

function identityOf(path: string): string {
  const status = lstat(path);
  return typeof status === "number" ? "" : `${status.dev}:${status.ino}`;
}
