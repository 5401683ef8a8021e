/**
 * Files that are memory and have no name (memfd_create(2)). A result below zero is `-errno`.
 *
 * @module
 */
import { cString } from "../memory.ts";
import { ERRNO, errno } from "../errno.ts";
import { libc } from "./libc.ts";

const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
/** Nobody may ever execute it (Linux 6.3). */
const MFD_NOEXEC_SEAL = 0x8;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;

/** What can be ruled out for good (linux/fcntl.h). */
export const SEAL = { seal: 1, shrink: 2, grow: 4, write: 8 } as const;

/** memfd_create(2): an empty file that takes seals; `name` is for people who look into /proc. */
export function makeMemoryFile(name: string): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const text = cString(name);
  const fd = libc.memfd_create(text, flags | MFD_NOEXEC_SEAL);
  if (fd >= 0 || errno() !== ERRNO.EINVAL) return fd < 0 ? -errno() : fd;
  // An older kernel.
  const plain = libc.memfd_create(text, flags);
  return plain < 0 ? -errno() : plain;
}

/** fcntl(2), F_ADD_SEALS. */
export function addSeals(fd: number, seals: number): number {
  return libc.fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno() : 0;
}

/** fcntl(2), F_GET_SEALS: fails for everything but memory. */
export function sealsOf(fd: number): number {
  const seals = libc.fcntl(fd, F_GET_SEALS, 0);
  return seals < 0 ? -errno() : seals;
}
