/**
 * The three session caches, by the label that is on the wire.
 *
 * A session is opaque here, and its text is stored as it came: canonical base64, not decoded on the way
 * in nor encoded on the way out. An entry stored at time t is valid while t + timeout >= now (tls_scache.c:
 * tls_scache_decode), where the timeout is the one in force at t: after a restart with another timeout
 * older entries keep theirs.
 *
 * What is stored or deleted lasts once {@linkcode SessionCaches.flush} has been called, and as long as the
 * sync policy promises when {@linkcode SessionCaches.whenSafe} says so; who acknowledges a change must call
 * the one before and wait for the other.
 *
 * @module
 */
import { base64DataBytes } from "../attr/base64.ts";
import type { Base64Value } from "../attr/base64_value.ts";
import type { Settings } from "../config/settings.ts";
import { showsTlsLog } from "../config/tls_log_level.ts";
import type { Log } from "../log/log.ts";
import { CACHE_TYPES, type CacheType } from "../proto/tlsmgr.ts";
import type { KeyValueStore } from "../store/key_value_store.ts";
import { type DatabaseHall, openDatabase } from "./database.ts";

/** Smallest lifetime of a session, seconds (tls_scache.h: TLS_SESSION_LIFEMIN). */
export const TIMEOUT_MIN_S = 120;

/** Bytes of a cache id that a log line shows. */
const SHOWN_ID_MAX = 500;
/** Places that one slice of the expiry scan visits; some tens of microseconds. */
const SCAN_SLICE = 500;

/** The lifetime that a configured one stands for: 0 is off, and short ones are raised (tlsmgr.c). */
export function sanitiseTimeout(timeoutS: number): number {
  return timeoutS <= 0 ? 0 : Math.max(timeoutS, TIMEOUT_MIN_S);
}

/** What a cache is made of. */
export interface SessionCacheOptions {
  readonly label: CacheType;
  /** Lifetime of an entry in seconds, sanitised; 0: the cache is off. */
  readonly timeoutS: number;
  /** Absent: the cache is off. */
  readonly store: KeyValueStore | undefined;
  /** Sessions of more bytes are not stored; 0: no limit of the cache's own. */
  readonly entryBytesMax: number;
  /** Takes a line about each operation, when the log level shows these. */
  readonly trace: ((text: string) => void) | undefined;
}

/** One cache. Ids are latin1 strings; times are unix seconds. */
export class SessionCache {
  readonly label: CacheType;
  readonly timeoutS: number;
  /** Whether there is a database, and entries have a lifetime. */
  readonly enabled: boolean;
  /** Whether something waits for {@linkcode SessionCache.flush}. */
  changed = false;
  readonly #store: KeyValueStore | undefined;
  readonly #entryBytesMax: number;
  readonly #trace: ((text: string) => void) | undefined;
  #scanning = false;

  constructor(options: SessionCacheOptions) {
    this.label = options.label;
    this.timeoutS = options.timeoutS;
    this.enabled = options.store !== undefined && options.timeoutS > 0;
    this.#store = options.store;
    this.#entryBytesMax = options.entryBytesMax;
    this.#trace = options.trace;
  }

  /**
   * The base64 text of a session: a view that is good until the next call of this cache. An entry that
   * has expired is removed, as in Postfix; one that the disk does not give stays.
   */
  find(id: string, nowS: number): Uint8Array | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    this.#trace?.(`lookup ${this.label} session id=${shown(id)}`);
    const text = store.get(keyOf(id), nowS);
    if (text === undefined) {
      if (store.dropExpired(keyOf(id), nowS)) {
        this.#trace?.(`delete ${this.label} session id=${shown(id)}`);
      }
    } else if (this.#trace !== undefined) {
      // The time of storing, which Postfix shows too, is not kept.
      const size = base64DataBytes(text, 0, text.length);
      this.#trace(`read ${this.label} TLS cache entry ${shown(id)}: [data ${size} bytes]`);
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
    this.#trace?.(
      `put ${this.label} session id=${shown(id)} [data ${session.dataBytes} bytes]`,
    );
    if (this.#entryBytesMax > 0 && session.dataBytes > this.#entryBytesMax) return false;
    const text = session.bytes.subarray(session.start, session.end);
    if (!store.put(keyOf(id), text, nowS + this.timeoutS)) return false;
    this.changed = true;
    this.#trace?.(
      `write ${this.label} TLS cache entry ${shown(id)}: ` +
        `time=${nowS} [data ${session.dataBytes} bytes]`,
    );
    return true;
  }

  /** Removes an entry, expired or not; false if there was none. */
  remove(id: string): boolean {
    if (this.#store === undefined || !this.#store.delete(keyOf(id))) return false;
    this.changed = true;
    this.#trace?.(`delete ${this.label} session id=${shown(id)}`);
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
    if (this.changed && this.#store !== undefined) this.changed = !this.#store.flush();
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

/** What caches work with, besides settings and a log; without it nothing is done at a later time. */
export type CachesHall = Pick<DatabaseHall, "slowCalls" | "after" | "ownerId">;

/** All caches of the service. */
export class SessionCaches {
  readonly #caches: readonly SessionCache[];
  readonly #byLabel: ReadonlyMap<string, SessionCache>;

  constructor(caches: readonly SessionCache[]) {
    this.#caches = caches;
    this.#byLabel = new Map(caches.map((cache) => [cache.label, cache]));
  }

  /**
   * Opens what the settings name. Throws {@linkcode FatalError} when a database cannot be used, or when
   * two caches have the same one; nothing stays open then.
   */
  static open(settings: Settings, log: Log, hall: CachesHall = {}): SessionCaches {
    const caches: SessionCache[] = [];
    try {
      for (const label of CACHE_TYPES) caches.push(openCache(label, { settings, log, hall }));
    } catch (error) {
      for (const cache of caches) cache.close();
      throw error;
    }
    return new SessionCaches(caches);
  }

  /** The cache called `label`, enabled or not; `undefined` when no cache is called so. */
  get(label: string): SessionCache | undefined {
    return this.#byLabel.get(label);
  }

  /** All caches. */
  [Symbol.iterator](): Iterator<SessionCache> {
    return this.#caches[Symbol.iterator]();
  }

  /** Hands what was changed to the system. */
  flush(): void {
    for (const cache of this.#caches) cache.flush();
  }

  /** Whether something that was flushed must not be acknowledged yet. */
  get holdsAnswers(): boolean {
    for (const cache of this.#caches) if (cache.holdsAnswers) return true;
    return false;
  }

  /** Runs `done` when all that was flushed may be acknowledged, at once if it may be. */
  whenSafe(done: () => void): void {
    let left = this.#caches.length;
    const oneIsSafe = () => {
      if (--left === 0) done();
    };
    for (const cache of this.#caches) cache.whenSafe(oneIsSafe);
  }

  /** A slice of what the stores have to do besides; whether there is more. */
  work(): boolean {
    let busy = false;
    for (const cache of this.#caches) if (cache.work()) busy = true;
    return busy;
  }

  /** Carries the expiry scans on by a slice each; whether one goes on. */
  scanSome(nowS: number): boolean {
    let busy = false;
    for (const cache of this.#caches) if (cache.scanSome(nowS)) busy = true;
    return busy;
  }

  /** Flushes, and gives the stores back. */
  close(): void {
    for (const cache of this.#caches) cache.close();
  }
}

function openCache(
  label: CacheType,
  { settings, log, hall }: { settings: Settings; log: Log; hall: CachesHall },
): SessionCache {
  const { parameters } = settings;
  const timeoutS = sanitiseTimeout(parameters[`${label}_tls_session_cache_timeout`]);
  const trace = showsTlsLog(parameters[`${label}_tls_loglevel`], "cache")
    ? (text: string) => log.info(text)
    : undefined;
  const database = timeoutS === 0 ? undefined : openDatabase(label, settings, {
    ...hall,
    report: (level, message) => level === "warning" ? log.warn(message) : log.info(message),
    // Keys cost a read each, so they are not asked for unless they are shown.
    ...(trace && { expired: (key) => trace(`delete ${label} session id=${shown(key)}`) }),
  });
  if (database !== undefined) trace?.(`open ${label} TLS cache ${database.name.shown}`);
  return new SessionCache({
    label,
    timeoutS,
    store: database?.store,
    entryBytesMax: settings.cache[label].max_entry_bytes,
    trace,
  });
}

/** A store has no empty key; no id on the wire holds a NUL. */
function keyOf(id: string): string {
  return id === "" ? EMPTY_ID_KEY : id;
}

const EMPTY_ID_KEY = "\0";

function shown(id: string): string {
  return id.length > SHOWN_ID_MAX ? id.slice(0, SHOWN_ID_MAX) : id;
}
