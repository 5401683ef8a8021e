/**
 * Bytes and text that stands for bytes.
 *
 * Strings named "latin1" hold one byte a character (code units 0 to 255), so that any byte sequence
 * survives a round trip; Postfix's attribute values are such sequences.
 *
 * @module
 */

/** A byte array over memory of its own: what FFI calls and file writes accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const utf8Decoder = new TextDecoder();
const HEX_UPPER = "0123456789ABCDEF";

/** Up to this many characters a plain loop beats the encoder by far. */
const SHORT_CHARS_MAX = 256;

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  const { length } = text;
  if (length > SHORT_CHARS_MAX) return encoder.encode(text) as Bytes;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encoder.encode(text) as Bytes;
    bytes[i] = unit;
  }
  return bytes;
}

/** Text of UTF-8 `bytes`; malformed sequences become U+FFFD. */
export function fromUtf8(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

/** The bytes of a latin1 string, a byte a character. */
export function latin1(text: string): Bytes {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A latin1 string of `bytes[start, end)`, a character a byte. */
export function toLatin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  // In pieces, because the number of arguments of one call is limited.
  for (let at = start; at < end; at += 4096) {
    const piece = bytes.subarray(at, Math.min(at + 4096, end));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

/** Upper-case hexadecimal, two digits a byte, as Postfix prints session ids. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_UPPER[byte >> 4] + HEX_UPPER[byte & 15];
  return text;
}

/** Bytes of hexadecimal `text`; white space is skipped. Throws `TypeError` on anything else. */
export function fromHex(text: string): Bytes {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) {
    throw new TypeError(`Cannot decode hexadecimal text: ${JSON.stringify(text.slice(0, 40))}`);
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** All `parts`, one after the other, in memory of its own. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
