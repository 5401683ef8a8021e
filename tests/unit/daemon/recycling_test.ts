import { assert, assertEquals } from "@std/assert";
import { loadSettings } from "../../../lib/config/settings.ts";
import { Recycling, recyclingLimits } from "../../../lib/daemon/recycling.ts";
import { SharedCounters } from "../../../lib/daemon/shared_counters.ts";

function settingsOf(role: "tlsmgr" | "tlsproxy", recycle: boolean) {
  const { settings } = loadSettings({
    text: `max_use = 3\nmax_idle = "5s"\n[service]\nrecycle = ${recycle}\n`,
    file: "/postern.toml",
    role,
    overrides: [],
  });
  assert(settings !== undefined);
  return settings;
}

Deno.test("recyclingLimits() hold for tlsproxy when it is told to recycle", () => {
  assertEquals(recyclingLimits(settingsOf("tlsproxy", true)), { maxUse: 3, maxIdleMs: 5000 });
  assertEquals(recyclingLimits(settingsOf("tlsproxy", false)), undefined);
  assertEquals(recyclingLimits(settingsOf("tlsmgr", true)), undefined);
});

Deno.test("Recycling ends an idle process after max_idle, counted from its last connection", () => {
  const counters = new SharedCounters(SharedCounters.allocate());
  const recycling = new Recycling({ maxUse: 100, maxIdleMs: 5000 }, counters, 1000);
  assertEquals(recycling.isDue(5999), undefined);
  counters.addConnections(1);
  assertEquals(recycling.isDue(9000), undefined, "a connection is open");
  counters.addConnections(-1);
  // A short one that came and went between two looks counts, too.
  assertEquals(recycling.isDue(13_000), undefined);
  counters.addConnections(1);
  counters.addConnections(-1);
  assertEquals(recycling.isDue(13_500), undefined);
  assertEquals(recycling.isDue(18_499), undefined);
  assertEquals(recycling.isDue(18_500), "max_idle");
});

Deno.test("Recycling ends a used process once its last connection has ended", () => {
  const counters = new SharedCounters(SharedCounters.allocate());
  const recycling = new Recycling({ maxUse: 2, maxIdleMs: 5000 }, counters, 0);
  counters.addConnections(1);
  assertEquals(recycling.isDue(1), undefined);
  counters.addConnections(1);
  counters.addConnections(-1);
  assertEquals(recycling.isDue(2), undefined);
  counters.addConnections(-1);
  assertEquals(recycling.isDue(3), "max_use");
});

Deno.test("Recycling lets an old process take no further connections", () => {
  const counters = new SharedCounters(SharedCounters.allocate());
  counters.addConnections(1);
  const limits = { maxUse: 3, maxIdleMs: 5000 };
  const recycling = new Recycling(limits, counters, 100);
  assertEquals(recycling.isDue(15_099), undefined);
  assertEquals(recycling.isDue(15_100), "max_use * max_idle");
  const long = new Recycling({ maxUse: 1_000_000, maxIdleMs: 5000 }, counters, 0);
  assertEquals([long.isDue(17_999_999), long.isDue(18_000_000)], [undefined, "max_use * max_idle"]);
});
