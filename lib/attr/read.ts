/**
 * Reading a complete attribute list, in order, by Postfix's rules (attr_scan0.c, attr_vscan0).
 *
 * The receiver asks for one attribute after the other. How it deals with attributes that are
 * missing or not asked for is its {@linkcode ReadRule}. The first fault ends the walk: everything
 * asked for after it is `undefined`, and `fault` says what was wrong. Nothing throws, and no object
 * is made for an attribute.
 *
 * @module
 */

import { type Bytes, toLatin1 } from "../base/bytes.ts";
import {
  BASE64_CANONICAL,
  BASE64_MALFORMED,
  checkBase64,
  decodeBase64,
  encodeBase64,
} from "./base64.ts";
import type { Base64Value } from "./base64_value.ts";
import { type AttrFault, FAULT_TEXT_MAX, LIST_TERMINATOR } from "./faults.ts";
import type { AttrName } from "./names.ts";
import { parseInt32 } from "./numbers.ts";
import type { ListScanner } from "./scan.ts";

/** What a receiver makes a fault of; bits, as in Postfix's attr.h. */
export const READ = {
  /** Attributes nobody asked for are skipped, a missing one is just absent. */
  lenient: 0,
  /** As lenient, but a missing attribute is a fault. */
  missing: 1,
  /** The first attribute that is not the wanted one is a fault, and so is a missing one. */
  strict: 3,
} as const;

/** One of {@linkcode READ}. */
export type ReadRule = (typeof READ)[keyof typeof READ];

const MISSING_BIT = 1;
const EXTRA_BIT = 2;
const NO_BYTES: Bytes = new Uint8Array(0);
const NO_OFFSETS = new Int32Array(0);

/** Walks over one list after the other; reused. Good until the list's buffer changes. */
export class ListReader {
  #bytes: Uint8Array = NO_BYTES;
  #offsets: Int32Array = NO_OFFSETS;
  #start = 0;
  #count = 0;
  #rule: ReadRule = READ.strict;
  #at = 0;
  #stopped = true;
  #fault: AttrFault | undefined;
  /** The value found last, as indices of #bytes. */
  #valueStart = 0;
  #valueEnd = 0;

  /**
   * Begins the walk over the list that `scanner` has just found complete in `bytes`.
   *
   * @param start Where the list starts in `bytes`, as given to the scanner.
   */
  open(bytes: Uint8Array, scanner: ListScanner, rule: ReadRule, start = 0): this {
    this.#bytes = bytes;
    this.#offsets = scanner.offsets;
    this.#count = scanner.count;
    this.#start = start;
    this.#rule = rule;
    this.#at = 0;
    this.#stopped = false;
    this.#fault = undefined;
    return this;
  }

  /** What was wrong first; `undefined` while nothing is. */
  get fault(): AttrFault | undefined {
    return this.#fault;
  }

  /** Attributes of the list. */
  get count(): number {
    return this.#count;
  }

  /** Bytes between the start of the list and the next attribute (or the terminator). */
  get position(): number {
    const i = 3 * this.#at;
    if (this.#at < this.#count) return this.#offsets[i];
    return this.#at === 0 ? 0 : this.#offsets[i - 1] + 1;
  }

  /** The name of the next attribute, cut short; `undefined` at the terminator or after a fault. */
  nextName(): string | undefined {
    if (this.#stopped || this.#at >= this.#count) return undefined;
    const i = 3 * this.#at;
    return this.#clip(this.#start + this.#offsets[i], this.#start + this.#offsets[i + 1] - 1);
  }

  /** Whether the next attribute is called `name`; takes nothing. */
  nextIs(name: AttrName): boolean {
    if (this.#stopped || this.#at >= this.#count) return false;
    const i = 3 * this.#at;
    return name.equals(
      this.#bytes,
      this.#start + this.#offsets[i],
      this.#start + this.#offsets[i + 1] - 1,
    );
  }

  /** The string `name`, a character a byte. */
  wantText(name: AttrName): string | undefined {
    return this.#find(name) ? toLatin1(this.#bytes, this.#valueStart, this.#valueEnd) : undefined;
  }

  /**
   * The string `name`, when it is one of `words`: that object, without making a string. Other
   * values are returned as a string.
   */
  wantWord<W extends AttrName>(name: AttrName, words: readonly W[]): W | string | undefined {
    if (!this.#find(name)) return undefined;
    for (const word of words) {
      if (word.equals(this.#bytes, this.#valueStart, this.#valueEnd)) return word;
    }
    return toLatin1(this.#bytes, this.#valueStart, this.#valueEnd);
  }

  /** Takes the string `name`, which must have the value `value`; `false` is a fault. */
  wantExact(name: AttrName, value: AttrName): boolean {
    if (!this.#find(name)) return false;
    if (value.equals(this.#bytes, this.#valueStart, this.#valueEnd)) return true;
    const found = this.#clip(this.#valueStart, this.#valueEnd);
    this.#stop({ kind: "other value", name: name.text, value: found, expecting: value.text });
    return false;
  }

  /** The number `name` as a signed 32-bit integer: 4294967295 on the wire is -1. */
  wantInt(name: AttrName): number | undefined {
    if (!this.#find(name)) return undefined;
    const value = parseInt32(this.#bytes, this.#valueStart, this.#valueEnd);
    if (value === undefined) this.#malformed("malformed number", name);
    return value;
  }

  /** The data `name`, decoded, in memory of its own. */
  wantData(name: AttrName): Bytes | undefined {
    if (!this.#find(name)) return undefined;
    const data = decodeBase64(this.#bytes, this.#valueStart, this.#valueEnd);
    if (data === undefined) this.#malformed("malformed base64", name);
    return data;
  }

  /**
   * Points `into` at the base64 text of the data `name` without decoding it; `false` is a fault.
   * Text that an encoder would write differently is put in order first, so `into` is always
   * canonical.
   */
  wantBase64(name: AttrName, into: Base64Value): boolean {
    if (!this.#find(name)) return false;
    const start = this.#valueStart;
    const end = this.#valueEnd;
    const form = checkBase64(this.#bytes, start, end);
    if (form === BASE64_CANONICAL) {
      into.point(this.#bytes, start, end);
      return true;
    }
    if (form === BASE64_MALFORMED) {
      this.#malformed("malformed base64", name);
      return false;
    }
    into.point(encodeBase64(decodeBase64(this.#bytes, start, end) ?? NO_BYTES));
    return true;
  }

  /**
   * Ends the walk: under the strict rule an attribute that is left over becomes a fault. All that
   * was wanted has been delivered by then; Postfix warns and goes on.
   *
   * @returns Whether there was no fault in the whole walk.
   */
  end(): boolean {
    if (!this.#stopped && this.#at < this.#count && (this.#rule & EXTRA_BIT) !== 0) {
      this.#fault = {
        kind: "unexpected",
        found: this.nextName() ?? "",
        expecting: LIST_TERMINATOR,
      };
    }
    this.#stopped = true;
    return this.#fault === undefined;
  }

  /** Makes a fault of a value that has the right form but is not acceptable; ends the walk. */
  refuse(name: AttrName, value: string | number): void {
    if (this.#stopped) return;
    this.#stop({
      kind: "unreasonable",
      name: name.text,
      value: String(value).slice(0, FAULT_TEXT_MAX),
    });
  }

  #find(name: AttrName): boolean {
    if (this.#stopped) return false;
    const offsets = this.#offsets;
    const start = this.#start;
    while (this.#at < this.#count) {
      const i = 3 * this.#at;
      const value = start + offsets[i + 1];
      if (name.equals(this.#bytes, start + offsets[i], value - 1)) {
        this.#valueStart = value;
        this.#valueEnd = start + offsets[i + 2];
        this.#at++;
        return true;
      }
      if ((this.#rule & EXTRA_BIT) !== 0) {
        const found = this.nextName() ?? "";
        this.#stop({ kind: "unexpected", found, expecting: name.text });
        return false;
      }
      this.#at++;
    }
    this.#stopped = true;
    if ((this.#rule & MISSING_BIT) !== 0) this.#fault = { kind: "missing", name: name.text };
    return false;
  }

  #malformed(kind: "malformed number" | "malformed base64", name: AttrName): void {
    const value = this.#clip(this.#valueStart, this.#valueEnd);
    this.#stop({ kind, name: name.text, value });
  }

  #stop(fault: AttrFault): void {
    this.#stopped = true;
    this.#fault = fault;
  }

  #clip(start: number, end: number): string {
    return toLatin1(this.#bytes, start, Math.min(end, start + FAULT_TEXT_MAX));
  }
}
