import { assertEquals } from "@std/assert";
import { isMet, resultOf, type Row } from "../../../scripts/bench/rows.ts";

function rowOf(over: Partial<Row>): Row {
  const values = new Map([["Postfix", [10, 20, 40]], ["postern", [30, 40, 60]]]);
  return { figure: "f", unit: "u", values, ...over };
}

Deno.test("resultOf() compares round by round, so that a slow round strikes both sides", () => {
  const result = resultOf(rowOf({}));
  assertEquals(result.ratio, { median: 2, min: 1.5, max: 3 });
  assertEquals(result.medians, { Postfix: 20, postern: 40 });
  assertEquals(result.met, undefined);
});

Deno.test("resultOf() holds the median against the bar", () => {
  const met = (bar: Row["bar"]) => resultOf(rowOf({ bar })).met;
  assertEquals(met({ of: "ratio", least: 2 }), true);
  assertEquals(met({ of: "ratio", least: 2.01 }), false);
  assertEquals(met({ of: "ratio", most: 2 }), true);
  assertEquals(met({ of: "ratio", most: 1.99 }), false);
  assertEquals(met({ of: "postern", most: 40 }), true);
  assertEquals(met({ of: "postern", most: 39 }), false);
});

Deno.test("resultOf() has no ratio where one side was not measured, and other servers' medians", () => {
  const values = new Map([["Postfix", []], ["postern", [5]], ["nginx", [1, 2, 3]]]);
  const result = resultOf(rowOf({ values, bar: { of: "postern", most: 5 } }));
  assertEquals(result.ratio, undefined);
  assertEquals(result.medians, { postern: 5, nginx: 2 });
  assertEquals(result.met, true);
});

Deno.test("isMet() says nothing of what was not measured", () => {
  assertEquals(isMet({ of: "ratio", least: 1 }, {}), undefined);
});

Deno.test("resultOf() has no ratio to a server that does nothing of it", () => {
  const values = new Map([["Postfix", [0]], ["postern", [100]]]);
  const result = resultOf(rowOf({ values, bar: { of: "postern", least: 100 } }));
  assertEquals([result.ratio, result.met], [undefined, true]);
});
