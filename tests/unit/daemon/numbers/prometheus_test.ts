import { assertEquals, assertMatch } from "@std/assert";
import { renderPrometheus } from "../../../../lib/daemon/numbers/prometheus.ts";
import { METRICS } from "../../../../lib/daemon/numbers/metric_table.ts";

// The expected texts are those of Prometheus's "Exposition formats", text format 0.0.4.

Deno.test("renderPrometheus() writes HELP, TYPE and a line each value", () => {
  const text = renderPrometheus([{
    name: "postern_log_lines_total",
    type: "counter",
    help: "Log lines by severity",
    samples: [
      { labels: { severity: "info" }, value: 1027 },
      { labels: { severity: "warning" }, value: 0.5 },
    ],
  }, {
    name: "process_open_fds",
    type: "gauge",
    help: "Open file descriptors",
    samples: [{ labels: {}, value: 1458255915 }],
  }]);
  assertEquals(
    text,
    `# HELP postern_log_lines_total Log lines by severity
# TYPE postern_log_lines_total counter
postern_log_lines_total{severity="info"} 1027
postern_log_lines_total{severity="warning"} 0.5
# HELP process_open_fds Open file descriptors
# TYPE process_open_fds gauge
process_open_fds 1458255915
`,
  );
});

Deno.test("renderPrometheus() escapes backslashes, quotes and ends of lines", () => {
  const text = renderPrometheus([{
    name: "postern_tlsproxy_certificate_expiry_timestamp_seconds",
    type: "gauge",
    help: 'A \\ and a "quote"\nand another line',
    samples: [{ labels: { certificate: 'C:\\DIR\\"x"\n', subject: "" }, value: 1 }],
  }]);
  assertEquals(
    text,
    `# HELP postern_tlsproxy_certificate_expiry_timestamp_seconds A \\\\ and a "quote"\\nand another line
# TYPE postern_tlsproxy_certificate_expiry_timestamp_seconds gauge
postern_tlsproxy_certificate_expiry_timestamp_seconds{certificate="C:\\\\DIR\\\\\\"x\\"\\n",subject=""} 1
`,
  );
});

Deno.test("renderPrometheus() ends a histogram with +Inf, its sum and its count", () => {
  const text = renderPrometheus([{
    name: "postern_event_loop_turn_seconds",
    type: "histogram",
    help: "H",
    samples: [{
      labels: {},
      buckets: [{ le: 0.0005, count: 2 }, { le: 1, count: 2 }, { le: Infinity, count: 3 }],
      sum: 17.25,
    }],
  }]);
  assertEquals(
    text,
    `# HELP postern_event_loop_turn_seconds H
# TYPE postern_event_loop_turn_seconds histogram
postern_event_loop_turn_seconds_bucket{le="0.0005"} 2
postern_event_loop_turn_seconds_bucket{le="1"} 2
postern_event_loop_turn_seconds_bucket{le="+Inf"} 3
postern_event_loop_turn_seconds_sum 17.25
postern_event_loop_turn_seconds_count 3
`,
  );
});

Deno.test("renderPrometheus() writes values that are no numbers as Prometheus does", () => {
  const values = [Infinity, -Infinity, NaN, 1e21, 1e-7];
  const text = renderPrometheus([{
    name: "process_open_fds",
    type: "gauge",
    help: "",
    samples: values.map((value) => ({ labels: {}, value })),
  }]);
  assertEquals(text.split("\n").slice(2, -1).map((line) => line.split(" ")[1]), [
    ...["+Inf", "-Inf", "NaN", "1e+21", "1e-7"],
  ]);
});

Deno.test("METRICS names follow Prometheus's conventions", () => {
  for (const [name, { type, help, labels }] of Object.entries(METRICS)) {
    assertMatch(name, /^(postern|process)_[a-z0-9_]+$/);
    assertEquals(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
    for (const label of labels) assertMatch(label, /^[a-z]+$/);
    assertMatch(help, /^[A-Z].*[^.]$/);
    if (type === "histogram") assertMatch(name, /_seconds$/);
  }
});
