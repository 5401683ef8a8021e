import { assert, assertEquals } from "@std/assert";
import { ManualClock, systemClock } from "../../../lib/base/clock.ts";

Deno.test("ManualClock stands still until it is moved", () => {
  const clock = new ManualClock(1000);
  assertEquals([clock.monotonicMs(), clock.unixSeconds()], [0, 1000]);
  clock.advance(999);
  assertEquals([clock.monotonicMs(), clock.unixSeconds()], [999, 1000]);
  clock.advance(1);
  assertEquals([clock.monotonicMs(), clock.unixSeconds()], [1000, 1001]);
});

Deno.test("ManualClock.setUnixSeconds() leaves the monotonic clock alone", () => {
  const clock = new ManualClock(1000);
  clock.advance(5);
  clock.setUnixSeconds(7);
  assertEquals([clock.monotonicMs(), clock.unixSeconds()], [5, 7]);
});

Deno.test("systemClock gives whole seconds and never goes back", () => {
  assert(Number.isInteger(systemClock.unixSeconds()));
  const first = systemClock.monotonicMs();
  assert(systemClock.monotonicMs() >= first);
});
