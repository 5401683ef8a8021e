/**
 * Mutated files of administrators: whatever comes, it is converted without loss or refused with a place.
 *
 * A second reader of main.cf, written for this test, says what each file holds, and a reader of TOML
 * that is not our own says what came out.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/toml";
import { concat, latin1, toLatin1, utf8 } from "../../../../lib/base/bytes.ts";
import { importSettings } from "../../../../lib/config/import/import_settings.ts";
import { fitsTopLevel } from "../../../../lib/config/layer_sorter.ts";
import { nightly } from "../../../support/nightly.ts";
import { type Random, seededRandom } from "../../../support/random.ts";

const FIXTURES = new URL("../../../fixtures/import/", import.meta.url);
const read = (name: string) => Deno.readFileSync(new URL(name, FIXTURES));
const MAINS = [
  "tls_server_and_client.main.cf",
  "sasl_submission.main.cf",
  "null_client.main.cf",
  "mail_hub.main.cf",
  "instance_out.main.cf",
].map(read);
const MASTER = read("proxies.master.cf");

const INPUTS = nightly(600, 60_000);
/** Pieces that mean something to one of the grammars involved. */
const PIECES = [
  ..."\n \t\r\v\f#=${}()'\"\\[],:?-o\0\x01\x7f",
  "\n\n",
  "\n ",
  "\n#",
  "\r\n",
  "$$",
  "${",
  "}}",
  "$a",
  "-o ",
  "{ ",
  " }",
  "'''",
  '"""',
  "__proto__ = 1\n",
  "service = x\n",
  "compatibility_level = 9.9.9.9\n",
  "queue_directory = ${queue_directory}\n",
  "\u00a0",
  "\uFEFF",
  "🐘",
].map(utf8);

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(result.length + 1);
    const end = Math.min(result.length, at + random(random(2) === 0 ? 8 : 300));
    const [before, middle, after] = [
      result.subarray(0, at),
      result.subarray(at, end),
      result.subarray(end),
    ];
    switch (random(6)) {
      case 0:
        result = concat(before, after);
        break;
      case 1:
        result = concat(before, middle, middle, after);
        break;
      case 2:
        result = concat(before, latin1(String.fromCharCode(random(256))), middle, after);
        break;
      case 3:
        result = concat(after, middle, before);
        break;
      default:
        result = concat(before, PIECES[random(PIECES.length)], middle, after);
    }
  }
  return result;
}

const SPACE = " \\t\\n\\v\\f\\r";

/** Values by name as bytes in latin1, or nothing if the file is to be refused. */
function readAgain(bytes: Uint8Array): Map<string, string> | undefined {
  const logical: string[] = [];
  for (const line of toLatin1(bytes).split("\n")) {
    if (new RegExp(`^[${SPACE}]*(?:#|$)`).test(line)) continue;
    if (line.includes("\0") || !isUtf8(line)) return undefined;
    if (new RegExp(`^[${SPACE}]`).test(line) && logical.length > 0) {
      logical[logical.length - 1] += line;
    } else logical.push(line);
  }
  const values = new Map<string, string>();
  for (const line of logical) {
    if (new RegExp(`^[${SPACE}]`).test(line)) continue;
    const match = new RegExp(`^([^=${SPACE}]+)[${SPACE}]*=[${SPACE}]*([^]*?)[${SPACE}]*$`).exec(
      line,
    );
    if (match === null) return undefined;
    values.set(match[1], match[2]);
  }
  return values;
}

function isUtf8(line: string): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(latin1(line));
    return true;
  } catch {
    return false;
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Strings of the top level and of `[parameters]` in a TOML text. */
function stringsOf(text: string): Map<string, unknown> {
  const { parameters, ...top } = parse(text);
  const all = [...Object.entries(top), ...(isTable(parameters) ? Object.entries(parameters) : [])];
  return new Map(all.filter(([, value]) => !isTable(value)));
}

Deno.test("importSettings() converts mutated files without loss, or refuses them with a place", () => {
  const count = { converted: 0, refused: 0 };
  for (let seed = 0; seed < INPUTS; seed++) {
    const random = seededRandom(seed);
    const main = mutate(MAINS[random(MAINS.length)], random);
    const master = random(3) === 0 ? mutate(MASTER, random) : undefined;
    const oursOnly = random(5) === 0;
    const { text, findings, differences, summary } = importSettings({
      main: { name: "main.cf", bytes: main },
      ...(master !== undefined && { master: { name: "master.cf", bytes: master } }),
      style: random(4) === 0 ? "native" : "strings",
      oursOnly,
    });
    const label = `seed ${seed}`;
    assertEquals(differences, [], label);
    const errors = findings.filter(({ severity }) => severity === "error");
    const expected = readAgain(main);
    assertEquals(errors.some(({ file }) => file === "main.cf"), expected === undefined, label);
    assertEquals(text === undefined, errors.length > 0, label);
    for (const { line, hint } of errors) assert(line !== undefined && hint !== undefined, label);
    if (text === undefined || expected === undefined) {
      count.refused++;
      continue;
    }
    count.converted++;
    assert(summary !== undefined, label);
    const found = stringsOf(text);
    for (const [name, value] of expected) {
      const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(latin1(name));
      const other = found.get(decoded);
      if (typeof other === "string") assertEquals(toLatin1(utf8(other)), value, label);
      else assert(other !== undefined || summary.leftOut.includes(decoded), `${label}: ${name}`);
      assert(oursOnly || !summary.leftOut.includes(decoded), label);
      assert(fitsTopLevel(decoded) || oursOnly || text.includes("[parameters]"), label);
    }
  }
  assert(Math.min(count.converted, count.refused) > INPUTS / 10, JSON.stringify(count));
});
