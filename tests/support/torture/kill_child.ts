/**
 * A process to be killed: a store that puts, deletes, flushes and compacts by a seed, and says what it is
 * about to do and what is done.
 *
 * Arguments: the file, and the seed. What it does in turn `t` follows from both, so that who knows them
 * knows every change ({@linkcode changesOf}); after each flush it writes `t` and its compactions, so that
 * turn `t` and all before are promised.
 *
 * @module
 */
import { latin1, utf8 } from "../../../lib/base/bytes.ts";
import { Store } from "../../../lib/store/store.ts";
import { seededRandom } from "../random.ts";

/** No entry expires while the test runs. */
export const EXPIRES_AT_S = 4_000_000_000;

const KEYS = 120;

/** A put, or a delete if there is no value. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
}

/** What turn `turn` of the child with this seed changes. */
export function changesOf(seed: number, turn: number): Change[] {
  const random = seededRandom(seed * 1_000_003 + turn);
  return Array.from({ length: 1 + random(8) }, (_, i) => {
    const key = `key ${random(KEYS)}`;
    if (random(5) === 0) return { key, value: undefined };
    return { key, value: `${seed} ${turn} ${i} `.padEnd(20 + random(3000), "v") };
  });
}

if (import.meta.main) {
  const [path, seed] = [Deno.args[0], Number(Deno.args[1])];
  const store = Store.open(path, {
    report: (level, message) => console.error(level, message),
    compactBytesMin: 100_000,
    compactSliceBytes: 20_000,
    sync: seed % 3 === 0 ? "always" : "never",
  });
  for (let turn = 0;; turn++) {
    for (const { key, value } of changesOf(seed, turn)) {
      if (value === undefined) store.delete(key);
      else store.put(key, latin1(value), EXPIRES_AT_S);
    }
    if (!store.flush()) throw new Error("The disk refuses");
    Deno.stdout.writeSync(utf8(`${turn} ${store.stats().compactions}\n`));
    if (turn % 50 === 49) store.compact();
    store.work();
  }
}
