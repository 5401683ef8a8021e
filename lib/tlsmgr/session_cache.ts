/**
 * One session cache.
 *
 * A session is opaque here, and its text is stored as it came: canonical base64, not decoded on the way
 * in nor encoded on the way out. An entry stored at time t is valid while t + timeout >= now (tls_scache.c:
 * tls_scache_decode), where the timeout is the one in force at t: with another timeout older entries keep
 * theirs.
 *
 * What is stored or deleted lasts once {@linkcode SessionCache.flush} has been called, and as long as the
 * sync policy promises when {@linkcode SessionCache.whenSafe} says so; who acknowledges a change must call
 * the one before and wait for the other.
 *
 * @module
 */
import { base64DataBytes } from "../attr/base64.ts";
import type { Base64Value } from "../attr/base64_value.ts";
import type { CacheType } from "../proto/tlsmgr.ts";
import type { KeyValueStore, StoreAdjustment, StoreStats } from "../store/key_value_store.ts";

/** Bytes of a cache id that a log line shows. */
const SHOWN_ID_MAX = 500;
/** Places that one slice of the expiry scan visits; some tens of microseconds. */
const SCAN_SLICE = 500;

/** An open database. */
export interface OpenDatabase {
  /** As Postfix shows it: `type:path`. */
  readonly shown: string;
  readonly store: KeyValueStore;
}

/** What a cache does with its entries. */
export interface CacheRules {
  /** Lifetime of an entry in seconds, sanitised; 0: the cache is off. */
  readonly timeoutS: number;
  /** Sessions of more bytes are not stored; 0: no limit of the cache's own. */
  readonly entryBytesMax: number;
  /** Takes a line about each operation, when the log level shows these. */
  readonly trace: ((text: string) => void) | undefined;
  /** What the database is told. */
  readonly adjustment: StoreAdjustment;
}

/** What a cache is made of. */
export interface SessionCacheOptions extends CacheRules {
  readonly label: CacheType;
  /** Absent: the cache is off. */
  readonly database: OpenDatabase | undefined;
  /** Told whether the system took the changes of a turn. */
  readonly flushed?: (isDone: boolean) => void;
}

/** One cache. Ids are latin1 strings; times are unix seconds. */
export class SessionCache {
  readonly label: CacheType;
  /** Whether something waits for {@linkcode SessionCache.flush}. */
  changed = false;
  #database: OpenDatabase | undefined;
  #rules: CacheRules;
  readonly #flushed: ((isDone: boolean) => void) | undefined;
  #scanning = false;

  constructor(options: SessionCacheOptions) {
    this.label = options.label;
    this.#database = options.database;
    this.#rules = options;
    this.#flushed = options.flushed;
  }

  /** Lifetime of an entry in seconds, sanitised; 0: the cache is off. */
  get timeoutS(): number {
    return this.#rules.timeoutS;
  }

  /** Whether there is a database, and entries have a lifetime. */
  get enabled(): boolean {
    return this.#database !== undefined && this.#rules.timeoutS > 0;
  }

  /** The name of the database, as Postfix shows it. */
  get databaseShown(): string | undefined {
    return this.#database?.shown;
  }

  /**
   * Goes on with other rules, and with another database if it is not the one that it has, which is closed
   * then. Entries keep the lifetime that they were stored with.
   */
  adopt(rules: CacheRules, database: OpenDatabase | undefined): void {
    this.#rules = rules;
    const before = this.#database;
    if (database === before) return before?.store.adjust(rules.adjustment);
    this.#database = database;
    this.changed = false;
    this.#scanning = false;
    before?.store.close();
  }

  /** The database that is open. */
  get database(): OpenDatabase | undefined {
    return this.#database;
  }

  get #store(): KeyValueStore | undefined {
    return this.#database?.store;
  }

  get #trace(): ((text: string) => void) | undefined {
    return this.#rules.trace;
  }

  /**
   * The base64 text of a session: a view that is good until the next call of this cache. An entry that
   * has expired is removed, as in Postfix; one that the disk does not give stays.
   */
  find(id: string, nowS: number): Uint8Array | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    this.#trace?.(`lookup ${this.label} session id=${shownId(id)}`);
    const text = store.get(keyOf(id), nowS);
    if (text === undefined) {
      if (store.dropExpired(keyOf(id), nowS)) {
        this.#trace?.(`delete ${this.label} session id=${shownId(id)}`);
      }
    } else if (this.#trace !== undefined) {
      // The time of storing, which Postfix shows too, is not kept.
      const size = base64DataBytes(text, 0, text.length);
      this.#trace(`read ${this.label} TLS cache entry ${shownId(id)}: [data ${size} bytes]`);
    }
    return text;
  }

  /**
   * Stores a session for the cache's timeout, in the place of an older one with this id; others are
   * evicted when there is no room.
   *
   * False, and an older one stays, when it is larger than the limits allow, when the id is longer than a
   * store takes (4096 bytes), or when the disk is ailing and memory for what waits is used up.
   */
  store(id: string, session: Base64Value, nowS: number): boolean {
    const store = this.#store;
    if (store === undefined) return false;
    const { entryBytesMax } = this.#rules;
    this.#trace?.(
      `put ${this.label} session id=${shownId(id)} [data ${session.dataBytes} bytes]`,
    );
    if (entryBytesMax > 0 && session.dataBytes > entryBytesMax) return false;
    const text = session.bytes.subarray(session.start, session.end);
    if (!store.put(keyOf(id), text, nowS + this.timeoutS)) return false;
    this.changed = true;
    this.#trace?.(
      `write ${this.label} TLS cache entry ${shownId(id)}: ` +
        `time=${nowS} [data ${session.dataBytes} bytes]`,
    );
    return true;
  }

  /** Removes an entry, expired or not; false if there was none. */
  remove(id: string): boolean {
    if (this.#store === undefined || !this.#store.delete(keyOf(id))) return false;
    this.changed = true;
    this.#trace?.(`delete ${this.label} session id=${shownId(id)}`);
    return true;
  }

  /** Begins a scan for expired entries, unless one is going on. */
  startScan(): void {
    if (!this.enabled || this.#scanning) return;
    this.#scanning = true;
    this.#trace?.(`tlsmgr_cache_run_event: start TLS ${this.label} session cache cleanup`);
  }

  /** Carries the scan on by a slice; whether it goes on. */
  scanSome(nowS: number): boolean {
    if (!this.#scanning || this.#store === undefined) return false;
    this.#scanning = this.#store.expireSome(nowS, SCAN_SLICE) === SCAN_SLICE;
    return this.#scanning;
  }

  /** Hands what was changed to the system. A disk that refuses is reported by the store. */
  flush(): void {
    if (!this.changed || this.#store === undefined) return;
    this.changed = !this.#store.flush();
    this.#flushed?.(!this.changed);
  }

  /** What the store holds, and has done; `undefined`: the cache is off. */
  get stats(): StoreStats | undefined {
    return this.#store?.stats();
  }

  /** Whether what was flushed must not be acknowledged yet. */
  get holdsAnswers(): boolean {
    return this.#store?.holdsAnswers === true;
  }

  /** Runs `done` when what was flushed may be acknowledged, at once if it may be. */
  whenSafe(done: () => void): void {
    if (this.#store === undefined) done();
    else this.#store.whenSafe(done);
  }

  /** A slice of what the store has to do besides; whether there is more. */
  work(): boolean {
    return this.#store?.work() === "more";
  }

  /** Flushes, and gives the store back. */
  close(): void {
    this.#scanning = false;
    this.#store?.close();
  }
}

/** A store has no empty key; no id on the wire holds a NUL. */
function keyOf(id: string): string {
  return id === "" ? EMPTY_ID_KEY : id;
}

const EMPTY_ID_KEY = "\0";

/** As much of a cache id as a log line shows. */
export function shownId(id: string): string {
  return id.length > SHOWN_ID_MAX ? id.slice(0, SHOWN_ID_MAX) : id;
}
