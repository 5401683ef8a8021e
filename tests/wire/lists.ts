/**
 * What the wire tests share: one list in, a reader out; and a generator of numbers that is the
 * same each time.
 *
 * @module
 */

import { ListReader, READ, type ReadRule } from "../../lib/attr/read.ts";
import { LIST_FAULT, LIST_MORE, type ListLimits, ListScanner } from "../../lib/attr/scan.ts";

/** Wide enough for every list in the tests. */
export const WIDE: ListLimits = { bytesMax: 1 << 20, attributesMax: 5000 };

/** A reader at the start of the list that begins at `start`; throws when it is not complete. */
export function readerOf(
  bytes: Uint8Array,
  rule: ReadRule = READ.strict,
  start = 0,
): ListReader {
  const scanner = new ListScanner(WIDE);
  const end = scanner.scan(bytes, bytes.length, start);
  if (end === LIST_MORE || end === LIST_FAULT) throw new Error(`Not a complete list: ${end}`);
  return new ListReader().open(bytes, scanner, rule, start);
}

/** The list `name NUL value NUL ... NUL` of alternating names and values. */
export function listOf(...words: readonly string[]): Uint8Array<ArrayBuffer> {
  const text = words.map((word) => word + "\0").join("") + "\0";
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Numbers that look random and are the same in every run (mulberry32). */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return Math.floor(((bits ^ (bits >>> 14)) >>> 0) / 4294967296 * below);
  }

  /** Any signed 32-bit integer. */
  int32(): number {
    return (this.below(65536) << 16) | this.below(65536);
  }

  /** Yes or no. */
  flip(): boolean {
    return this.below(2) === 1;
  }

  /** Up to `max` random bytes. */
  bytes(max: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: this.below(max + 1) }, () => this.below(256));
  }

  /** Up to `max` latin1 characters, none of them NUL. */
  text(max = 40): string {
    let text = "";
    for (let left = this.below(max + 1); left > 0; left--) {
      text += String.fromCharCode(1 + this.below(255));
    }
    return text;
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}
