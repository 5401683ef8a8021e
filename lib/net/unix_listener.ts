/**
 * A listening UNIX-domain socket with a name in the file system.
 *
 * The socket is made without any permission and gets its mode only when it is complete, so that nobody
 * connects through a moment of carelessness. What becomes of a name that is there already is said in
 * socket_name.ts.
 *
 * @module
 */
import { chmod, chown, closeFile, unlink } from "../ffi/libc/file.ts";
import { setFileCreationMask } from "../ffi/libc/process.ts";
import { bind, listen, unixStream } from "../ffi/libc/socket.ts";
import { makeWayFor, nameRefusal, OwnName, type WantedName } from "./socket_name.ts";

/** chown(2) leaves that id alone. */
const SAME_ID = 0xffffffff;

const SETTING = "[service.ROLE] socket";

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
  readonly #name: OwnName;
  #open = true;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
    this.#name = new OwnName(path);
  }

  /**
   * Binds and listens.
   *
   * Throws {@linkcode FatalError} when the path is too long, in use, not a socket, or not writable.
   */
  static open(path: string, options: ListenOptions): UnixListener {
    const wanted: WantedName = { path, setting: SETTING };
    const address = makeWayFor(wanted);
    const fd = unixStream();
    if (fd < 0) throw nameRefusal(wanted, -fd);
    // Nobody may connect before the mode is set: bind(2) makes the name with the umask's permissions.
    const mask = setFileCreationMask(0o777);
    const bound = bind(fd, address);
    setFileCreationMask(mask);
    if (bound < 0) {
      closeFile(fd);
      throw nameRefusal(wanted, -bound);
    }
    try {
      const { mode, ownerId = SAME_ID, groupId = SAME_ID, backlog } = options;
      demand(wanted, chown(path, ownerId, groupId));
      demand(wanted, listen(fd, backlog));
      demand(wanted, chmod(path, mode));
    } catch (error) {
      closeFile(fd);
      unlink(path);
      throw error;
    }
    return new UnixListener(path, fd);
  }

  /** The process has been shut into the folder `jail`: paths begin there. */
  enterJail(jail: string): void {
    this.#name.enterJail(jail);
  }

  /**
   * Stops listening; removes the name, unless somebody else has put another one in its place. Again is
   * allowed.
   */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeFile(this.fd);
    this.#name.remove();
  }
}

function demand(wanted: WantedName, result: number): void {
  if (result < 0) throw nameRefusal(wanted, -result);
}
