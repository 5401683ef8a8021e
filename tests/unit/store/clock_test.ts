/**
 * Goal: a clock that jumps costs entries at most, and no size or key is special.
 * Method: the same on disk and in memory, and on disk again after an end, a kill and a compaction.
 */
import { assert, assertEquals } from "@std/assert";
import { type Bytes } from "../../../lib/base/bytes.ts";
import type { KeyValueStore } from "../../../lib/store/key_value_store.ts";
import { MemoryStore } from "../../../lib/store/memory_store.ts";
import type { Store } from "../../../lib/store/store.ts";
import { seededBytes, seededRandom } from "../../support/random.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const HOUR_S = 3600;
const YEAR_S = 365 * 24 * HOUR_S;

function value(n: number): Bytes {
  return Uint8Array.of(n, n >> 8);
}

/** A whole pass of the expiry scan, wherever it stands. */
function expireAll(store: KeyValueStore, nowS: number): void {
  for (let pass = 0; pass < 2; pass++) while (store.expireSome(nowS, 7) === 7);
}

const KINDS: Record<string, () => KeyValueStore> = {
  Store: () => new Bench().open(),
  MemoryStore: () => new MemoryStore(),
};

for (const [kind, make] of Object.entries(KINDS)) {
  Deno.test(`${kind} keeps all entries when the clock goes back an hour`, () => {
    const store = make();
    for (let n = 0; n < 20; n++) store.put(`${n}`, value(n), NOW + n);
    const back = NOW - HOUR_S;
    expireAll(store, back);
    for (let n = 0; n < 20; n++) assertEquals(store.get(`${n}`, back), value(n));
    // Stored by a clock that is behind: valid until that clock says otherwise, here and there.
    store.put("behind", value(1), back + 100);
    assertEquals(store.get("behind", back + 100), value(1));
    assertEquals(store.get("behind", NOW), undefined);
    assertEquals(store.get("0", NOW), value(0));
    expireAll(store, NOW + 10);
    assertEquals(store.stats().entries, 10);
  });

  Deno.test(`${kind} drops all entries when the clock goes forward a year, and takes new ones`, () => {
    const store = make();
    for (let n = 0; n < 20; n++) store.put(`${n}`, value(n), NOW + HOUR_S);
    const ahead = NOW + YEAR_S;
    for (let n = 0; n < 20; n++) assertEquals(store.get(`${n}`, ahead), undefined);
    // Only looked at, nothing was removed: the clock may have been wrong for a moment.
    assertEquals(store.get("3", NOW), value(3));
    expireAll(store, ahead);
    assertEquals(store.stats().entries, 0);
    store.put("3", value(33), ahead + HOUR_S);
    assertEquals(store.get("3", ahead), value(33));
    assertEquals(store.get("3", NOW), value(33), "back again");
  });

  Deno.test(`${kind}.dropExpired() removes by the clock of the one who asks`, () => {
    const store = make();
    store.put("k", value(1), NOW);
    assertEquals([store.dropExpired("k", NOW), store.dropExpired("none", NOW)], [false, false]);
    assertEquals(store.dropExpired("k", NOW + 1), true);
    assertEquals(store.get("k", NOW - HOUR_S), undefined);
    assertEquals(store.stats().entries, 0);
  });
}

Deno.test("Store.open() by a clock that is a year ahead loses nothing for a clock that is right", () => {
  const bench = new Bench();
  const store = bench.open();
  for (let n = 0; n < 20; n++) store.put(`${n}`, value(n), NOW + HOUR_S);
  store.close();
  const ahead = bench.open();
  assertEquals(ahead.get("1", NOW + YEAR_S), undefined);
  ahead.close();
  const right = bench.open();
  for (let n = 0; n < 20; n++) assertEquals(right.get(`${n}`, NOW), value(n));
});

const SIZES = [0, 1, 7, 8, 9, 1008, 1009, 16_384, 65_535, 65_536, 1 << 20];
const LIMITS = { keyBytesMax: 4096, valueBytesMax: 1 << 20 };

/** Keys of each single byte, of all bytes, with zeros in front and behind, and the longest. */
const KEYS = [
  ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)),
  String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)),
  ...["\0\0", "\0a", "a\0", "\0a\0", "\xff\xff", "k".repeat(4095), "k".repeat(4096)],
];

function fill(store: KeyValueStore): void {
  for (const size of SIZES) {
    assertEquals(store.put(`size ${size}`, valueOf(size), NOW), true, `${size} bytes`);
  }
  KEYS.forEach((key, n) => assertEquals(store.put(key, value(n), NOW), true, `key ${n}`));
}

function valueOf(size: number): Bytes {
  return seededBytes(seededRandom(size), size);
}

function assertFilled(store: KeyValueStore, when: string): void {
  for (const size of SIZES) {
    const found = store.get(`size ${size}`, NOW);
    assert(found !== undefined && found.length === size, `${size} bytes, ${when}`);
    const expected = valueOf(size);
    assert(found.every((byte, i) => byte === expected[i]), `${size} bytes, ${when}`);
  }
  KEYS.forEach((key, n) => assertEquals(store.get(key, NOW), value(n), `key ${n}, ${when}`));
  assertEquals(store.stats().entries, SIZES.length + KEYS.length, when);
}

function assertRefuses(store: KeyValueStore): void {
  const before = store.stats();
  assertEquals(store.put("size 1", new Uint8Array((1 << 20) + 1), NOW), false);
  assertEquals(store.put("k".repeat(4097), value(1), NOW), false);
  assertEquals(store.put("", value(1), NOW), false);
  assertEquals(store.stats(), before);
}

Deno.test("MemoryStore takes every size up to the limit and every key", () => {
  const store = new MemoryStore(LIMITS);
  fill(store);
  assertFilled(store, "at once");
  assertRefuses(store);
});

Deno.test("Store takes every size up to the limit and every key, over ends, kills and compactions", () => {
  const bench = new Bench();
  const open = (): Store => bench.open({ ...LIMITS, compactBytesMin: Infinity });
  let store = open();
  fill(store);
  assertFilled(store, "at once");
  assertRefuses(store);
  store.flush();
  assertFilled(store, "flushed");
  bench.io.killProcess();
  store = open();
  assertFilled(store, "after a kill");
  store.compact();
  for (let turn = 0; turn < 100 && store.stats().compactions === 0; turn++) store.work();
  assertEquals(store.stats().compactions, 1);
  assertFilled(store, "after a compaction");
  store.close();
  assertFilled(open(), "after an end");
  assertEquals(bench.reports, []);
});

Deno.test("Store refuses a value of one byte over the limit that it was given, and no other", () => {
  for (const limit of [0, 1, 1008, 1009, 16_384, 65_536]) {
    const store = new Bench().open({ valueBytesMax: limit });
    assertEquals(store.put("k", new Uint8Array(limit), NOW), true, `${limit}`);
    assertEquals(store.put("k", new Uint8Array(limit + 1), NOW), false, `${limit}`);
    assertEquals(store.get("k", NOW)?.length, limit, "the older one stays");
  }
});
