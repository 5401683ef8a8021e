/**
 * What the C compiler's layout rules say on this machine: x86-64 and arm64 Linux with glibc.
 *
 * Both are LP64 and little-endian; they differ in one structure, `epoll_event`, which is packed on
 * x86-64 only (`EPOLL_PACKED` in glibc's bits/epoll.h).
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";

if (Deno.build.os !== "linux") {
  throw new FatalError(`Cannot run on ${Deno.build.os}: postern needs Linux with glibc`);
}

/** Sizes and offsets in bytes. */
export const ABI = {
  epollEvent: Deno.build.arch === "x86_64"
    ? { bytes: 12, events: 0, data: 4 }
    : { bytes: 16, events: 0, data: 8 },
  /** `struct msghdr`: name, namelen, iov, iovlen, control, controllen, flags. */
  msghdr: {
    bytes: 56,
    name: 0,
    namelen: 8,
    iov: 16,
    iovlen: 24,
    control: 32,
    controllen: 40,
    flags: 48,
  },
  iovec: { bytes: 16, base: 0, len: 8 },
  /** `struct cmsghdr` and one descriptor: CMSG_LEN is 20, CMSG_SPACE is 24. */
  cmsghdr: { bytes: 16, len: 0, level: 8, type: 12, data: 16 },
  /** `struct sockaddr_un`: a family of 2 bytes and a path of 108. */
  sockaddrUn: { bytes: 110, path: 2, pathBytesMax: 107 },
  /** `struct passwd`: name, password, uid, gid, …; `struct group`: name, password, gid, … */
  passwd: { uid: 16, gid: 20 },
  group: { gid: 16 },
  /** `struct stat` of the kernel's newstat interface. */
  stat: Deno.build.arch === "x86_64"
    ? { bytes: 144, dev: 0, ino: 8, nlink: 16, mode: 24, uid: 28, gid: 32, size: 48, nlinkBytes: 8 }
    : {
      bytes: 128,
      dev: 0,
      ino: 8,
      nlink: 20,
      mode: 16,
      uid: 24,
      gid: 28,
      size: 48,
      nlinkBytes: 4,
    },
} as const;
