/**
 * Goal: the index is a Map with an order of eviction, through growth, removal and slots used again.
 * Method: random operations on both; the order is compared as a list.
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { EntryIndex, NONE } from "../../../lib/store/entry_index.ts";
import { recordBytes } from "../../../lib/store/record.ts";
import { makeRandom } from "./_setup.ts";

const KEYS = 3000;
const STEPS = 30_000;

interface Fields {
  offset: number;
  keyBytes: number;
  valueBytes: number;
  expiresAtS: number;
}

function put(index: EntryIndex, key: string, fields: Fields): number {
  const found = index.find(key);
  const slot = index.put(found, fields);
  if (found === NONE) index.order.append(slot);
  else index.order.moveToEnd(slot);
  return slot;
}

function offsetsInOrder(index: EntryIndex): number[] {
  const offsets: number[] = [];
  for (let slot = index.order.first; slot !== NONE; slot = index.order.after(slot)) {
    offsets.push(index.offset(slot));
  }
  return offsets;
}

function fieldsOf(index: EntryIndex, slot: number): Fields {
  return { ...index.place(slot), expiresAtS: index.expiresAtS(slot) };
}

Deno.test("EntryIndex agrees with a Map over random puts, moves and removals", () => {
  const index = new EntryIndex();
  const model = new Map<string, Fields>();
  const random = makeRandom(3);
  for (let step = 0; step < STEPS; step++) {
    const key = `key ${random(KEYS)}`;
    const choice = random(10);
    const slot = index.find(key);
    const known = model.get(key);
    assertEquals(slot === NONE ? undefined : fieldsOf(index, slot), known, `step ${step}`);
    if (choice < 5) {
      const fields = {
        offset: 8 * step,
        keyBytes: key.length,
        valueBytes: random(1 << 20),
        expiresAtS: random(2) === 0 ? Number.MAX_SAFE_INTEGER : random(1e9),
      };
      put(index, key, fields);
      model.delete(key);
      model.set(key, fields);
    } else if (slot !== NONE && choice < 8) {
      index.remove(slot);
      model.delete(key);
      assertEquals(index.isUsed(slot), false);
    } else if (slot !== NONE) {
      index.order.moveToEnd(slot);
      model.delete(key);
      model.set(key, known!);
    }
    assertEquals(index.size, model.size);
  }
  const all = [...model.values()];
  assertEquals(offsetsInOrder(index), all.map(({ offset }) => offset));
  const bytes = all.reduce((sum, f) => sum + recordBytes(f.keyBytes, f.valueBytes), 0);
  assertEquals(index.liveBytes, bytes);
  for (const [key, fields] of model) {
    const bytes = latin1(key);
    const slot = index.findBytes(bytes, 0, bytes.length);
    assertEquals(fieldsOf(index, slot), fields);
    assertEquals(index.isUsed(slot), true);
  }
});

Deno.test("EntryIndex uses freed slots again", () => {
  const index = new EntryIndex();
  const fields = { offset: 64, keyBytes: 5, valueBytes: 1, expiresAtS: 1 };
  for (let n = 0; n < 100; n++) put(index, `k ${n}`, fields);
  const end = index.slotsEnd;
  for (let n = 0; n < 100; n++) index.remove(index.find(`k ${n}`));
  assertEquals([index.size, index.liveBytes, index.order.first], [0, 0, NONE]);
  for (let n = 100; n < 200; n++) put(index, `k ${n}`, fields);
  assertEquals(index.slotsEnd, end);
});

Deno.test("EntryIndex keeps places up to 16 GiB", () => {
  const index = new EntryIndex();
  const offset = 2 ** 34 - 8;
  const slot = put(index, "k", { offset, keyBytes: 1, valueBytes: 0, expiresAtS: 0 });
  assertEquals(index.offset(slot), offset);
});

Deno.test("EntryOrder puts loaded entries before all that were stored, in their own order", () => {
  const index = new EntryIndex();
  const { order } = index;
  const make = (n: number) => {
    const fields = { offset: 8 * n, keyBytes: 1, valueBytes: 0, expiresAtS: 0 };
    return index.put(index.find(`k ${n}`), fields);
  };
  order.append(make(10));
  order.appendLoaded(make(1));
  order.appendLoaded(make(2));
  order.append(make(11));
  order.appendLoaded(make(3));
  assertEquals(offsetsInOrder(index), [8, 16, 24, 80, 88]);
  // The last loaded one goes, or becomes one that was stored.
  index.remove(index.find("k 3"));
  order.appendLoaded(make(4));
  order.moveToEnd(index.find("k 4"));
  order.appendLoaded(make(5));
  assertEquals(offsetsInOrder(index), [8, 16, 40, 80, 88, 32]);
});

Deno.test("EntryOrder.cursor meets every entry that is moved or added behind its back", () => {
  const index = new EntryIndex();
  const { order } = index;
  const fields = { offset: 8, keyBytes: 1, valueBytes: 0, expiresAtS: 0 };
  const slots = ["a", "b", "c"].map((key) => put(index, key, fields));
  order.cursor = order.first;
  order.moveToEnd(slots[0]);
  assertEquals(order.cursor, slots[1], "the one it stood on has moved");
  index.remove(slots[1]);
  assertEquals(order.cursor, slots[2], "the one it stood on has gone");
  order.cursor = order.after(order.cursor);
  assertEquals(order.cursor, slots[0]);
  order.cursor = order.after(order.cursor);
  assertEquals(order.cursor, NONE);
  const added = put(index, "d", fields);
  assertEquals(order.cursor, added, "it had reached the end");
  assertNotEquals(added, NONE);
});
