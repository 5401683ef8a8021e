/**
 * Single values in the spelling that all TOML packages agree on.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { portableValue } from "../../../lib/config/toml_portable.ts";

const SPELLINGS: readonly [string, string][] = [
  ["12", "12"],
  ["'C:\\U'", "'C:\\U'"],
  ["'it''s'", "'it''s'"],
  ['"a # b"', '"a # b"'],
  ['"\\u00e9\\t\\"\\\\"', '"\\u00e9\\t\\"\\\\"'],
  ['"\\U000000E9"', '"\\u00E9"'],
  ['"\\U0001F600"', '"\u{1F600}"'],
  ['"\\\\U000000E9"', '"\\\\U000000E9"'],
  ['"""x"""', '"x"'],
  ['""""""', '""'],
  ['"""\nx\n"""', '"x\\n"'],
  ['"""\r\nx\r\n"""', '"x\\r\\n"'],
  ['"""x\\  \n\n  y"""', '"xy"'],
  ['"""x"y""z"""""', '"x\\"y\\"\\"z\\"\\""'],
  ["'''\nC:\\U \"x\"''''", '"C:\\\\U \\"x\\"\'"'],
  ["''''''", '""'],
  ['[ # one\n"a" # "two"\n, "b"\r\n]', '[  "a"  , "b" ]'],
  ["1979-05-27 07:32:00", "1979-05-27T07:32:00"],
  ['"1979-05-27 07:32:00"', '"1979-05-27 07:32:00"'],
  ["[{ x = '#' }]", "[{ x = '#' }]"],
];

Deno.test("portableValue() keeps the meaning and drops what packages disagree about", () => {
  for (const [text, expected] of SPELLINGS) assertEquals(portableValue(text), expected, text);
});

Deno.test("portableValue() refuses escapes that TOML 1.0 does not have", () => {
  for (const text of ["\\e", "\\x41", "\\/", "\\u12", "\\U0000", "\\ x", "\\ud800"]) {
    assertThrows(() => portableValue(`"${text}"`), Error, "no such");
    assertThrows(() => portableValue(`["ok", """${text}"""]`), Error, "no such");
  }
  assertThrows(() => portableValue('"\\U00110000"'), RangeError, "no such character: \\U00110000");
  assertThrows(() => portableValue('"\\U0000DFFF"'), RangeError, "no such character: \\U0000DFFF");
});

Deno.test("portableValue() takes strings of a megabyte", () => {
  const long = "x".repeat(1 << 20);
  const quotes = '""x'.repeat(1 << 18);
  assertEquals(portableValue(`"${long}"`), `"${long}"`);
  assertEquals(portableValue(`'${long}'`), `'${long}'`);
  assertEquals(portableValue(`"""${long}"""`), `"${long}"`);
  assertEquals(portableValue(`'''${long}'''`), `"${long}"`);
  assertEquals(portableValue(`"""${quotes}"""`), `"${quotes.replaceAll('"', '\\"')}"`);
});
