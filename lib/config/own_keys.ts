/**
 * Our own settings, which Postfix does not have: one row a key, table by table.
 *
 * Values are literal: no `$name` is expanded here. Names, kinds and defaults are written in this
 * file only; the typed settings are derived from it.
 *
 * @module
 */

import type { Obeyed } from "./parameters.ts";

/**
 * What a value must be. `text`: a string, empty for none; `octal`: file mode bits in a string;
 * `seconds`: an integer, or a string as a time parameter; `ratio`: a number of at least 1.
 */
export type OwnKind = "bool" | "int" | "seconds" | "ratio" | "enum" | "text" | "octal";

/** One row. */
export interface OwnKey {
  readonly kind: OwnKind;
  readonly initial: boolean | number | string;
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly string[];
  /** @default {true} */
  readonly obeyed?: Obeyed;
  readonly help: string;
}

/** `[service]` */
export const SERVICE_KEYS = {
  mode: {
    kind: "enum",
    initial: "detect",
    values: ["detect", "standalone", "systemd", "master"],
    obeyed: { except: ["systemd", "master"] },
    help: "Who opens the sockets.",
  },
  strict: { kind: "bool", initial: false, help: "Unknown names are errors." },
  drain_timeout: {
    kind: "seconds",
    initial: 300,
    min: 0,
    help: "How long old sessions may finish after a stop.",
  },
  settings_from_request: {
    kind: "enum",
    initial: "match",
    values: ["trust", "match", "ignore"],
    obeyed: false,
    help: "What a request may decide about its own TLS settings.",
  },
  require_tlsmgr: {
    kind: "bool",
    initial: true,
    help: "A TLS role stays off while tlsmgr cannot be reached.",
  },
} as const satisfies Record<string, OwnKey>;

/** `[service.tlsmgr]` and `[service.tlsproxy]` */
export const SERVICE_ROLE_KEYS = {
  socket: {
    kind: "text",
    initial: "",
    help: "Path of the listening socket; by default private/NAME below queue_directory.",
  },
  socket_mode: { kind: "octal", initial: 0o660, help: "Mode bits of the socket." },
  socket_group: { kind: "text", initial: "", help: "Group of the socket; empty leaves it alone." },
  max_connections: {
    kind: "int",
    initial: 1000,
    min: 1,
    help: "Local connections beyond this number are refused.",
  },
} as const satisfies Record<string, OwnKey>;

/** `[service.tlsproxy]` only */
export const SERVICE_TLSPROXY_KEYS = {
  workers: { kind: "int", initial: 0, min: 0, max: 1024, help: "Service threads; 0: one a core." },
  max_sessions: { kind: "int", initial: 5000, min: 1, help: "Sessions beyond this are refused." },
  max_contexts: {
    kind: "int",
    initial: 64,
    min: 1,
    obeyed: false,
    help: "TLS contexts that are kept, the least recently used out first.",
  },
} as const satisfies Record<string, OwnKey>;

/** `[cache]`, and `[cache.smtpd]`, `[cache.smtp]`, `[cache.lmtp]` over it */
export const CACHE_KEYS = {
  max_entries: {
    kind: "int",
    initial: 20_000,
    min: 0,
    obeyed: false,
    help: "Most entries of one cache; 0: no limit.",
  },
  max_bytes: {
    kind: "int",
    initial: 64 * 1024 * 1024,
    min: 0,
    obeyed: false,
    help: "Most bytes of live data in one cache; 0: no limit.",
  },
  max_entry_bytes: {
    kind: "int",
    initial: 64 * 1024,
    min: 0,
    help: "A larger session is not stored; 0: no limit.",
  },
  eviction: {
    kind: "enum",
    initial: "lru",
    values: ["oldest", "lru"],
    obeyed: false,
    help: "Who goes first when a limit is reached.",
  },
  persist: { kind: "bool", initial: true, help: "Keep entries across restarts and crashes." },
  compact_ratio: {
    kind: "ratio",
    initial: 2.0,
    obeyed: false,
    help: "Rewrite the file when dead data exceeds live data by this factor.",
  },
  compact_min_bytes: {
    kind: "int",
    initial: 1024 * 1024,
    min: 0,
    obeyed: false,
    help: "A smaller file is not rewritten.",
  },
  sync: {
    kind: "enum",
    initial: "interval",
    values: ["never", "interval", "always"],
    obeyed: false,
    help: "When written data is flushed to the disk.",
  },
} as const satisfies Record<string, OwnKey>;

/** `[tls]` */
export const TLS_KEYS = {
  enforce_req_ccert: {
    kind: "enum",
    initial: "report",
    values: ["report", "reject"],
    obeyed: false,
    help: "Whether a missing client certificate is reported only.",
  },
  detect_truncation: {
    kind: "bool",
    initial: false,
    obeyed: false,
    help: "An end without close_notify is a fault, for protocols without an end marker.",
  },
} as const satisfies Record<string, OwnKey>;

/** `[log]` */
export const LOG_KEYS = {
  destination: {
    kind: "text",
    initial: "stderr",
    obeyed: { except: ["syslog"] },
    help: 'Where log lines go: "stderr", "syslog" or the path of a file.',
  },
  format: {
    kind: "enum",
    initial: "postfix",
    values: ["postfix", "json"],
    obeyed: { except: ["json"] },
    help: "How a log line is written.",
  },
  verbose: { kind: "int", initial: 0, min: 0, max: 9, obeyed: false, help: "As -v, that often." },
} as const satisfies Record<string, OwnKey>;

export const CACHE_NAMES = ["smtpd", "smtp", "lmtp"] as const;
export type CacheName = (typeof CACHE_NAMES)[number];

/** All tables by the name in their header. */
export const OWN_TABLES: ReadonlyMap<string, Readonly<Record<string, OwnKey>>> = new Map<
  string,
  Readonly<Record<string, OwnKey>>
>([
  ["service", SERVICE_KEYS],
  ["service.tlsmgr", SERVICE_ROLE_KEYS],
  ["service.tlsproxy", { ...SERVICE_ROLE_KEYS, ...SERVICE_TLSPROXY_KEYS }],
  ["cache", CACHE_KEYS],
  ...CACHE_NAMES.map((name) => [`cache.${name}`, CACHE_KEYS] as const),
  ["tls", TLS_KEYS],
  ["log", LOG_KEYS],
]);

/** The table that has a key called `key`, for hints. */
export function tableWithKey(key: string): string | undefined {
  for (const [name, rows] of OWN_TABLES) {
    if (Object.hasOwn(rows, key)) return name;
  }
  return undefined;
}

type OwnValueOf<K> = K extends { kind: "bool" } ? boolean
  : K extends { kind: "int" | "seconds" | "ratio" | "octal" } ? number
  : K extends { values: readonly (infer V extends string)[] } ? V
  : string;

/** Typed values of one table. */
export type OwnValues<T> = { readonly [K in keyof T]: OwnValueOf<T[K]> };
