import { assertEquals, assertThrows } from "@std/assert";
import { median, percentile, spreadOf } from "../../../scripts/bench/statistics.ts";

Deno.test("median() takes the middle by size, of an even count the upper one", () => {
  assertEquals(median([9, 100, 10]), 10);
  assertEquals(median([4, 1, 3, 2]), 3);
  assertEquals(median([7]), 7);
});

Deno.test("median() refuses nothing, which would become a figure", () => {
  assertThrows(() => median([]), Error, "Cannot take the median of nothing");
});

Deno.test("percentile() gives a number that was measured, never one in between", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  assertEquals(percentile(hundred, 0.5), 50);
  assertEquals(percentile(hundred, 0.99), 99);
  assertEquals(percentile(hundred, 0.999), 100);
  assertEquals(percentile([5], 0.5), 5);
  assertEquals(percentile([1, 2], 0), 1);
  assertThrows(() => percentile([], 0.5), Error, "Cannot take a percentile of nothing");
});

Deno.test("spreadOf() gives the middle and both ends", () => {
  assertEquals(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
});
