/**
 * Sockets: typed calls over descriptors. A result below zero is `-errno`.
 *
 * Every transfer carries MSG_DONTWAIT and MSG_NOSIGNAL, so that neither a descriptor whose
 * O_NONBLOCK flag another process has cleared (the flag travels with a passed descriptor) nor a peer
 * that has gone can stop the loop.
 *
 * @module
 */
import { type Bytes, fromUtf8, utf8 } from "../../base/bytes.ts";
import { ABI } from "../abi.ts";
import { errno } from "../errno.ts";
import { Memory } from "../memory.ts";
import { libc } from "./libc.ts";

/** Address families, socket types and flags (sys/socket.h, bits/socket.h). */
export const SOCKET = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_ERROR: 4,
  SO_ACCEPTCONN: 30,
  SO_DOMAIN: 39,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_CTRUNC: 0x8,
  MSG_CMSG_CLOEXEC: 0x40000000,
  SCM_RIGHTS: 1,
  SHUT_WR: 1,
} as const;

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const TRANSFER_FLAGS = SOCKET.MSG_DONTWAIT | SOCKET.MSG_NOSIGNAL;
const STREAM_FLAGS = SOCKET.SOCK_NONBLOCK | SOCKET.SOCK_CLOEXEC;
const ON = new Uint8Array([1, 0, 0, 0]);

function orErrno(result: number): number {
  return result < 0 ? -errno() : result;
}

/** A `sockaddr_un` for `path`, or `undefined` when the path is too long or empty. */
export function unixAddress(path: string): Bytes | undefined {
  const bytes = utf8(path);
  if (bytes.length === 0 || bytes.length > ABI.sockaddrUn.pathBytesMax) return undefined;
  const address = new Uint8Array(ABI.sockaddrUn.bytes);
  address[0] = SOCKET.AF_UNIX;
  address.set(bytes, ABI.sockaddrUn.path);
  return address;
}

/** A `sockaddr_un` for `name` in the abstract name space, where names have no end but their length. */
export function abstractAddress(name: string): Bytes | undefined {
  const bytes = utf8(name);
  if (bytes.length === 0 || bytes.length > ABI.sockaddrUn.pathBytesMax) return undefined;
  const address = new Uint8Array(ABI.sockaddrUn.path + 1 + bytes.length);
  address[0] = SOCKET.AF_UNIX;
  address.set(bytes, ABI.sockaddrUn.path + 1);
  return address;
}

/** getsockname(2) of a UNIX-domain socket: its path; empty for every other socket and name. */
export function socketPath(fd: number): string {
  const address = new Uint8Array(ABI.sockaddrUn.bytes);
  const length = new Uint32Array([address.length]);
  if (libc.getsockname(fd, address, new Uint8Array(length.buffer)) < 0) return "";
  if (address[0] !== SOCKET.AF_UNIX) return "";
  const path = address.subarray(ABI.sockaddrUn.path, length[0]);
  const end = path.indexOf(0);
  return fromUtf8(end < 0 ? path : path.subarray(0, end));
}

/** A non-blocking UNIX-domain datagram socket. */
export function unixDatagram(): number {
  return orErrno(libc.socket(SOCKET.AF_UNIX, SOCKET.SOCK_DGRAM | STREAM_FLAGS, 0));
}

/** A non-blocking UNIX-domain stream socket. */
export function unixStream(): number {
  return orErrno(libc.socket(SOCKET.AF_UNIX, SOCKET.SOCK_STREAM | STREAM_FLAGS, 0));
}

/** Two connected non-blocking UNIX-domain stream sockets, or `-errno`. */
export function socketPair(): [number, number] | number {
  const pair = new Int32Array(2);
  const bytes = new Uint8Array(pair.buffer);
  const type = SOCKET.SOCK_STREAM | STREAM_FLAGS;
  if (libc.socketpair(SOCKET.AF_UNIX, type, 0, bytes) < 0) return -errno();
  return [pair[0], pair[1]];
}

/** Both ends of a non-blocking pipe, read end first, or `-errno`. */
export function pipe(): [number, number] | number {
  const pair = new Int32Array(2);
  if (libc.pipe2(new Uint8Array(pair.buffer), STREAM_FLAGS) < 0) return -errno();
  return [pair[0], pair[1]];
}

/** bind(2). */
export function bind(fd: number, address: Bytes): number {
  return orErrno(libc.bind(fd, address, address.length));
}

/** listen(2). */
export function listen(fd: number, backlog: number): number {
  return orErrno(libc.listen(fd, backlog));
}

/** connect(2); `-EINPROGRESS` (TCP) and `-EAGAIN` (UNIX, full backlog) are not failures yet. */
export function connect(fd: number, address: Bytes): number {
  return orErrno(libc.connect(fd, address, address.length));
}

/** accept4(2): a non-blocking, close-on-exec descriptor, or `-errno`. */
export function accept(fd: number): number {
  return orErrno(libc.accept4(fd, null, null, STREAM_FLAGS));
}

/** recv(2) into the front of `bytes`; 0 is the end of the stream. */
export function receive(fd: number, bytes: Bytes, length: number): number {
  return orErrno(libc.recv(fd, bytes, length, TRANSFER_FLAGS));
}

/** send(2) from the front of `bytes`. */
export function send(fd: number, bytes: Bytes, length: number): number {
  return orErrno(libc.send(fd, bytes, length, TRANSFER_FLAGS));
}

/** shutdown(2) of the sending direction. */
export function shutdownSend(fd: number): number {
  return orErrno(libc.shutdown(fd, SOCKET.SHUT_WR));
}

/** Switches Nagle's algorithm off; on a socket that is not TCP this does nothing. */
export function setNoDelay(fd: number): void {
  libc.setsockopt(fd, SOCKET.IPPROTO_TCP, SOCKET.TCP_NODELAY, ON, 4);
}

/** Sets O_NONBLOCK on the open file description behind `fd`. */
export function setNonBlocking(fd: number): number {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  if (flags < 0) return -errno();
  if ((flags & O_NONBLOCK) !== 0) return 0;
  return orErrno(libc.fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/** Has `fd` closed by execve(2). */
export function setCloseOnExec(fd: number): number {
  return orErrno(libc.fcntl(fd, F_SETFD, FD_CLOEXEC));
}

const optionValue = new Int32Array(1);
const optionLength = new Uint32Array(1);
const optionValueBytes = new Uint8Array(optionValue.buffer);
const optionLengthBytes = new Uint8Array(optionLength.buffer);

/** A whole-number socket option of level SOL_SOCKET, or `-errno`. */
export function socketOption(fd: number, option: number): number {
  optionValue[0] = 0;
  optionLength[0] = 4;
  const level = SOCKET.SOL_SOCKET;
  const result = libc.getsockopt(fd, level, option, optionValueBytes, optionLengthBytes);
  return result < 0 ? -errno() : optionValue[0];
}

/**
 * One message header, one data byte and room for passed descriptors, laid out once a thread.
 *
 * There is room for {@linkcode PASSED_MAX} descriptors, so that a peer that sends two has both of
 * them closed instead of leaving one open in this process.
 */
const PASSED_MAX = 4;
const CONTROL_BYTES = 16 + 4 * PASSED_MAX;
const CONTROL_LENGTH = BigInt(CONTROL_BYTES);

class MessageHeader {
  readonly #memory = new Memory(ABI.msghdr.bytes + ABI.iovec.bytes + CONTROL_BYTES + 8);
  readonly #iov = ABI.msghdr.bytes;
  readonly #control = ABI.msghdr.bytes + ABI.iovec.bytes;
  readonly #byte = ABI.msghdr.bytes + ABI.iovec.bytes + CONTROL_BYTES;

  constructor() {
    const { view, address } = this.#memory;
    view.setBigUint64(ABI.msghdr.iov, address + BigInt(this.#iov), true);
    view.setBigUint64(ABI.msghdr.iovlen, 1n, true);
    view.setBigUint64(ABI.msghdr.control, address + BigInt(this.#control), true);
    view.setBigUint64(this.#iov + ABI.iovec.base, address + BigInt(this.#byte), true);
    view.setBigUint64(this.#iov + ABI.iovec.len, 1n, true);
  }

  receive(fd: number): PassedDescriptors {
    const { view, pointer } = this.#memory;
    view.setBigUint64(ABI.msghdr.controllen, CONTROL_LENGTH, true);
    view.setInt32(ABI.msghdr.flags, 0, true);
    const flags = SOCKET.MSG_DONTWAIT | SOCKET.MSG_CMSG_CLOEXEC;
    const result = orErrno(libc.recvmsg(fd, pointer, flags));
    if (result <= 0) return { result, descriptors: [] };
    return { result, descriptors: this.#descriptors() };
  }

  #descriptors(): number[] {
    const { view } = this.#memory;
    // Lengths of a few bytes: their lower halves say all.
    const used = view.getUint32(ABI.msghdr.controllen, true);
    if (used < ABI.cmsghdr.data + 4) return [];
    const at = this.#control;
    if (view.getInt32(at + ABI.cmsghdr.level, true) !== SOCKET.SOL_SOCKET) return [];
    if (view.getInt32(at + ABI.cmsghdr.type, true) !== SOCKET.SCM_RIGHTS) return [];
    const bytes = view.getUint32(at + ABI.cmsghdr.len, true) - ABI.cmsghdr.data;
    const descriptors: number[] = [];
    for (let i = 0; i < Math.min(bytes >> 2, PASSED_MAX); i++) {
      descriptors.push(view.getInt32(at + ABI.cmsghdr.data + 4 * i, true));
    }
    return descriptors;
  }

  send(fd: number, descriptor: number): number {
    const { view, pointer } = this.#memory;
    const at = this.#control;
    view.setBigUint64(ABI.msghdr.controllen, 24n, true);
    view.setInt32(ABI.msghdr.flags, 0, true);
    view.setBigUint64(at + ABI.cmsghdr.len, 20n, true);
    view.setInt32(at + ABI.cmsghdr.level, SOCKET.SOL_SOCKET, true);
    view.setInt32(at + ABI.cmsghdr.type, SOCKET.SCM_RIGHTS, true);
    view.setInt32(at + ABI.cmsghdr.data, descriptor, true);
    view.setUint8(this.#byte, 0);
    return orErrno(libc.sendmsg(fd, pointer, TRANSFER_FLAGS));
  }
}

const message = new MessageHeader();

/** What {@linkcode receiveDescriptors} found. */
export interface PassedDescriptors {
  /** Bytes received: 1, or 0 at the end of the stream, or `-errno`. */
  result: number;
  /** The descriptors that came with the byte; the caller owns them all. */
  descriptors: number[];
}

/**
 * Receives exactly one byte and the descriptors attached to it, which get close-on-exec.
 *
 * One byte only: the next one is plaintext already (Postfix's util/unix_recv_fd.c).
 */
export function receiveDescriptors(fd: number): PassedDescriptors {
  return message.receive(fd);
}

/** sendmsg(2): `bytes` with `descriptor` attached, for calls that are rare. */
export function sendWithDescriptor(fd: number, bytes: Bytes, descriptor: number): number {
  const iov = ABI.msghdr.bytes;
  const control = iov + ABI.iovec.bytes;
  const data = control + CONTROL_BYTES;
  using memory = new Memory(data + bytes.length);
  const { view, address } = memory;
  memory.bytes.set(bytes, data);
  view.setBigUint64(ABI.msghdr.iov, address + BigInt(iov), true);
  view.setBigUint64(ABI.msghdr.iovlen, 1n, true);
  view.setBigUint64(ABI.msghdr.control, address + BigInt(control), true);
  view.setBigUint64(ABI.msghdr.controllen, 24n, true);
  view.setBigUint64(iov + ABI.iovec.base, address + BigInt(data), true);
  view.setBigUint64(iov + ABI.iovec.len, BigInt(bytes.length), true);
  view.setBigUint64(control + ABI.cmsghdr.len, 20n, true);
  view.setInt32(control + ABI.cmsghdr.level, SOCKET.SOL_SOCKET, true);
  view.setInt32(control + ABI.cmsghdr.type, SOCKET.SCM_RIGHTS, true);
  view.setInt32(control + ABI.cmsghdr.data, descriptor, true);
  return orErrno(libc.sendmsg(fd, memory.pointer, TRANSFER_FLAGS));
}

/** Sends one NUL byte with `descriptor` attached (Postfix's util/unix_send_fd.c). */
export function sendDescriptor(fd: number, descriptor: number): number {
  return message.send(fd, descriptor);
}
