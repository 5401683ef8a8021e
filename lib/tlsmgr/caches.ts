/**
 * The three session caches, by the label that is on the wire: what opens their databases, and what is done
 * to all of them.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { showsTlsLog } from "../config/tls_log_level.ts";
import type { Log } from "../log/log.ts";
import { CACHE_TYPES, type CacheType } from "../proto/tlsmgr.ts";
import {
  adjustmentOf,
  type DatabaseHall,
  type DatabaseName,
  nameDatabase,
  openDatabase,
} from "./database.ts";
import { type CacheRules, type OpenDatabase, SessionCache, shownId } from "./session_cache.ts";

/** Smallest lifetime of a session, seconds (tls_scache.h: TLS_SESSION_LIFEMIN). */
export const TIMEOUT_MIN_S = 120;

/** The lifetime that a configured one stands for: 0 is off, and short ones are raised (tlsmgr.c). */
export function sanitiseTimeout(timeoutS: number): number {
  return timeoutS <= 0 ? 0 : Math.max(timeoutS, TIMEOUT_MIN_S);
}

/** What caches work with, besides settings and a log; without it nothing is done at a later time. */
export type CachesHall = Pick<DatabaseHall, "slowCalls" | "after" | "ownerId"> & {
  /** Told whether the system took the changes that a turn has made in a cache. */
  readonly flushed?: (cache: CacheType, isDone: boolean) => void;
};

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

  /**
   * Opens the databases that other settings want and that are not open. Throws {@linkcode FatalError} when
   * one cannot be used; then nothing has changed, and so it is until the answer is called, which cannot
   * fail: then the caches go by those settings, and databases that these do not want are closed.
   */
  prepare(settings: Settings, log: Log, hall: CachesHall = {}): () => void {
    const ground = { settings, log, hall };
    const opened: OpenDatabase[] = [];
    const steps: (() => void)[] = [];
    try {
      for (const cache of this.#caches) {
        const { label } = cache;
        const { rules, name } = planCache(label, ground);
        const isOpen = cache.databaseShown === name?.shown;
        const database = isOpen
          ? cache.database
          : name && openNamed(label, name, { ground, rules });
        if (!isOpen && database !== undefined) opened.push(database);
        steps.push(() => cache.adopt(rules, database));
      }
    } catch (error) {
      for (const { store } of opened) store.close();
      throw error;
    }
    return () => {
      for (const step of steps) step();
    };
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

/** Where something is opened or changed. */
interface CacheGround {
  readonly settings: Settings;
  readonly log: Log;
  readonly hall: CachesHall;
}

/** What the settings say of the cache `label`, and the database that they want for it. */
function planCache(
  label: CacheType,
  { settings, log, hall }: CacheGround,
): { rules: CacheRules; name: DatabaseName | undefined } {
  const { parameters } = settings;
  const timeoutS = sanitiseTimeout(parameters[`${label}_tls_session_cache_timeout`]);
  const limits = settings.cache[label];
  const trace = showsTlsLog(parameters[`${label}_tls_loglevel`], "cache")
    ? (text: string) => log.info(text)
    : undefined;
  // Keys cost a read each, so they are not asked for unless they are shown.
  const expired = trace && ((key: string) => trace(`delete ${label} session id=${shownId(key)}`));
  const rules = {
    ...{ timeoutS, trace },
    entryBytesMax: limits.max_entry_bytes,
    adjustment: adjustmentOf(limits, expired),
  };
  const name = timeoutS === 0 ? undefined : nameDatabase(label, settings, hall.ownerId);
  return { rules, name };
}

function openCache(label: CacheType, ground: CacheGround): SessionCache {
  const { rules, name } = planCache(label, ground);
  return new SessionCache({
    ...{ label, ...rules },
    database: name && openNamed(label, name, { ground, rules }),
    flushed: (isDone) => ground.hall.flushed?.(label, isDone),
  });
}

function openNamed(
  label: CacheType,
  name: DatabaseName,
  { ground, rules: { trace, adjustment } }: { ground: CacheGround; rules: CacheRules },
): OpenDatabase {
  const { settings, log, hall: { flushed: _, ...hall } } = ground;
  const { expired } = adjustment;
  const store = openDatabase(name, settings.cache[label], {
    ...hall,
    report: (level, message) => level === "warning" ? log.warn(message) : log.info(message),
    ...(expired && { expired }),
  });
  trace?.(`open ${label} TLS cache ${name.shown}`);
  return { shown: name.shown, store };
}
