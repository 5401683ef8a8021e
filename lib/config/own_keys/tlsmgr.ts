/**
 * Keys of `[cache]`, `[tickets]` and `[entropy]`.
 *
 * @module
 */

import type { OwnKey } from "./row.ts";

/** `[cache]`, and `[cache.smtpd]`, `[cache.smtp]`, `[cache.lmtp]` over it */
export const CACHE_KEYS = {
  max_entries: {
    kind: "int",
    initial: 20_000,
    min: 0,
    help: "Most entries of one cache; 0: no limit.",
    text: `\
How many sessions one cache holds at most; 0 is no limit. Postfix has none.`,
  },
  max_bytes: {
    kind: "int",
    initial: 64 * 1024 * 1024,
    min: 0,
    help: "Most bytes of live data in one cache; 0: no limit.",
    text: `\
How many bytes of sessions one cache holds at most, dead data and the index apart; 0 is no limit. The file may
be *compact_ratio* plus one times as large.`,
  },
  max_entry_bytes: {
    kind: "int",
    initial: 64 * 1024,
    min: 0,
    help: "A larger session is not stored; 0: no limit.",
    text: `\
A session that is larger is not stored, and its client does a full handshake next time; 0 is no limit.`,
  },
  eviction: {
    kind: "enum",
    initial: "lru",
    values: ["oldest", "lru"],
    help: "Who goes first when a limit is reached.",
    text: `\
Which session makes room when a limit is reached: the one that was not used for longest, or the *oldest*.`,
  },
  persist: {
    kind: "bool",
    initial: true,
    help: "Keep entries across restarts and crashes.",
    text: `\
With *true* sessions survive restarts and crashes. With *false* a cache begins empty, as Postfix's do.`,
  },
  compact_ratio: {
    kind: "ratio",
    initial: 2.0,
    help: "Rewrite the file when dead data exceeds live data by this factor.",
    text: `\
A cache file is appended to. When the dead data in it exceeds the live data by this factor it is written
anew. 1.0 or more, with or without a fraction.`,
  },
  compact_min_bytes: {
    kind: "int",
    initial: 1024 * 1024,
    min: 0,
    help: "A smaller file is not rewritten.",
    text: `\
A cache file below this size is left as it is, however much of it is dead. Within a second of one rewrite
the next waits until the file has four times this size.`,
  },
  sync: {
    kind: "enum",
    initial: "interval",
    values: ["never", "interval", "always"],
    help: "When written data is flushed to the disk.",
    text: `\
When what was written is forced to the disk: *always* before each answer, *interval* from time to time, *never*.
Sessions survive the end of the process in all three cases; it is a failure of the machine that can cost
the latest ones.`,
  },
} as const satisfies Record<string, OwnKey>;

/** `[tickets]` */
export const TICKET_KEYS = {
  prefetch: {
    kind: "bool",
    initial: true,
    obeyed: false,
    help: "Keep the next ticket key ready before it is needed.",
    text: `\
With *true* tlsproxy asks tlsmgr for the next ticket key before the current one is too old, so that no handshake
waits for it.`,
  },
} as const satisfies Record<string, OwnKey>;

/** `[entropy]` */
export const ENTROPY_KEYS = {
  on_failure: {
    kind: "enum",
    initial: "continue",
    values: ["continue", "exit"],
    help:
      "When the entropy source or exchange file fails: try again later, or end as Postfix does.",
    text: `\
*continue* reports a source or exchange file that fails and tries again later; OpenSSL's generator has the
kernel's entropy in any case. *exit* ends the process, as Postfix does.`,
  },
} as const satisfies Record<string, OwnKey>;

export const CACHE_NAMES = ["smtpd", "smtp", "lmtp"] as const;
export type CacheName = (typeof CACHE_NAMES)[number];
