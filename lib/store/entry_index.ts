/**
 * Which keys there are, and where their records stand: what a store keeps in memory of each entry.
 *
 * An entry is a slot number; its numbers lie in one typed array a field, so that an entry costs its
 * key, a place in a hash table and some 28 bytes, and the garbage collector sees no object for it.
 * Freed slots are used again. Knows neither files nor clocks.
 *
 * @module
 */
import { latin1, toLatin1 } from "../base/bytes.ts";
import { recordBytes } from "./record.ts";

const CAPACITY_INITIAL = 1024;

/** Where and until when an entry's record is good. */
export interface EntryFields {
  /** Place of the record, bytes from the start of the file. */
  offset: number;
  valueBytes: number;
  /** Unix seconds; the last second in which the entry is there. */
  expiresAtS: number;
}

/** A copy of `key` in memory of its own: a piece of a longer string would keep all of that alive. */
export function ownKey(key: string): string {
  return toLatin1(latin1(key));
}

/** Keys and slots. */
export class EntryIndex {
  readonly #slots = new Map<string, number>();
  #keys: (string | undefined)[] = [];
  readonly #free: number[] = [];
  #liveBytes = 0;
  /** Place of each slot's record in the file. */
  offsets: Float64Array<ArrayBuffer> = new Float64Array(CAPACITY_INITIAL);
  /** Unix seconds by slot. */
  expiresAtS: Float64Array<ArrayBuffer> = new Float64Array(CAPACITY_INITIAL);
  /** Length of the value by slot. */
  valueBytes: Uint32Array<ArrayBuffer> = new Uint32Array(CAPACITY_INITIAL);

  /** Number of entries. */
  get size(): number {
    return this.#slots.size;
  }

  /** Slots run from 0 to this; some may be free. */
  get slotsEnd(): number {
    return this.#keys.length;
  }

  /** Bytes of the records of all entries. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** The slot of `key`. */
  find(key: string): number | undefined {
    return this.#slots.get(key);
  }

  /** The key in `slot`; undefined for a free one. */
  keyAt(slot: number): string | undefined {
    return this.#keys[slot];
  }

  /** Sets the entry of `key`; a new entry keeps the string itself when `isOwn`, else a copy. */
  set(key: string, fields: EntryFields, isOwn: boolean): void {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#take(isOwn ? key : ownKey(key));
    } else {
      this.#liveBytes -= recordBytes(key.length, this.valueBytes[slot]);
    }
    this.offsets[slot] = fields.offset;
    this.valueBytes[slot] = fields.valueBytes;
    this.expiresAtS[slot] = fields.expiresAtS;
    this.#liveBytes += recordBytes(key.length, fields.valueBytes);
  }

  /** Forgets the entry of `key`; false if there is none. */
  remove(key: string): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#slots.delete(key);
    this.#keys[slot] = undefined;
    this.#free.push(slot);
    this.#liveBytes -= recordBytes(key.length, this.valueBytes[slot]);
    return true;
  }

  #take(key: string): number {
    const slot = this.#free.pop() ?? this.#keys.length;
    if (slot >= this.offsets.length) this.#grow(2 * this.offsets.length);
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    return slot;
  }

  #grow(capacity: number): void {
    const { offsets, expiresAtS, valueBytes } = this;
    this.offsets = new Float64Array(capacity);
    this.offsets.set(offsets);
    this.expiresAtS = new Float64Array(capacity);
    this.expiresAtS.set(expiresAtS);
    this.valueBytes = new Uint32Array(capacity);
    this.valueBytes.set(valueBytes);
  }
}
