/** What an Inspection finds, while others read, write and cut the file. */
import { assertEquals, assertThrows } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import {
  type InspectedEntry,
  Inspection,
  type InspectionFacts,
} from "../../../lib/store/inspect.ts";
import type { FileIo } from "../../../lib/store/file_io.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;

function inspect(io: FileIo): { facts: InspectionFacts; entries: InspectedEntry[] } {
  const inspection = Inspection.open("c", io);
  while (inspection.step());
  const found = { facts: inspection.facts(), entries: [...inspection.entries()] };
  inspection.close();
  return found;
}

Deno.test("Inspection lists what a store would find, oldest record first, and adds up", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("a", latin1("1"), NOW);
  store.put("b", latin1("22"), NOW + 1);
  store.put("gone", latin1("333"), NOW);
  store.put("a", latin1("4444"), NOW + 2);
  store.delete("gone");
  store.flush();
  const { facts, entries } = inspect(bench.io);
  assertEquals(entries, [
    { key: "b", valueBytes: 2, expiresAtS: NOW + 1 },
    { key: "a", valueBytes: 4, expiresAtS: NOW + 2 },
  ]);
  const { liveBytes, deadBytes } = store.stats();
  assertEquals([facts.entries, facts.records], [2, 5]);
  assertEquals([facts.liveBytes, facts.deadBytes], [liveBytes, deadBytes]);
  assertEquals(facts.fileBytes, bench.io.content("c").length);
  store.close();
  assertEquals(bench.io.descriptors.size, 0);
});

Deno.test("Inspection sees one state of a file that grows, and of one that is compacted", () => {
  const bench = new Bench();
  const store = bench.open({ compactBytesMin: Infinity });
  store.put("k", latin1("1"), NOW);
  store.flush();
  const inspection = Inspection.open("c", bench.io);
  store.put("k", latin1("two"), NOW);
  store.put("later", latin1("v"), NOW);
  store.flush();
  store.compact();
  for (let turn = 0; turn < 10 && store.stats().compactions === 0; turn++) store.work();
  while (inspection.step());
  assertEquals([...inspection.entries()], [{ key: "k", valueBytes: 1, expiresAtS: NOW }]);
  assertEquals([inspection.facts().damagedBytes, inspection.facts().unfinishedBytes], [0, 0]);
  inspection.close();
  assertEquals(inspect(bench.io).facts.entries, 2);
});

Deno.test("Inspection tells an unfinished end from damage, and from a file that was cut meanwhile", () => {
  const bench = new Bench();
  const store = bench.open();
  for (const key of ["a", "b", "c"]) store.put(key, new Uint8Array(20), NOW);
  store.close();
  const file = bench.io.content("c");
  bench.io.setContent("c", file.subarray(0, file.length - 4));
  assertEquals(inspect(bench.io).facts.unfinishedBytes, 44);
  const inspection = Inspection.open("c", bench.io);
  bench.io.setContent("c", file.subarray(0, 64));
  const fault = assertThrows(() => inspection.step(), FatalError, "made shorter") as FatalError;
  assertEquals(fault.exitCode, 69);
  inspection.close();
  file[70] ^= 1;
  bench.io.setContent("c", file);
  const { facts, entries } = inspect(bench.io);
  assertEquals([facts.damagedPlaces, facts.damagedBytes, facts.unfinishedBytes], [1, 48, 0]);
  assertEquals(entries.map(({ key }) => key), ["b", "c"]);
});

Deno.test("Inspection counts what the disk does not read, and opens no more than it reads", () => {
  const bench = new Bench();
  const store = bench.open();
  store.put("k", new Uint8Array(20), NOW);
  store.close();
  let reads = 0;
  bench.io.fault = (call) => call === "pread" && ++reads > 1 ? -ERRNO.EIO : undefined;
  const { facts } = inspect(bench.io);
  assertEquals([facts.unreadableBytes, facts.entries], [48, 0]);
  bench.io.fault = (call) => call === "open" ? -ERRNO.EACCES : undefined;
  const fault = assertThrows(
    () => inspect(bench.io),
    FatalError,
    "Permission denied",
  ) as FatalError;
  assertEquals(fault.exitCode, 66);
  assertEquals(bench.io.descriptors.size, 0);
});
