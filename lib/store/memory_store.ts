/**
 * A store without a file: everything ends with the process.
 *
 * The order of the Map is that of eviction: what is stored, or found, goes to its end.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { latin1, toLatin1 } from "../base/bytes.ts";
import {
  isAbove,
  isTime,
  isWithin,
  type KeyValueStore,
  type Quotas,
  type StoreAdjustment,
  type StoreLimits,
  type StoreStats,
} from "./key_value_store.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./record.ts";

/** Most entries that one call of `work()` evicts. */
const EVICTIONS_MAX = 500;

interface Entry {
  /** The key in memory of its own: a piece of a longer string would keep all of that alive. */
  readonly key: string;
  value: Uint8Array;
  expiresAtS: number;
}

/** Options of {@linkcode MemoryStore}. */
export interface MemoryStoreOptions extends Partial<StoreLimits>, Partial<Quotas> {
  /** Told the key of each entry that the expiry scan removes. */
  expired?: (key: string) => void;
}

/** Keys and values in memory. */
export class MemoryStore implements KeyValueStore {
  readonly holdsAnswers = false;
  readonly #entries = new Map<string, Entry>();
  readonly #limits: StoreLimits & Quotas;
  #expired: (key: string) => void;
  /** Where the expiry scan stands; an iterator of a Map lives through changes of the Map. */
  #scan: Iterator<[string, Entry]> | undefined;
  /** Places that the pass has still to visit: what is found meanwhile moves to where it comes again. */
  #scanLeft = 0;
  #liveBytes = 0;
  #evictedEntries = 0;
  #expiredEntries = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.#limits = {
      keyBytesMax: options.keyBytesMax ?? KEY_BYTES_MAX,
      valueBytesMax: options.valueBytesMax ?? VALUE_BYTES_MAX,
      maxEntries: options.maxEntries ?? 0,
      maxBytes: options.maxBytes ?? 0,
      eviction: options.eviction ?? "lru",
    };
    this.#expired = options.expired ?? (() => {});
  }

  get(key: string, nowS: number): Uint8Array | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtS < nowS) return undefined;
    if (this.#limits.eviction === "lru") {
      this.#entries.delete(key);
      this.#entries.set(entry.key, entry);
    }
    return entry.value;
  }

  put(key: string, value: Uint8Array, expiresAtS: number): boolean {
    assert(isTime(expiresAtS), "an expiry is a whole number of seconds");
    const limits = this.#limits;
    if (!isWithin(limits, key, value)) return false;
    if (isAbove(limits, 1, key.length + value.length)) return false;
    this.delete(key);
    this.#liveBytes += key.length + value.length;
    const entry = { key: toLatin1(latin1(key)), value: value.slice(), expiresAtS };
    this.#entries.set(entry.key, entry);
    while (isAbove(limits, this.#entries.size, this.#liveBytes)) this.#evict();
    return true;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#liveBytes -= key.length + entry.value.length;
    return this.#entries.delete(key);
  }

  dropExpired(key: string, nowS: number): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtS >= nowS) return false;
    this.#expiredEntries++;
    return this.delete(key);
  }

  flush(): boolean {
    return true;
  }

  whenSafe(done: () => void): void {
    done();
  }

  work(): "more" | "idle" {
    let count = 0;
    const isFull = () => isAbove(this.#limits, this.#entries.size, this.#liveBytes);
    while (count < EVICTIONS_MAX && isFull()) {
      this.#evict();
      count++;
    }
    return count > 0 ? "more" : "idle";
  }

  expireSome(nowS: number, entriesMax: number): number {
    if (this.#scan === undefined) {
      this.#scan = this.#entries[Symbol.iterator]();
      this.#scanLeft = this.#entries.size;
    }
    for (let visited = 0; visited < entriesMax; visited++) {
      const next = this.#scanLeft > 0 ? this.#scan.next() : undefined;
      if (next === undefined || next.done) {
        this.#scan = undefined;
        return visited;
      }
      this.#scanLeft--;
      const [key, entry] = next.value;
      if (entry.expiresAtS < nowS) {
        this.delete(key);
        this.#expiredEntries++;
        this.#expired(key);
      }
    }
    return entriesMax;
  }

  adjust({ maxEntries, maxBytes, eviction, expired }: StoreAdjustment): void {
    Object.assign(this.#limits, { maxEntries, maxBytes, eviction });
    this.#expired = expired ?? (() => {});
  }

  stats(): StoreStats {
    return {
      entries: this.#entries.size,
      liveBytes: this.#liveBytes,
      deadBytes: 0,
      fileBytes: 0,
      pendingBytes: 0,
      unloadedBytes: 0,
      compactions: 0,
      lostEntries: 0,
      evictedEntries: this.#evictedEntries,
      expiredEntries: this.#expiredEntries,
    };
  }

  close(): void {
    this.#entries.clear();
    this.#scan = undefined;
    this.#liveBytes = 0;
  }

  #evict(): void {
    for (const key of this.#entries.keys()) {
      this.delete(key);
      this.#evictedEntries++;
      return;
    }
  }
}
