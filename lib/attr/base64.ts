/**
 * Base64 between byte arrays, as the attribute protocol wants it: RFC 4648 alphabet, padded, no
 * line breaks.
 *
 * No strings: text and data are both bytes. What is accepted is what Postfix's decoder accepts
 * (base64_code.c), which is a little more than what it writes; {@linkcode checkBase64} tells the
 * two apart.
 *
 * @module
 */

import type { Bytes } from "../base/bytes.ts";

/** Form of a base64 text: what an encoder writes. */
export const BASE64_CANONICAL = 1;
/** Form of a base64 text: a decoder takes it, but an encoder writes the same data differently. */
export const BASE64_LOOSE = 0;
/** Form of a base64 text: not base64. */
export const BASE64_MALFORMED = -1;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD = 61;
const TO_CODE = new Uint8Array(64);
/** -1 where the byte is not in the alphabet. */
const TO_BITS = new Int8Array(256).fill(-1);
for (let i = 0; i < 64; i++) {
  TO_CODE[i] = ALPHABET.charCodeAt(i);
  TO_BITS[TO_CODE[i]] = i;
}

/** Bytes of base64 text for `size` bytes of data. */
export function base64TextBytes(size: number): number {
  return Math.ceil(size / 3) * 4;
}

/** Bytes of data in the canonical base64 text `bytes[start, end)`. */
export function base64DataBytes(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start) return 0;
  const pads = bytes[end - 1] !== PAD ? 0 : bytes[end - 2] !== PAD ? 1 : 2;
  return ((end - start) >> 2) * 3 - pads;
}

/**
 * Writes the base64 text of `data` into `into` from `at` on; there must be room for
 * {@linkcode base64TextBytes}.
 *
 * @returns The index after the text.
 */
export function encodeBase64Into(data: Uint8Array, into: Uint8Array, at: number): number {
  const whole = data.length - data.length % 3;
  let i = 0;
  for (; i < whole; i += 3) {
    const bits = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
    into[at] = TO_CODE[bits >> 18];
    into[at + 1] = TO_CODE[bits >> 12 & 63];
    into[at + 2] = TO_CODE[bits >> 6 & 63];
    into[at + 3] = TO_CODE[bits & 63];
    at += 4;
  }
  if (i < data.length) {
    const two = i + 1 < data.length;
    const bits = data[i] << 16 | (two ? data[i + 1] << 8 : 0);
    into[at] = TO_CODE[bits >> 18];
    into[at + 1] = TO_CODE[bits >> 12 & 63];
    into[at + 2] = two ? TO_CODE[bits >> 6 & 63] : PAD;
    into[at + 3] = PAD;
    at += 4;
  }
  return at;
}

/** The base64 text of `data`. */
export function encodeBase64(data: Uint8Array): Bytes {
  const text = new Uint8Array(base64TextBytes(data.length));
  encodeBase64Into(data, text, 0);
  return text;
}

/**
 * Form of the text `bytes[start, end)`: {@linkcode BASE64_CANONICAL}, {@linkcode BASE64_LOOSE} or
 * {@linkcode BASE64_MALFORMED}. Nothing is decoded.
 */
export function checkBase64(bytes: Uint8Array, start: number, end: number): number {
  if (((end - start) & 3) !== 0) return BASE64_MALFORMED;
  if (end === start) return BASE64_CANONICAL;
  // All groups but the last one, until one is not four letters.
  const last = end - 4;
  let at = start;
  for (; at < last; at += 4) {
    const bits = TO_BITS[bytes[at]] | TO_BITS[bytes[at + 1]] | TO_BITS[bytes[at + 2]] |
      TO_BITS[bytes[at + 3]];
    if (bits < 0) break;
  }
  // The group at which decoding ends; a pad before the last group makes the text loose at best.
  const first = TO_BITS[bytes[at]];
  const second = TO_BITS[bytes[at + 1]];
  if ((first | second) < 0) return BASE64_MALFORMED;
  if (bytes[at + 2] === PAD) {
    const tidy = at === last && bytes[at + 3] === PAD && (second & 15) === 0;
    return tidy ? BASE64_CANONICAL : BASE64_LOOSE;
  }
  const third = TO_BITS[bytes[at + 2]];
  if (third < 0) return BASE64_MALFORMED;
  if (bytes[at + 3] === PAD) {
    return at === last && (third & 3) === 0 ? BASE64_CANONICAL : BASE64_LOOSE;
  }
  return TO_BITS[bytes[at + 3]] < 0 ? BASE64_MALFORMED : BASE64_CANONICAL;
}

/**
 * The data of the base64 text `bytes[start, end)`, or `undefined` when it is malformed. As in
 * Postfix decoding stops at the first pad; what follows it is not looked at.
 */
export function decodeBase64(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Bytes | undefined {
  const form = checkBase64(bytes, start, end);
  if (form === BASE64_MALFORMED) return undefined;
  let stop = end;
  if (form === BASE64_LOOSE) {
    // Ends with the group that holds the first pad; there is one, or the text would be canonical.
    const pad = bytes.indexOf(PAD, start);
    stop = pad + 4 - ((pad - start) & 3);
  }
  const pads = stop === start || bytes[stop - 2] === PAD ? 2 : bytes[stop - 1] === PAD ? 1 : 0;
  const size = stop === start ? 0 : ((stop - start) >> 2) * 3 - pads;
  const data = new Uint8Array(size);
  let to = 0;
  for (let at = start; at < stop; at += 4) {
    const bits = TO_BITS[bytes[at]] << 18 | TO_BITS[bytes[at + 1]] << 12 |
      (TO_BITS[bytes[at + 2]] & 63) << 6 | (TO_BITS[bytes[at + 3]] & 63);
    // Stores beyond the end of a typed array are dropped, which is what the pads need.
    data[to] = bits >> 16;
    data[to + 1] = bits >> 8;
    data[to + 2] = bits;
    to += 3;
  }
  return data;
}
