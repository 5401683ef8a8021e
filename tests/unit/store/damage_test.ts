/**
 * Goal: whatever happens to the bytes of a file, each key has the value that the intact records give it,
 * and nothing else; the store says once what was wrong, and works on.
 * Method: a file of 50 records, older values and deletes among them, is changed at every place; what must
 * be found is worked out from the records that the change did not touch, by a parser of the test's own.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Bytes, concat, latin1 } from "../../../lib/base/bytes.ts";
import { nightly } from "../../support/nightly.ts";
import { seededBytes, seededRandom } from "../../support/random.ts";
import {
  parseFile,
  type PlacedRecord,
  type RawRecord,
  replay,
} from "../../support/torture/format.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const RECORDS = 50;
const HEADER_BYTES = 64;
const BLOCK_BYTES = 512;

/** 50 records: puts of 15 keys again and again, and deletes. */
function makeSample(seed: number): { file: Bytes; records: PlacedRecord[] } {
  const random = seededRandom(seed);
  const bench = new Bench();
  const store = bench.open({ compactBytesMin: Infinity });
  for (let made = 0; made < RECORDS;) {
    const key = `key ${random(15)}`;
    if (random(5) > 0) {
      store.put(key, seededBytes(random, random(3) === 0 ? random(200) : random(12)), NOW);
      made++;
    } else if (store.delete(key)) {
      made++;
    }
  }
  store.close();
  const file = bench.io.content("c");
  return { file, records: parseFile(file).records };
}

const { file: FILE, records: SAMPLE } = makeSample(1);

/** A part of a file: from its first byte to the one before `end`. */
type Range = readonly [start: number, end: number];

/** The records that no byte of `ranges` belongs to; the filling at a record's end is nobody's. */
function untouched(records: readonly PlacedRecord[], ...ranges: Range[]): PlacedRecord[] {
  return records.filter(({ start, textEnd }) =>
    ranges.every(([from, to]) => to <= start || from >= textEnd)
  );
}

/** Opens a file, which must hold what `records` say, twice, and again after a compaction. */
function assertHolds(on: Bytes | Bench, records: readonly RawRecord[], about: string): Bench {
  const entries = replay(records);
  const keys = new Set([...SAMPLE, ...records].map(({ key }) => key));
  const bench = on instanceof Bench ? on : new Bench();
  if (bench !== on) bench.io.setContent("c", on as Bytes);
  for (const time of ["first", "second", "third"]) {
    const store = bench.open({ compactBytesMin: Infinity });
    for (const key of keys) {
      assertEquals(store.get(key, NOW), entries.get(key)?.value, `${about}: ${key}, ${time} time`);
    }
    assertEquals(store.stats().entries, entries.size, about);
    if (time === "second") {
      store.compact();
      for (let i = 0; i < 10 && store.stats().compactions === 0; i++) store.work();
      assertEquals(store.stats().deadBytes, 0, about);
    }
    store.close();
  }
  assertEquals(bench.io.descriptors.size, 0, about);
  return bench;
}

/** Once about the damage inside, and once about the end: a cut end is not seen again. */
function assertReportsOnce({ reports }: Bench, about: string): void {
  const ends = reports.filter((text) => /: cut \d+ unfinished bytes at its end$/.test(text));
  const damages = reports.filter((text) =>
    /: skipped \d+ damaged bytes in \d+ places?$/.test(text)
  );
  assert(ends.length <= 1, `${about}: ${reports.join("\n")}`);
  // At the second opening too, for the compaction comes after it.
  assert(damages.length === 0 || damages.length === 2, `${about}: ${reports.join("\n")}`);
  assertEquals(reports.length, ends.length + damages.length, reports.join("\n"));
}

Deno.test("Store.open() of a file that is cut at any byte finds every record before the cut", () => {
  for (let length = HEADER_BYTES; length <= FILE.length; length++) {
    const about = `cut at ${length}`;
    const whole = SAMPLE.filter(({ end }) => end <= length);
    const intactEnd = whole.at(-1)?.end ?? HEADER_BYTES;
    const bench = new Bench();
    bench.io.setContent("c", FILE.slice(0, length));
    const store = bench.open({ compactBytesMin: Infinity });
    assertEquals(bench.io.content("c").length, intactEnd, about);
    store.put("after", latin1("v"), NOW);
    store.close();
    const after = { kind: "put", key: "after", value: latin1("v"), expiresAtS: NOW } as const;
    assertHolds(bench, [...whole, after], about);
    const torn = length - intactEnd;
    const told = `warning: Cache file "c": cut ${torn} unfinished bytes at its end`;
    assertEquals(bench.reports, torn === 0 ? [] : [told], about);
  }
});

Deno.test("Store.open() of a file that is cut within its header sets it aside", () => {
  for (let length = 1; length < HEADER_BYTES; length++) {
    const about = `cut at ${length}`;
    const bench = assertHolds(FILE.slice(0, length), [], about);
    assertEquals(bench.reports.length, 1, about);
    assertMatch(bench.reports[0], /damaged header, set aside as "c\.damaged-01010101"/);
    assertEquals(bench.io.content("c.damaged-01010101"), FILE.slice(0, length), about);
  }
});

Deno.test("Store.open() of a file with any byte changed finds every other record", () => {
  const random = seededRandom(2);
  for (let at = HEADER_BYTES; at < FILE.length; at++) {
    for (const byte of [FILE[at] ^ 1 << random(8), 0, 255]) {
      const file = FILE.slice();
      file[at] = byte;
      const records = byte === FILE[at] ? SAMPLE : untouched(SAMPLE, [at, at + 1]);
      const about = `byte ${at} is ${byte}`;
      assertReportsOnce(assertHolds(file, records, about), about);
    }
  }
});

Deno.test("Store.open() of a file with any byte of its header changed sets it aside as it is", () => {
  for (let at = 0; at < HEADER_BYTES; at++) {
    const file = FILE.slice();
    file[at] ^= 0x40;
    const { reports, io } = assertHolds(file, [], `byte ${at}`);
    assertEquals(reports.length, 1);
    assertMatch(reports[0], /damaged header, set aside/);
    assertEquals(io.content("c.damaged-01010101"), file, `byte ${at}`);
  }
});

Deno.test("Store.open() of a file with any block zeroed finds every record outside of it", () => {
  // At every multiple of 8, so that blocks begin within all parts of records.
  for (let start = HEADER_BYTES; start < FILE.length; start += 8) {
    const file = FILE.slice();
    const end = Math.min(start + BLOCK_BYTES, FILE.length);
    file.fill(0, start, end);
    const about = `zeros at ${start}`;
    assertReportsOnce(assertHolds(file, untouched(SAMPLE, [start, end]), about), about);
  }
});

Deno.test("Store.open() of a file with any block written twice believes neither copy elsewhere", () => {
  for (let start = 0; start + BLOCK_BYTES < FILE.length; start += BLOCK_BYTES) {
    const end = start + BLOCK_BYTES;
    // Over the next one.
    const over = FILE.slice();
    over.set(FILE.slice(start, Math.min(end, FILE.length - BLOCK_BYTES)), end);
    const range: Range = [end, Math.min(end + BLOCK_BYTES, FILE.length)];
    assertHolds(over, untouched(SAMPLE, range), `block ${start} over the next one`);
    // Between the blocks: what stood behind stands elsewhere.
    const between = concat(FILE.slice(0, end), FILE.slice(start));
    const before = SAMPLE.filter((record) => record.end <= end);
    assertHolds(between, before, `block ${start} inserted again`);
  }
});

Deno.test("Store.open() believes nothing that was added to a file", () => {
  const other = makeSample(3).file;
  const added: Record<string, Uint8Array> = {
    "a byte": latin1("x"),
    zeros: new Uint8Array(5000),
    ones: new Uint8Array(5000).fill(255),
    noise: seededBytes(seededRandom(4), 5000),
    "the file itself": FILE,
    "its records": FILE.slice(HEADER_BYTES),
    "another file": other,
    "another file's records": other.slice(HEADER_BYTES),
  };
  for (const [name, bytes] of Object.entries(added)) {
    const bench = assertHolds(concat(FILE, bytes), SAMPLE, name);
    assertEquals(bench.reports.length, 1, name);
    assertMatch(bench.reports[0], new RegExp(`cut ${bytes.length} unfinished bytes`));
  }
});

Deno.test("Store.open() of a file damaged in many ways at once finds what is intact", () => {
  const rounds = nightly(400, 20_000);
  for (let seed = 1; seed <= rounds; seed++) {
    const random = seededRandom(seed);
    let file = FILE.slice();
    const ranges: Range[] = [];
    for (let i = 1 + random(5); i > 0; i--) {
      const start = HEADER_BYTES + random(FILE.length - HEADER_BYTES);
      const end = Math.min(FILE.length, start + 1 + random(random(2) === 0 ? 8 : 300));
      const noise = seededBytes(random, end - start);
      // A piece of the file itself is what a confused disk would put there.
      const piece = random(2) === 0 ? noise : FILE.slice(start - 8, end - 8);
      file.set(piece, start);
      ranges.push([start, end]);
    }
    if (random(3) === 0) {
      const length = HEADER_BYTES + random(FILE.length - HEADER_BYTES);
      file = file.slice(0, length);
      ranges.push([length, Infinity]);
    }
    // A record that was overwritten with its own bytes is intact.
    const records = SAMPLE.filter(({ start, textEnd }) =>
      textEnd <= file.length &&
      file.subarray(start, textEnd).every((byte, i) => byte === FILE[start + i])
    );
    assert(records.length >= untouched(SAMPLE, ...ranges).length);
    assertHolds(file, records.filter(({ end }) => end <= file.length), `seed ${seed}`);
  }
});
