/**
 * CRC-32C (Castagnoli), sixteen bytes a step.
 *
 * The check value of every record. Reading four bytes at once and looking up sixteen tables makes it
 * some four times as fast as a byte at a time, which matters: it is the largest part of storing and of
 * finding an entry. Polynomial 0x1EDC6F41 as in RFC 3720, appendix B.4.
 *
 * A state is a running CRC before the final inversion, so that one run can be stopped, noted and
 * carried on.
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** Bytes, and the same memory as little-endian words; `words[i]` is `bytes[4 * i]` and the next three. */
export interface WordBytes {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** The state before the first byte. */
export const CRC32C_START = -1;

const POLYNOMIAL_REVERSED = 0x82f63b78;

assert(
  new Uint8Array(new Int32Array([1]).buffer)[0] === 1,
  "the machine is little-endian, as the word views of the cache file need",
);

/** `TABLES[n][b]`: the state after byte `b` and `n` zero bytes. */
const TABLES: readonly Int32Array[] = makeTables();

// One constant a table: an index into an array of arrays would cost a load for every byte.
const [T0, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15] = TABLES;

function makeTables(): Int32Array[] {
  const tables = Array.from({ length: 16 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let state = byte;
    for (let bit = 0; bit < 8; bit++) {
      state = state & 1 ? (state >>> 1) ^ POLYNOMIAL_REVERSED : state >>> 1;
    }
    tables[0][byte] = state;
  }
  for (let n = 1; n < 16; n++) {
    for (let byte = 0; byte < 256; byte++) {
      const state = tables[n - 1][byte];
      tables[n][byte] = (state >>> 8) ^ tables[0][state & 255];
    }
  }
  return tables;
}

/** The state after `bytes[start, end)` of `data`; `start` must be a multiple of 4. */
export function updateCrc32c(state: number, data: WordBytes, start: number, end: number): number {
  const { bytes, words } = data;
  let s = state;
  let i = start >>> 2;
  const wordsEnd = end >>> 2;
  for (; i + 4 <= wordsEnd; i += 4) {
    const a = s ^ words[i];
    const b = words[i + 1];
    const c = words[i + 2];
    const d = words[i + 3];
    s = T15[a & 255] ^ T14[(a >>> 8) & 255] ^ T13[(a >>> 16) & 255] ^ T12[a >>> 24] ^
      T11[b & 255] ^ T10[(b >>> 8) & 255] ^ T9[(b >>> 16) & 255] ^ T8[b >>> 24] ^
      T7[c & 255] ^ T6[(c >>> 8) & 255] ^ T5[(c >>> 16) & 255] ^ T4[c >>> 24] ^
      T3[d & 255] ^ T2[(d >>> 8) & 255] ^ T1[(d >>> 16) & 255] ^ T0[d >>> 24];
  }
  for (let at = i << 2; at < end; at++) s = (s >>> 8) ^ T0[(s ^ bytes[at]) & 255];
  return s;
}

/** The state after eight more bytes: two words, each little-endian. */
export function updateCrc32cPair(state: number, low: number, high: number): number {
  const a = state ^ low;
  return T7[a & 255] ^ T6[(a >>> 8) & 255] ^ T5[(a >>> 16) & 255] ^ T4[a >>> 24] ^
    T3[high & 255] ^ T2[(high >>> 8) & 255] ^ T1[(high >>> 16) & 255] ^ T0[high >>> 24];
}

/** The check value of a state: its inversion, as a signed 32-bit number like the words of a file. */
export function finishCrc32c(state: number): number {
  return ~state;
}
