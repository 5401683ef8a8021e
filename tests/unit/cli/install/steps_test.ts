/** What an installation decides about files that are there. */

import { assertEquals, assertThrows } from "@std/assert";
import { utf8 } from "../../../../lib/base/bytes.ts";
import { FatalError } from "../../../../lib/base/errors.ts";
import { replaceFile } from "../../../../lib/cli/install/disk.ts";
import type { Manifest } from "../../../../lib/cli/install/manifest.ts";
import { readManifest, writeManifest } from "../../../../lib/cli/install/manifest.ts";
import { planFiles, tell } from "../../../../lib/cli/install/steps.ts";
import type { WantedFile } from "../../../../lib/cli/install/wanted.ts";
import { sha256Of } from "../../../../lib/cli/install/whole_file.ts";
import { TempFolder } from "../../../support/temp_folder.ts";

/** What is told about a wanted file of `kind` where `present` is, if an earlier one was `installed`. */
async function decide(kind: WantedFile["kind"], present?: string, installed?: string) {
  await using folder = await TempFolder.make("steps");
  const path = folder.file("a/b");
  if (present !== undefined) {
    await Deno.mkdir(folder.file("a"));
    await folder.write("a/b", present);
  }
  const files = installed === undefined ? [] : [{ path, sha256: await sha256Of(utf8(installed)) }];
  const old: Manifest = { version: "0", folders: [], files };
  const wanted = { path, bytes: utf8("new"), mode: 0o644, kind };
  const steps = await planFiles([wanted, { ...wanted, path: folder.file("a/c") }], old);
  return steps.slice(0, -1).map((step) => tell(step).replaceAll(`${folder.path}/`, ""));
}

Deno.test("planFiles() makes the folders that a file needs, once", async () => {
  const written = ["folder   a", "write    a/b (3 bytes, mode 0644)"];
  assertEquals(await decide("ours"), written);
});

Deno.test("planFiles() replaces what an earlier installation wrote", async () => {
  const replaced = ["replace  a/b (3 bytes, mode 0644)"];
  assertEquals(await decide("ours", "old", "old"), replaced);
  assertEquals(await decide("executable", "old", "old"), replaced);
  assertEquals(await decide("executable", "copied by hand"), replaced);
});

Deno.test("planFiles() keeps what others have written, and settings always", async () => {
  assertEquals(await decide("ours", "old, changed", "old"), [
    "keep     a/b: it was changed by hand",
  ]);
  assertEquals(await decide("ours", "foreign"), ["keep     a/b: somebody else put it there"]);
  assertEquals(await decide("ours", "new"), ["keep     a/b: it is the same"]);
  const kept = ["keep     a/b: settings that are there are never changed"];
  assertEquals(await decide("settings", "old", "old"), kept);
});

Deno.test("replaceFile() puts a whole file with its mode in place, and leaves nothing beside it", async () => {
  await using folder = await TempFolder.make("steps");
  const path = await folder.write("file", "old", 0o600);
  replaceFile(path, utf8("new"), { mode: 0o640 });
  assertEquals(await Deno.readTextFile(path), "new");
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
  await Deno.mkdir(folder.file("full"));
  await folder.write("full/x", "");
  assertThrows(() => replaceFile(folder.file("full"), utf8("new"), { mode: 0o644 }), FatalError);
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assertEquals(names, ["file", "full"]);
});

Deno.test("readManifest() reads what writeManifest() wrote, and refuses other texts", async () => {
  await using folder = await TempFolder.make("steps");
  const path = folder.file("manifest.json");
  assertEquals(readManifest(path), undefined);
  const manifest: Manifest = {
    version: "1.2.3",
    folders: ["/a"],
    files: [{ path: "/a/b", sha256: "0".repeat(64) }],
    masterCf: { path: "/c", backup: "/d" },
  };
  await Deno.writeTextFile(path, writeManifest(manifest));
  assertEquals(readManifest(path), manifest);
  const text = writeManifest(manifest);
  for (
    const other of [
      "",
      "null",
      "{}",
      text.replace('"form": 1', '"form": 2'),
      text.replace('"/a/b"', '"a/b"'),
      text.replace("0000", "zzzz"),
      text.replace('"/d"', "7"),
    ]
  ) {
    await Deno.writeTextFile(path, other);
    assertThrows(() => readManifest(path), FatalError);
  }
});
