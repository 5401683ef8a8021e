/**
 * Goal: files of every format version that was ever written open for ever, and are what was described.
 * Method: golden files of a second writer (tests/fixtures/store/README.md) are taken apart by a parser
 * made from the description alone, opened as a store, and compared with what the store itself writes.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { type Bytes, latin1, toHex, toLatin1 } from "../../../lib/base/bytes.ts";
import { supportPath } from "../../support/paths.ts";
import {
  parseFile,
  type PlacedRecord,
  type RawRecord,
  replay,
} from "../../support/torture/format.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const USUAL = 4_000_000_000;
const FILE_ID = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);

function readGolden(name: string): Bytes {
  return Deno.readFileSync(supportPath(`../fixtures/store/${name}`));
}

function pattern(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (7 * i + length) % 251);
}

function put(key: string, value: Bytes | string, expiresAtS = USUAL): RawRecord {
  return { kind: "put", key, value: typeof value === "string" ? latin1(value) : value, expiresAtS };
}

function deletion(key: string): RawRecord {
  return { kind: "delete", key, value: new Uint8Array(), expiresAtS: 0 };
}

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);

/** The table of the README. */
const RECORDS: readonly RawRecord[] = [
  put("alpha", "the first value"),
  put(toLatin1(ALL_BYTES), ALL_BYTES.toReversed()),
  put("\0", "a key of one null byte"),
  put("empty", ""),
  put("1 byte", pattern(1)),
  put("1008 bytes", pattern(1008)),
  put("1009 bytes", pattern(1009)),
  put("replaced", "old"),
  put("deleted", "must not come back"),
  put("deleted and stored again", "old"),
  deletion("deleted"),
  deletion("deleted and stored again"),
  put("replaced", "the value that counts", USUAL + 1),
  deletion("never stored"),
  put("deleted and stored again", "back"),
  put("expired in 1970", "expired", 1),
  put("far", "until the last second that the format can hold", Number.MAX_SAFE_INTEGER),
  put("k".repeat(4096), "the longest key"),
  put("omega", "the last value"),
];

/** What a record says, wherever it stands. */
function plain({ kind, key, value, expiresAtS }: PlacedRecord): RawRecord {
  return { kind, key, value, expiresAtS };
}

/** Opens `file` and asserts that it holds exactly `entries`, at any time of theirs. */
function assertOpens(file: Bytes, entries: Map<string, RawRecord>): Bench {
  const bench = new Bench();
  bench.io.setContent("c", file);
  const store = bench.open();
  for (const { key } of RECORDS) {
    const entry = entries.get(key);
    assertEquals(store.get(key, 0), entry?.value, key);
    if (entry === undefined) continue;
    assertEquals(store.get(key, entry.expiresAtS), entry.value, `${key} in its last second`);
    assertEquals(store.get(key, entry.expiresAtS + 1), undefined, `${key} after it`);
  }
  assertEquals(store.stats().entries, entries.size);
  store.close();
  return bench;
}

Deno.test("Golden files are the ones that their description names", async () => {
  const text = Deno.readTextFileSync(supportPath("../fixtures/store/README.md"));
  const sums = [...text.matchAll(/^([0-9a-f]{64}) {2}(\S+\.bin)$/gm)];
  assertEquals(sums.length, 3);
  for (const [, sum, name] of sums) {
    const digest = await crypto.subtle.digest("SHA-256", readGolden(name));
    assertEquals(toHex(new Uint8Array(digest)).toLowerCase(), sum, name);
  }
});

Deno.test("Golden file of format 1 has the records of its description, field by field", () => {
  const { fileId, records } = parseFile(readGolden("format_1.bin"));
  assertEquals(fileId, FILE_ID);
  assertEquals(records.map(plain), RECORDS);
  assertEquals(parseFile(readGolden("format_1_empty.bin")), { fileId: FILE_ID, records: [] });
});

Deno.test("Golden file of format 1 opens with every entry, and is left as it is", () => {
  const file = readGolden("format_1.bin");
  const bench = assertOpens(file, replay(RECORDS));
  assertEquals(bench.reports, []);
  assertEquals(bench.io.content("c"), file);
});

Deno.test("Golden file of format 1 that is empty opens, and takes records that the parser finds", () => {
  const bench = new Bench();
  bench.io.setContent("c", readGolden("format_1_empty.bin"));
  const store = bench.open();
  assertEquals(store.stats().entries, 0);
  store.put("k", latin1("v"), NOW);
  store.close();
  const [record, ...rest] = parseFile(bench.io.content("c")).records;
  assertEquals([record.kind, record.key, record.expiresAtS], ["put", "k", NOW]);
  assertEquals([record.value, rest], [latin1("v"), []]);
  assertEquals(bench.reports, []);
});

Deno.test("Golden file of format 1 that is damaged opens with every intact entry", () => {
  const entries = replay(RECORDS);
  for (const key of ["empty", "1008 bytes"]) entries.delete(key);
  const { reports } = assertOpens(readGolden("format_1_damaged.bin"), entries);
  assertEquals(reports.length, 2);
  assertMatch(reports[0], /skipped \d+ damaged bytes in 3 places$/);
  assertMatch(reports[1], /cut 77 unfinished bytes at its end$/);
});

Deno.test("Store writes format 1 byte by byte as the second writer does", () => {
  const bench = new Bench();
  const store = bench.open({ randomFileId: () => FILE_ID.slice() });
  for (const { kind, key, value, expiresAtS } of RECORDS) {
    if (kind === "put") store.put(key, value, expiresAtS);
    // There is no delete record for a key that is not there.
    else store.delete(key);
  }
  store.close();
  const written = parseFile(bench.io.content("c"));
  const golden = parseFile(readGolden("format_1.bin"));
  const expected = golden.records.filter(({ key }) => key !== "never stored");
  assertEquals(written.fileId, FILE_ID);
  assertEquals(written.records.map(plain), expected.map(plain));
  // Up to the record that the store has no cause to write.
  const same = golden.records[12].end;
  assertEquals(
    bench.io.content("c").subarray(0, same),
    readGolden("format_1.bin").subarray(0, same),
  );
});
