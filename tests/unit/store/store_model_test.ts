/**
 * Goal: whatever is done in whatever order, the store answers as a Map would.
 * Method: random operations from a seed on both; every seed is in the message of a failure.
 */
import { assertEquals } from "@std/assert";
import type { KeyValueStore } from "../../../lib/store/key_value_store.ts";
import { MemoryStore } from "../../../lib/store/memory_store.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench, makeRandom, randomBytes } from "./_setup.ts";

const KEYS = 12;
const SEEDS = 60;
const STEPS = 300;

interface Entry {
  value: Uint8Array;
  expiresAtS: number;
}

/** One step on store and model. */
function takeStep(
  store: KeyValueStore,
  model: Map<string, Entry>,
  { random, nowS }: { random: (below: number) => number; nowS: number },
): void {
  const key = `${"key".repeat(random(3))}${random(KEYS)}`;
  const choice = random(100);
  if (choice < 40) {
    const value = randomBytes(random, random(4) === 0 ? random(300) : random(20));
    const expiresAtS = nowS + random(200);
    assertEquals(store.put(key, value, expiresAtS), true);
    model.set(key, { value, expiresAtS });
  } else if (choice < 55) {
    assertEquals(store.delete(key), model.delete(key));
  } else if (choice < 85) {
    checkKey(store, model, { key, nowS });
  } else if (choice < 95) {
    assertEquals(store.flush(), true);
  } else {
    // A whole pass from wherever the cursor stands: to the end, then all.
    while (store.expireSome(nowS, 3) === 3);
    while (store.expireSome(nowS, 3) === 3);
    for (const [key, entry] of model) if (entry.expiresAtS < nowS) model.delete(key);
  }
}

function checkKey(
  store: KeyValueStore,
  model: Map<string, Entry>,
  { key, nowS }: { key: string; nowS: number },
): void {
  const entry = model.get(key);
  const expected = entry === undefined || entry.expiresAtS < nowS ? undefined : entry.value;
  assertEquals(store.get(key, nowS), expected, `key ${key} at ${nowS}`);
}

function checkAll(store: KeyValueStore, model: Map<string, Entry>, nowS: number): void {
  for (const key of model.keys()) checkKey(store, model, { key, nowS });
  assertEquals(store.stats().entries, model.size);
}

for (const [name, compactBytesMin] of [["", Infinity], [" while compacting", 100]] as const) {
  Deno.test(`Store agrees with a Map over reopening and kills${name}`, () => {
    let compactions = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = makeRandom(seed);
      const bench = new Bench();
      const options = { compactBytesMin, compactRatio: 0.5, compactSliceBytes: 1 + random(400) };
      let store: Store = bench.open(options);
      const model = new Map<string, Entry>();
      let nowS = 1_700_000_000;
      for (let step = 0; step < STEPS; step++) {
        nowS += random(3);
        takeStep(store, model, { random, nowS });
        if (random(40) === 0) {
          checkAll(store, model, nowS);
          compactions += store.stats().compactions;
          if (random(2) === 0) {
            store.flush();
            bench.io.killProcess();
          } else {
            store.close();
          }
          store = bench.open(options);
          // Expired entries that the scan had removed may be met again; nobody can see them.
          while (store.expireSome(nowS, 100) === 100);
          for (const [key, entry] of model) if (entry.expiresAtS < nowS) model.delete(key);
          checkAll(store, model, nowS);
          assertEquals([...bench.io.files.keys()].sort(), ["c", "c.lock"]);
        }
      }
      checkAll(store, model, nowS);
      compactions += store.stats().compactions;
      assertEquals(bench.reports, [], `seed ${seed}`);
      store.close();
      assertEquals(bench.io.descriptors.size, 0);
    }
    assertEquals(compactions > SEEDS, name !== "");
  });
}

Deno.test("MemoryStore agrees with a Map", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = makeRandom(seed);
    const store = new MemoryStore();
    const model = new Map<string, Entry>();
    let nowS = 1_700_000_000;
    for (let step = 0; step < STEPS; step++) {
      nowS += random(3);
      takeStep(store, model, { random, nowS });
    }
    checkAll(store, model, nowS);
  }
});
