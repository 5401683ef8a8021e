/**
 * A process to be killed: stores entries and says after each flush how far it has come.
 *
 * Arguments: the file, and the number of the first entry. Entry `n` has the key `n % 500`, so that old
 * values die and compactions come.
 *
 * @module
 */
import { utf8 } from "../../../lib/base/bytes.ts";
import { Store } from "../../../lib/store/store.ts";

/** The value of entry `n`: its number, filled up to a length that depends on it. */
export function valueOf(n: number): Uint8Array {
  return utf8(`${n} `.padEnd(100 + n % 1500, "."));
}

/** Entries share this many keys. */
export const KEYS = 500;
/** No entry expires while the test runs. */
export const EXPIRES_AT_S = 4_000_000_000;

if (import.meta.main) {
  const store = Store.open(Deno.args[0], {
    report: (level, message) => console.error(level, message),
    compactBytesMin: 1 << 20,
  });
  for (let n = Number(Deno.args[1]);;) {
    for (let i = 0; i < 20; i++, n++) store.put(`${n % KEYS}`, valueOf(n), EXPIRES_AT_S);
    if (!store.flush()) throw new Error("The disk refuses");
    Deno.stdout.writeSync(utf8(`${n} ${store.stats().compactions}\n`));
  }
}
