/**
 * Random numbers that are the same for the same seed.
 *
 * @module
 */

import type { Bytes } from "../../lib/base/bytes.ts";

/** Gives whole numbers from 0 to `below` - 1. */
export type Random = (below: number) => number;

/** A generator that begins at `seed` (xorshift of 32 bits). */
export function seededRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** `length` bytes out of `random`. */
export function seededBytes(random: Random, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random(256);
  return bytes;
}
