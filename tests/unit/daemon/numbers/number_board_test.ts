import { assertEquals } from "@std/assert";
import { ManualClock } from "../../../../lib/base/clock.ts";
import type { MetricName } from "../../../../lib/daemon/numbers/metric_table.ts";
import { METRICS } from "../../../../lib/daemon/numbers/metric_table.ts";
import { NumberBoard } from "../../../../lib/daemon/numbers/number_board.ts";
import { Numbers } from "../../../../lib/daemon/numbers/numbers.ts";

function attach(board: NumberBoard) {
  const thread = board.attach();
  return { thread, numbers: new Numbers(thread.memory, thread.announce) };
}

function samplesOf(board: NumberBoard, name: MetricName) {
  const family = board.collect().find((one) => one.name === name);
  if (family === undefined || family.type === "histogram") return undefined;
  return family.samples.map(({ labels, value }) => [...Object.values(labels), value]);
}

Deno.test("NumberBoard.collect() sums the same series of all threads", () => {
  const board = new NumberBoard(new ManualClock());
  const [a, b] = [attach(board), attach(board)];
  a.numbers.counter("postern_log_lines_total", { severity: "info" }).add(2);
  b.numbers.counter("postern_log_lines_total", { severity: "warning" }).add(5);
  b.numbers.counter("postern_log_lines_total", { severity: "info" }).add(3);
  a.numbers.gauge("postern_tlsmgr_clients").set(7);
  b.numbers.gauge("postern_tlsmgr_clients").set(4);
  assertEquals(samplesOf(board, "postern_log_lines_total"), [["info", 5], ["warning", 5]]);
  assertEquals(samplesOf(board, "postern_tlsmgr_clients"), [[11]]);
});

Deno.test("NumberBoard.collect() shows the least or the most where the row says so", () => {
  const board = new NumberBoard(new ManualClock());
  const labels = { certificate: "c", subject: "s" };
  for (const end of [2e9, 1.9e9]) {
    attach(board).numbers.gauge(
      "postern_tlsproxy_certificate_expiry_timestamp_seconds",
      labels,
    ).set(end);
    attach(board).numbers.gauge("postern_build_info", { version: "1", deno: "2", openssl: "3" })
      .set(1);
  }
  assertEquals(samplesOf(board, "postern_tlsproxy_certificate_expiry_timestamp_seconds"), [
    ["c", "s", 1.9e9],
  ]);
  assertEquals(samplesOf(board, "postern_build_info"), [["1", "2", "3", 1]]);
});

Deno.test("NumberBoard keeps what ended threads have counted, and drops what they showed", () => {
  const board = new NumberBoard(new ManualClock());
  const [a, b] = [attach(board), attach(board)];
  for (const { numbers } of [a, b]) {
    numbers.counter("postern_log_lines_lost_total").add(10);
    numbers.gauge("postern_service_threads").set(1);
    numbers.histogram("postern_event_loop_turn_seconds").observe(0.05);
  }
  a.thread.end();
  a.thread.end();
  a.numbers.counter("postern_log_lines_lost_total").add(1000);
  assertEquals(samplesOf(board, "postern_log_lines_lost_total"), [[20]]);
  assertEquals(samplesOf(board, "postern_service_threads"), [[1]]);
  b.thread.end();
  const third = attach(board);
  third.numbers.counter("postern_log_lines_lost_total").add();
  assertEquals(samplesOf(board, "postern_log_lines_lost_total"), [[21]]);
  assertEquals(samplesOf(board, "postern_log_lines_lost_total"), [[21]]);
  assertEquals(samplesOf(board, "postern_service_threads"), undefined);
  const turns = board.collect().find(({ name }) => name === "postern_event_loop_turn_seconds");
  assertEquals(turns?.type === "histogram" && turns.samples[0].sum, 0.1);
});

Deno.test("NumberBoard.collect() counts a histogram up to each bound", () => {
  const board = new NumberBoard(new ManualClock());
  const { buckets: bounds } = METRICS.postern_event_loop_turn_seconds;
  for (const value of [bounds[0], bounds[1], 1000]) {
    attach(board).numbers.histogram("postern_event_loop_turn_seconds").observe(value);
  }
  const turns = board.collect().find(({ name }) => name === "postern_event_loop_turn_seconds");
  const buckets = turns?.type === "histogram" ? turns.samples[0].buckets : [];
  assertEquals(buckets.map(({ count }) => count), [1, ...bounds.slice(1).map(() => 2), 3]);
  assertEquals(buckets.map(({ le }) => le), [...bounds, Infinity]);
});

Deno.test("NumberBoard.collect() calls the steps before it looks, until they are taken away", () => {
  const board = new NumberBoard(new ManualClock());
  const gauge = board.own.gauge("process_open_fds");
  let calls = 0;
  const step = board.beforeCollect(() => gauge.set(++calls));
  assertEquals(samplesOf(board, "process_open_fds"), [[1]]);
  step[Symbol.dispose]();
  assertEquals(samplesOf(board, "process_open_fds"), [[1]]);
});

Deno.test("ControlNumbers counts reloads, and shows when settings were taken", () => {
  const clock = new ManualClock(1000);
  const board = new NumberBoard(clock);
  const takenAt = () => samplesOf(board, "postern_reload_last_success_timestamp_seconds");
  assertEquals(takenAt(), [[1000]]);
  clock.advance(5000);
  board.control.noteReload(false);
  assertEquals(takenAt(), [[1000]]);
  board.control.noteReload(true);
  assertEquals(takenAt(), [[1005]]);
  assertEquals(samplesOf(board, "postern_reloads_total"), [["done", 1], ["refused", 1]]);
});

Deno.test("ControlNumbers shows the watchdog in seconds", () => {
  const board = new NumberBoard(new ManualClock());
  board.control.showWatchdog(10_000, 9_000);
  assertEquals(samplesOf(board, "postern_watchdog_limit_seconds"), [[10]]);
  assertEquals(samplesOf(board, "postern_watchdog_margin_seconds"), [[9]]);
});
