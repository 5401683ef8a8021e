/**
 * What a daemon tells master(8): status messages of twelve bytes (master_proto.h, master_status.c).
 *
 * Three numbers of four bytes in the byte order of the machine: the process id, the generation of the
 * service that the process was started for, and the status. A message is one write(2).
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";

/** master_proto.h: MASTER_STAT_TAKEN, MASTER_STAT_AVAIL. */
export const MASTER_STATUS = {
  /** The process is busy. */
  taken: 0,
  /** The process takes connections. */
  available: 1,
} as const;

/** Descriptors that master(8) leaves open (master_proto.h). */
export const MASTER_FD = { flowRead: 3, flowWrite: 4, status: 5, listen: 6 } as const;

/** The message that process `pid` of `generation` has `status`. */
export function encodeMasterStatus(
  pid: number,
  generation: number,
  status: (typeof MASTER_STATUS)[keyof typeof MASTER_STATUS],
): Bytes {
  const numbers = new Uint32Array([pid, generation, status]);
  return new Uint8Array(numbers.buffer);
}

/** The number in the environment variable GENERATION, which is octal; `undefined` if it is none. */
export function parseGeneration(text: string): number | undefined {
  return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) >>> 0 : undefined;
}
