import { assert, assertEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench, SlowBench } from "./_setup.ts";

const NOW = 1_700_000_000;
const OPTIONS = { compactBytesMin: 1000, compactRatio: 1, compactSliceBytes: 200 };

/** Entries 0 to 19, each written three times: two thirds of the file are dead. */
function fill(store: Store): void {
  for (let time = 0; time < 3; time++) {
    for (let i = 0; i < 20; i++) store.put(`k${i}`, latin1(`value ${i}`), NOW);
  }
}

function checkFilled(store: Store, except: readonly string[] = []): void {
  for (let i = 0; i < 20; i++) {
    if (except.includes(`k${i}`)) continue;
    assertEquals(store.get(`k${i}`, NOW), latin1(`value ${i}`), `k${i}`);
  }
}

/** A store with a file that is due for compaction; the first flush begins it. */
function openFilled(bench: Bench): Store {
  const store = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(store);
  store.close();
  return bench.open(OPTIONS);
}

/** Flushes until a compaction is done. */
function finish(store: Store): number {
  const before = store.stats().compactions;
  for (let turns = 1; turns < 1000; turns++) {
    store.flush();
    if (store.stats().compactions > before) return turns;
  }
  throw new Error("No compaction came to its end");
}

Deno.test("Compaction drops what nobody needs and keeps the rest, in slices", () => {
  const bench = new Bench();
  const store = openFilled(bench);
  store.delete("k3");
  assert(finish(store) > 3);
  const stats = store.stats();
  assertEquals([stats.deadBytes, stats.entries], [0, 19]);
  assertEquals(stats.fileBytes, 64 + stats.liveBytes);
  checkFilled(store, ["k3"]);
  assertEquals([...bench.io.files.keys()].sort(), ["c", "c.lock"]);
  bench.io.killProcess();
  const again = bench.open(OPTIONS);
  checkFilled(again, ["k3"]);
  assertEquals(again.get("k3", NOW), undefined);
  assertEquals(bench.reports, []);
});

Deno.test("Compaction takes in what changes while it goes on", () => {
  const bench = new Bench();
  const store = openFilled(bench);
  store.flush();
  assert(bench.io.files.has("c.compact"), "it goes on");
  store.put("k0", latin1("changed after its copy"), NOW);
  store.delete("k1");
  // Takes the slot of k1, which was passed already.
  store.put("added", latin1("added"), NOW);
  store.put("k19", latin1("changed before its copy"), NOW);
  store.delete("k18");
  store.put("fleeting", latin1("v"), NOW);
  store.delete("fleeting");
  finish(store);
  checkChanged(store);
  bench.io.killProcess();
  checkChanged(bench.open(OPTIONS));
});

Deno.test("Compaction keeps up with an index that grows while it goes on", () => {
  const bench = new Bench();
  const store = openFilled(bench);
  store.flush();
  assert(bench.io.files.has("c.compact"), "it goes on");
  for (let i = 0; i < 3000; i++) store.put(`more ${i}`, latin1(`${i}`), NOW);
  finish(store);
  for (let i = 0; i < 3000; i++) assertEquals(store.get(`more ${i}`, NOW), latin1(`${i}`));
  checkFilled(store);
});

function checkChanged(store: Store): void {
  assertEquals(store.get("k0", NOW), latin1("changed after its copy"));
  assertEquals(store.get("k19", NOW), latin1("changed before its copy"));
  assertEquals(store.get("added", NOW), latin1("added"));
  for (const gone of ["k1", "k18", "fleeting"]) assertEquals(store.get(gone, NOW), undefined);
  checkFilled(store, ["k0", "k1", "k18", "k19"]);
}

Deno.test("Compaction that a kill ended leaves nothing behind after the next start", () => {
  const bench = new Bench();
  const store = openFilled(bench);
  store.flush();
  assert(bench.io.files.has("c.compact"));
  bench.io.killProcess();
  const again = bench.open(OPTIONS);
  assertEquals(bench.io.files.has("c.compact"), false);
  checkFilled(again);
});

Deno.test("Compaction syncs the new file before the rename and the folder after it", () => {
  const bench = new Bench();
  const calls: string[] = [];
  bench.io.fault = (call) => {
    if (["fdatasync", "rename", "fsync"].includes(call)) calls.push(call);
    return undefined;
  };
  const store = bench.open(OPTIONS);
  fill(store);
  finish(store);
  assertEquals(calls, ["fdatasync", "rename", "fsync"]);
});

for (const call of ["fdatasync", "rename"] as const) {
  Deno.test(`Compaction whose ${call} fails leaves the old file in place and is reported once`, () => {
    const bench = new Bench();
    const store = bench.open(OPTIONS);
    fill(store);
    bench.io.fault = (name) => name === call ? -ERRNO.EIO : undefined;
    for (let turn = 0; turn < 100; turn++) store.flush();
    fill(store);
    for (let turn = 0; turn < 100; turn++) store.flush();
    assertEquals(bench.reports, [
      'warning: Cannot compact cache file "c": Input/output error',
    ]);
    assertEquals(bench.io.files.has("c.compact"), false);
    checkFilled(store);
    bench.io.fault = () => undefined;
    fill(store);
    finish(store);
    checkFilled(store);
    store.close();
    assertEquals(bench.io.descriptors.size, 0);
  });
}

Deno.test("Compaction drops an entry that cannot be read back, and only that", () => {
  const bench = new Bench();
  const store = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(store);
  store.close();
  const file = bench.io.content("c");
  const again = bench.open(OPTIONS);
  // The last record in the file is that of k19.
  file[file.length - 8] ^= 1;
  bench.io.setContent("c", file);
  finish(again);
  checkFilled(again, ["k19"]);
  assertEquals(again.get("k19", NOW), undefined);
  assertEquals(again.stats().lostEntries, 1);
  assertEquals(bench.reports, ['warning: Cache file "c": damaged entries are dropped']);
});

Deno.test("Compaction clears away the damage that was found at the start", () => {
  const bench = new Bench();
  const store = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(store);
  store.close();
  const file = bench.io.content("c");
  file[200] ^= 1;
  bench.io.setContent("c", file);
  const damaged = bench.open(OPTIONS);
  assertEquals(bench.reports.length, 1);
  finish(damaged);
  damaged.close();
  checkFilled(bench.open(OPTIONS));
  assertEquals(bench.reports.length, 1);
});

Deno.test("Compaction takes in what changes during its syncs, and syncs what may be on the old disk", () => {
  const bench = new SlowBench();
  const filled = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(filled);
  filled.close();
  const store = bench.open({ ...OPTIONS, sync: "interval" });
  const calls: string[] = [];
  bench.io.fault = (call) => {
    if (call === "rename") calls.push(call);
    return undefined;
  };
  const stages: string[] = [];
  const pass = () => {
    while (store.work() === "more");
    stages.push(...bench.waiting);
  };
  pass();
  store.put("k0", latin1("during the first sync"), NOW);
  store.delete("k1");
  store.flush();
  bench.slow.waiting[0].succeed();
  pass();
  store.put("k2", latin1("during the second sync"), NOW);
  store.delete("k3");
  store.put("k0", latin1("during the second sync too"), NOW);
  store.flush();
  assertEquals(calls, [], "not before the second sync");
  bench.slow.waiting[0].succeed();
  pass();
  // The switch has come; what was changed last is synced, and the folder.
  assertEquals([calls, store.stats().compactions], [["rename"], 1]);
  assertEquals(stages, ["fdatasync", "fdatasync", "fdatasync"]);
  bench.slow.waiting[0].succeed();
  assertEquals(bench.waiting, ["fsync"]);
  bench.slow.succeedAll();
  bench.io.fault = () => undefined;
  const check = (store: Store) => {
    assertEquals(store.get("k0", NOW), latin1("during the second sync too"));
    assertEquals(store.get("k2", NOW), latin1("during the second sync"));
    for (const gone of ["k1", "k3"]) assertEquals(store.get(gone, NOW), undefined);
    checkFilled(store, ["k0", "k1", "k2", "k3"]);
  };
  check(store);
  bench.io.killProcess();
  check(bench.open());
});

Deno.test("Compaction begins its last part only when no sync of the old file is under way", () => {
  const bench = new SlowBench();
  const filled = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(filled);
  filled.close();
  const store = bench.open({ ...OPTIONS, sync: "always" });
  bench.settle(store);
  store.compact();
  store.put("k0", latin1("changed"), NOW);
  store.flush();
  const [old] = bench.slow.waiting;
  while (store.work() === "more");
  const bulk = bench.slow.waiting[1];
  bulk.succeed();
  store.put("k1", latin1("changed"), NOW);
  store.flush();
  while (store.work() === "more");
  assertEquals(bench.slow.waiting, [old]);
  old.succeed();
  // The next sync of the old file is put off; what waits for it waits for the fresh file.
  assertEquals(bench.waiting, []);
  while (store.work() === "more");
  assertEquals(bench.slow.waiting.map(({ fd }) => fd), [bulk.fd]);
  const told: string[] = [];
  store.whenSafe(() => told.push("k1"));
  bench.settle(store);
  assertEquals([told, store.stats().compactions], [["k1"], 2]);
});

for (const when of ["the copies", "the first sync"]) {
  Deno.test(`Compaction that is cut off by the end during ${when} leaves nothing open`, () => {
    const bench = new SlowBench();
    const store = bench.open(OPTIONS);
    fill(store);
    store.flush();
    if (when !== "the copies") { while (store.work() === "more"); }
    store.close();
    assertEquals(bench.io.files.has("c.compact"), false);
    bench.slow.succeedAll();
    assertEquals(bench.io.descriptors.size, 0);
    checkFilled(bench.open());
  });
}

Deno.test("Compaction waits for a disk that does not read, and gives entries up in the end", () => {
  const bench = new SlowBench();
  const store = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(store);
  store.flush();
  const at = bench.io.content("c").length;
  store.put("unreadable", latin1("v"), NOW);
  store.flush();
  let isAiling = true;
  bench.io.fault = (call) => {
    if (call !== "pread" || !isAiling) return undefined;
    return bench.io.offset === at ? -ERRNO.EIO : undefined;
  };
  store.compact();
  for (let tries = 0; tries < 3; tries++) {
    bench.settle(store);
    assertEquals([store.stats().compactions, store.stats().lostEntries], [0, 0]);
    bench.fire();
  }
  assertEquals(store.get("unreadable", NOW), undefined);
  isAiling = false;
  assertEquals(store.get("unreadable", NOW), latin1("v"), "it was not lost by that");
  isAiling = true;
  bench.settle(store);
  assertEquals([store.stats().compactions, store.stats().lostEntries], [1, 1]);
  checkFilled(store);
});

Deno.test("Store.expireSome() leaves no older value in the file that a compaction is writing", () => {
  const bench = new SlowBench();
  const store = bench.open({ ...OPTIONS, compactBytesMin: Infinity });
  fill(store);
  store.flush();
  store.compact();
  // Everything is copied, and the first sync is under way.
  while (store.work() === "more");
  store.put("k0", latin1("short"), NOW - 10);
  store.flush();
  store.expireSome(NOW, 100);
  bench.settle(store);
  assertEquals(store.stats().compactions, 1);
  store.close();
  assertEquals(bench.open().get("k0", NOW - 20), undefined);
});

Deno.test("Compaction lets a file grow for a second after the last, and no further than some times as long", () => {
  const bench = new SlowBench();
  const store = bench.open({ compactBytesMin: 1000, compactRatio: 1 });
  const value = new Uint8Array(100);
  /** Thousands of bytes that the file has when it is compacted. */
  const growUntilCompacted = () => {
    const before = store.stats().compactions;
    for (let puts = 0; puts < 100; puts++) {
      store.put("k", value, NOW);
      store.flush();
      const { fileBytes } = store.stats();
      bench.settle(store);
      if (store.stats().compactions > before) return Math.floor(fileBytes / 1000);
    }
    throw new Error("No compaction came to its end");
  };
  assertEquals(growUntilCompacted(), 1);
  // Rest or not, there is an end to it.
  assertEquals([growUntilCompacted(), growUntilCompacted()], [4, 4]);
  assertEquals(bench.timers.map(([delayMs]) => delayMs), [1000]);
  bench.fire();
  assertEquals([growUntilCompacted(), growUntilCompacted()], [1, 4]);
  assertEquals(store.get("k", NOW), value);
});
