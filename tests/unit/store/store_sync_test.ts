import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench, SlowBench } from "./_setup.ts";

const NOW = 1_700_000_000;

/** Stores, flushes, and says when the change may be acknowledged. */
function change(store: Store, key: string, told: string[]): void {
  store.put(key, latin1(`value of ${key}`), NOW);
  store.flush();
  store.whenSafe(() => told.push(key));
}

Deno.test("Store with sync never acknowledges at once and calls no sync", () => {
  const bench = new SlowBench();
  const store = bench.open({ sync: "never" });
  const told: string[] = [];
  change(store, "a", told);
  assertEquals([told, store.holdsAnswers], [["a"], false]);
  assertEquals([bench.slow.count, bench.timers.length], [0, 0]);
  store.close();
  assertEquals(bench.slow.count, 0);
});

Deno.test("Store with sync interval syncs once, a second after the first of many changes", () => {
  const bench = new SlowBench();
  const store = bench.open({ sync: "interval" });
  const told: string[] = [];
  for (const key of ["a", "b", "c"]) change(store, key, told);
  assertEquals([told, store.holdsAnswers], [["a", "b", "c"], false]);
  assertEquals(bench.timers.map(([delayMs]) => delayMs), [1000]);
  assertEquals(bench.waiting, []);
  bench.fire();
  assertEquals(bench.waiting, ["fdatasync"]);
  // The file was made: its name is to last as well.
  bench.slow.waiting[0].succeed();
  assertEquals(bench.waiting, ["fsync"]);
  bench.slow.waiting[0].succeed();
  assertEquals([bench.waiting, bench.timers.length], [[], 0]);
  change(store, "d", told);
  bench.fire();
  bench.slow.waiting[0].succeed();
  assertEquals([bench.waiting, bench.slow.count], [[], 3]);
  assertEquals(bench.timers.length, 0, "nothing was written since");
});

Deno.test("Store with sync always acknowledges a change when a sync that began after it is through", () => {
  const bench = new SlowBench();
  const store = bench.open({ sync: "always" });
  bench.settle(store);
  const told: string[] = [];
  change(store, "a", told);
  assertEquals([told, store.holdsAnswers, bench.waiting], [[], true, ["fdatasync"]]);
  // Both come too late for the sync that is under way, and share the next one.
  change(store, "b", told);
  change(store, "c", told);
  assertEquals(bench.waiting, ["fdatasync"]);
  bench.slow.waiting[0].succeed();
  assertEquals([told, store.holdsAnswers, bench.waiting], [["a"], true, ["fdatasync"]]);
  bench.slow.waiting[0].succeed();
  assertEquals([told, store.holdsAnswers, bench.waiting], [["a", "b", "c"], false, []]);
  store.whenSafe(() => told.push("later"));
  assertEquals(told.at(-1), "later");
});

Deno.test("Store with sync always and no slow calls syncs within the flush", () => {
  const bench = new Bench();
  const calls: string[] = [];
  bench.io.fault = (call) => {
    if (call === "pwrite" || call === "fdatasync") calls.push(call);
    return undefined;
  };
  const store = bench.open({ sync: "always" });
  calls.length = 0;
  const told: string[] = [];
  change(store, "a", told);
  assertEquals([calls, told], [["pwrite", "fdatasync"], ["a"]]);
});

Deno.test("Store.open() with a sync policy syncs what an earlier process may have left", () => {
  const bench = new SlowBench();
  const first = bench.open();
  first.put("k", latin1("v"), NOW);
  first.close();
  bench.open({ sync: "always" });
  assertEquals(bench.waiting, ["fdatasync"]);
});

Deno.test("Store.close() syncs what no sync has covered, and lets go who waits", () => {
  for (const sync of ["interval", "always"] as const) {
    const bench = new SlowBench();
    const store = bench.open({ sync });
    bench.settle(store);
    const told: string[] = [];
    const calls: string[] = [];
    bench.io.fault = (call) => {
      if (call === "fdatasync") calls.push(call);
      return undefined;
    };
    change(store, "a", told);
    store.close();
    assertEquals([told, calls], [["a"], ["fdatasync"]]);
    bench.slow.succeedAll();
    assertEquals(bench.io.descriptors.size, 0, "a sync under way closes what it needed");
  }
});

Deno.test("Store puts its entries into a fresh file when a sync fails, and never syncs the old one again", () => {
  const bench = new SlowBench();
  const store = bench.open({ sync: "always" });
  bench.settle(store);
  const told: string[] = [];
  change(store, "a", told);
  const [sync] = bench.slow.waiting;
  sync.fail();
  assertEquals(bench.reports, [
    'warning: Cannot sync cache file "c": its entries go into a fresh file',
  ]);
  change(store, "b", told);
  assertEquals([told, store.holdsAnswers], [[], true]);
  while (store.work() === "more");
  assert(bench.io.files.has("c.compact"));
  assertEquals(store.get("a", NOW), latin1("value of a"), "served meanwhile");
  for (let n = 0; n < 9 && bench.slow.waiting.length > 0; n++) {
    const [next] = bench.slow.waiting;
    assert(next.call === "fsync" || next.fd !== sync.fd);
    next.succeed();
    while (store.work() === "more");
  }
  assertEquals([told, store.holdsAnswers], [["a", "b"], false]);
  assertEquals(bench.reports.slice(1), ['info: Syncing cache file "c" again']);
  assertEquals(store.stats().compactions, 1);
  bench.io.killProcess();
  assertEquals(bench.open().get("b", NOW), latin1("value of b"));
});

Deno.test("Store lets go who waits when the fresh file cannot be had, and tries again later", () => {
  const bench = new SlowBench();
  const store = bench.open({ sync: "always" });
  bench.settle(store);
  const told: string[] = [];
  change(store, "a", told);
  bench.slow.waiting[0].fail();
  bench.io.fault = (call) => call === "open" ? -ERRNO.EROFS : undefined;
  assertEquals(told, []);
  store.work();
  assertEquals([told, store.holdsAnswers], [["a"], false]);
  change(store, "b", told);
  assertEquals(told, ["a", "b"]);
  // One second, then two, four: while the disk is as it was, it is not asked for each change.
  const delays: number[] = [];
  for (let n = 0; n < 9; n++) {
    assertEquals(bench.timers.length, 1);
    delays.push(bench.timers[0][0]);
    bench.fire();
    store.work();
    change(store, `k${n}`, told);
    store.work();
  }
  assertEquals(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  bench.io.fault = () => undefined;
  bench.fire();
  bench.settle(store);
  assertEquals(store.stats().compactions, 1);
  assertEquals(bench.reports, [
    'warning: Cannot sync cache file "c": its entries go into a fresh file',
    'warning: Cannot compact cache file "c": Read-only file system',
    'info: Compacting cache file "c" again',
    'info: Syncing cache file "c" again',
  ]);
  change(store, "last", told);
  assertNotEquals(told.at(-1), "last");
  bench.settle(store);
  assertEquals(told.at(-1), "last");
});

Deno.test("Store tries an ailing disk again after a second though nobody comes", () => {
  const bench = new SlowBench();
  const store = bench.open();
  bench.io.fault = (call) => call === "pwrite" ? -ERRNO.ENOSPC : undefined;
  store.put("k", latin1("v"), NOW);
  // Some tries, so that the next ones are far apart.
  for (let n = 0; n < 20; n++) assertEquals(store.flush(), false);
  assertEquals(bench.timers.map(([delayMs]) => delayMs), [1000]);
  bench.fire();
  assertEquals(bench.timers.length, 1, "and again");
  bench.io.fault = () => undefined;
  bench.fire();
  assertEquals(store.stats().pendingBytes, 0);
  assertEquals(bench.timers.length, 0);
  assertEquals(bench.reports.at(-1), 'info: Writing cache file "c" again');
});

Deno.test("Store is left alone by timers that come after its end", () => {
  const bench = new SlowBench();
  const store = bench.open({ sync: "interval" });
  store.put("k", latin1("v"), NOW);
  bench.io.fault = (call) => call === "pwrite" ? -ERRNO.EIO : undefined;
  store.flush();
  store.close();
  bench.io.fault = () => undefined;
  const { calls } = bench.io;
  assert(bench.timers.length > 0);
  while (bench.timers.length > 0) bench.fire();
  assertEquals([bench.io.calls, bench.waiting], [calls, []]);
});

Deno.test("Store.close() says when what waited cannot be written or synced", () => {
  for (const call of ["pwrite", "fdatasync"] as const) {
    const bench = new SlowBench();
    const store = bench.open({ sync: "interval" });
    store.put("k", latin1("v"), NOW);
    bench.io.fault = (name) => name === call ? -ERRNO.EIO : undefined;
    store.close();
    assertEquals(
      bench.reports.at(-1),
      call === "pwrite"
        ? 'warning: Cannot write cache file "c" at the end: what waited in memory is lost'
        : 'warning: Cannot sync cache file "c" at the end',
    );
    assertEquals(bench.io.descriptors.size, 0);
  }
});
