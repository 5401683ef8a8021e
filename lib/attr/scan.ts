/**
 * Framing: where does an attribute list end?
 *
 * The protocol has no length prefix; a list ends where a name has no bytes. The scanner is fed
 * with a buffer that grows, goes on where it stopped, and notes where each name and value lies, so
 * that nothing is searched twice. It keeps no reference to the buffer and makes no object for a
 * list.
 *
 * A list beyond the limits is a fault, answered as a number; nothing here throws because of input.
 *
 * @module
 */

/** What one peer may send as one list. */
export interface ListLimits {
  /** Bytes of a list, its terminator included. */
  readonly bytesMax: number;
  /** Attributes of a list. */
  readonly attributesMax: number;
}

/** Answer of {@linkcode ListScanner.scan}: the list is not complete. */
export const LIST_MORE = -1;

/** Answer of {@linkcode ListScanner.scan}: the list is beyond a limit; see `fault`. */
export const LIST_FAULT = -2;

/** Which limit a list exceeded. */
export type ScanFault = "list too long" | "too many attributes";

/** Numbers kept for each attribute: name start, value start, value end. */
const OFFSETS_PER_ATTRIBUTE = 3;

/** Below this many bytes a plain loop beats a native search. */
const SHORT_SEARCH_BYTES = 32;

/** Finds the end of one attribute list after the other; reused for the life of a connection. */
export class ListScanner {
  readonly #limits: ListLimits;
  #offsets: Int32Array = new Int32Array(16 * OFFSETS_PER_ATTRIBUTE);
  #count = 0;
  #fault: ScanFault | undefined;
  /** Where the search goes on, where the open name and value begin; all from the list's start. */
  #at = 0;
  #nameStart = 0;
  #valueStart = -1;
  #done = false;

  constructor(limits: ListLimits) {
    this.#limits = limits;
  }

  /** Attributes found so far. */
  get count(): number {
    return this.#count;
  }

  /** Why {@linkcode scan} answered {@linkcode LIST_FAULT}. */
  get fault(): ScanFault | undefined {
    return this.#fault;
  }

  /**
   * What was being received when the bytes ran out: `"name"` and `"value"` are what Postfix puts
   * into its "premature end-of-input" line; `"nothing"` means that no byte of a list has arrived.
   */
  get pending(): "nothing" | "name" | "value" {
    if (this.#done || this.#at === 0) return "nothing";
    return this.#valueStart < 0 ? "name" : "value";
  }

  /**
   * Three numbers an attribute, counted from the start of the list: name start, value start, value
   * end. The name ends one byte before the value starts. Overwritten by the next list.
   */
  get offsets(): Int32Array {
    return this.#offsets;
  }

  /** Makes ready for the next list. */
  reset(): void {
    this.#count = 0;
    this.#fault = undefined;
    this.#at = 0;
    this.#nameStart = 0;
    this.#valueStart = -1;
    this.#done = false;
  }

  /**
   * Looks on for the end of the list that is in `bytes[start, end)`.
   *
   * Between two calls the bytes may move to another buffer or another `start`; bytes already seen
   * must stay the same. After a complete list or a fault call {@linkcode reset}.
   *
   * @returns The index just after the terminator, {@linkcode LIST_MORE} or {@linkcode LIST_FAULT}.
   */
  scan(bytes: Uint8Array, end: number, start = 0): number {
    if (this.#fault !== undefined) return LIST_FAULT;
    if (this.#done) return start + this.#at;
    const limit = Math.min(end, start + this.#limits.bytesMax);
    let at = start + this.#at;
    let name = this.#nameStart;
    let value = this.#valueStart;
    let answer = LIST_MORE;
    for (;;) {
      const nul = findNul(bytes, at, limit);
      if (nul < 0) {
        at = limit;
        if (end - start >= this.#limits.bytesMax) answer = this.#refuse("list too long");
        break;
      }
      at = nul + 1;
      if (value >= 0) {
        if (!this.#note(name, value, nul - start)) {
          answer = LIST_FAULT;
          break;
        }
        name = at - start;
        value = -1;
      } else if (nul - start === name) {
        this.#done = true;
        answer = at;
        break;
      } else {
        value = at - start;
      }
    }
    this.#at = at - start;
    this.#nameStart = name;
    this.#valueStart = value;
    return answer;
  }

  #note(nameStart: number, valueStart: number, valueEnd: number): boolean {
    if (this.#count === this.#limits.attributesMax) {
      this.#refuse("too many attributes");
      return false;
    }
    const i = this.#count * OFFSETS_PER_ATTRIBUTE;
    if (i === this.#offsets.length) {
      const wider = new Int32Array(2 * i);
      wider.set(this.#offsets);
      this.#offsets = wider;
    }
    const offsets = this.#offsets;
    offsets[i] = nameStart;
    offsets[i + 1] = valueStart;
    offsets[i + 2] = valueEnd;
    this.#count++;
    return true;
  }

  #refuse(fault: ScanFault): number {
    this.#fault = fault;
    return LIST_FAULT;
  }
}

/** Index of the first NUL in `bytes[from, end)`, or -1. */
function findNul(bytes: Uint8Array, from: number, end: number): number {
  const near = Math.min(end, from + SHORT_SEARCH_BYTES);
  let at = from;
  for (; at < near; at++) {
    if (bytes[at] === 0) return at;
  }
  if (at === end) return -1;
  // Bounded by a view, because the buffer may go on for long with bytes of earlier lists.
  const found = bytes.subarray(at, end).indexOf(0);
  return found < 0 ? -1 : at + found;
}
