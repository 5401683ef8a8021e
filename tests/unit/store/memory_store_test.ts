/**
 * Goal: whatever is done in whatever order, the store in memory answers as a Map would.
 * Method: random operations from a seed on both; every seed is in the message of a failure. (The store
 * in a file has a model of its own, model_test.ts.)
 */
import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../../lib/store/memory_store.ts";
import { makeRandom, randomBytes } from "./_setup.ts";

const KEYS = 12;
const SEEDS = 60;
const STEPS = 300;

interface Entry {
  value: Uint8Array;
  expiresAtS: number;
}

/** One step on store and model. */
function takeStep(
  store: MemoryStore,
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
  store: MemoryStore,
  model: Map<string, Entry>,
  { key, nowS }: { key: string; nowS: number },
): void {
  const entry = model.get(key);
  const expected = entry === undefined || entry.expiresAtS < nowS ? undefined : entry.value;
  assertEquals(store.get(key, nowS), expected, `key ${key} at ${nowS}`);
}

function checkAll(store: MemoryStore, model: Map<string, Entry>, nowS: number): void {
  for (const key of model.keys()) checkKey(store, model, { key, nowS });
  assertEquals(store.stats().entries, model.size);
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
