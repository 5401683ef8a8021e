/**
 * What this process is, and what others may do with it.
 *
 * @module
 */
import { panic } from "../../base/assert.ts";
import { errno } from "../errno.ts";
import { libc } from "./libc.ts";

/** _exit(2): the process ends here, and no handler of an exit runs. */
export function exitAtOnce(code: number): never {
  libc._exit(code);
  panic("_exit does not return");
}

/** getpid(2). */
export function processId(): number {
  return libc.getpid();
}

/** geteuid(2). */
export function effectiveUserId(): number {
  return libc.geteuid();
}

const PR_SET_DUMPABLE = 4;

/**
 * prctl(2), PR_SET_DUMPABLE 0: no core file of this process is written, and debuggers of the same user
 * cannot attach; its files below /proc belong to root. A change of user ids sets that anew. 0, or `-errno`.
 */
export function forbidDumps(): number {
  return libc.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n) < 0 ? -errno() : 0;
}

/** prctl(2), PR_SET_DUMPABLE 1: undoes {@linkcode forbidDumps}, and what a change of ids did. */
export function allowDumps(): number {
  return libc.prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n) < 0 ? -errno() : 0;
}

const CLOCK_MONOTONIC = 1;

/**
 * clock_gettime(2) of CLOCK_MONOTONIC in microseconds: the clock that processes of a machine share, and
 * systemd compares messages by. Nothing here is timed with it.
 */
export function sharedMonotonicUs(): bigint {
  const time = new BigInt64Array(2);
  libc.clock_gettime(CLOCK_MONOTONIC, new Uint8Array(time.buffer));
  return time[0] * 1_000_000n + time[1] / 1_000n;
}

/** umask(2): sets the mask, answers the old one. */
export function setFileCreationMask(mask: number): number {
  return libc.umask(mask);
}
