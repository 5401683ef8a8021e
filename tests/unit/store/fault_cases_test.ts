/**
 * Goal: a disk that refuses costs no entry that was taken, is told of once, and is used again.
 * Method: one refusal a test; each call of a course failing in each way is the matter of faults_test.ts.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;

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
