/**
 * Writing attribute lists (attr_print0.c, attr_vprint0).
 *
 * One printer writes any number of lists, one after the other, into the same buffer, which grows
 * with the longest. What it writes is a list whatever it is given: a text ends at its first NUL,
 * as in C.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { type Bytes, concat } from "../base/bytes.ts";
import { base64TextBytes, encodeBase64Into } from "./base64.ts";
import type { Base64Value } from "./base64_value.ts";
import type { AttrName } from "./names.ts";

const FIRST_BUFFER_BYTES = 4096;

/** Writes one list after the other; reused. */
export class ListPrinter {
  #bytes: Bytes = new Uint8Array(FIRST_BUFFER_BYTES);
  #at = 0;

  /** Bytes written since {@linkcode begin}. */
  get length(): number {
    return this.#at;
  }

  /** The buffer; the list is in its first {@linkcode length} bytes. Replaced when it grows. */
  get bytes(): Bytes {
    return this.#bytes;
  }

  /** Starts with an empty buffer; what {@linkcode end} returned before is overwritten. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  /** Adds the string `name`; `value` is latin1, a byte a character. */
  text(name: AttrName, value: string): this {
    this.#name(name, value.length + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      assert(code < 256, "an attribute's text is latin1");
      if (code === 0) break;
      bytes[at++] = code;
    }
    bytes[at++] = 0;
    this.#at = at;
    return this;
  }

  /** Adds the integer `name`; a negative one is written as unsigned 32-bit number. */
  int(name: AttrName, value: number): this {
    this.#name(name, 11);
    let rest = value >>> 0;
    let digits = 1;
    for (let power = 10; power <= rest; power *= 10) digits++;
    const end = this.#at + digits;
    const bytes = this.#bytes;
    for (let at = end - 1; at >= this.#at; at--) {
      const tenth = Math.floor(rest / 10);
      bytes[at] = 48 + rest - 10 * tenth;
      rest = tenth;
    }
    bytes[end] = 0;
    this.#at = end + 1;
    return this;
  }

  /** Adds the data `name`, in base64. */
  data(name: AttrName, data: Uint8Array): this {
    this.#name(name, base64TextBytes(data.length) + 1);
    this.#at = encodeBase64Into(data, this.#bytes, this.#at);
    this.#bytes[this.#at++] = 0;
    return this;
  }

  /** Adds the data `name`, whose base64 text is there already. */
  base64(name: AttrName, value: Base64Value): this {
    const size = value.textBytes;
    this.#name(name, size + 1);
    this.#bytes.set(value.bytes.subarray(value.start, value.end), this.#at);
    this.#at += size;
    this.#bytes[this.#at++] = 0;
    return this;
  }

  /**
   * Ends a list. Another one may follow without {@linkcode begin}; it is then put behind this one.
   *
   * @returns All that was written since {@linkcode begin}: a view that is good until the next call
   * of anything here.
   */
  end(): Bytes {
    this.#reserve(1);
    this.#bytes[this.#at++] = 0;
    return this.#bytes.subarray(0, this.#at);
  }

  /** As {@linkcode end}, but a copy that stays. */
  endCopy(): Bytes {
    return concat(this.end());
  }

  /** Writes the name and makes room for `valueBytes` behind it. */
  #name(name: AttrName, valueBytes: number): void {
    const source = name.bytes;
    this.#reserve(source.length + 1 + valueBytes);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < source.length; i++) bytes[at++] = source[i];
    bytes[at++] = 0;
    this.#at = at;
  }

  #reserve(more: number): void {
    const wanted = this.#at + more;
    if (wanted <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length));
    wider.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = wider;
  }
}
