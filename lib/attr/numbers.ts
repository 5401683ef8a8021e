/**
 * The numbers of the attribute protocol: unsigned decimal on the wire, signed 32-bit in memory.
 *
 * @module
 */

import { toLatin1 } from "../base/bytes.ts";

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;

/**
 * Reads `bytes[start, end)` as C's `scanf("%u")` does and stores it as an `int`: white space and a
 * sign may precede the digits, nothing may follow them, 4294967295 is -1. Numbers that do not fit
 * 32 bits lose their upper half, those that do not fit 64 bits become -1 (glibc).
 *
 * @returns The number, or `undefined` when the text is not one.
 */
export function parseInt32(bytes: Uint8Array, start: number, end: number): number | undefined {
  const length = end - start;
  // Nearly every number is a few plain digits.
  if (length > 0 && length < 10) {
    let value = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === end) return value;
  }
  return parseUnusual(bytes, start, end);
}

function parseUnusual(bytes: Uint8Array, start: number, end: number): number | undefined {
  let at = start;
  while (at < end && (bytes[at] === 32 || (bytes[at] >= 9 && bytes[at] <= 13))) at++;
  const negative = bytes[at] === 45;
  if (at < end && (negative || bytes[at] === 43)) at++;
  if (at === end) return undefined;
  const digits = at;
  for (; at < end; at++) {
    if (bytes[at] < 48 || bytes[at] > 57) return undefined;
  }
  return toInt32(bytes, digits, end, negative);
}

function toInt32(bytes: Uint8Array, digits: number, end: number, negative: boolean): number {
  let first = digits;
  while (first < end - 1 && bytes[first] === 48) first++;
  // 20 digits hold every 64-bit number; anything longer is beyond it, and is not worth converting.
  if (end - first > 20) return -1;
  const value = BigInt(toLatin1(bytes, first, end));
  if (value > MAX_UINT64) return -1;
  return Number(BigInt.asIntN(32, negative ? -value : value));
}
