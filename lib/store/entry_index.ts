/**
 * Which keys there are, and where their records stand: what a store keeps in memory of each entry.
 *
 * An entry is a slot number from 1 on; its numbers lie in one typed array a field, so that the garbage
 * collector sees no object for it. Keys are not kept: a hash of 64 bits stands for each, and the record
 * has the key. So an entry costs 42 bytes, whatever its key is; room doubles when it runs out, so that
 * it may be up to 84. Freed slots are used again. Knows neither files nor clocks.
 *
 * @module
 */
import { EntryOrder } from "./entry_order.ts";
import { KeyHash } from "./key_hash.ts";
import { RECORD_ALIGNMENT, recordBytes } from "./record.ts";

/** Where and until when an entry's record is good. */
export interface EntryFields {
  /** Place of the record, bytes from the start of the file; a multiple of 8. */
  offset: number;
  keyBytes: number;
  valueBytes: number;
  /** Unix seconds; the last second in which the entry is there. */
  expiresAtS: number;
}

/** No slot. */
export const NONE = 0;
/** The end of the last record that an index can point to: 16 GiB. */
export const FILE_BYTES_MAX = 2 ** 31 * RECORD_ALIGNMENT;

const CAPACITY_INITIAL = 1024;

/** Slots by key. */
export class EntryIndex {
  /** Which entry is evicted first. */
  readonly order = new EntryOrder(CAPACITY_INITIAL);
  readonly #hash = new KeyHash();
  #capacity = CAPACITY_INITIAL;
  /** Slot numbers by hash, 0 for none; twice as many places as slots, so that runs are short. */
  #table: Int32Array<ArrayBuffer> = new Int32Array(2 * CAPACITY_INITIAL);
  #hashLow: Int32Array<ArrayBuffer> = new Int32Array(CAPACITY_INITIAL);
  #hashHigh: Int32Array<ArrayBuffer> = new Int32Array(CAPACITY_INITIAL);
  /** Place in the file divided by 8. */
  #places: Int32Array<ArrayBuffer> = new Int32Array(CAPACITY_INITIAL);
  #expiresAtS: Float64Array<ArrayBuffer> = new Float64Array(CAPACITY_INITIAL);
  #valueBytes: Int32Array<ArrayBuffer> = new Int32Array(CAPACITY_INITIAL);
  /** 0 for a free slot. */
  #keyBytes: Uint16Array<ArrayBuffer> = new Uint16Array(CAPACITY_INITIAL);
  /** The first free slot below the end; each one's place names the next. */
  #freeFirst = NONE;
  #slotsEnd = 1;
  #size = 0;
  #liveBytes = 0;

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Slots run from 1 to below this; some may be free. */
  get slotsEnd(): number {
    return this.#slotsEnd;
  }

  /** Slot numbers stay below this until the next {@linkcode put}. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes of the records of all entries. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Whether `slot` has an entry. */
  isUsed(slot: number): boolean {
    return this.#keyBytes[slot] !== 0;
  }

  /** Place of the record of `slot`, bytes from the start of the file. */
  offset(slot: number): number {
    return this.#places[slot] * RECORD_ALIGNMENT;
  }

  /** Where the record of `slot` is. */
  place(slot: number): Pick<EntryFields, "offset" | "keyBytes" | "valueBytes"> {
    return {
      offset: this.#places[slot] * RECORD_ALIGNMENT,
      keyBytes: this.#keyBytes[slot],
      valueBytes: this.#valueBytes[slot],
    };
  }

  /** Unix seconds. */
  expiresAtS(slot: number): number {
    return this.#expiresAtS[slot];
  }

  /** Bytes of the record of `slot`. */
  recordBytes(slot: number): number {
    return recordBytes(this.#keyBytes[slot], this.#valueBytes[slot]);
  }

  /** The slot of `key`, or {@linkcode NONE}. Whether the record has this key is its reader's to see. */
  find(key: string): number {
    this.#hash.ofText(key);
    return this.#table[this.#seek()];
  }

  /** As {@linkcode find}, for a key in `bytes[start, end)`. */
  findBytes(bytes: Uint8Array, start: number, end: number): number {
    this.#hash.ofBytes(bytes, start, end);
    return this.#table[this.#seek()];
  }

  /**
   * Sets the entry of the key that was looked for last, whose slot or {@linkcode NONE} is `found`.
   * Its slot; a new one has no place in the {@linkcode order} yet.
   */
  put(found: number, fields: EntryFields): number {
    const slot = found === NONE ? this.#take() : found;
    if (found !== NONE) this.#liveBytes -= this.recordBytes(slot);
    this.#places[slot] = fields.offset / RECORD_ALIGNMENT;
    this.#keyBytes[slot] = fields.keyBytes;
    this.#valueBytes[slot] = fields.valueBytes;
    this.#expiresAtS[slot] = fields.expiresAtS;
    this.#liveBytes += this.recordBytes(slot);
    return slot;
  }

  /** Forgets the entry in `slot`, which must be in the {@linkcode order}. */
  remove(slot: number): void {
    this.#liveBytes -= this.recordBytes(slot);
    this.#hash.low = this.#hashLow[slot];
    this.#hash.high = this.#hashHigh[slot];
    this.#empty(this.#seek());
    this.order.remove(slot);
    this.#keyBytes[slot] = 0;
    this.#places[slot] = this.#freeFirst;
    this.#freeFirst = slot;
    this.#size--;
  }

  /** Gives every entry the place that `places` has for its slot, in units of 8 bytes. */
  movePlaces(places: Int32Array): void {
    for (let slot = 1; slot < this.#slotsEnd; slot++) {
      if (this.#keyBytes[slot] !== 0) this.#places[slot] = places[slot];
    }
  }

  /** Where the table has the hash, or the free place where it would stand. */
  #seek(): number {
    const { low, high } = this.#hash;
    const table = this.#table;
    const mask = table.length - 1;
    for (let at = low & mask;; at = (at + 1) & mask) {
      const slot = table[at];
      if (slot === NONE) return at;
      if (this.#hashLow[slot] === low && this.#hashHigh[slot] === high) return at;
    }
  }

  #take(): number {
    const { low, high } = this.#hash;
    let slot = this.#freeFirst;
    if (slot !== NONE) {
      this.#freeFirst = this.#places[slot];
    } else {
      if (this.#slotsEnd === this.#capacity) this.#grow();
      slot = this.#slotsEnd++;
    }
    this.#hash.low = low;
    this.#hash.high = high;
    this.#hashLow[slot] = low;
    this.#hashHigh[slot] = high;
    this.#table[this.#seek()] = slot;
    this.#size++;
    return slot;
  }

  /** Empties a place of the table; what stands behind it in its run moves up. */
  #empty(place: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let gap = place;
    for (let at = (gap + 1) & mask; table[at] !== NONE; at = (at + 1) & mask) {
      const home = this.#hashLow[table[at]] & mask;
      // Only what the gap does not cut off from its home may stay behind it.
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      table[gap] = table[at];
      gap = at;
    }
    table[gap] = NONE;
  }

  #grow(): void {
    const capacity = 2 * this.#capacity;
    this.#capacity = capacity;
    this.#hashLow = longer(this.#hashLow, capacity);
    this.#hashHigh = longer(this.#hashHigh, capacity);
    this.#places = longer(this.#places, capacity);
    this.#valueBytes = longer(this.#valueBytes, capacity);
    const expiresAtS = this.#expiresAtS;
    this.#expiresAtS = new Float64Array(capacity);
    this.#expiresAtS.set(expiresAtS);
    const keyBytes = this.#keyBytes;
    this.#keyBytes = new Uint16Array(capacity);
    this.#keyBytes.set(keyBytes);
    this.order.grow(capacity);
    this.#table = new Int32Array(2 * capacity);
    for (let slot = 1; slot < this.#slotsEnd; slot++) {
      if (this.#keyBytes[slot] === 0) continue;
      this.#hash.low = this.#hashLow[slot];
      this.#hash.high = this.#hashHigh[slot];
      this.#table[this.#seek()] = slot;
    }
  }
}

/** A copy of `numbers` with room for `length`. */
export function longer(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(numbers);
  return copy;
}
