/**
 * A store without a file: everything ends with the process.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { ownKey } from "./entry_index.ts";
import {
  isTime,
  isWithin,
  type KeyValueStore,
  type StoreLimits,
  type StoreStats,
} from "./key_value_store.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./record.ts";

interface Entry {
  value: Uint8Array;
  expiresAtS: number;
}

/** Options of {@linkcode MemoryStore}. */
export interface MemoryStoreOptions extends Partial<StoreLimits> {
  /** Told the key of each entry that the expiry scan removes. */
  expired?: (key: string) => void;
}

/** Keys and values in memory. */
export class MemoryStore implements KeyValueStore {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: StoreLimits;
  readonly #expired: (key: string) => void;
  /** Where the expiry scan stands; an iterator of a Map lives through changes of the Map. */
  #scan: Iterator<[string, Entry]> | undefined;
  #liveBytes = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.#limits = {
      keyBytesMax: options.keyBytesMax ?? KEY_BYTES_MAX,
      valueBytesMax: options.valueBytesMax ?? VALUE_BYTES_MAX,
    };
    this.#expired = options.expired ?? (() => {});
  }

  get(key: string, nowS: number): Uint8Array | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.expiresAtS < nowS ? undefined : entry.value;
  }

  put(key: string, value: Uint8Array, expiresAtS: number): boolean {
    assert(isTime(expiresAtS), "an expiry is a whole number of seconds");
    if (!isWithin(this.#limits, key, value)) return false;
    const entry = { value: value.slice(), expiresAtS };
    const old = this.#entries.get(key);
    if (old !== undefined) {
      this.#liveBytes += value.length - old.value.length;
      this.#entries.set(key, entry);
    } else {
      this.#liveBytes += key.length + value.length;
      this.#entries.set(ownKey(key), entry);
    }
    return true;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#liveBytes -= key.length + entry.value.length;
    return this.#entries.delete(key);
  }

  flush(): boolean {
    return true;
  }

  expireSome(nowS: number, entriesMax: number): number {
    this.#scan ??= this.#entries[Symbol.iterator]();
    for (let visited = 0; visited < entriesMax; visited++) {
      const next = this.#scan.next();
      if (next.done) {
        this.#scan = undefined;
        return visited;
      }
      const [key, entry] = next.value;
      if (entry.expiresAtS < nowS) {
        this.delete(key);
        this.#expired(key);
      }
    }
    return entriesMax;
  }

  stats(): StoreStats {
    return {
      entries: this.#entries.size,
      liveBytes: this.#liveBytes,
      deadBytes: 0,
      fileBytes: 0,
      pendingBytes: 0,
      compactions: 0,
      lostEntries: 0,
    };
  }

  close(): void {
    this.#entries.clear();
    this.#scan = undefined;
    this.#liveBytes = 0;
  }
}
