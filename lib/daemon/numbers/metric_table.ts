/**
 * Every number that a role shows: one row a metric.
 *
 * Names follow Prometheus's conventions: base units, `_total` for counters, the unit before it. Labels
 * take words from short lists that are known here, or are cut off by `seriesMax`: what a peer sends never
 * makes a series of its own.
 *
 * @module
 */
import type { RoleName } from "../../config/settings.ts";

/** What a metric is. */
export interface MetricRow {
  /** counter: only grows; gauge: goes up and down; histogram: counts observations by their size. */
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence, without a full stop. */
  readonly help: string;
  /** Names of its labels, in the order in which they are shown. */
  readonly labels: readonly string[];
  /** The roles that have it. */
  readonly roles: readonly RoleName[];
  /** Histograms: upper bounds, growing; what is above the last one counts as well. */
  readonly buckets?: readonly number[];
  /** Gauges of several threads: what is shown of them. @default {"sum"} */
  readonly across?: "sum" | "min" | "max";
  /** Series that one thread may have; beyond them label values count as "other". @default {50} */
  readonly seriesMax?: number;
}

const BOTH: readonly RoleName[] = ["tlsmgr", "tlsproxy"];
const TLSMGR: readonly RoleName[] = ["tlsmgr"];
const TLSPROXY: readonly RoleName[] = ["tlsproxy"];

/** The metrics by name, in the order in which they are shown. */
export const METRICS = {
  postern_build_info: {
    type: "gauge",
    help: "Always 1; the labels tell the versions of postern, Deno and OpenSSL",
    labels: ["version", "deno", "openssl"],
    roles: BOTH,
    across: "max",
  },
  postern_service_threads: {
    type: "gauge",
    help: "Service threads that run, those included that only let their sessions end",
    labels: [],
    roles: BOTH,
  },
  postern_event_loop_turn_seconds: {
    type: "histogram",
    help:
      "Time between two waits of a service thread's event loop; whatever became ready meanwhile " +
      "waited for up to that long",
    labels: [],
    roles: BOTH,
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  },
  postern_watchdog_limit_seconds: {
    type: "gauge",
    help: "How long one turn of a service thread's event loop may take before the process is ended",
    labels: [],
    roles: BOTH,
  },
  postern_watchdog_margin_seconds: {
    type: "gauge",
    help:
      "Time left before the watchdog ends the process, of the thread that has least; looked at ten " +
      "times in the limit",
    labels: [],
    roles: BOTH,
  },
  postern_log_lines_total: {
    type: "counter",
    help: "Log lines that were written by severity",
    labels: ["severity"],
    roles: BOTH,
  },
  postern_log_lines_folded_total: {
    type: "counter",
    help: "Log lines equal to the one before them, which were not written but told of by a count",
    labels: [],
    roles: BOTH,
  },
  postern_log_lines_lost_total: {
    type: "counter",
    help: "Log lines that could not be written, because nobody took them in time",
    labels: [],
    roles: BOTH,
  },
  postern_reloads_total: {
    type: "counter",
    help: "Reloads of the settings by outcome: done, or refused because something cannot be used",
    labels: ["outcome"],
    roles: BOTH,
  },
  postern_reload_last_success_timestamp_seconds: {
    type: "gauge",
    help: "When the settings in force were taken, in seconds since 1970",
    labels: [],
    roles: BOTH,
  },
  process_cpu_seconds_total: {
    type: "counter",
    help: "Processor time of the process, in user and in system mode",
    labels: [],
    roles: BOTH,
  },
  process_start_time_seconds: {
    type: "gauge",
    help: "When the process was started, in seconds since 1970",
    labels: [],
    roles: BOTH,
  },
  process_resident_memory_bytes: {
    type: "gauge",
    help: "Memory of the process that is in use and not swapped out",
    labels: [],
    roles: BOTH,
  },
  process_open_fds: {
    type: "gauge",
    help: "Open file descriptors of the process",
    labels: [],
    roles: BOTH,
  },
  process_max_fds: {
    type: "gauge",
    help: "Most file descriptors that the process may have open",
    labels: [],
    roles: BOTH,
  },

  postern_tlsproxy_connections_total: {
    type: "counter",
    help:
      "Connections of local clients by outcome: accepted, refused (told so, because max_sessions " +
      "are open), closed unread (there were far too many)",
    labels: ["outcome"],
    roles: TLSPROXY,
  },
  postern_tlsproxy_sessions: {
    type: "gauge",
    help: "Sessions that are open by state: handing off, handshaking, relaying",
    labels: ["state"],
    roles: TLSPROXY,
  },
  postern_tlsproxy_sessions_total: {
    type: "counter",
    help: "Sessions that have ended, those included that were refused or never handed over, by " +
      "outcome and reason",
    labels: ["outcome", "reason"],
    roles: TLSPROXY,
  },
  postern_tlsproxy_handshakes_total: {
    type: "counter",
    help: "Finished handshakes by protocol, cipher, group, and how they were resumed",
    labels: ["protocol", "cipher", "group", "resumed"],
    roles: TLSPROXY,
    seriesMax: 200,
  },
  postern_tlsproxy_resumption_refusals_total: {
    type: "counter",
    help:
      "Handshakes in which the client offered to resume and a full handshake was made, by reason",
    labels: ["reason"],
    roles: TLSPROXY,
  },
  postern_tlsproxy_handshake_seconds: {
    type: "histogram",
    help: "Time of finished handshakes, from the handed-over socket to the last message",
    labels: [],
    roles: TLSPROXY,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  postern_tlsproxy_bytes_total: {
    type: "counter",
    help: "Payload that went through TLS by direction: to_peer, from_peer",
    labels: ["direction"],
    roles: TLSPROXY,
  },
  postern_tlsproxy_tlsmgr_questions_total: {
    type: "counter",
    help: "Questions to tlsmgr by type and outcome: ok, err, fail, or no answer",
    labels: ["type", "outcome"],
    roles: TLSPROXY,
  },
  postern_tlsproxy_ticket_keys_received_total: {
    type: "counter",
    help: "Session ticket keys that came from tlsmgr and were not known before",
    labels: [],
    roles: TLSPROXY,
  },
  postern_tlsproxy_certificate_expiry_timestamp_seconds: {
    type: "gauge",
    help: "When a server certificate in use ends, in seconds since 1970, by its files and subject",
    labels: ["certificate", "subject"],
    roles: TLSPROXY,
    across: "min",
    seriesMax: 200,
  },
  postern_tlsproxy_contexts: {
    type: "gauge",
    help: "TLS contexts that are kept, of all service threads",
    labels: [],
    roles: TLSPROXY,
  },

  postern_tlsmgr_clients: {
    type: "gauge",
    help: "Connections of clients that are open",
    labels: [],
    roles: TLSMGR,
  },
  postern_tlsmgr_connections_total: {
    type: "counter",
    help: "Connections of clients by outcome: accepted, or refused because all were in use",
    labels: ["outcome"],
    roles: TLSMGR,
  },
  postern_tlsmgr_requests_total: {
    type: "counter",
    help:
      "Requests by type and status: ok, err (nothing found or done), fail (bad or impossible), " +
      "ignored (not answered)",
    labels: ["type", "status"],
    roles: TLSMGR,
  },
  postern_tlsmgr_malformed_requests_total: {
    type: "counter",
    help: "Requests whose attributes were not as the protocol wants them",
    labels: [],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_lookups_total: {
    type: "counter",
    help: "Lookups of sessions by cache and result: hit, miss",
    labels: ["cache", "result"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_updates_total: {
    type: "counter",
    help: "Sessions to be stored by cache and result: stored, refused",
    labels: ["cache", "result"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_deletes_total: {
    type: "counter",
    help: "Sessions to be deleted by cache and result: deleted, missing",
    labels: ["cache", "result"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_expired_entries_total: {
    type: "counter",
    help: "Entries removed because their time was over",
    labels: ["cache"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_evicted_entries_total: {
    type: "counter",
    help: "Entries removed to make room",
    labels: ["cache"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_lost_entries_total: {
    type: "counter",
    help: "Entries given up because they could not be read back intact",
    labels: ["cache"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_compactions_total: {
    type: "counter",
    help: "Compactions that replaced the file of a cache",
    labels: ["cache"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_flushes_total: {
    type: "counter",
    help:
      "Turns at whose end the changes of a cache were handed to the system, by result: ok, failed",
    labels: ["cache", "result"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_entries: {
    type: "gauge",
    help: "Entries of a cache, expired ones included that no scan has met yet",
    labels: ["cache"],
    roles: TLSMGR,
  },
  postern_tlsmgr_cache_bytes: {
    type: "gauge",
    help:
      "Bytes of a cache by kind: live (entries), dead (what a compaction gives back), file (on the " +
      "disk), pending (to be written), unloaded (not looked at since the start)",
    labels: ["cache", "kind"],
    roles: TLSMGR,
  },
  postern_tlsmgr_ticket_keys_made_total: {
    type: "counter",
    help: "Session ticket keys made: the first one, and each rotation",
    labels: [],
    roles: TLSMGR,
  },
  postern_tlsmgr_entropy_source_up: {
    type: "gauge",
    help: "Whether the external source of random bytes answers: 1, or 0 when it has been given up",
    labels: ["source"],
    roles: TLSMGR,
  },
  postern_tlsmgr_entropy_reseeds_total: {
    type: "counter",
    help: "Times that the external source of random bytes was asked, by outcome: ok, failed",
    labels: ["outcome"],
    roles: TLSMGR,
  },
  postern_tlsmgr_exchange_updates_total: {
    type: "counter",
    help: "Times that the PRNG exchange file was to be saved, by outcome: ok, failed",
    labels: ["outcome"],
    roles: TLSMGR,
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

/** The names of all metrics of a type. */
export type NameOf<Type extends MetricRow["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];

/** A value for each label of a metric. */
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]["labels"][number], string>
>;

/** All names, in the table's order. */
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

/** The row called `name`, as any row. */
export function metricRow(name: MetricName): MetricRow {
  return METRICS[name];
}
