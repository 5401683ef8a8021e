/**
 * What the tests of tlsmgr share: caches in memory, settings from a text, a log that is a list.
 *
 * @module
 */
import { Base64Value } from "../../../lib/attr/base64_value.ts";
import { latin1 } from "../../../lib/base/bytes.ts";
import { formatFinding, loadSettings, type Settings } from "../../../lib/config/settings.ts";
import type { Log } from "../../../lib/log/log.ts";
import type { CacheType } from "../../../lib/proto/tlsmgr.ts";
import { MemoryStore } from "../../../lib/store/memory_store.ts";
import { Timer } from "../../../lib/reactor/timers.ts";
import type { StoreAdjustment } from "../../../lib/store/key_value_store.ts";
import { SessionCache } from "../../../lib/tlsmgr/session_cache.ts";
import type { TicketKeysOptions } from "../../../lib/tlsmgr/ticket_keys.ts";

/** A log whose lines are kept, with the severity in front. */
export class ListLog implements Log {
  readonly isStructured = false;
  readonly verbose = 0;
  readonly lines: string[] = [];

  debug(text: string): void {
    this.lines.push(`debug: ${text}`);
  }

  info(text: string): void {
    this.lines.push(text);
  }

  warn(text: string): void {
    this.lines.push(`warning: ${text}`);
  }

  error(text: string): void {
    this.lines.push(`error: ${text}`);
  }

  fatal(text: string): void {
    this.lines.push(`fatal: ${text}`);
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }
}

/** Settings of tlsmgr from a TOML text; throws when it has faults. */
export function settingsFrom(text: string): Settings {
  const { settings, findings } = loadSettings({
    text,
    file: "/etc/postern.toml",
    role: "tlsmgr",
    overrides: [],
  });
  if (settings === undefined) throw new Error(findings.map(formatFinding).join("\n"));
  return settings;
}

/** The clocks of a reactor whose timers never fire; `nowS` tells the time on both, in seconds. */
export function reactorAt(nowS: () => number): TicketKeysOptions["reactor"] {
  return {
    get nowMs() {
      return nowS() * 1000;
    },
    unixSeconds: nowS,
    after: (delayMs, handler) => new Timer(delayMs, handler),
    cancel: () => {},
  };
}

/** Options of {@linkcode makeCache}. */
export interface CacheOptions {
  timeoutS?: number;
  database?: boolean;
  entryBytesMax?: number;
  trace?: string[];
}

/** What a store is told that has no limits. */
export const NO_LIMITS: StoreAdjustment = {
  ...{ maxEntries: 0, maxBytes: 0, eviction: "lru", expired: undefined },
  ...{ compactBytesMin: 0, compactRatio: 1 },
};

/** A cache in memory. */
export function makeCache(label: CacheType, options: CacheOptions = {}): SessionCache {
  const { timeoutS = 3600, database = true, entryBytesMax = 0, trace } = options;
  return new SessionCache({
    label,
    timeoutS,
    database: database ? { shown: "memory:", store: new MemoryStore() } : undefined,
    entryBytesMax,
    adjustment: NO_LIMITS,
    trace: trace === undefined ? undefined : (text) => trace.push(text),
  });
}

/** The base64 text `text` somewhere in a larger buffer, as it lies in a receive buffer. */
export function base64Value(text: string): Base64Value {
  const value = new Base64Value();
  value.point(latin1(`xx${text}yy`), 2, 2 + text.length);
  return value;
}
