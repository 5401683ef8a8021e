/**
 * How entries leave a store: on demand, when their time is over, or because there is no room.
 *
 * Whatever leaves because of its expiry needs no record in the file, which says it already. Whatever else
 * leaves gets a delete record, or it would be there again after the next start.
 *
 * @module
 */
import type { Compactor } from "./compactor.ts";
import { NONE } from "./entry_index.ts";
import { isAbove } from "./key_value_store.ts";
import { recordBytes } from "./record.ts";
import type { StoreCore } from "./store_core.ts";

/** Most entries that one call evicts. */
const EVICTIONS_MAX = 500;

/** Takes entries out of one store. */
export class Removal {
  /** Entries that had to make room. */
  evictedEntries = 0;
  /** Entries whose time was over. */
  expiredEntries = 0;
  readonly #core: StoreCore;
  readonly #compactor: Compactor;
  #scanSlot = 1;

  constructor(core: StoreCore, compactor: Compactor) {
    this.#core = core;
    this.#compactor = compactor;
  }

  /** Takes out the entry of `key` in `slot`, and sees to it that it stays away. */
  delete(slot: number, key: string): void {
    this.#forget(slot, key);
    this.appendDelete(key);
  }

  /** Writes down that `key` is gone, also where it is not known whether it was there. */
  appendDelete(key: string): void {
    const { log, settings, loading } = this.#core;
    const bytes = recordBytes(key.length, 0);
    if (log.pendingBytes + bytes <= settings.pendingBytesMax) log.appendDelete(key);
    // No room to wait in: only a fresh file makes it last.
    else this.#compactor.force();
    loading?.noteDelete(key);
  }

  /** Takes out the entry of `key` if its time is over at `nowS`; whether it was so. */
  dropExpired(key: string, nowS: number): boolean {
    const { index, loading } = this.#core;
    const slot = index.find(key);
    if (slot === NONE || loading !== undefined || index.expiresAtS(slot) >= nowS) return false;
    this.#forget(slot, key);
    this.expiredEntries++;
    return true;
  }

  /** One step of the scan for entries whose time is over; how many places were looked at. */
  expireSome(nowS: number, entriesMax: number): number {
    const { index, loading } = this.#core;
    // A pass that ended here would have missed all that comes.
    if (loading !== undefined) return entriesMax;
    for (let visited = 0; visited < entriesMax; visited++) {
      if (this.#scanSlot >= index.slotsEnd) {
        this.#scanSlot = 1;
        return visited;
      }
      const slot = this.#scanSlot++;
      if (index.isUsed(slot) && index.expiresAtS(slot) < nowS) this.#expire(slot);
    }
    return entriesMax;
  }

  /** Brings the store within its quotas, or nearer; whether there was anything to do. */
  evict(): boolean {
    const { index, settings, loading } = this.#core;
    if (loading !== undefined) return false;
    let count = 0;
    while (isAbove(settings, index.size, index.liveBytes) && count++ < EVICTIONS_MAX) {
      const slot = index.order.first;
      // Written down, because its record may be younger than those of entries that stay.
      const key = this.#readKey(slot);
      this.#forget(slot, key);
      if (key !== undefined) this.appendDelete(key);
      this.evictedEntries++;
    }
    return count > 0;
  }

  #expire(slot: number): void {
    const { expired } = this.#core.settings;
    const key = expired === undefined ? undefined : this.#readKey(slot);
    this.#forget(slot, key);
    this.expiredEntries++;
    if (key !== undefined) expired?.(key);
  }

  /** Takes an entry out of the index; `key` if it is known. */
  #forget(slot: number, key: string | undefined): void {
    this.#compactor.current?.noteRemoval(slot, key);
    this.#core.index.remove(slot);
  }

  /** The key of the entry in `slot`, if the disk gives it and it is the right one. */
  #readKey(slot: number): string | undefined {
    const { index, log } = this.#core;
    const key = log.readKey(index.place(slot));
    return key !== undefined && index.find(key) === slot ? key : undefined;
  }
}
