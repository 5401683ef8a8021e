/**
 * Goal: whatever happens to the file, before it is opened or under an open store, a value is right or
 * absent, and comes back where it can.
 * Method: one kind of damage a test; damage at every place of a file is the matter of damage_test.ts.
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Bytes, latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench, makeRandom, randomBytes } from "./_setup.ts";

const NOW = 1_700_000_000;
const RECORDS = 50;

interface Sample {
  file: Bytes;
  /** End of each record in the file. */
  ends: number[];
  values: Bytes[];
}

/** 50 entries, a key and a record each. */
function makeSample(): Sample {
  const bench = new Bench();
  const store = bench.open();
  const random = makeRandom(50);
  const values: Bytes[] = [];
  const ends: number[] = [];
  for (let i = 0; i < RECORDS; i++) {
    values.push(randomBytes(random, random(40)));
    store.put(`key ${i}`, values[i], NOW);
    store.flush();
    ends.push(store.stats().fileBytes);
  }
  store.close();
  return { file: bench.io.content("c"), ends, values };
}

const SAMPLE = makeSample();

function openOn(file: Uint8Array): { bench: Bench; store: Store } {
  const bench = new Bench();
  bench.io.setContent("c", file);
  return { bench, store: bench.open() };
}

/** Numbers of the entries that are there; a wrong value is a failure. */
function findEntries(store: Store): number[] {
  const found: number[] = [];
  for (let i = 0; i < RECORDS; i++) {
    const value = store.get(`key ${i}`, NOW);
    if (value === undefined) continue;
    assertEquals(value, SAMPLE.values[i]);
    found.push(i);
  }
  assertEquals(store.stats().entries, found.length);
  return found;
}

/** Numbers of the entries that can be read, now that the file is not what the index thinks. */
function findReadable(store: Store): number[] {
  return EVERY.filter((i) => {
    const value = store.get(`key ${i}`, NOW);
    if (value !== undefined) assertEquals(value, SAMPLE.values[i]);
    return value !== undefined;
  });
}

const EVERY = SAMPLE.values.map((_, i) => i);

Deno.test("Store.open() finds records behind more damage than it reads at once", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("first", new Uint8Array(10), NOW);
  for (let i = 0; i < 4; i++) store.put(`lost ${i}`, new Uint8Array(1 << 20).fill(i), NOW);
  store.flush();
  const damagedEnd = store.stats().fileBytes;
  store.put("last", latin1("here"), NOW);
  store.close();
  const file = bench.io.content("c");
  file.fill(0x5a, 200, damagedEnd);
  const again = openOn(file);
  assertEquals(again.store.get("last", NOW), latin1("here"));
  assertEquals(again.store.stats().entries, 2);
  assertMatch(again.bench.reports[0], /skipped \d{7} damaged bytes in 1 place$/);
});

Deno.test("Store.open() falls back to an older value when the newer record is damaged", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("k", latin1("older value"), NOW);
  store.flush();
  const olderEnd = store.stats().fileBytes;
  store.put("k", latin1("newer value"), NOW);
  store.flush();
  store.put("other", latin1("v"), NOW);
  store.close();
  const file = bench.io.content("c");
  // A crash of the machine leaves such a record where a write was under way; what was safe stays.
  file[olderEnd + 24 + 1 + 3] ^= 1;
  assertEquals(openOn(file).store.get("k", NOW), latin1("older value"));
  assertEquals(openOn(file).store.get("other", NOW), latin1("v"));
});

Deno.test("Store.get() misses an entry whose record changed under it, and reports once", () => {
  const { bench, store } = openOn(SAMPLE.file);
  const file = SAMPLE.file.slice();
  for (const i of [3, 7]) file[SAMPLE.ends[i] - 20] ^= 4;
  bench.io.setContent("c", file);
  assertEquals(findReadable(store), EVERY.filter((i) => i !== 3 && i !== 7));
  assertEquals(bench.reports, ['warning: Cache file "c": damaged entries are dropped']);
  assertEquals(store.stats().lostEntries, 2);
  assertEquals(store.put("key 3", latin1("again"), NOW), true);
  store.flush();
  assertEquals(store.get("key 3", NOW), latin1("again"));
});

Deno.test("Store.get() does not take an intact record of another key for the asked one", () => {
  // Two files with the same id, the records at the same places.
  const [one, two] = ["aa", "bb"].map((key) => {
    const bench = new Bench();
    const store = bench.open();
    store.put(key, latin1(`of ${key}`), NOW);
    store.close();
    return bench.io.content("c");
  });
  const { bench, store } = openOn(one);
  assertEquals(store.get("aa", NOW), latin1("of aa"));
  bench.io.setContent("c", two);
  assertEquals(store.get("aa", NOW), undefined);
});

Deno.test("Store.get() misses everything when the file is cut under it", () => {
  const { bench, store } = openOn(SAMPLE.file);
  bench.io.setContent("c", new Uint8Array());
  assertEquals(findReadable(store), []);
});

Deno.test("Store.get() misses an entry that the disk cannot read, and finds it afterwards", () => {
  const { bench, store } = openOn(SAMPLE.file);
  bench.io.fault = (call) => call === "pread" ? -ERRNO.EIO : undefined;
  assertEquals(store.get("key 1", NOW), undefined);
  assertEquals(store.get("key 2", NOW), undefined);
  assertEquals(bench.reports.length, 1);
  bench.io.fault = () => undefined;
  assertEquals(store.get("key 1", NOW), SAMPLE.values[1]);
});

Deno.test("Store.open() leaves bytes alone that it cannot read, and writes behind them", () => {
  const bench = new Bench();
  bench.io.setContent("c", SAMPLE.file);
  let reads = 0;
  // The header is read, then no more.
  bench.io.fault = (call) => call === "pread" && ++reads > 1 ? -ERRNO.EIO : undefined;
  const store = bench.open();
  assertEquals(findEntries(store), []);
  assertMatch(bench.reports[0], /^warning: Cannot read \d+ bytes of cache file "c": /);
  bench.io.fault = () => undefined;
  store.put("behind", latin1("v"), NOW);
  store.close();
  const again = bench.open();
  assertEquals(again.get("behind", NOW), latin1("v"));
  assertEquals(findReadable(again), EVERY);
});

Deno.test("Store.open() refuses a foreign file and leaves it as it is", () => {
  for (const content of ["x", "# Postfix\n".repeat(100), "\x93Postern\n".repeat(20)]) {
    const bench = new Bench();
    bench.io.setContent("c", latin1(content));
    for (const discard of [false, true]) {
      const fault = assertThrows(() => bench.open({ discard }), FatalError, "no cache file");
      assertMatch((fault as FatalError).hint ?? "", /^Move it away/);
    }
    assertEquals(bench.io.content("c"), latin1(content));
    assertEquals(bench.io.descriptors.size, 0);
  }
});
