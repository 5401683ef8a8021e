/**
 * Stream sockets without framing, for the rooms above that do not know C: connect, move bytes, pass a
 * descriptor, close.
 *
 * Results below zero are `-errno`; nothing here waits.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { ABI } from "../ffi/abi.ts";
import { closeFile } from "../ffi/libc/file.ts";
import {
  connect,
  send,
  SOCKET,
  socketOption,
  unixAddress,
  unixStream,
} from "../ffi/libc/socket.ts";
import type { Bytes } from "../base/bytes.ts";

export {
  receive,
  receiveDescriptors,
  send,
  sendDescriptor,
  setNoDelay,
  setNonBlocking,
  socketPair,
} from "../ffi/libc/socket.ts";
export { closeFile as closeDescriptor } from "../ffi/libc/file.ts";
export { describeErrno } from "../ffi/errno.ts";

/** Nothing to read, or no room to write, at the moment. */
export const AGAIN: number = -ERRNO.EAGAIN;
/** The other end of the socket has gone. */
export const GONE: readonly number[] = [-ERRNO.EPIPE, -ERRNO.ECONNRESET];
/** A signal came in between; the same call may be made again. */
export const INTERRUPTED: number = -ERRNO.EINTR;

/**
 * Connects to the UNIX-domain socket `path`: a non-blocking descriptor, or `-errno`.
 *
 * A UNIX-domain connect either succeeds at once or fails at once; `-EAGAIN` says that the listener's
 * queue is full.
 */
export function connectUnix(path: string): number {
  const address = unixAddress(path);
  if (address === undefined) {
    throw new FatalError(
      `Cannot connect to "${path}": a socket path has 1 to ${ABI.sockaddrUn.pathBytesMax} bytes`,
    );
  }
  const fd = unixStream();
  if (fd < 0) return fd;
  const result = connect(fd, address);
  if (result === 0) return fd;
  closeFile(fd);
  return result;
}

/** Whether `fd` is a stream socket that does not listen, and not something else that was passed. */
export function isStreamSocket(fd: number): boolean {
  return socketOption(fd, SOCKET.SO_TYPE) === SOCKET.SOCK_STREAM &&
    socketOption(fd, SOCKET.SO_ACCEPTCONN) === 0;
}

/** Words for a negative result. */
export function describeFailure(result: number): string {
  return describeErrno(-result);
}

/**
 * Sends all of `bytes` at once to a socket whose buffer is empty; why that failed, otherwise.
 *
 * For short messages only: the smallest socket buffer holds several kilobytes.
 */
export function sendWhole(fd: number, bytes: Bytes): string | undefined {
  const sent = send(fd, bytes, bytes.length);
  if (sent === bytes.length) return undefined;
  return sent < 0 ? describeFailure(sent) : `only ${sent} of ${bytes.length} bytes were taken`;
}
