/**
 * Goal: whatever has happened to the file, a value is right or absent, and intact records are found.
 * Method: a file of 50 records is cut, changed and added to at every place, and opened.
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Bytes, concat, latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench, makeRandom, randomBytes } from "./_setup.ts";

const NOW = 1_700_000_000;
const RECORDS = 50;
const HEADER_BYTES = 64;

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

function startOf(record: number): number {
  return record === 0 ? HEADER_BYTES : SAMPLE.ends[record - 1];
}

const EVERY = SAMPLE.values.map((_, i) => i);

Deno.test("Store.open() of a file cut at any byte keeps what is whole and reports the rest once", () => {
  for (let length = HEADER_BYTES; length < SAMPLE.file.length; length++) {
    const { bench, store } = openOn(SAMPLE.file.subarray(0, length));
    const whole = SAMPLE.ends.filter((end) => end <= length).length;
    assertEquals(findEntries(store), EVERY.slice(0, whole), `cut at ${length}`);
    const intactEnd = startOf(whole);
    const torn = length - intactEnd;
    assertEquals(
      bench.reports,
      torn === 0 ? [] : [`warning: Cache file "c": cut ${torn} unfinished bytes at its end`],
    );
    assertEquals(bench.io.content("c").length, intactEnd);
    store.put("after", latin1("v"), NOW);
    store.close();
    assertEquals(bench.open().get("after", NOW), latin1("v"));
    assertEquals(bench.reports.length, torn === 0 ? 0 : 1);
  }
});

Deno.test("Store.open() of a file cut within its header sets it aside", () => {
  for (let length = 1; length < HEADER_BYTES; length++) {
    const { bench, store } = openOn(SAMPLE.file.subarray(0, length));
    assertEquals(findEntries(store), []);
    assertMatch(bench.reports[0], /damaged header, set aside as "c\.damaged-01010101"/);
    assertEquals(bench.io.content("c.damaged-01010101").length, length);
    assertEquals(bench.io.content("c").length, HEADER_BYTES);
  }
});

Deno.test("Store.open() loses one entry at most for a changed byte, and skips to the next", () => {
  for (let at = HEADER_BYTES; at < SAMPLE.file.length; at++) {
    const file = SAMPLE.file.slice();
    file[at] ^= 1 << at % 8;
    const { bench, store } = openOn(file);
    const hit = SAMPLE.ends.findIndex((end) => at < end);
    const found = findEntries(store);
    const without = EVERY.filter((i) => i !== hit);
    if (found.length === RECORDS) {
      // The filling at the end of a record is nobody's.
      assert(at >= SAMPLE.ends[hit] - 7 && SAMPLE.file[at] === 0, `byte ${at}`);
      assertEquals(bench.reports, []);
    } else {
      assertEquals(found, without, `byte ${at}`);
      assertEquals(bench.reports.length, 1);
      assertMatch(
        bench.reports[0],
        hit === RECORDS - 1 ? /cut \d+ unfinished bytes/ : /skipped \d+ damaged bytes in 1 place$/,
      );
    }
    store.close();
    assertEquals(bench.io.descriptors.size, 0);
  }
});

Deno.test("Store.open() with a changed byte in the header sets the whole file aside, as it is", () => {
  for (let at = 0; at < HEADER_BYTES; at++) {
    const file = SAMPLE.file.slice();
    file[at] ^= 0x40;
    const { bench, store } = openOn(file);
    assertEquals(findEntries(store), []);
    assertEquals(bench.reports.length, 1);
    assertEquals(bench.io.content("c.damaged-01010101"), file);
    store.close();
    assertEquals(bench.open().get("key 1", NOW), undefined);
    assertEquals(bench.reports.length, 1);
  }
});

Deno.test("Store.open() gets along with zeroed and doubled blocks", () => {
  const block = 512;
  for (let at = HEADER_BYTES; at < SAMPLE.file.length; at += block) {
    const end = Math.min(at + block, SAMPLE.file.length);
    const zeroed = SAMPLE.file.slice();
    zeroed.fill(0, at, end);
    const found = findEntries(openOn(zeroed).store);
    const outside = EVERY.filter((i) => SAMPLE.ends[i] <= at || startOf(i) >= end);
    for (const i of outside) assert(found.includes(i), `record ${i}, zeros at ${at}`);
    const doubled = concat(SAMPLE.file.subarray(0, end), SAMPLE.file.subarray(at));
    const before = EVERY.filter((i) => SAMPLE.ends[i] <= end);
    // What moved is not where it was written, so it is not believed.
    assertEquals(findEntries(openOn(doubled).store), before, `doubled at ${at}`);
  }
});

Deno.test("Store.open() does not believe what is added to a file", () => {
  const random = makeRandom(7);
  for (
    const [name, added] of [
      ["zeros", new Uint8Array(5000)],
      ["ones", new Uint8Array(5000).fill(255)],
      ["noise", randomBytes(random, 5000)],
      ["the file itself", SAMPLE.file],
      ["its first record", SAMPLE.file.subarray(HEADER_BYTES, SAMPLE.ends[0])],
      ["a byte", latin1("x")],
    ] as const
  ) {
    const { bench, store } = openOn(concat(SAMPLE.file, added));
    assertEquals(findEntries(store), EVERY, name);
    assertEquals(bench.reports.length, 1, name);
    assertEquals(bench.io.content("c"), SAMPLE.file, name);
  }
});

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
