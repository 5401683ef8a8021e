import { assert, assertEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench } from "./_setup.ts";

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
