/** Alert rules and the dashboard speak of metrics that there are, by labels that they have. */

import { assert, assertEquals } from "@std/assert";
import { type MetricName, metricRow, METRICS } from "../../lib/daemon/numbers/metric_table.ts";

const RULES = "config/prometheus/postern.rules.yml";
const DASHBOARD = "config/grafana/postern.json";

/** What Prometheus itself adds to each target and each series. */
const FOREIGN_NAMES = ["up"];
const FOREIGN_LABELS = ["job", "instance", "le"];

function read(path: string): string {
  return Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
}

/** The expressions of the rules; each begins behind `expr:`, and goes on in lines that stand deeper. */
function ruleExpressions(): string[] {
  return [...read(RULES).matchAll(/^( +)expr: (?:>-)?((?:.*)(?:\n\1 .*)*)/gm)].map((found) =>
    found[2]
  );
}

/** Every string of the dashboard called `expr`, `query` or `definition`. */
function dashboardExpressions(): string[] {
  const found: string[] = [];
  JSON.parse(read(DASHBOARD), (key, value) => {
    if (["expr", "query", "definition"].includes(key) && typeof value === "string") {
      found.push(value);
    }
    return value;
  });
  return found;
}

/** A metric and what stands in braces behind it. */
const MENTION = /\b((?:postern|process)_[a-z_]+)(\{[^}]*\})?/g;

/** Without the endings that a histogram's series have. */
function metricOf(name: string): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, "");
  return Object.hasOwn(METRICS, base) ? base : name;
}

for (
  const [path, expressions] of [[RULES, ruleExpressions()], [
    DASHBOARD,
    dashboardExpressions(),
  ]] as const
) {
  Deno.test(`${path} mentions only metrics that there are, with labels of theirs`, () => {
    assert(expressions.length > 10, `${expressions.length} expressions`);
    for (const expression of expressions) {
      const mentions = [...expression.matchAll(MENTION)];
      const isForeign = FOREIGN_NAMES.some((name) => expression.includes(`${name}{`));
      assert(mentions.length > 0 || isForeign || expression === "prometheus", expression);
      for (const [, name, braces = ""] of mentions) {
        const metric = metricOf(name);
        assert(Object.hasOwn(METRICS, metric), `${name} in ${expression}`);
        const labels = [...metricRow(metric as MetricName).labels, ...FOREIGN_LABELS];
        for (const [, label] of braces.matchAll(/([a-z]+)\s*(?:=|!=|=~|!~)\s*"/g)) {
          assert(labels.includes(label), `${label} of ${name} in ${expression}`);
        }
      }
    }
  });
}

Deno.test(`${RULES} names labels that the metrics of the rule have`, () => {
  const rules = read(RULES).split(/^ +- alert: /m).slice(1);
  assert(rules.length > 10);
  for (const rule of rules) {
    const [, metric] = /\b((?:postern|process)_[a-z_]+)/.exec(rule) ?? [];
    const own = metric === undefined ? [] : metricRow(metricOf(metric) as MetricName).labels;
    for (const [, label] of rule.matchAll(/\$labels\.([a-z]+)/g)) {
      assert([...own, ...FOREIGN_LABELS].includes(label), `${label} in ${rule}`);
    }
  }
});

Deno.test(`${DASHBOARD} shows every metric`, () => {
  const text = dashboardExpressions().join("\n");
  const missing = Object.keys(METRICS).filter((name) => !text.includes(name));
  // The moment of the last reload is an annotation, and is among them.
  assertEquals(missing, []);
});

Deno.test(`${DASHBOARD} has panels that do not overlap, each with a number of its own`, () => {
  const { panels } = JSON.parse(read(DASHBOARD));
  const numbers = panels.map(({ id }: { id: number }) => id);
  assertEquals(new Set(numbers).size, numbers.length);
  const taken = new Set<string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert(x + w <= 24, title);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        assert(!taken.has(`${row}:${column}`), `${title} overlaps`);
        taken.add(`${row}:${column}`);
      }
    }
  }
});
