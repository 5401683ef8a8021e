/**
 * Goal: nobody can put something in the way of the store that it opens, follows, waits for, believes, or
 * gives its memory to.
 * Method: on a real disk, each kind of thing stands where each of the store's files should be; then files
 * whose checksums are right and whose numbers are not, and records out of another file.
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Bytes, concat, latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { libcFileIo } from "../../../lib/store/file_io.ts";
import { findOwner, Inspection } from "../../../lib/store/inspect.ts";
import { Store, type StoreOptions } from "../../../lib/store/store.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { makeHeader, makeRecord, type RecordFields } from "../../support/torture/format.ts";
import { Bench } from "./_setup.ts";

const NOW = 1_700_000_000;
const FILE_ID = new Uint8Array(16).fill(0x11);
const isRoot = Deno.uid() === 0;

function inFolder(act: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    act(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function open(path: string, options: Partial<StoreOptions> = {}): Store {
  return Store.open(path, { report: () => {}, ...options });
}

function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
}

/** What stands in the way: makes it at `path`, with `target` to point to. */
interface Obstacle {
  name: string;
  refusal: RegExp;
  needsRoot?: boolean;
  make(path: string, target: string): void;
}

const OBSTACLES: readonly Obstacle[] = [
  {
    name: "a symbolic link",
    refusal: /it is a symbolic link$/,
    make: (path, target) => Deno.symlinkSync(target, path),
  },
  {
    name: "a symbolic link to nowhere",
    refusal: /it is a symbolic link$/,
    make: (path, target) => Deno.symlinkSync(`${target}.none`, path),
  },
  {
    name: "a hard link",
    refusal: /it has 2 names \(hard links\)$/,
    make: (path, target) => Deno.linkSync(target, path),
  },
  { name: "a folder", refusal: /Is a directory$/, make: (path) => Deno.mkdirSync(path) },
  {
    name: "a FIFO",
    refusal: /it is not a regular file$/,
    make: (path) => run("mkfifo", "-m", "600", path),
  },
  {
    name: "a device",
    refusal: /it is not a regular file$/,
    needsRoot: true,
    // /dev/zero: reading it would never end.
    make: (path) => run("mknod", "-m", "600", path, "c", "1", "5"),
  },
  {
    name: "another user's file",
    refusal: /it belongs to user id 65534, not to 0$/,
    needsRoot: true,
    make: (path) => {
      Deno.writeTextFileSync(path, "", { mode: 0o600 });
      Deno.chownSync(path, 65_534, 65_534);
    },
  },
  {
    name: "a file that the group may read",
    refusal: /its mode 0640 lets others in$/,
    make: (path) => {
      Deno.writeTextFileSync(path, "");
      Deno.chmodSync(path, 0o640);
    },
  },
];

/** What can be said about a path without following it. */
function look(path: string): string {
  const { size, mode, uid, ino, mtime } = Deno.lstatSync(path);
  return JSON.stringify({ size, mode, uid, ino, mtime });
}

for (const { name, refusal, needsRoot = false, make } of OBSTACLES) {
  testDescriptors(`Store.open() refuses ${name} for its file and for its lock`, () => {
    if (needsRoot && !isRoot) return;
    for (const suffix of ["", ".lock"]) {
      inFolder((folder) => {
        const path = `${folder}/cache`;
        const target = `${folder}/target`;
        Deno.writeTextFileSync(target, "precious", { mode: 0o600 });
        make(path + suffix, target);
        const before = [look(path + suffix), look(target)];
        const fault = assertThrows(() => open(path), FatalError) as FatalError;
        assertMatch(fault.message, refusal);
        assert(fault.hint !== undefined, "says what to do");
        assertEquals([look(path + suffix), look(target)], before, "it is as it was");
        assertEquals(Deno.readTextFileSync(target), "precious");
      });
    }
  });

  testDescriptors(`Store writes nothing into ${name} at the name of its fresh file`, () => {
    if (needsRoot && !isRoot) return;
    inFolder((folder) => {
      const path = `${folder}/cache`;
      const target = `${folder}/target`;
      Deno.writeTextFileSync(target, "precious", { mode: 0o600 });
      const reports: string[] = [];
      const store = open(path, { report: (_level, text) => reports.push(text) });
      store.put("k", latin1("v"), NOW);
      store.flush();
      // Made by somebody after the start, which would have removed it.
      make(`${path}.compact`, target);
      for (let i = 0; i < 3; i++) {
        store.compact();
        for (let turn = 0; turn < 10; turn++) store.work();
      }
      assertEquals(Deno.readTextFileSync(target), "precious");
      assertEquals(reports, [`Cannot compact cache file "${path}": File exists`]);
      assertEquals(store.get("k", NOW), latin1("v"));
      store.close();
      const again = open(path);
      assertEquals(again.get("k", NOW), latin1("v"));
      again.close();
    });
  });
}

testDescriptors("Store.open() refuses a folder in which others may put files", () => {
  inFolder((folder) => {
    for (
      const [mode, isRefused] of [[0o770, true], [0o707, true], [0o1777, false], [0o755, false]]
    ) {
      const inner = `${folder}/${mode}`;
      Deno.mkdirSync(inner);
      Deno.chmodSync(inner, Number(mode));
      if (!isRefused) {
        open(`${inner}/cache`).close();
        continue;
      }
      const fault = assertThrows(() => open(`${inner}/cache`), FatalError) as FatalError;
      assertMatch(
        fault.message,
        /others may put files into its folder ".*" \(mode 07[07][07], not/,
      );
      assertEquals([...Deno.readDirSync(inner)], [], "nothing was made");
    }
  });
});

testDescriptors(
  "Inspection.open() neither follows nor waits, and findOwner() takes no lock",
  () => {
    inFolder((folder) => {
      for (const { name, needsRoot = false, make } of OBSTACLES) {
        if ((needsRoot && !isRoot) || name.includes("file") || name === "a hard link") continue;
        const path = `${folder}/${name.replaceAll(" ", "_")}`;
        Deno.writeTextFileSync(`${path}.target`, "precious");
        make(path, `${path}.target`);
        assertThrows(() => Inspection.open(path), FatalError, "Cannot read cache file");
        make(`${path}.cache.lock`, `${path}.target`);
        assertEquals(findOwner(`${path}.cache`), undefined, name);
      }
      const path = `${folder}/cache`;
      const store = open(path);
      assertEquals(findOwner(path), Deno.pid);
      store.close();
      assertEquals(findOwner(path), undefined);
    });
  },
);

/** Opens a file of these bytes, or throws. */
function openBytes(...parts: Uint8Array[]): { bench: Bench; store: Store } {
  const bench = new Bench();
  bench.io.setContent("c", concat(...parts));
  return { bench, store: bench.open() };
}

const VICTIM = { kind: "put", key: "victim", value: latin1("stolen"), expiresAtS: NOW } as const;
const HONEST = { kind: "put", key: "honest", value: latin1("found"), expiresAtS: NOW } as const;

Deno.test("Store.open() believes no record with numbers out of bounds, checksums or not", () => {
  const header = makeHeader(FILE_ID);
  const cases: Record<string, RecordFields> = {
    "no key": { keyBytes: 0 },
    "a key of 4097 bytes": { keyBytes: 4097 },
    "a key of 65535 bytes": { keyBytes: 0xffff },
    "a value that the file does not hold": { valueBytes: 1 << 20 },
    "a value of a megabyte and a byte": { valueBytes: (1 << 20) + 1 },
    "a value of 2 GiB": { valueBytes: 0x8000_0000 },
    "a value of 4 GiB": { valueBytes: 0xffff_ffff },
    "kind 0": { kind: 0 },
    "kind 3": { kind: 3 },
    "kind 255": { kind: 255 },
    "a delete with a value": { kind: 2 },
    "the reserved byte": { reserved: 1 },
    "an expiry of 2^53": { expiresAt: 1n << 53n },
    "an expiry of 2^64 - 1": { expiresAt: (1n << 64n) - 1n },
  };
  for (const [name, fields] of Object.entries(cases)) {
    const bad = makeRecord(FILE_ID, 64, VICTIM, fields);
    const good = makeRecord(FILE_ID, 64 + bad.length, HONEST);
    const { store } = openBytes(header, bad, good);
    assertEquals(store.get("victim", NOW), undefined, name);
    assertEquals(store.get("honest", NOW), HONEST.value, name);
    assertEquals(store.stats().entries, 1, name);
  }
  // The same bytes within the bounds are believed, so that the cases above fail for their reason only.
  const { store } = openBytes(header, makeRecord(FILE_ID, 64, VICTIM));
  assertEquals(store.get("victim", NOW), VICTIM.value);
});

Deno.test("Store.open() asks for no more memory than the file is long", () => {
  const bench = new Bench();
  const longest = makeRecord(FILE_ID, 64, VICTIM, { keyBytes: 4096, valueBytes: 1 << 20 });
  bench.io.setContent("c", concat(makeHeader(FILE_ID), longest));
  let longestRead = 0;
  const { pread } = bench.io;
  bench.io.pread = function (fd, bytes, length, offset) {
    longestRead = Math.max(longestRead, bytes.length);
    return pread.call(this, fd, bytes, length, offset);
  };
  bench.open().close();
  assert(longestRead <= 256, `${longestRead} bytes`);
});

Deno.test("Store.open() believes no record of another file, wherever it stands", () => {
  const otherId = new Uint8Array(16).fill(0x22);
  const header = makeHeader(FILE_ID);
  const honest = makeRecord(FILE_ID, 64, HONEST);
  const at = 64 + honest.length;
  const spliced: Record<string, Bytes> = {
    "of another file, same place": makeRecord(otherId, at, VICTIM),
    "of this file, another place": makeRecord(FILE_ID, at + 8, VICTIM),
    "of this file, 4 GiB further": makeRecord(FILE_ID, at + 2 ** 32, VICTIM),
    "a whole other file": concat(makeHeader(otherId), makeRecord(otherId, 64, VICTIM)),
  };
  for (const [name, bytes] of Object.entries(spliced)) {
    const { store, bench } = openBytes(header, honest, bytes);
    assertEquals(store.get("victim", NOW), undefined, name);
    assertEquals(store.get("honest", NOW), HONEST.value, name);
    assertMatch(bench.reports.join(), /cut \d+ unfinished bytes/, name);
  }
  // With the other file's header in front, it is the honest record that is a stranger.
  const { store } = openBytes(makeHeader(otherId), honest, makeRecord(otherId, at, VICTIM));
  assertEquals(store.get("honest", NOW), undefined);
  assertEquals(store.get("victim", NOW), VICTIM.value);
});

Deno.test("Store.open() leaves a file of another format or a later version as it is", () => {
  const files: Record<string, Bytes> = {
    "a text": latin1("smtpd_tls_loglevel = 1\n".repeat(20)),
    "Berkeley DB": concat(new Uint8Array(12), latin1("\x62\x31\x05\x00"), new Uint8Array(500)),
    "version 2": makeHeader(FILE_ID, (header) => header.setUint32(8, 2, true)),
    "version 2^32 - 1": makeHeader(FILE_ID, (header) => header.setUint32(8, 0xffff_ffff, true)),
    encryption: makeHeader(FILE_ID, (header) => header.setUint32(12, 1, true)),
    "a reserved field": makeHeader(FILE_ID, (header) => header.setUint8(59, 1)),
  };
  for (const [name, bytes] of Object.entries(files)) {
    for (const discard of [false, true]) {
      const bench = new Bench();
      bench.io.setContent("c", bytes);
      const fault = assertThrows(
        () => bench.open({ discard }),
        FatalError,
        "Cannot use",
      ) as FatalError;
      assert(fault.hint !== undefined, name);
      assertEquals(bench.io.content("c"), bytes, name);
      assertEquals(bench.io.descriptors.size, 0, name);
    }
  }
});

testDescriptors(
  "Store keeps to the folder that it opened, whatever its path leads to later",
  () => {
    inFolder((folder) => {
      const [mine, theirs] = [`${folder}/mine`, `${folder}/theirs`];
      Deno.mkdirSync(mine);
      Deno.mkdirSync(theirs);
      const store = open(`${mine}/cache`, { io: libcFileIo });
      store.put("k", latin1("v"), NOW);
      store.flush();
      Deno.renameSync(mine, `${folder}/moved`);
      Deno.symlinkSync(theirs, mine);
      store.compact();
      for (let turn = 0; turn < 10 && store.stats().compactions === 0; turn++) store.work();
      assertEquals(store.stats().compactions, 1);
      store.close();
      assertEquals([...Deno.readDirSync(theirs)], []);
      const again = open(`${folder}/moved/cache`);
      assertEquals(again.get("k", NOW), latin1("v"));
      again.close();
    });
  },
);
