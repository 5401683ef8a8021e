import { assert, assertEquals, fail } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import type { KeyValueStore, Quotas } from "../../../lib/store/key_value_store.ts";
import { MemoryStore } from "../../../lib/store/memory_store.ts";
import { Store } from "../../../lib/store/store.ts";
import { nightly } from "../../support/nightly.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { Bench, makeRandom, SlowBench } from "./_setup.ts";

const NOW = 1_700_000_000;
const LATER = NOW + 1000;
const VALUE = new Uint8Array(39);
/** Bytes of one entry with a key of one byte and {@linkcode VALUE}: a record, or key and value. */
const ENTRY_BYTES = { Store: 64, MemoryStore: 40 } as const;

const KINDS = {
  Store: (quotas: Partial<Quotas>): KeyValueStore => new Bench().open(quotas),
  MemoryStore: (quotas: Partial<Quotas>): KeyValueStore => new MemoryStore(quotas),
};

/** Those of `keys` that are there, without being found. */
function present(store: KeyValueStore, keys: string): string {
  let there = "";
  // The order of eviction must not change by looking: stored anew is what is deleted last.
  for (const key of keys) if (store.dropExpired(key, LATER + 1)) there += key;
  return there;
}

for (const kind of ["Store", "MemoryStore"] as const) {
  const open = KINDS[kind];

  Deno.test(`${kind}.put() evicts what was least recently stored or found`, () => {
    const store = open({ maxEntries: 3 });
    for (const key of "abc") store.put(key, VALUE, LATER);
    assert(store.get("a", NOW) !== undefined);
    store.put("d", VALUE, LATER);
    store.put("c", VALUE, LATER);
    store.put("e", VALUE, LATER);
    assertEquals(store.stats().entries, 3);
    assertEquals(store.stats().evictedEntries, 2);
    assertEquals(present(store, "abcde"), "cde");
  });

  Deno.test(`${kind}.put() evicts what was stored first with eviction "oldest"`, () => {
    const store = open({ maxEntries: 3, eviction: "oldest" });
    for (const key of "abc") store.put(key, VALUE, LATER);
    assert(store.get("a", NOW) !== undefined);
    store.put("d", VALUE, LATER);
    assertEquals(present(store, "abcd"), "bcd");
  });

  Deno.test(`${kind}.put() keeps to the bytes that it may hold, replacing included`, () => {
    const store = open({ maxBytes: 4 * ENTRY_BYTES[kind] });
    for (const key of "abcd") store.put(key, VALUE, LATER);
    assertEquals([store.stats().entries, store.stats().evictedEntries], [4, 0]);
    store.put("d", new Uint8Array(39 + 2 * ENTRY_BYTES[kind]), LATER);
    assertEquals(store.stats().liveBytes, 4 * ENTRY_BYTES[kind]);
    assertEquals(present(store, "abcd"), "cd");
  });

  Deno.test(`${kind}.put() refuses what is larger than the quota, and evicts nothing for it`, () => {
    const store = open({ maxBytes: 2 * ENTRY_BYTES[kind] });
    store.put("a", VALUE, LATER);
    assertEquals(store.put("b", new Uint8Array(3 * ENTRY_BYTES[kind]), LATER), false);
    assertEquals(store.put("a", new Uint8Array(3 * ENTRY_BYTES[kind]), LATER), false);
    assertEquals(store.get("a", NOW), VALUE);
    assertEquals(store.stats().evictedEntries, 0);
  });
}

Deno.test("Store does not bring back what was evicted, and knows the order of eviction again", () => {
  const bench = new Bench();
  const store = bench.open({ maxEntries: 3 });
  for (const key of "abc") store.put(key, VALUE, LATER);
  store.get("a", NOW);
  for (const key of "de") store.put(key, VALUE, LATER);
  store.flush();
  bench.io.killProcess();
  const again = bench.open();
  assertEquals(again.stats().entries, 3);
  again.close();
  // a, whose record is the oldest, was found since; that is known until the end of the process only.
  const third = bench.open({ maxEntries: 3 });
  third.put("f", VALUE, LATER);
  assertEquals(present(third, "abcdef"), "def");
});

Deno.test("Store writes entries down in the order of eviction when it compacts", () => {
  const bench = new Bench();
  const store = bench.open();
  for (const key of "abcd") store.put(key, VALUE, LATER);
  store.get("a", NOW);
  store.compact();
  while (store.stats().compactions === 0) store.work();
  store.close();
  const again = bench.open({ maxEntries: 4 });
  again.put("e", VALUE, LATER);
  assertEquals(present(again, "abcde"), "acde");
});

Deno.test("Store.work() brings a file that holds more within the quotas, in slices", () => {
  const bench = new Bench();
  const store = bench.open();
  for (let n = 0; n < 2000; n++) store.put(`${n}`, VALUE, LATER);
  store.close();
  const again = bench.open({ maxEntries: 100 });
  assertEquals(again.stats().entries, 2000);
  let slices = 0;
  while (again.work() === "more") slices++;
  assertEquals([slices > 2, again.stats().entries, again.stats().evictedEntries], [
    true,
    100,
    1900,
  ]);
  assert(again.get("1999", NOW) !== undefined);
});

Deno.test("Store holds answers rather than let the file grow beyond twice the quota", () => {
  const bench = new SlowBench();
  const maxBytes = 64_000;
  const options = { maxBytes, compactBytesMin: 1000, compactRatio: 2, compactSliceBytes: 8000 };
  const store = bench.open({ ...options, sync: "never" });
  let waits = 0;
  let told = 0;
  for (let n = 0; n < 20_000; n++) {
    store.put(`${n % 3000}`, VALUE, LATER);
    store.flush();
    store.whenSafe(() => told++);
    for (let turn = 1; told <= n; turn++) {
      // The client waits for its answer.
      waits++;
      assert(store.holdsAnswers, `${n}`);
      if (turn % 50 === 0) bench.slow.waiting[0]?.succeed();
      store.flush();
      store.work();
    }
    store.work();
    assert(store.stats().fileBytes <= 2 * maxBytes, `${store.stats().fileBytes} at ${n}`);
    // The disk is slow: a sync takes 800 changes.
    if (n % 800 === 0) bench.slow.succeedAll();
  }
  assert(waits > 1000 && store.stats().compactions > 5);
});

/** What the cache of a busy site sees: a hot tenth, asked for again and again, and a long tail. */
function runSite(store: Store, maxBytes: number, updates: number): void {
  const random = makeRandom(10);
  const value = new Uint8Array(2000);
  const keys = Array.from({ length: 10_000 }, (_, n) => `${n}`.padStart(64, "A") + "&s=smtpd");
  let asked = 0;
  let found = 0;
  for (let n = 0; n < updates; n++) {
    const key = keys[random(keys.length)];
    const hot = keys[random(1000)];
    if (n > keys.length) {
      asked++;
      if (store.get(hot, NOW) !== undefined) found++;
      else store.put(hot, value, LATER);
    }
    store.put(key, value, LATER);
    store.flush();
    store.work();
    const { fileBytes } = store.stats();
    assert(fileBytes < 2 * maxBytes, `${fileBytes} bytes after ${n} updates`);
  }
  assert(found >= 0.95 * asked, `${found} of ${asked} found`);
  assert(store.stats().liveBytes <= maxBytes);
  assert(store.stats().evictedEntries > 0.1 * updates);
}

Deno.test("Store keeps a hot set and a short file over many updates under a quota of 10 MiB", async () => {
  await using folder = await TempFolder.make("quota");
  const maxBytes = 10 << 20;
  const report = (_level: string, message: string) => fail(message);
  const options = { report, maxBytes, compactBytesMin: 1 << 20, compactRatio: 2 };
  const store = Store.open(folder.file("cache"), options);
  runSite(store, maxBytes, nightly(40_000, 1_000_000));
  store.close();
});

Deno.test("Store.put() finds a store of quotas as it left it: the order survives damage", () => {
  const bench = new Bench();
  const store = bench.open({ maxEntries: 2 });
  store.put("a", VALUE, LATER);
  store.put("b", VALUE, LATER);
  store.flush();
  // The record of "a", to be evicted next, cannot be read any more.
  const file = bench.io.content("c");
  file[64 + 8] ^= 1;
  bench.io.setContent("c", file);
  store.put("c", latin1("v"), LATER);
  assertEquals(store.stats().entries, 2);
  assertEquals(store.get("c", NOW), latin1("v"));
  assertEquals(store.get("a", NOW), undefined);
});
