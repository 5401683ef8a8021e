import { assert, assertEquals } from "@std/assert";
import { METRICS } from "../../../../lib/daemon/numbers/metric_table.ts";
import { Numbers, OTHER, type Series, SLOTS_MAX } from "../../../../lib/daemon/numbers/numbers.ts";

function setUp() {
  const memory = Numbers.allocate();
  const announced: Series[] = [];
  const numbers = new Numbers(memory, (series) => announced.push(series));
  const cells = new Float64Array(memory);
  const valueOf = (...labels: string[]) => {
    const series = announced.find((one) => one.labels.join() === labels.join());
    return series === undefined ? undefined : cells[series.slot];
  };
  return { numbers, announced, cells, valueOf };
}

Deno.test("Numbers announces a series once, and gives the same place for the same labels", () => {
  const { numbers, announced, valueOf } = setUp();
  numbers.counter("postern_log_lines_total", { severity: "info" }).add();
  numbers.counter("postern_log_lines_total", { severity: "info" }).add(2.5);
  numbers.counter("postern_log_lines_total", { severity: "warning" }).add(7);
  assertEquals(announced.map(({ name, labels }) => [name, labels]), [
    ["postern_log_lines_total", ["info"]],
    ["postern_log_lines_total", ["warning"]],
  ]);
  assertEquals([valueOf("info"), valueOf("warning")], [3.5, 7]);
});

Deno.test("Numbers keeps labels in the order of the metric's row", () => {
  const { numbers, announced } = setUp();
  numbers.counter("postern_tlsproxy_sessions_total", { reason: "timeout", outcome: "failed" });
  assertEquals(announced[0].labels, ["failed", "timeout"]);
});

Deno.test("Gauge is set, and moved up and down", () => {
  const { numbers, valueOf } = setUp();
  const gauge = numbers.gauge("postern_tlsmgr_clients");
  gauge.set(4);
  gauge.add();
  gauge.add(-3);
  assertEquals(valueOf(), 2);
});

Deno.test("Histogram counts an observation at its bound into the bucket of that bound", () => {
  const { numbers, announced, cells } = setUp();
  const { buckets } = METRICS.postern_event_loop_turn_seconds;
  const histogram = numbers.histogram("postern_event_loop_turn_seconds");
  for (const value of [0, buckets[0], buckets[0] * 1.01, buckets.at(-1)! * 2]) {
    histogram.observe(value);
  }
  const { slot } = announced[0];
  const found = [...cells.subarray(slot, slot + buckets.length + 1)];
  assertEquals(found, [2, 1, ...buckets.slice(2).map(() => 0), 1]);
  assert(Math.abs(cells[slot + buckets.length + 1] - (2.01 * buckets[0] + 2 * 5)) < 1e-9);
});

Deno.test("Numbers counts label values beyond those of a metric as other", () => {
  const { numbers, announced, valueOf } = setUp();
  for (let i = 0; i < 60; i++) {
    numbers.counter("postern_log_lines_total", { severity: `s${i}` }).add();
  }
  assertEquals(announced.length, 51);
  assertEquals([valueOf("s49"), valueOf("s50"), valueOf(OTHER)], [1, undefined, 10]);
});

Deno.test("Numbers uses no place twice, and has one for each metric when its memory is used up", () => {
  const { numbers, announced, cells } = setUp();
  const names = Object.entries(METRICS);
  const handles: { add(count?: number): void }[] = [];
  const make = numbers as unknown as Record<
    string,
    (name: string, labels: Record<string, string>) => { add(): void; observe(value: number): void }
  >;
  for (let i = 0; i < 250; i++) {
    for (const [name, { type, labels }] of names) {
      const values = Object.fromEntries(labels.map((label) => [label, `${label}${i}`]));
      const handle = make[type](name, values);
      if (type === "histogram") handle.observe(Infinity);
      else if (i === 249) handle.add();
      handles.push(handle);
    }
  }
  const used = new Map<number, string>();
  for (const { slot, name, labels } of announced) {
    assert(!used.has(slot), `${name} ${labels} stands where ${used.get(slot)} does`);
    used.set(slot, name);
  }
  assertEquals(new Set(announced.map(({ name }) => name as string)).size, names.length);
  assert(Math.max(...used.keys()) < SLOTS_MAX);
  assertEquals(cells.length, SLOTS_MAX);
});

Deno.test("Numbers cuts long label values", () => {
  const { numbers, announced } = setUp();
  numbers.gauge("postern_tlsmgr_entropy_source_up", { source: "x".repeat(5000) });
  assertEquals(announced[0].labels, ["x".repeat(200)]);
});

Deno.test("handles allocate nothing when they are used", () => {
  const { numbers, cells } = setUp();
  const counter = numbers.counter("postern_log_lines_lost_total");
  const gauge = numbers.gauge("postern_tlsmgr_clients");
  const histogram = numbers.histogram("postern_event_loop_turn_seconds");
  const use = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      counter.add();
      gauge.set(i + 0.5);
      histogram.observe(0.01);
    }
  };
  // The first rounds are run by the interpreter, and compiled.
  use(1_000_000);
  use(1_000_000);
  const rounds = 20_000;
  const growths = Array.from({ length: 5 }, () => {
    const before = Deno.memoryUsage().heapUsed;
    use(rounds);
    return Deno.memoryUsage().heapUsed - before;
  });
  // One number on the heap each round would be 240 kB; a collection may fall into one of them.
  const [, , usual] = growths.sort((a, b) => a - b);
  assert(Math.abs(usual) < rounds, `${growths} bytes for ${rounds} rounds`);
  assert(cells.includes(2_100_000));
});
