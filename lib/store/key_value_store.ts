/**
 * What every store offers, on disk or in memory only.
 *
 * @module
 */

/** Numbers for people and for metrics. */
export interface StoreStats {
  /** Entries, expired ones that were not yet met by the expiry scan included. */
  entries: number;
  /** Bytes of these entries' records. */
  liveBytes: number;
  /** Bytes of the file that no entry needs: older values, deletes, damage. */
  deadBytes: number;
  /** Bytes on the disk. */
  fileBytes: number;
  /** Bytes that wait in memory to be written. */
  pendingBytes: number;
  /** Bytes of the file that have not been looked at since it was opened. */
  unloadedBytes: number;
  /** Compactions that replaced the file since it was opened. */
  compactions: number;
  /** Entries given up because their record could not be read back intact. */
  lostEntries: number;
  /** Entries removed to make room. */
  evictedEntries: number;
  /** Entries removed because they had expired. */
  expiredEntries: number;
}

/**
 * String keys, small values, an expiry each. Synchronous.
 *
 * Keys are latin1 strings: a character a byte, any byte. `nowS` and `expiresAtS` are unix seconds; an
 * entry is there while `expiresAtS >= nowS`, so its last second counts in full (as in Postfix,
 * `tls_scache_decode()` in src/tls/tls_scache.c, for `expiresAtS` = time of storing + timeout).
 *
 * To be used from an event loop: any number of calls, then {@linkcode flush}, then acknowledgements
 * (through {@linkcode whenSafe} if {@linkcode holdsAnswers}), then one {@linkcode work} a turn.
 */
export interface KeyValueStore {
  /**
   * The value of `key`, or undefined if there is none, it has expired or the disk does not give it.
   *
   * A view: it is valid until the next call of this store, and is not to be written to.
   */
  get(key: string, nowS: number): Uint8Array | undefined;
  /**
   * Stores `value`, seen by {@linkcode get} at once. Other entries are evicted to make room. False, and
   * nothing is changed, for an empty or too long key, a too long value, a record larger than all that
   * the quota allows, or when memory for what cannot be written is used up.
   */
  put(key: string, value: Uint8Array, expiresAtS: number): boolean;
  /**
   * Removes the entry of `key`, expired or not. False if there was none; true as well while a file is
   * still being read and may have one.
   */
  delete(key: string): boolean;
  /** Removes the entry of `key` if it has expired; whether it did. Needs no flush. */
  dropExpired(key: string, nowS: number): boolean;
  /**
   * Hands what was stored since the last flush to the system, so that it outlives this process; to be
   * called once a turn of the event loop, before anything is acknowledged. False if the disk refuses:
   * then everything is still served from memory, and later calls try again.
   */
  flush(): boolean;
  /** Whether what was flushed is not yet as safe as it has to be to be acknowledged. */
  readonly holdsAnswers: boolean;
  /**
   * Runs `done` once what was flushed so far is as safe as the sync policy wants it, or it is clear that
   * the disk makes that impossible; at once, unless {@linkcode holdsAnswers}.
   */
  whenSafe(done: () => void): void;
  /**
   * One slice of what has to be done besides; some milliseconds at most. "more": to be called again
   * without waiting for anything else.
   */
  work(): "more" | "idle";
  /**
   * One slice of the expiry scan: visits up to `entriesMax` places and removes the expired entries
   * among them. Returns how many it visited; fewer than `entriesMax` means that a pass has ended, and
   * the next call begins another.
   */
  expireSome(nowS: number, entriesMax: number): number;
  /** Other limits from here on; what is too much by them goes bit by bit. */
  adjust(limits: StoreAdjustment): void;
  stats(): StoreStats;
  /** Flushes and gives everything back. The store must not be used afterwards. */
  close(): void;
}

/** Lengths that a store accepts; the format's own limits apply besides. */
export interface StoreLimits {
  keyBytesMax: number;
  valueBytesMax: number;
}

/** What may change while a store is open. */
export interface StoreAdjustment extends Quotas {
  /** Told the key of each entry that the expiry scan removes; absent: nobody. */
  expired: ((key: string) => void) | undefined;
  /** As in a store's options; nothing to a store without a file. */
  compactBytesMin: number;
  compactRatio: number;
}

/** How much a store holds; 0 is no limit. */
export interface Quotas {
  maxEntries: number;
  /** Bytes of all entries' records; of keys and values, in a store without a file. */
  maxBytes: number;
  /** Who goes first: the least recently stored or found one, or the least recently stored one. */
  eviction: "lru" | "oldest";
}

/** True if a store with these limits takes an entry of these lengths. */
export function isWithin(limits: StoreLimits, key: string, value: Uint8Array): boolean {
  return key.length > 0 && key.length <= limits.keyBytesMax && value.length <= limits.valueBytesMax;
}

/** True if this many entries and bytes are more than the quotas allow. */
export function isAbove(quotas: Quotas, entries: number, bytes: number): boolean {
  const { maxEntries, maxBytes } = quotas;
  return (maxEntries > 0 && entries > maxEntries) || (maxBytes > 0 && bytes > maxBytes);
}

/** True for a whole number of seconds that the file format can hold. */
export function isTime(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds >= 0;
}
