/**
 * The toml-test corpus, valid and invalid, through the settings loader.
 *
 * @module
 */

import { assert, assertEquals, assertExists } from "@std/assert";
import { parse } from "@std/toml";
import { readToml } from "../../lib/config/toml_source.ts";
import { interopTest } from "../support/interop.ts";
import {
  corpusNames,
  firstDifference,
  plainFromDocument,
  plainFromJson,
  TOML_CORPUS,
} from "../support/toml_corpus.ts";

const needsCorpus = { needsPostern: false, needsPaths: [TOML_CORPUS] };

/** What the loader itself judges otherwise than the corpus, and why it cannot hurt. */
const LOADER_WRONG: Readonly<Record<string, string>> = {
  "integer/long": "64-bit integers are refused with their place; no setting goes beyond 32 bits",
  "string/escape-esc": "\\e is refused with its place: TOML 1.0 does not have it",
  "datetime/datetime": "refused with another message; no setting is a date, all are refused",
  "datetime/no-secs": "no setting is a date: every date is refused by its kind",
  "datetime/hour-over": "no setting is a date: every date is refused by its kind",
};

/**
 * What the TOML package judges otherwise than the corpus when it gets a whole file; each package has
 * some of these. It never gets one from the loader, only single values in their plainest spelling.
 */
const PACKAGE_WRONG: Readonly<Record<string, readonly string[]>> = {
  "the loader's own scan keeps the names that are taken": [
    "array/extending-table",
    "array/tables-1",
    "implicit-and-explicit-after",
    "inline-table/add",
    "inline-table/duplicate-key",
    "inline-table/overwrite",
    "key/after-array",
    "key/after-table",
    "key/after-value",
    "key/dotted-redefine-table",
    "key/duplicate",
    "key/duplicate-keys",
    "key/no-eol",
    "table/without-super",
  ],
  "the loader's own scan refuses control characters": [
    ...["cr", "del", "lf", "null", "us"].map((name) => `control/comment-${name}`),
    ...["del", "lf", "null", "us"].flatMap((name) => [
      `control/multi-${name}`,
      `control/rawmulti-${name}`,
      `control/rawstring-${name}`,
      `control/string-${name}`,
    ]),
    "control/string-bs",
  ],
  "the loader's own scan delimits values and lets comments fall": [
    "comment/tricky",
    "inline-table/linebreak-1",
    "inline-table/linebreak-2",
    "inline-table/linebreak-3",
    "inline-table/linebreak-4",
    "inline-table/trailing-comma",
  ],
  "the loader respells strings before the package sees them": [
    "string/bad-codepoint",
    "string/bad-uni-esc-3",
    "string/basic-byte-escapes",
    "string/basic-multiline-out-of-range-unicode-escape-2",
    "string/basic-out-of-range-unicode-escape-2",
    "string/multiline",
    "string/multiline-quotes",
  ],
  "the loader reads integers itself": ["integer/capital-hex"],
  "the loader is as wrong, see above": Object.keys(LOADER_WRONG),
};

/** Nothing when the file is not UTF-8, which is for whoever reads files to refuse. */
function textOf(path: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

interopTest("readToml() reads the corpus's valid files as the corpus says", () => {
  const names = corpusNames("valid");
  assert(names.length >= 100, `${names.length} files`);
  for (const name of names) {
    const text = Deno.readTextFileSync(`${TOML_CORPUS}/valid/${name}.toml`);
    const document = readToml(text);
    if (document.faults.length > 0) {
      assertExists(LOADER_WRONG[name], `${name}: ${document.faults[0].message}`);
      continue;
    }
    const json = JSON.parse(Deno.readTextFileSync(`${TOML_CORPUS}/valid/${name}.json`));
    const difference = firstDifference(plainFromDocument(document), plainFromJson(json));
    assertEquals(difference, undefined, name);
  }
}, needsCorpus);

interopTest("readToml() refuses the corpus's invalid files, each with a place", () => {
  const names = corpusNames("invalid");
  assert(names.length >= 230, `${names.length} files`);
  let read = 0;
  for (const name of names) {
    const text = textOf(`${TOML_CORPUS}/invalid/${name}.toml`);
    if (text === undefined) continue;
    read++;
    const { faults, entries } = readToml(text);
    if (faults.length === 0) {
      assertExists(LOADER_WRONG[name], name);
      // What is let through by mistake may be a date only.
      assertEquals(entries.map(({ value }) => value.type), ["date"], name);
    }
    for (const { place, message } of faults) assertExists(place, `${name}: ${message}`);
  }
  assert(read >= 220, `${read} files are UTF-8`);
}, needsCorpus);

interopTest("the TOML package misjudges no file of the corpus that is not listed", () => {
  const listed = new Set(Object.values(PACKAGE_WRONG).flat());
  for (const folder of ["valid", "invalid"] as const) {
    for (const name of corpusNames(folder)) {
      const text = textOf(`${TOML_CORPUS}/${folder}/${name}.toml`);
      if (text === undefined) continue;
      assert(isRead(text) === (folder === "valid") || listed.has(name), `${folder}/${name}`);
    }
  }
}, needsCorpus);

function isRead(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    // Whatever it throws: the question is only whether it takes the file.
    return false;
  }
}
