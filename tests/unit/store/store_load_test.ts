/**
 * Goal: a long file that is read while the store is used already gives no old word and loses no later one.
 * Method: a file longer than what is read at once; a few keys with several records at its two ends.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { concat, latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const LATER = NOW + 1000;
/** 36 records of a megabyte: more than `open()` reads by itself. */
const LONG = 36;

/** The file's bytes; made once, and its header too. */
const FILE = makeFile();

function makeFile() {
  const bench = new Bench();
  const store = bench.open({ compactBytesMin: Infinity });
  store.put("changed", latin1("old"), LATER);
  store.put("deleted", latin1("old"), LATER);
  store.put("early", latin1("early"), LATER);
  store.put("past", latin1("past"), NOW - 1);
  store.flush();
  const value = new Uint8Array(1 << 20);
  // In one write: the disk in memory copies the file for each.
  for (let n = 0; n < LONG; n++) store.put(`long ${n}`, value, LATER);
  store.put("changed", latin1("new"), LATER);
  store.delete("deleted");
  store.put("late", latin1("late"), LATER);
  store.close();
  return bench.io.content("c");
}

function openSlowly(file = FILE, options = {}): { bench: Bench; store: Store } {
  const bench = new Bench();
  bench.io.setContent("c", file);
  const store = bench.open({ load: "slices", compactBytesMin: Infinity, ...options });
  assert(store.stats().unloadedBytes > 0, "the file is long enough");
  return { bench, store };
}

function textOf(store: Store, key: string): string | undefined {
  const value = store.get(key, NOW);
  return value === undefined ? undefined : toLatin1(value);
}

function load(store: Store): number {
  let slices = 0;
  while (store.stats().unloadedBytes > 0) {
    assertEquals(store.work(), "more");
    slices++;
  }
  return slices;
}

Deno.test("Store.open() in slices misses what is not the last word, and then finds everything", () => {
  const { bench, store } = openSlowly();
  for (const key of ["changed", "deleted", "early", "late"]) {
    assertEquals(textOf(store, key), undefined, key);
  }
  assertEquals(store.dropExpired("past", NOW), false, "a later record may not have expired");
  assert(load(store) > 2);
  assertEquals(textOf(store, "changed"), "new");
  assertEquals(textOf(store, "deleted"), undefined);
  assertEquals([textOf(store, "early"), textOf(store, "late")], ["early", "late"]);
  assertEquals(store.stats().entries, LONG + 4);
  assertEquals(store.dropExpired("past", NOW), true);
  assertEquals(bench.reports, []);
});

Deno.test("Store.open() reads a short file at once, in slices or not", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("k", latin1("v"), LATER);
  store.close();
  assertEquals(textOf(bench.open({ load: "slices" }), "k"), "v");
});

Deno.test("Store.put() and Store.delete() win over records that are read later", () => {
  const { bench, store } = openSlowly();
  store.put("changed", latin1("newest"), LATER);
  store.put("late", latin1("newest"), LATER);
  assertEquals(store.delete("early"), true, "it may be there");
  store.put("fleeting", latin1("v"), LATER);
  assertEquals(store.delete("fleeting"), true);
  assertEquals(store.flush(), true);
  assertEquals([textOf(store, "changed"), textOf(store, "late")], ["newest", "newest"]);
  load(store);
  const check = (store: Store) => {
    assertEquals([textOf(store, "changed"), textOf(store, "late")], ["newest", "newest"]);
    for (const gone of ["early", "fleeting", "deleted"]) {
      assertEquals(textOf(store, gone), undefined);
    }
    assertEquals(store.stats().entries, LONG + 3);
  };
  check(store);
  assertEquals(store.delete("early"), false, "all is known");
  bench.io.killProcess();
  check(bench.open({ compactBytesMin: Infinity }));
  assertEquals(bench.reports, []);
});

Deno.test("Store that is killed while it reads its file has lost nothing", () => {
  const { bench, store } = openSlowly();
  store.put("early", latin1("newest"), LATER);
  store.flush();
  bench.io.killProcess();
  const again = bench.open({ compactBytesMin: Infinity });
  assertEquals([textOf(again, "early"), textOf(again, "late")], ["newest", "late"]);
  assertEquals(again.stats().entries, LONG + 4);
});

Deno.test("Store.open() in slices cuts an unfinished end if nothing was stored meanwhile", () => {
  const { bench, store } = openSlowly(concat(FILE, latin1("unfinished")));
  load(store);
  assertEquals(bench.reports, ['warning: Cache file "c": cut 10 unfinished bytes at its end']);
  assertEquals(bench.io.content("c").length, FILE.length);
  store.put("k", latin1("v"), LATER);
  store.close();
  bench.open({ compactBytesMin: Infinity });
  assertEquals(bench.reports.length, 1);
});

Deno.test("Store compacts an unfinished end away that something was stored behind", () => {
  const { bench, store } = openSlowly(concat(FILE, latin1("unfinished")));
  store.put("k", latin1("v"), LATER);
  store.flush();
  load(store);
  assertEquals(bench.reports, ['warning: Cache file "c": skipped 10 unfinished bytes in it']);
  while (store.work() === "more");
  assertEquals([store.stats().compactions, store.stats().deadBytes], [1, 0]);
  store.close();
  const again = bench.open();
  assertEquals([textOf(again, "k"), textOf(again, "changed")], ["v", "new"]);
  assertEquals(bench.reports.length, 1);
});

Deno.test("Store.expireSome() waits for the end of the file, and then removes what has expired", () => {
  const { store } = openSlowly();
  assertEquals(store.expireSome(NOW, 10), 10, "the pass has not ended");
  load(store);
  while (store.expireSome(NOW, 10) === 10);
  assertEquals(store.stats().entries, LONG + 3);
});

Deno.test("Store evicts what was read before what was stored meanwhile", () => {
  const { store } = openSlowly(FILE, { maxEntries: 3 });
  for (const key of ["a", "b"]) store.put(key, latin1("v"), LATER);
  load(store);
  while (store.work() === "more");
  assertEquals(store.stats().entries, 3);
  assertEquals([textOf(store, "a"), textOf(store, "b"), textOf(store, "late")], ["v", "v", "late"]);
});

Deno.test("Store.open() drops what it is not to keep, says how much, and serves no older word of it", () => {
  const bench = new Bench();
  bench.io.setContent("c", FILE);
  const store = bench.open({
    compactBytesMin: Infinity,
    keep: (key) => !toLatin1(key).startsWith("long"),
  });
  assertEquals(store.stats().entries, 4);
  assertEquals(textOf(store, "long 1"), undefined);
  assertMatch(bench.reports[0], /^info: Cache file "c": dropped 36 entries that nobody can use$/);
});
