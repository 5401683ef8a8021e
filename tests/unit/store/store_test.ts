import { assertEquals, assertThrows } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { latin1 } from "../../../lib/base/bytes.ts";
import type { KeyValueStore } from "../../../lib/store/key_value_store.ts";
import { MemoryStore } from "../../../lib/store/memory_store.ts";
import { Bench, makeRandom, randomBytes } from "./_setup.ts";

const NOW = 1_700_000_000;
const LATER = NOW + 100;

const KINDS: Record<string, () => KeyValueStore> = {
  Store: () => new Bench().open({ keyBytesMax: 100, valueBytesMax: 65_536 }),
  MemoryStore: () => new MemoryStore({ keyBytesMax: 100, valueBytesMax: 65_536 }),
};

for (const [kind, open] of Object.entries(KINDS)) {
  Deno.test(`${kind}.get() sees a put at once, after a flush, and the last of several`, () => {
    const store = open();
    assertEquals(store.get("k", NOW), undefined);
    store.put("k", latin1("one"), LATER);
    assertEquals(store.get("k", NOW), latin1("one"));
    assertEquals(store.flush(), true);
    assertEquals(store.get("k", NOW), latin1("one"));
    store.put("k", latin1("three"), LATER);
    assertEquals(store.get("k", NOW), latin1("three"));
    assertEquals(store.stats().entries, 1);
  });

  Deno.test(`${kind}.put() takes values of any length up to the limit and any byte in a key`, () => {
    const store = open();
    const random = makeRandom(1);
    const lengths = [0, 1, 7, 8, 9, 1008, 1009, 16_384, 65_536];
    const values = lengths.map((length) => randomBytes(random, length));
    lengths.forEach((length, i) => store.put(`v${length}`, values[i], LATER));
    for (let code = 0; code < 256; code++) {
      assertEquals(store.put(String.fromCharCode(code), Uint8Array.of(code), LATER), true);
    }
    for (const _ of ["waiting", "written"]) {
      lengths.forEach((length, i) => assertEquals(store.get(`v${length}`, NOW), values[i]));
      for (let code = 0; code < 256; code++) {
        assertEquals(store.get(String.fromCharCode(code), NOW), Uint8Array.of(code));
      }
      store.flush();
    }
  });

  Deno.test(`${kind}.put() refuses empty and long keys and long values, changing nothing`, () => {
    const store = open();
    store.put("k", latin1("old"), LATER);
    assertEquals(store.put("", latin1("v"), LATER), false);
    assertEquals(store.put("x".repeat(101), latin1("v"), LATER), false);
    assertEquals(store.put("k", new Uint8Array(65_537), LATER), false);
    assertEquals(store.get("k", NOW), latin1("old"));
    assertEquals(store.stats().entries, 1);
    assertEquals(store.put("x".repeat(100), latin1("v"), LATER), true);
  });

  Deno.test(`${kind}.put() keeps a copy: the caller may use its memory again`, () => {
    const store = open();
    const value = latin1("mine");
    store.put("k", value, LATER);
    value.fill(0);
    assertEquals(store.get("k", NOW), latin1("mine"));
  });

  Deno.test(`${kind}.put() panics on an expiry that is no whole second`, () => {
    const store = open();
    for (const expiry of [-1, 1.5, NaN, Infinity]) {
      assertThrows(() => store.put("k", latin1("v"), expiry), Panic, "whole number");
    }
  });

  Deno.test(`${kind}.get() answers during the whole last second and not after it`, () => {
    const store = open();
    store.put("k", latin1("v"), NOW);
    assertEquals(store.get("k", NOW - 3600), latin1("v"));
    assertEquals(store.get("k", NOW), latin1("v"));
    assertEquals(store.get("k", NOW + 1), undefined);
    assertEquals(store.get("k", NOW), latin1("v"), "the clock went back");
    store.put("far", latin1("v"), Number.MAX_SAFE_INTEGER);
    assertEquals(store.get("far", 2 ** 40), latin1("v"));
  });

  Deno.test(`${kind}.delete() removes an entry once, expired or not`, () => {
    const store = open();
    store.put("k", latin1("v"), LATER);
    store.put("past", latin1("v"), NOW - 5);
    assertEquals(store.delete("k"), true);
    assertEquals(store.get("k", NOW), undefined);
    assertEquals(store.delete("k"), false);
    assertEquals(store.delete("past"), true);
    assertEquals(store.stats().entries, 0);
    assertEquals(store.stats().liveBytes, 0);
  });

  Deno.test(`${kind}.expireSome() removes exactly what has expired, a slice at a time`, () => {
    const store = open();
    for (let i = 0; i < 10; i++) store.put(`k${i}`, latin1("v"), NOW + i);
    assertEquals(store.expireSome(NOW + 5, 4), 4);
    assertEquals(store.stats().entries, 6);
    assertEquals(store.expireSome(NOW + 5, 4), 4);
    assertEquals(store.stats().entries, 5);
    assertEquals(store.expireSome(NOW + 5, 4), 2, "the pass ends");
    for (let i = 0; i < 10; i++) assertEquals(store.get(`k${i}`, 0) !== undefined, i >= 5);
    while (store.expireSome(NOW + 100, 3) === 3);
    while (store.expireSome(NOW + 100, 3) === 3);
    assertEquals(store.stats().entries, 0);
  });
}

Deno.test("MemoryStore.expireSome() and Store.expireSome() name what they remove", () => {
  const names: string[] = [];
  const expired = (key: string) => names.push(key);
  for (const store of [new MemoryStore({ expired }), new Bench().open({ expired })]) {
    store.put("past", latin1("v"), NOW - 1);
    store.put("here", latin1("v"), NOW);
    store.expireSome(NOW, 10);
  }
  assertEquals(names, ["past", "past"]);
});

Deno.test("MemoryStore.expireSome() ends its pass though entries are found again and again", () => {
  const store = new MemoryStore();
  for (let i = 0; i < 10; i++) store.put(`k${i}`, latin1("v"), LATER);
  let visited = 0;
  for (let slices = 0; slices < 100; slices++) {
    const count = store.expireSome(NOW, 2);
    visited += count;
    if (count < 2) break;
    // Moves to the end, where the scan comes by later.
    for (let i = 0; i < 10; i++) store.get(`k${i}`, NOW);
  }
  assertEquals(visited, 10);
});

Deno.test("Store.open() finds what an earlier process flushed, deletes and order included", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("a", latin1("1"), LATER);
  store.put("b", latin1("2"), LATER);
  store.put("a", latin1("3"), LATER + 1);
  store.delete("b");
  store.flush();
  store.put("late", latin1("not flushed"), LATER);
  bench.io.killProcess();
  const again = bench.open();
  assertEquals(again.get("a", LATER + 1), latin1("3"));
  assertEquals(again.get("a", LATER + 2), undefined);
  assertEquals(again.get("b", NOW), undefined);
  assertEquals(again.get("late", NOW), undefined);
  assertEquals(bench.reports, []);
});

Deno.test("Store.open() does not bring back what an expired value replaced", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("k", latin1("older, longer"), LATER);
  store.put("k", latin1("newer"), NOW);
  store.expireSome(NOW + 1, 10);
  store.close();
  assertEquals(bench.open().get("k", NOW + 1), undefined);
});

Deno.test("Store.close() writes what waits and gives every descriptor back", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("k", latin1("v"), LATER);
  store.close();
  assertEquals(bench.io.descriptors.size, 0);
  assertEquals(bench.open().get("k", NOW), latin1("v"));
});

Deno.test("Store.open() with discard empties the file", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("k", latin1("v"), LATER);
  store.close();
  const empty = bench.open({ discard: true });
  assertEquals(empty.get("k", NOW), undefined);
  assertEquals(empty.stats().fileBytes, 64);
  assertEquals(bench.io.content("c").length, 64);
});

Deno.test("Store.stats() counts live, dead and waiting bytes", () => {
  const store = new Bench().open();
  store.put("k", new Uint8Array(8), LATER);
  store.put("k", new Uint8Array(16), LATER);
  const before = store.stats();
  assertEquals([before.liveBytes, before.deadBytes], [48, 40]);
  assertEquals([before.fileBytes, before.pendingBytes], [64, 88]);
  store.flush();
  const after = store.stats();
  assertEquals([after.fileBytes, after.pendingBytes, after.entries], [152, 0, 1]);
});

Deno.test("Store.put() writes a long turn in parts", () => {
  const store = new Bench().open();
  for (let i = 0; i < 40; i++) store.put(`k${i}`, new Uint8Array(65_536), LATER);
  assertEquals(store.stats().fileBytes > 64, true);
  assertEquals(store.stats().pendingBytes < 2 << 20, true);
});
