/**
 * Goal: no failing call makes the store lose what it acknowledged, answer wrongly, throw or leak.
 * Method: one course of events, run again with each of its calls failing in each way.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const OPTIONS = { compactBytesMin: 600, compactRatio: 0.5, compactSliceBytes: 100 };

/** What each key may be after a restart: its state at the last good flush, and every later one. */
class Ledger {
  readonly #allowed = new Map<string, (string | undefined)[]>();

  note(key: string, value: string | undefined): void {
    const states = this.#allowed.get(key) ?? [undefined];
    states.push(value);
    this.#allowed.set(key, states);
  }

  acknowledge(): void {
    for (const [key, states] of this.#allowed) this.#allowed.set(key, states.slice(-1));
  }

  /** `mayMiss`: entries may be gone, but not wrong. */
  check(store: Store, { mayMiss, about }: { mayMiss: boolean; about: string }): void {
    for (const [key, states] of this.#allowed) {
      const value = store.get(key, NOW);
      const text = value === undefined ? undefined : String.fromCharCode(...value);
      const isAllowed = states.includes(text) || (mayMiss && text === undefined);
      assert(isAllowed, `${about}: ${key} is ${text}, not one of ${states}`);
      // What was lost stays lost, unless it was only out of sight.
      this.#allowed.set(key, mayMiss ? [...states, text] : [text]);
    }
  }

  checkNow(store: Store, { mayMiss, about }: { mayMiss: boolean; about: string }): void {
    for (const [key, states] of this.#allowed) {
      const value = store.get(key, NOW);
      if (mayMiss && value === undefined) continue;
      const expected = states.at(-1);
      assertEquals(value, expected === undefined ? undefined : latin1(expected), about);
    }
  }
}

/** Puts, overwrites, deletes and flushes until a compaction has been through. */
function act(store: Store, ledger: Ledger, facts: { mayMiss: boolean; about: string }): void {
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 5; i++) {
      const key = `k${(round * 3 + i) % 7}`;
      const value = `value ${round}.${i}`;
      if (store.put(key, latin1(value), NOW)) ledger.note(key, value);
    }
    const gone = `k${round % 7}`;
    if (store.delete(gone)) ledger.note(gone, undefined);
    ledger.checkNow(store, facts);
    if (store.flush()) ledger.acknowledge();
    ledger.checkNow(store, facts);
  }
}

/** The whole course. A store that cannot be opened is one that is not served from. */
function run(bench: Bench, facts: { mayMiss: boolean; about: string }): void {
  const ledger = new Ledger();
  for (let life = 0; life < 2; life++) {
    let store: Store;
    try {
      store = bench.open(OPTIONS);
    } catch (fault) {
      assert(fault instanceof FatalError, `${facts.about}: ${fault}`);
      assertEquals(bench.io.descriptors.size, 0, facts.about);
      continue;
    }
    ledger.check(store, facts);
    act(store, ledger, facts);
    bench.io.killProcess();
    const file = bench.io.files.get("c");
    // An unfinished end for the next life.
    if (file !== undefined && file.bytes.length > 0) {
      bench.io.setContent("c", concat(file.bytes, latin1("abc")));
    }
  }
  bench.io.fault = () => undefined;
  const last = bench.open(OPTIONS);
  ledger.check(last, facts);
  last.close();
  assertEquals(bench.io.descriptors.size, 0, facts.about);
  assertEquals([...bench.io.files.keys()].sort(), ["c", "c.lock"], facts.about);
}

const FAULTS: Record<string, number | "short"> = {
  short: "short",
  ENOSPC: -ERRNO.ENOSPC,
  EIO: -ERRNO.EIO,
  EINTR: -ERRNO.EINTR,
  EMFILE: -ERRNO.EMFILE,
};

for (const [name, answer] of Object.entries(FAULTS)) {
  for (const lasting of [false, true]) {
    const title = lasting ? "from any call on" : "at any one call";
    // An interruption that never ends is no fault that exists.
    if (lasting && (name === "EINTR" || name === "short")) continue;
    Deno.test(`Store keeps its word when ${name} comes ${title}`, () => {
      const probe = new Bench();
      run(probe, { mayMiss: false, about: "no fault" });
      const calls = probe.io.calls;
      assert(calls > 100);
      let hits = 0;
      for (let n = 1; n <= calls; n++) {
        const bench = new Bench();
        bench.io.fault = (_call, nth) => {
          if (lasting ? nth < n : nth !== n) return undefined;
          hits++;
          return answer;
        };
        const isReadFault = typeof answer === "number" && answer !== -ERRNO.EINTR;
        const about = `${name} at call ${n}`;
        // A disk that does not read hides entries; one that only does not write hides none.
        const reads = isReadFault && (lasting || isRead(n));
        run(bench, { mayMiss: reads, about });
      }
      assert(hits > 100);
    });
  }
}

/** Whether the n-th call of the undisturbed course reads. */
function isRead(n: number): boolean {
  READS ??= findReads();
  return READS.has(n);
}

let READS: Set<number> | undefined;

function findReads(): Set<number> {
  const bench = new Bench();
  const reads = new Set<number>();
  bench.io.fault = (call, nth) => {
    if (call === "pread") reads.add(nth);
    return undefined;
  };
  run(bench, { mayMiss: false, about: "no fault" });
  return reads;
}

Deno.test("Store serves from memory while the disk is full, says so once, and recovers", () => {
  const bench = new Bench();
  const store = bench.open();
  bench.io.fault = (call) => call === "pwrite" ? -ERRNO.ENOSPC : undefined;
  for (let i = 0; i < 50; i++) {
    assertEquals(store.put(`k${i}`, latin1(`v${i}`), NOW), true);
    assertEquals(store.flush(), false);
  }
  for (let i = 0; i < 50; i++) assertEquals(store.get(`k${i}`, NOW), latin1(`v${i}`));
  assertEquals(bench.reports, [
    'warning: Cannot write cache file "c": No space left on device; serving from memory',
  ]);
  bench.io.fault = () => undefined;
  for (let turn = 0; turn < 64 && !store.flush(); turn++);
  assertEquals(bench.reports.slice(1), ['info: Writing cache file "c" again']);
  bench.io.killProcess();
  const again = bench.open();
  for (let i = 0; i < 50; i++) assertEquals(again.get(`k${i}`, NOW), latin1(`v${i}`));
});

Deno.test("Store.flush() goes on after an interruption and after a part was written", () => {
  for (const answer of [-ERRNO.EINTR, "short"] as const) {
    const bench = new Bench();
    const store = bench.open();
    let writes = 0;
    bench.io.fault = (call) => call === "pwrite" && ++writes < 4 ? answer : undefined;
    store.put("k", new Uint8Array(1000).fill(1), NOW);
    assertEquals(store.flush(), true);
    assertEquals(writes, 4);
    bench.io.killProcess();
    assertEquals(bench.open().get("k", NOW), new Uint8Array(1000).fill(1));
    assertEquals(bench.reports, []);
  }
});

Deno.test("Store.open() begins on a full disk and recovers, header and all", () => {
  const bench = new Bench();
  bench.io.fault = (call) => call === "pwrite" ? -ERRNO.ENOSPC : undefined;
  const store = bench.open();
  store.put("k", latin1("v"), NOW);
  assertEquals(store.flush(), false);
  assertEquals(store.get("k", NOW), latin1("v"));
  bench.io.fault = () => undefined;
  store.close();
  assertEquals(bench.open().get("k", NOW), latin1("v"));
});

Deno.test("Store.put() turns entries away when memory is used up, and changes nothing then", () => {
  const bench = new Bench();
  const store = bench.open({ pendingBytesMax: 500 });
  bench.io.fault = (call) => call === "pwrite" ? -ERRNO.EIO : undefined;
  store.put("k", latin1("old"), NOW);
  let taken = 0;
  while (store.put(`k${taken}`, new Uint8Array(30), NOW)) taken++;
  assert(taken > 3 && taken < 20);
  assertEquals(store.put("k", new Uint8Array(30), NOW), false);
  assertEquals(store.get("k", NOW), latin1("old"));
  bench.io.fault = () => undefined;
  for (let turn = 0; turn < 64 && !store.flush(); turn++);
  assertEquals(store.put("k", new Uint8Array(30), NOW), true);
});

Deno.test("Store.delete() lasts even when there was no room to write it down", () => {
  const bench = new Bench();
  const store = bench.open({ pendingBytesMax: 300 });
  store.put("secret", latin1("v"), NOW);
  store.flush();
  bench.io.fault = (call) => call === "pwrite" ? -ERRNO.EIO : undefined;
  for (let i = 0; store.put(`k${i}`, new Uint8Array(1), NOW); i++);
  assertEquals(store.delete("secret"), true);
  assertEquals(store.get("secret", NOW), undefined);
  bench.io.fault = () => undefined;
  for (let turn = 0; turn < 64 && store.stats().compactions === 0; turn++) store.flush();
  bench.io.killProcess();
  const again = bench.open();
  assertEquals(again.get("secret", NOW), undefined);
  assertEquals(again.get("k0", NOW), new Uint8Array(1));
});

Deno.test("Store.open() leaks no descriptor whichever call fails", () => {
  const bench = new Bench();
  bench.open().close();
  for (const call of ["open", "fstat", "flock", "pread"] as const) {
    for (let nth = 1;; nth++) {
      let seen = 0;
      bench.io.fault = (name) => name === call && ++seen === nth ? -ERRNO.EIO : undefined;
      if (call === "pread" && nth > 1) break;
      const before = bench.io.calls;
      try {
        bench.open().close();
        assert(seen < nth, `${call} ${nth} has failed`);
        break;
      } catch (fault) {
        assert(fault instanceof FatalError);
        assert(bench.io.calls > before);
      }
      assertEquals(bench.io.descriptors.size, 0);
    }
  }
});

Deno.test("Store.open() says which step failed and why", () => {
  const bench = new Bench();
  let opens = 0;
  // The first is that of the folder.
  bench.io.fault = (call) => call === "open" && ++opens > 1 ? -ERRNO.EROFS : undefined;
  assertThrows(
    () => bench.open(),
    FatalError,
    'Cannot open cache file "c.lock": Read-only file system',
  );
});
