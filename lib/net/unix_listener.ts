/**
 * A listening UNIX-domain socket with a name in the file system.
 *
 * A name that a dead process left behind is taken over; a name that somebody answers on, or that is
 * not a socket, is left alone and refused. The socket is made without any permission and gets its
 * mode only when it is complete, so that nobody connects through a moment of carelessness.
 *
 * @module
 */
import { EXIT, FatalError } from "../base/errors.ts";
import { withoutEndSlashes } from "../config/paths.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { ABI } from "../ffi/abi.ts";
import { chmod, chown, closeFile, FILE_KIND, lstat, unlink } from "../ffi/libc/file.ts";
import { setFileCreationMask } from "../ffi/libc/process.ts";
import { bind, connect, listen, unixAddress, unixStream } from "../ffi/libc/socket.ts";
import type { Bytes } from "../base/bytes.ts";

/** chown(2) leaves that id alone. */
const SAME_ID = 0xffffffff;

/** How a listening socket is made. */
export interface ListenOptions {
  /** Permission bits of the name. */
  mode: number;
  /** Numeric owner of the name; absent: that of the process. */
  ownerId?: number;
  /** Numeric group of the name; absent: that of the process. */
  groupId?: number;
  /** Connections that wait to be accepted. */
  backlog: number;
}

/** A listening socket; owns the descriptor and the name. */
export class UnixListener {
  /** Where clients connect. */
  readonly path: string;
  /** The listening descriptor, non-blocking. */
  readonly fd: number;
  readonly #identity: string;
  /** The path as the process sees it. */
  #path: string;
  #open = true;

  private constructor(path: string, fd: number, identity: string) {
    this.path = path;
    this.#path = path;
    this.fd = fd;
    this.#identity = identity;
  }

  /**
   * Binds and listens.
   *
   * Throws {@linkcode FatalError} when the path is too long, in use, not a socket, or not writable.
   */
  static open(path: string, options: ListenOptions): UnixListener {
    const address = unixAddress(path);
    if (address === undefined) {
      throw new FatalError(
        `Cannot listen on "${path}": a socket path has 1 to ${ABI.sockaddrUn.pathBytesMax} bytes`,
        { hint: "Choose a shorter path in [service.ROLE] socket" },
      );
    }
    makeWayFor(path, address);
    const fd = unixStream();
    if (fd < 0) throw refusal(path, -fd);
    // Nobody may connect before the mode is set: bind(2) makes the name with the umask's permissions.
    const mask = setFileCreationMask(0o777);
    const bound = bind(fd, address);
    setFileCreationMask(mask);
    if (bound < 0) {
      closeFile(fd);
      throw refusal(path, -bound);
    }
    try {
      const { mode, ownerId = SAME_ID, groupId = SAME_ID, backlog } = options;
      demand(path, chown(path, ownerId, groupId));
      demand(path, listen(fd, backlog));
      demand(path, chmod(path, mode));
    } catch (error) {
      closeFile(fd);
      unlink(path);
      throw error;
    }
    return new UnixListener(path, fd, identityOf(path));
  }

  /** The process has been shut into the folder `jail`: paths begin there. */
  enterJail(jail: string): void {
    const folder = withoutEndSlashes(jail);
    if (this.#path.startsWith(`${folder}/`)) this.#path = this.#path.slice(folder.length);
  }

  /**
   * Stops listening; removes the name, unless somebody else has put another one in its place. Again is
   * allowed.
   */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeFile(this.fd);
    if (this.#identity !== "" && identityOf(this.#path) === this.#identity) unlink(this.#path);
  }
}

/** Removes a name that a dead process left behind, and refuses every other. */
function makeWayFor(path: string, address: Bytes): void {
  const status = lstat(path);
  if (typeof status === "number") {
    if (status === -ERRNO.ENOENT) return;
    throw refusal(path, -status);
  }
  if ((status.mode & FILE_KIND.mask) !== FILE_KIND.socket) {
    throw new FatalError(`Cannot listen on "${path}": a file that is not a socket is there`, {
      hint: "Move that file away, or choose another path in [service.ROLE] socket",
    });
  }
  const probe = unixStream();
  if (probe < 0) throw refusal(path, -probe);
  const answer = connect(probe, address);
  closeFile(probe);
  if (answer === 0 || answer === -ERRNO.EAGAIN) {
    throw new FatalError(`Cannot listen on "${path}": another process already serves it`, {
      hint: "Stop that process, or give this one another path in [service.ROLE] socket",
    });
  }
  if (answer !== -ERRNO.ECONNREFUSED) throw refusal(path, -answer);
  demand(path, unlink(path));
}

function identityOf(path: string): string {
  const status = lstat(path);
  return typeof status === "number" ? "" : `${status.dev}:${status.ino}`;
}

function demand(path: string, result: number): void {
  if (result < 0) throw refusal(path, -result);
}

function refusal(path: string, number: number): FatalError {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const hint = number === ERRNO.ENOENT
    ? `Create the folder "${folder}", or choose another path in [service.ROLE] socket`
    : number === ERRNO.EACCES || number === ERRNO.EROFS
    ? `Let this user write into "${folder}", or choose another path in [service.ROLE] socket`
    : "Choose another path in [service.ROLE] socket";
  return new FatalError(`Cannot listen on "${path}": ${describeErrno(number)}`, {
    hint,
    exitCode: EXIT.config,
  });
}
