import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { NumberView } from "../../../../lib/cli/status/number_view.ts";
import { statusText } from "../../../../lib/cli/status/status_text.ts";
import type { NumberStatus, Status } from "../../../../lib/daemon/desk/status.ts";

const NOW_S = 1_700_003_600;

function count(value: number, labels: Record<string, string> = {}): NumberStatus {
  return { labels, value };
}

const PROCESS: Status["numbers"] = {
  postern_reload_last_success_timestamp_seconds: [count(1_700_000_100.5)],
  postern_watchdog_limit_seconds: [count(10)],
  postern_watchdog_margin_seconds: [count(10)],
  postern_event_loop_turn_seconds: [{
    labels: {},
    sum: 2,
    count: 1000,
    buckets: [[0.001, 900], [0.005, 995], ["+Inf", 1000]],
  }],
  process_resident_memory_bytes: [count(64 << 20)],
  process_open_fds: [count(1234)],
  process_cpu_seconds_total: [count(12.5)],
};

const TLSPROXY: Status = {
  role: "tlsproxy",
  instance: null,
  state: "serving",
  well: true,
  version: "1.2.3",
  pid: 4711,
  started: 1_700_000_000,
  socket: "/q/private/tlsproxy",
  settings: "/etc/postern/postern.toml",
  crews: [{ state: "serving", threads: 2 }],
  reload: null,
  numbers: {
    ...PROCESS,
    postern_tlsproxy_sessions: [
      count(2, { state: "handshaking" }),
      count(10, { state: "relaying" }),
      count(0, { state: "handing off" }),
    ],
    postern_tlsproxy_sessions_total: [
      count(1200, { outcome: "completed", reason: "closed by client" }),
      count(30, { outcome: "failed", reason: "not TLS" }),
      count(4, { outcome: "failed", reason: "no shared cipher" }),
    ],
    postern_tlsproxy_handshakes_total: [
      count(400, { protocol: "TLSv1.3", resumed: "full" }),
      count(500, { protocol: "TLSv1.3", resumed: "ticket" }),
      count(100, { protocol: "TLSv1.2", resumed: "session id" }),
    ],
    postern_tlsproxy_resumption_refusals_total: [count(7, { reason: "not in cache" })],
    postern_tlsproxy_handshake_seconds: [{ labels: {}, sum: 2, count: 1000, buckets: [] }],
    postern_tlsproxy_bytes_total: [
      count(1 << 20, { direction: "from_peer" }),
      count(3 << 10, { direction: "to_peer" }),
    ],
    postern_tlsproxy_tlsmgr_questions_total: [
      count(50, { type: "lookup", outcome: "ok" }),
      count(3, { type: "tktkey", outcome: "no answer" }),
    ],
    postern_tlsproxy_certificate_expiry_timestamp_seconds: [
      count(NOW_S + 90 * 86_400, { certificate: "rsa.pem", subject: "/CN=a" }),
      count(NOW_S + 86_400, { certificate: "ec.pem", subject: "/CN=a\x1b[2J" }),
    ],
  },
};

const TLSMGR: Status = {
  ...TLSPROXY,
  role: "tlsmgr",
  numbers: {
    ...PROCESS,
    postern_tlsmgr_clients: [count(3)],
    postern_tlsmgr_connections_total: [
      count(70, { outcome: "accepted" }),
      count(1, { outcome: "refused" }),
    ],
    postern_tlsmgr_requests_total: [
      count(60, { type: "lookup", status: "ok" }),
      count(20, { type: "lookup", status: "err" }),
      count(2, { type: "update", status: "fail" }),
    ],
    postern_tlsmgr_cache_entries: [count(40, { cache: "smtpd" }), count(0, { cache: "lmtp" })],
    postern_tlsmgr_cache_bytes: [
      count(2048, { cache: "smtpd", kind: "live" }),
      count(4096, { cache: "smtpd", kind: "file" }),
      count(0, { cache: "lmtp", kind: "live" }),
    ],
    postern_tlsmgr_cache_lookups_total: [
      count(60, { cache: "smtpd", result: "hit" }),
      count(20, { cache: "smtpd", result: "miss" }),
    ],
    postern_tlsmgr_cache_evicted_entries_total: [count(5, { cache: "smtpd" })],
    postern_tlsmgr_cache_flushes_total: [count(2, { cache: "smtpd", result: "failed" })],
    postern_tlsmgr_ticket_keys_made_total: [count(2)],
    postern_tlsmgr_entropy_source_up: [count(0, { source: "egd:/run/egd" })],
    postern_tlsmgr_entropy_reseeds_total: [count(4, { outcome: "failed" })],
  },
};

function text(status: Status, more: { before?: Status; styled?: boolean } = {}): string {
  const { before, styled = false } = more;
  const shown = {
    ...{ status, nowS: NOW_S },
    ...(before !== undefined && { before: { status: before, elapsedS: 2 } }),
  };
  return statusText(shown, { styled });
}

Deno.test("statusText() tells of a tlsproxy", () => {
  assertEquals(
    text(TLSPROXY),
    `\
tlsproxy: serving, since 2023-11-14T22:13:20Z (1 h 0 min), process 4711, postern 1.2.3
  socket        /q/private/tlsproxy
  settings      /etc/postern/postern.toml, in force since 2023-11-14T22:15:00Z
  threads       2
  watchdog      10 s left of 10 s
  event loop    a turn takes 2.0 ms, 99 % up to 5.0 ms
  process       64.0 MiB, 1,234 descriptors, 12.5 s of processor time
  sessions      12 open: 10 relaying, 2 handshaking
                1,234 ended: 1,200 completed, 34 failed
  handshakes    1,000 done, 2.0 ms each: 900 TLSv1.3, 100 TLSv1.2
                34 failed: 30 not TLS, 4 no shared cipher
  resumption    60.0 % of all handshakes: 500 ticket, 100 session id
                offered in vain: 7 not in cache
  payload       1.0 MiB from peers, 3.0 KiB to peers
  tlsmgr        53 questions: 50 lookup, 3 tktkey; 3 had no answer
  certificates  2023-11-15T23:13:20Z (24 h 0 min left): /CN=a?[2J, ec.pem
                2024-02-12T23:13:20Z (90 days left): /CN=a, rsa.pem
`,
  );
});

Deno.test("statusText() tells of a tlsmgr", () => {
  assertEquals(
    text(TLSMGR).split("\n").slice(7).join("\n"),
    `\
  clients       3 connected, 70 accepted, 1 refused
  requests      82: 80 lookup, 2 update; 2 were bad or impossible
  cache smtpd   40 entries, 2.0 KiB, 4.0 KiB on disk
                75.0 % of 80 lookups found one, 5 evicted
                2 times the disk did not take what was to be written
  ticket keys   2 made
  entropy       egd:/run/egd: fails: 4 failed
`,
  );
});

Deno.test("statusText() shows rates between two looks at one process, and none at another one's", () => {
  const numbers = {
    ...TLSPROXY.numbers,
    postern_tlsproxy_handshakes_total: [count(900, { protocol: "TLSv1.3", resumed: "full" })],
    postern_tlsproxy_bytes_total: [count(1 << 19, { direction: "from_peer" })],
    process_cpu_seconds_total: [count(12)],
  };
  const shown = text(TLSPROXY, { before: { ...TLSPROXY, numbers } });
  assertStringIncludes(shown, "1,000 done (50.0/s)");
  assertStringIncludes(shown, "1.0 MiB from peers (256.0 KiB/s)");
  assertStringIncludes(shown, "25.0 % of a processor");
  const other = text(TLSPROXY, { before: { ...TLSPROXY, numbers, pid: 1 } });
  assertEquals(other, text(TLSPROXY));
});

Deno.test("statusText() tells of crews that finish, of a reload that failed, and of a stuck thread", () => {
  const shown = text({
    ...TLSPROXY,
    instance: "edge",
    state: "draining",
    well: false,
    crews: [{ state: "finishing", threads: 2 }, { state: "finishing", threads: 4 }],
    reload: { ended: 1_700_000_200, fault: "no key\nthere", lines: [] },
  });
  assertStringIncludes(shown, "instance edge of tlsproxy: draining, a thread makes no progress, ");
  assertStringIncludes(shown, "  threads       2; 4 more let sessions end from before a reload\n");
  assertStringIncludes(shown, "  last reload   2023-11-14T22:16:40Z: refused: no key?there\n");
});

Deno.test("statusText() has colours when it is asked to, and text alone otherwise", () => {
  const styled = text(TLSMGR, { styled: true });
  assertStringIncludes(styled, "\x1b[1mtlsmgr\x1b[0m: \x1b[32mserving");
  assertStringIncludes(styled, "\x1b[31megd:/run/egd: fails");
  // deno-lint-ignore no-control-regex -- these are meant
  assertEquals(styled.replace(/\x1b\[\d*m/g, ""), text(TLSMGR));
  assert(!text(TLSPROXY).includes("\x1b"));
});

Deno.test("NumberView sums series, and knows the mean and bounds of a histogram", () => {
  const view = new NumberView({ numbers: TLSPROXY.numbers });
  assertEquals(view.total("postern_tlsproxy_sessions_total"), 1234);
  assertEquals(view.total("postern_tlsproxy_sessions_total", { outcome: "failed" }), 34);
  assertEquals(view.total("postern_tlsmgr_clients"), 0);
  assertEquals(view.by("postern_tlsproxy_sessions_total", "reason", { outcome: "failed" }), [
    ["not TLS", 30],
    ["no shared cipher", 4],
  ]);
  assertEquals(view.mean("postern_event_loop_turn_seconds"), 0.002);
  assertEquals(view.bound("postern_event_loop_turn_seconds", 0.9), 0.001);
  assertEquals(view.bound("postern_event_loop_turn_seconds", 0.999), undefined, "beyond the last");
  assertEquals(view.mean("postern_tlsmgr_clients"), undefined);
  assertEquals(view.rate("postern_tlsproxy_sessions_total"), undefined);
});
