/**
 * What stands for a key in the index: 64 bits that depend on every byte of it and on a seed.
 *
 * Two keys with equal bits are taken for one by whoever stores or deletes; among a million keys that
 * happens once in 37 million runs, and costs one of the two its entry, never a wrong value, because what
 * is read is compared with the key itself. The seed is drawn for each index, so that nobody outside can
 * choose keys that meet.
 *
 * A key is the same whether it comes as a latin1 string or as the bytes of a record.
 *
 * @module
 */

const MULTIPLIER_LOW = 0x9e3779b1;
const MULTIPLIER_HIGH = 0x85ebca77;

/** Makes hashes, one at a time: the two halves stay here until the next one. */
export class KeyHash {
  /** The halves of the last hash, signed 32-bit numbers. */
  low = 0;
  high = 0;
  readonly #seedLow: number;
  readonly #seedHigh: number;

  constructor() {
    const seed = crypto.getRandomValues(new Int32Array(2));
    this.#seedLow = seed[0];
    this.#seedHigh = seed[1];
  }

  /** Hashes a latin1 string. */
  ofText(key: string): void {
    let low = this.#seedLow;
    let high = this.#seedHigh;
    const length = key.length;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const word = key.charCodeAt(at) | key.charCodeAt(at + 1) << 8 |
        key.charCodeAt(at + 2) << 16 | key.charCodeAt(at + 3) << 24;
      low = Math.imul(low ^ word, MULTIPLIER_LOW);
      low ^= low >>> 15;
      high = Math.imul(high ^ word, MULTIPLIER_HIGH);
      high ^= high >>> 13;
    }
    let rest = 0;
    for (; at < length; at++) rest = rest << 8 | key.charCodeAt(at);
    this.#finish(low ^ rest, high ^ length, rest);
  }

  /** Hashes `bytes[start, end)`. */
  ofBytes(bytes: Uint8Array, start: number, end: number): void {
    let low = this.#seedLow;
    let high = this.#seedHigh;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
      low = Math.imul(low ^ word, MULTIPLIER_LOW);
      low ^= low >>> 15;
      high = Math.imul(high ^ word, MULTIPLIER_HIGH);
      high ^= high >>> 13;
    }
    let rest = 0;
    for (; at < end; at++) rest = rest << 8 | bytes[at];
    this.#finish(low ^ rest, high ^ (end - start), rest);
  }

  #finish(low: number, high: number, rest: number): void {
    low = Math.imul(low ^ low >>> 16, 0x85ebca6b);
    this.low = low ^ low >>> 13;
    high = Math.imul(high ^ high >>> 16, 0xc2b2ae35);
    // Has seen the length, and not yet the rest.
    high = Math.imul(high ^ rest, MULTIPLIER_LOW);
    this.high = high ^ high >>> 15;
  }
}
