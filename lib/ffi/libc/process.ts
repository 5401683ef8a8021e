/**
 * What this process is: ids.
 *
 * @module
 */
import { libc } from "./libc.ts";

/** getpid(2). */
export function processId(): number {
  return libc.getpid();
}

/** geteuid(2). */
export function effectiveUserId(): number {
  return libc.geteuid();
}

/** umask(2): sets the mask, answers the old one. */
export function setFileCreationMask(mask: number): number {
  return libc.umask(mask);
}
