/**
 * Attribute names, made once and compared as bytes.
 *
 * A name is looked at for every attribute of every request, so it is never decoded to be compared.
 * Which names exist is not known here.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { type Bytes, latin1 } from "../base/bytes.ts";

/** A word of the protocol: an attribute's name, or a value that is compared with a constant. */
export class AttrName {
  /** The word as text. */
  readonly text: string;
  /** The word's bytes. */
  readonly bytes: Bytes;

  constructor(text: string) {
    assert(
      text.length > 0 && !text.includes("\0"),
      "an attribute name has bytes, none of them NUL",
    );
    this.text = text;
    this.bytes = latin1(text);
  }

  /** Whether `bytes[start, end)` is this word. */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.bytes;
    const length = own.length;
    if (end - start !== length) return false;
    for (let i = 0; i < length; i++) {
      if (own[i] !== bytes[start + i]) return false;
    }
    return true;
  }
}
