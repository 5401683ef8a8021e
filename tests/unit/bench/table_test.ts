import { assertEquals, assertStringIncludes } from "@std/assert";
import { type RowResult } from "../../../scripts/bench/rows.ts";
import {
  barText,
  missedBars,
  numberText,
  spreadText,
  tableLines,
} from "../../../scripts/bench/table.ts";

const ROW: RowResult = {
  figure: "tlsmgr seed",
  unit: "requests/s",
  medians: { Postfix: 20_000, postern: 50_000.4, nginx: 3 },
  ratio: { median: 2.5, min: 2.4, max: 2.61 },
  postern: { median: 50_000.4, min: 49_000, max: 51_000 },
  bar: { of: "ratio", least: 3 },
  met: false,
  busy: { Postfix: 0.99, postern: 0.955 },
};

Deno.test("numberText() shows what tells something", () => {
  assertEquals(numberText(123_456.7), "123,457");
  assertEquals(numberText(99.94), "99.9");
  assertEquals(numberText(1.234), "1.23");
  assertEquals(numberText(undefined), "–");
  assertEquals(numberText(NaN), "–");
});

Deno.test("barText() says the limit and of what it is", () => {
  assertEquals(barText({ of: "ratio", least: 1.5 }), "≥ 1.5×");
  assertEquals(barText({ of: "postern", most: 40 }), "≤ 40");
  assertEquals(barText(undefined), "");
});

Deno.test("spreadText() is of what the bar is about", () => {
  assertEquals(spreadText(ROW), "2.40–2.61×");
  assertEquals(spreadText({ ...ROW, bar: { of: "postern", most: 1 } }), "49,000–51,000");
  assertEquals(spreadText({ ...ROW, ratio: { median: 1, min: 1, max: 1 } }), "");
});

Deno.test("tableLines() has a column for each server, and a dash where it was not measured", () => {
  const [head, rule, line] = tableLines([ROW], ["nginx", "hitch"]);
  assertEquals(head.split(/\s{2,}/).slice(2, 6), ["Postfix", "postern", "nginx", "hitch"]);
  assertEquals(rule.replaceAll(/[─ ]/g, ""), "");
  // deno-fmt-ignore
  assertEquals(line.split(/\s{2,}/), [
    "tlsmgr seed", "requests/s", "20,000", "50,000", "3.00", "–", "2.50×", "2.40–2.61×", "≥ 3×",
    "NOT MET", "99/96",
  ]);
});

Deno.test("missedBars() names those that are not met, and no others", () => {
  const rows = [ROW, { ...ROW, figure: "good", met: true }, {
    ...ROW,
    figure: "none",
    met: undefined,
  }];
  const [sentence, ...others] = missedBars(rows);
  assertEquals(others, []);
  assertStringIncludes(sentence, "tlsmgr seed: 2.50×, wanted ≥ 3×");
});
