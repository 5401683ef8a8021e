/**
 * What services show of themselves, judged by Prometheus's own tools.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { interopTest, servedBy } from "../support/interop.ts";
import { readMetrics } from "../support/metrics.ts";
import { supportPath } from "../support/paths.ts";
import { runCommand } from "../support/process.ts";
import { assertResumes, RESUMPTION_KINDS } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE } from "../support/s_client.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { Testbed } from "../support/testbed.ts";

const PROMTOOL = { needsPaths: ["/usr/bin/promtool"] };
const RULES = supportPath("../../config/prometheus/postern.rules.yml");

interopTest("promtool accepts what both roles show while Postfix uses them", async () => {
  if (servedBy("ours") !== "ours") return;
  await using bed = await Testbed.start({ name: "prom", tlsmgr: "ours", tlsproxy: "ours" });
  const { ports, certificates, folders } = bed.postfix;
  const make = { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE };
  for (const kind of RESUMPTION_KINDS) {
    await assertResumes(kind, { ca: certificates.ca, folder: folders.root, make });
  }
  const metrics = [];
  for (const role of ["tlsmgr", "tlsproxy"] as const) {
    const shown = await readMetrics(`${bed.postfix.socketPath(role)}.control`);
    const checked = await runCommand("promtool", ["check", "metrics"], { input: shown.text });
    assertEquals([checked.code, checked.stdout + checked.stderr], [0, ""], shown.text);
    metrics.push(shown);
  }
  const [tlsmgr, tlsproxy] = metrics;
  const resumed = tlsproxy.table("postern_tlsproxy_handshakes_total", "resumed");
  assert(Object.keys(resumed).length >= 2, JSON.stringify(resumed));
  assert(tlsmgr.sum("postern_tlsmgr_requests_total", { type: "tktkey", status: "ok" }) > 0);
  await assertSeriesOfRules(metrics.flatMap(({ samples }) => samples));
  await bed.assertNoProblems();
}, PROMTOOL);

/** Every series that a rule picks by `label="value"` is there before anything has happened to it. */
async function assertSeriesOfRules(
  samples: readonly { name: string; labels: Record<string, string> }[],
): Promise<void> {
  const text = await Deno.readTextFile(RULES);
  const picked = [...text.matchAll(/\b(postern_[a-z_]+)\{\s*([a-z]+)="([^"]+)"/g)];
  assert(picked.length >= 8, `${picked.length} series`);
  for (const [, name, label, value] of picked) {
    const isThere = samples.some((one) => one.name === name && one.labels[label] === value);
    assert(isThere, `${name}{${label}="${value}"}`);
  }
}

interopTest("promtool accepts the alert rules", async () => {
  const { code, stdout, stderr } = await runCommand("promtool", ["check", "rules", RULES]);
  assertEquals(code, 0, stdout + stderr);
}, PROMTOOL);

/** Values by the minute, as `promtool test rules` writes them, of a series that lasts so many minutes. */
type Values = (minutes: number) => string;

/** Always the same; `tail` minutes before the end, another one. */
function level(value: number, later = value, tail = 0): Values {
  return (minutes) => `${value}x${minutes - tail} ${later}x${Math.max(tail - 1, 0)}`;
}

/** Growing by `step` a minute from nothing; `tail` minutes before the end, by another one. */
function growth(step: number, later = step, tail = 0): Values {
  return (minutes) => {
    const start = minutes - tail;
    return `0+${step}x${start} ${step * start}+${later}x${Math.max(tail - 1, 0)}`;
  };
}

const IT = 'job="postern", instance="mx"';
const DAY_S = 86_400;
/** A service that is well. */
const WELL: Readonly<Record<string, Values>> = {
  [`up{${IT}}`]: level(1),
  [`postern_watchdog_limit_seconds{${IT}}`]: level(10),
  [`postern_watchdog_margin_seconds{${IT}}`]: level(10),
  [`postern_reloads_total{${IT}, outcome="refused"}`]: level(1),
  [`process_open_fds{${IT}}`]: level(100),
  [`process_max_fds{${IT}}`]: level(1024),
  [`postern_log_lines_lost_total{${IT}}`]: level(5),
  [`postern_tlsproxy_certificate_expiry_timestamp_seconds{${IT}, certificate="c", subject="s"}`]:
    level(60 * DAY_S),
  [`postern_tlsproxy_tlsmgr_questions_total{${IT}, type="lookup", outcome="no answer"}`]: level(3),
  [`postern_tlsproxy_sessions_total{${IT}, outcome="refused", reason="not available"}`]: level(7),
  [`postern_tlsproxy_sessions_total{${IT}, outcome="failed", reason="not TLS"}`]: growth(1),
  [`postern_tlsproxy_handshakes_total{${IT}, resumed="full"}`]: growth(10),
  [`postern_tlsproxy_handshakes_total{${IT}, resumed="ticket"}`]: growth(20),
  [`postern_tlsmgr_cache_evicted_entries_total{${IT}, cache="smtpd"}`]: growth(1),
  [`postern_tlsmgr_cache_updates_total{${IT}, cache="smtpd", result="stored"}`]: growth(10),
  [`postern_tlsmgr_cache_flushes_total{${IT}, cache="smtpd", result="failed"}`]: level(2),
  [`postern_tlsmgr_cache_lost_entries_total{${IT}, cache="smtpd"}`]: level(9),
  [`postern_tlsmgr_entropy_source_up{${IT}, source="dev:/dev/urandom"}`]: level(1),
};

/** What must be wrong with it for each alert: values of series that begin, or end, like this. */
const ILL: Readonly<Record<string, Readonly<Record<string, Values>>>> = {
  PosternDown: { "up{": level(1, 0, 20) },
  PosternThreadStuck: { "postern_watchdog_margin_seconds{": level(10, 4, 1) },
  PosternReloadRefused: { "postern_reloads_total{": level(1, 2, 10) },
  PosternDescriptorsScarce: { "process_open_fds{": level(100, 900, 30) },
  PosternLogLinesLost: { "postern_log_lines_lost_total{": level(5, 6, 10) },
  PosternCertificateEndsSoon: { 'certificate="c", subject="s"}': level(12 * DAY_S) },
  PosternCertificateEndsNow: { 'certificate="c", subject="s"}': level(2 * DAY_S) },
  PosternTlsmgrUnreachable: { 'outcome="no answer"}': growth(0, 1, 30) },
  PosternSessionsRefused: { 'reason="not available"}': growth(0, 1, 40) },
  PosternHandshakesFail: { 'reason="not TLS"}': growth(0, 40, 80) },
  PosternResumptionCollapsed: {
    'resumed="full"}': growth(10, 28, 120),
    'resumed="ticket"}': growth(20, 1, 120),
  },
  PosternCacheEvictsEarly: { "postern_tlsmgr_cache_evicted_entries_total{": growth(0, 9, 180) },
  PosternCacheNotSaved: { "postern_tlsmgr_cache_flushes_total{": growth(0, 1, 30) },
  PosternCacheDamaged: { "postern_tlsmgr_cache_lost_entries_total{": level(9, 10, 10) },
  PosternEntropySourceFails: { "postern_tlsmgr_entropy_source_up{": level(1, 0, 30) },
};

/** Minutes that a test lasts. One alert compares the last hour with the day before it. */
const LASTS = 240;
const LASTS_LONG = 1_600;

/** One test of promtool's: the alerts that fire at the end. */
function rulesTest(
  changed: Readonly<Record<string, Values>>,
  expected: readonly string[],
): unknown {
  const minutes = expected.includes("PosternResumptionCollapsed") ? LASTS_LONG : LASTS;
  const series = Object.entries(WELL).map(([name, values]) => {
    const [, other] = Object.entries(changed).find(([part]) =>
      name.startsWith(part) || name.endsWith(part)
    ) ?? [];
    return { series: name, values: (other ?? values)(minutes) };
  });
  return {
    interval: "1m",
    input_series: series,
    promql_expr_test: [{
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: `${minutes}m`,
      exp_samples: expected.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
    }],
  };
}

interopTest("each alert fires when it should, and none while all is well", async () => {
  const names = [...(await Deno.readTextFile(RULES)).matchAll(/- alert: (\w+)$/gm)];
  assertEquals(Object.keys(ILL).sort(), names.map(([, name]) => name).sort());
  await using folder = await TempFolder.make("rules");
  const tests = {
    rule_files: [RULES],
    evaluation_interval: "10m",
    tests: [
      rulesTest({}, []),
      ...Object.entries(ILL).map(([name, series]) => rulesTest(series, [name])),
    ],
  };
  // JSON is YAML.
  const file = await folder.write("rules_test.yml", JSON.stringify(tests));
  const { code, stdout, stderr } = await runCommand("promtool", ["test", "rules", file]);
  assertEquals(code, 0, stdout + stderr);
}, PROMTOOL);
