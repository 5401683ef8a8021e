/**
 * What tlsmgr counts: requests and what came of them, clients, caches, keys, entropy.
 *
 * A request costs two additions. What caches and files hold is looked at a second after something has
 * happened, and not at all while nothing does.
 *
 * @module
 */
import type { Counter, Gauge, Numbers } from "../daemon/numbers/numbers.ts";
import {
  ASK_NAMES,
  type AskKind,
  CACHE_TYPES,
  type CacheType,
  TLSMGR_STATUS,
  type TlsmgrAnswer,
  type TlsmgrAsk,
} from "../proto/tlsmgr.ts";
import type { StoreStats } from "../store/key_value_store.ts";
import type { SessionCaches } from "./caches.ts";

/** From something that happens to a look at what the caches hold. */
export const REFRESH_DELAY_MS = 1000;

/** The counters of something that is done or not. */
interface Results {
  readonly yes: Counter;
  readonly no: Counter;
}

/** The counters of one kind of request by status. */
interface Statuses {
  readonly ok: Counter;
  readonly err: Counter;
  readonly fail: Counter;
}

type CacheAsk = "lookup" | "update" | "delete";

/** What is shown of a cache, and what of it has been counted so far. */
interface CacheNumbers {
  readonly flushes: Results;
  readonly entries: Gauge;
  readonly bytes: Readonly<Record<"live" | "dead" | "file" | "pending" | "unloaded", Gauge>>;
  readonly sums: Readonly<Record<keyof Sums, Counter>>;
  counted: Sums;
}

type Sums = Pick<
  StoreStats,
  "expiredEntries" | "evictedEntries" | "lostEntries" | "compactions"
>;

const NO_SUMS: Sums = { expiredEntries: 0, evictedEntries: 0, lostEntries: 0, compactions: 0 };

/** What is shown of a cache that is off. */
const OFF: StoreStats = {
  ...NO_SUMS,
  ...{ entries: 0, liveBytes: 0, deadBytes: 0, fileBytes: 0, pendingBytes: 0, unloadedBytes: 0 },
};

/** What the pool's keeper has counted for it. */
export interface EntropyNumbers {
  /** The external source has answered, or failed to. */
  reseeded(source: string, isDone: boolean): void;
  /** The exchange file has been saved, or not. */
  saved(isDone: boolean): void;
}

/** The numbers of a tlsmgr. */
export class TlsmgrNumbers implements EntropyNumbers {
  readonly #numbers: Numbers;
  readonly #requests: Readonly<Record<AskKind, Statuses>>;
  readonly #malformed: Counter;
  readonly #asks: Readonly<Record<CacheAsk, ReadonlyMap<string, Results>>>;
  readonly #caches: ReadonlyMap<CacheType, CacheNumbers>;
  readonly #clients: Gauge;
  readonly #accepted: Counter;
  readonly #refused: Counter;
  readonly #ticketKeys: Counter;

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
    this.#requests = countersOfRequests(numbers);
    this.#malformed = numbers.counter("postern_tlsmgr_malformed_requests_total");
    this.#asks = countersOfAsks(numbers);
    this.#caches = new Map(CACHE_TYPES.map((cache) => [cache, cacheNumbers(numbers, cache)]));
    this.#clients = numbers.gauge("postern_tlsmgr_clients");
    const connections = "postern_tlsmgr_connections_total";
    this.#accepted = numbers.counter(connections, { outcome: "accepted" });
    this.#refused = numbers.counter(connections, { outcome: "refused" });
    this.#ticketKeys = numbers.counter("postern_tlsmgr_ticket_keys_made_total");
  }

  /** A list has been carried out as `kind`, with this answer. */
  countRequest(kind: AskKind, ask: TlsmgrAsk, { status }: TlsmgrAnswer): void {
    const statuses = this.#requests[kind];
    const isDone = status === TLSMGR_STATUS.ok;
    const isRight = status !== TLSMGR_STATUS.fail;
    (isDone ? statuses.ok : isRight ? statuses.err : statuses.fail).add();
    if (ask.fault !== undefined) this.#malformed.add();
    if (!isRight || (kind !== "lookup" && kind !== "update" && kind !== "delete")) return;
    const results = this.#asks[kind].get(ask.cacheType);
    if (results !== undefined) (isDone ? results.yes : results.no).add();
  }

  /** A client has come, and found a place or not. */
  countConnection(isAccepted: boolean): void {
    (isAccepted ? this.#accepted : this.#refused).add();
  }

  /** There are so many clients. */
  showClients(count: number): void {
    this.#clients.set(count);
  }

  /** A session ticket key has been made. */
  countTicketKey(): void {
    this.#ticketKeys.add();
  }

  /** The changes of a turn were handed to the system, or it refused. */
  countFlush(cache: CacheType, isDone: boolean): void {
    const { flushes } = this.#caches.get(cache)!;
    (isDone ? flushes.yes : flushes.no).add();
  }

  reseeded(source: string, isDone: boolean): void {
    const outcome = isDone ? "ok" : "failed";
    this.#numbers.counter("postern_tlsmgr_entropy_reseeds_total", { outcome }).add();
    this.#numbers.gauge("postern_tlsmgr_entropy_source_up", { source }).set(isDone ? 1 : 0);
  }

  saved(isDone: boolean): void {
    const outcome = isDone ? "ok" : "failed";
    this.#numbers.counter("postern_tlsmgr_exchange_updates_total", { outcome }).add();
  }

  /** Shows what the caches hold. */
  showCaches(caches: SessionCaches): void {
    for (const { label, stats } of caches) showCache(this.#caches.get(label)!, stats ?? OFF);
  }
}

function showCache(cache: CacheNumbers, stats: StoreStats): void {
  const { bytes, sums, counted } = cache;
  cache.entries.set(stats.entries);
  bytes.live.set(stats.liveBytes);
  bytes.dead.set(stats.deadBytes);
  bytes.file.set(stats.fileBytes);
  bytes.pending.set(stats.pendingBytes);
  bytes.unloaded.set(stats.unloadedBytes);
  for (const sum of Object.keys(sums) as (keyof Sums)[]) {
    // A store that was opened again begins at nothing.
    sums[sum].add(stats[sum] - (stats[sum] >= counted[sum] ? counted[sum] : 0));
  }
  cache.counted = stats;
}

function countersOfRequests(numbers: Numbers): Readonly<Record<AskKind, Statuses>> {
  const of = (type: string, status: string) =>
    numbers.counter("postern_tlsmgr_requests_total", { type, status });
  const answered = (type: string): Statuses => ({
    ok: of(type, "ok"),
    err: of(type, "err"),
    fail: of(type, "fail"),
  });
  const failing = (type: string, status: string): Statuses => {
    const counter = of(type, status);
    return { ok: counter, err: counter, fail: counter };
  };
  return {
    ...Object.fromEntries(ASK_NAMES.map((name) => [name, answered(name)])),
    nameless: failing("nameless", "fail"),
    unknown: failing("unknown", "ignored"),
    empty: failing("empty", "ignored"),
  } as Record<AskKind, Statuses>;
}

function countersOfAsks(
  numbers: Numbers,
): Readonly<Record<CacheAsk, ReadonlyMap<string, Results>>> {
  const each = (make: (cache: string) => Results) =>
    new Map<string, Results>(CACHE_TYPES.map((cache) => [cache, make(cache)]));
  const results = (
    name: `postern_tlsmgr_cache_${"lookups" | "updates" | "deletes"}_total`,
    words: { yes: string; no: string },
  ) =>
    each((cache) => ({
      yes: numbers.counter(name, { cache, result: words.yes }),
      no: numbers.counter(name, { cache, result: words.no }),
    }));
  return {
    lookup: results("postern_tlsmgr_cache_lookups_total", { yes: "hit", no: "miss" }),
    update: results("postern_tlsmgr_cache_updates_total", { yes: "stored", no: "refused" }),
    delete: results("postern_tlsmgr_cache_deletes_total", { yes: "deleted", no: "missing" }),
  };
}

function cacheNumbers(numbers: Numbers, cache: string): CacheNumbers {
  const flushes = "postern_tlsmgr_cache_flushes_total";
  const bytes = (kind: string) => numbers.gauge("postern_tlsmgr_cache_bytes", { cache, kind });
  return {
    flushes: {
      yes: numbers.counter(flushes, { cache, result: "ok" }),
      no: numbers.counter(flushes, { cache, result: "failed" }),
    },
    entries: numbers.gauge("postern_tlsmgr_cache_entries", { cache }),
    bytes: {
      live: bytes("live"),
      dead: bytes("dead"),
      file: bytes("file"),
      pending: bytes("pending"),
      unloaded: bytes("unloaded"),
    },
    sums: {
      expiredEntries: numbers.counter("postern_tlsmgr_cache_expired_entries_total", { cache }),
      evictedEntries: numbers.counter("postern_tlsmgr_cache_evicted_entries_total", { cache }),
      lostEntries: numbers.counter("postern_tlsmgr_cache_lost_entries_total", { cache }),
      compactions: numbers.counter("postern_tlsmgr_cache_compactions_total", { cache }),
    },
    counted: NO_SUMS,
  };
}
