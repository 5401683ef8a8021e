/**
 * The order of entries, the first to be evicted first: a ring of slot numbers in two typed arrays.
 *
 * Slot 0 is no entry but the place where the ring begins and ends. Two marks in the ring stay right
 * whatever is moved or removed: where loaded entries go, which are older than all that were stored since,
 * and how far a compaction has come.
 *
 * @module
 */

/** A ring. Every slot but 0 is in it at most once. */
export class EntryOrder {
  /** The next slot of a compaction, 0 at the end; what is moved to the end is met again. */
  cursor = 0;
  #next: Int32Array<ArrayBuffer>;
  #previous: Int32Array<ArrayBuffer>;
  /** The last of the loaded entries; 0 when there is none. */
  #loadedLast = 0;

  constructor(capacity: number) {
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  /** The slot to be evicted first; 0 when there is none. */
  get first(): number {
    return this.#next[0];
  }

  /** The slot behind `slot`; 0 at the end. */
  after(slot: number): number {
    return this.#next[slot];
  }

  /** Makes room for slot numbers below `capacity`. */
  grow(capacity: number): void {
    const next = this.#next;
    this.#next = new Int32Array(capacity);
    this.#next.set(next);
    const previous = this.#previous;
    this.#previous = new Int32Array(capacity);
    this.#previous.set(previous);
  }

  /** Puts `slot` at the end. */
  append(slot: number): void {
    this.#link(slot, this.#previous[0]);
    // A compaction that has reached the end looks at this one as well.
    if (this.cursor === 0) this.cursor = slot;
  }

  /** Puts `slot` behind all other loaded entries and before all that were not loaded. */
  appendLoaded(slot: number): void {
    this.#link(slot, this.#loadedLast);
    this.#loadedLast = slot;
  }

  /** Takes `slot` out. */
  remove(slot: number): void {
    const next = this.#next[slot];
    const previous = this.#previous[slot];
    this.#next[previous] = next;
    this.#previous[next] = previous;
    if (slot === this.cursor) this.cursor = next;
    if (slot === this.#loadedLast) this.#loadedLast = previous;
  }

  /** Takes `slot` out and puts it at the end. */
  moveToEnd(slot: number): void {
    if (this.#next[slot] !== 0 || slot === this.#loadedLast) {
      this.remove(slot);
      this.append(slot);
    } else if (this.cursor === 0) {
      // It was there already, but a compaction that has passed it has to look again.
      this.cursor = slot;
    }
  }

  #link(slot: number, previous: number): void {
    const next = this.#next[previous];
    this.#next[slot] = next;
    this.#previous[slot] = previous;
    this.#next[previous] = slot;
    this.#previous[next] = slot;
  }
}
