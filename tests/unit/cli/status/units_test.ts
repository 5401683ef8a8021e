import { assertEquals } from "@std/assert";
import {
  showBytes,
  showCount,
  showRate,
  showShare,
  showShortTime,
  showStretch,
} from "../../../../lib/cli/status/units.ts";

Deno.test("showCount() parts thousands", () => {
  assertEquals([0, 999, 1000, 1234567].map(showCount), ["0", "999", "1,000", "1,234,567"]);
});

Deno.test("showBytes() takes the unit that leaves a short number", () => {
  assertEquals([0, 1023, 1024, 1536, 5 << 20, 2 ** 41].map(showBytes), [
    ...["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB", "2.0 TiB"],
  ]);
});

Deno.test("showRate() has a fraction while it says something", () => {
  assertEquals([0, 0.25, 99.94, 100, 12345].map(showRate), [
    ...["0.0/s", "0.3/s", "99.9/s", "100/s", "12,345/s"],
  ]);
});

Deno.test("showShare() is a dash of nothing", () => {
  assertEquals([showShare(0, 0), showShare(1, 3), showShare(3, 3)], ["-", "33.3 %", "100.0 %"]);
});

Deno.test("showShortTime() goes from microseconds to seconds", () => {
  assertEquals([0.00025, 0.0015, 0.9994, 1, 75].map(showShortTime), [
    ...["250 µs", "1.5 ms", "999.4 ms", "1.0 s", "75.0 s"],
  ]);
});

Deno.test("showStretch() shows the two greatest units", () => {
  assertEquals([-5, 59.9, 60, 3599, 3600, 100_000, 172_800, 3_600_000].map(showStretch), [
    ...["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "27 h 46 min", "2 days"],
    "41 days",
  ]);
});
