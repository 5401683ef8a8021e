/**
 * Goal: what is done to a store while its file is still being read counts as the newer, and nothing that
 * it replaced or deleted comes back.
 * Method: one file that is long enough to be read in slices, opened again and again; between the slices
 * random changes on the store and on a map.
 */
import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../lib/base/bytes.ts";
import { nightly } from "../../support/nightly.ts";
import { seededRandom } from "../../support/random.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const KEYS = 60;
/** 700 values of this length are more than is read at once. */
const LONG_BYTES = 60_000;
const RECORDS = 700;
const SEEDS = nightly(3, 100);

/** Begins with its number, so that values differ; the same for a number whenever it is made. */
function valueOf(n: number, bytes: number): Bytes {
  const value = new Uint8Array(bytes);
  new DataView(value.buffer).setUint32(0, n);
  return value;
}

type Model = Map<string, Bytes>;

function makeFile(): { file: Bytes; model: Model } {
  const bench = new Bench();
  const store = bench.open({ compactBytesMin: Infinity });
  const model: Model = new Map();
  const random = seededRandom(1);
  for (let n = 0; n < RECORDS; n++) {
    const key = `key ${random(KEYS)}`;
    const value = valueOf(n, LONG_BYTES);
    store.put(key, value, NOW);
    model.set(key, value);
    if (n % 10 === 0 && store.delete(`key ${n % KEYS}`)) model.delete(`key ${n % KEYS}`);
    // Each write makes the memory disk copy the file.
    if (n % 100 === 0) store.flush();
  }
  store.close();
  return { file: bench.io.content("c"), model };
}

Deno.test("Store.open() in slices agrees with a map, whatever is done meanwhile", () => {
  const { file, model: before } = makeFile();
  let changes = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    const bench = new Bench();
    bench.io.setContent("c", file);
    const store = bench.open({ load: "slices", compactBytesMin: [1000, Infinity][random(2)] });
    const model: Model = new Map(before);
    /** What was stored since the opening: seen at once. The rest is missed until the end is reached. */
    const fresh = new Set<string>();
    assert(store.stats().unloadedBytes > 0, "it is read in slices");
    for (let n = RECORDS; store.stats().unloadedBytes > 0; n++) {
      const key = `key ${random(KEYS + 5)}`;
      switch (random(4)) {
        case 0:
          model.set(key, valueOf(n, 4 + random(100)));
          fresh.add(key);
          assertEquals(store.put(key, model.get(key)!, NOW), true);
          changes++;
          break;
        case 1:
          model.delete(key);
          fresh.delete(key);
          assertEquals(store.delete(key), true, "it may be further on");
          changes++;
          break;
        case 2:
          assertEquals(store.get(key, NOW), fresh.has(key) ? model.get(key) : undefined, key);
          break;
        default:
          store.flush();
          if (random(2) === 0) store.work();
      }
    }
    const check = (found: typeof store, when: string) => {
      for (let i = 0; i < KEYS + 5; i++) {
        const [value, expected] = [found.get(`key ${i}`, NOW), model.get(`key ${i}`)];
        // The number in front and the length say which value it is; the checksum proved the rest.
        const marks = [value, expected].map((bytes) => [bytes?.length, bytes?.slice(0, 4)]);
        assertEquals(marks[0], marks[1], `seed ${seed}: key ${i}, ${when}`);
      }
      assertEquals(found.stats().entries, model.size, `seed ${seed}, ${when}`);
    };
    check(store, "loaded");
    store.flush();
    bench.io.killProcess();
    const again = bench.open();
    check(again, "after a kill");
    again.close();
    assertEquals(bench.reports, [], `seed ${seed}`);
  }
  assert(changes > 10 * SEEDS);
});
