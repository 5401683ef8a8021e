/**
 * A value of type data, kept as the base64 text it has on the wire.
 *
 * tlsmgr stores and returns TLS sessions without looking inside, so their text is checked once and
 * never decoded.
 *
 * @module
 */

import type { Bytes } from "../base/bytes.ts";
import {
  base64DataBytes,
  base64TextBytes,
  decodeBase64,
  encodeBase64,
  encodeBase64Into,
} from "./base64.ts";

const NO_BYTES: Bytes = new Uint8Array(0);

/**
 * A reusable place for one data value: canonical base64 text in `bytes[start, end)`.
 *
 * After {@linkcode point} the text lies in somebody else's buffer and is only good until that
 * buffer changes; {@linkcode text} makes a copy.
 */
export class Base64Value {
  /** The buffer that holds the text. */
  bytes: Uint8Array = NO_BYTES;
  /** Where the text starts in `bytes`. */
  start = 0;
  /** Where the text ends in `bytes`. */
  end = 0;
  #own: Bytes = NO_BYTES;

  /** Bytes of the text. */
  get textBytes(): number {
    return this.end - this.start;
  }

  /** Bytes of the data. */
  get dataBytes(): number {
    return base64DataBytes(this.bytes, this.start, this.end);
  }

  /** Takes canonical text that lies in `bytes[start, end)`, without copying or checking it. */
  point(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Takes `data`; its text is written into memory of this value's own. */
  set(data: Uint8Array): void {
    const size = base64TextBytes(data.length);
    if (this.#own.length < size) this.#own = encodeBase64(data);
    else encodeBase64Into(data, this.#own, 0);
    this.point(this.#own, 0, size);
  }

  /** Makes the value empty. */
  clear(): void {
    this.point(NO_BYTES, 0, 0);
  }

  /** A copy of the text. */
  text(): Bytes {
    return this.bytes.slice(this.start, this.end);
  }

  /** The data, in memory of its own. */
  data(): Bytes {
    return decodeBase64(this.bytes, this.start, this.end) ?? NO_BYTES;
  }
}
