/**
 * Value kinds: what each accepts, and what it says about the rest.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Bounds, readValue, splitList } from "../../../lib/config/kinds.ts";

const TIME: Bounds = { kind: "time" };
const INT: Bounds = { kind: "int" };

const ACCEPTED: readonly [string, Bounds, unknown][] = [
  ["yes", { kind: "bool" }, true],
  ["No", { kind: "bool" }, false],
  ["0", INT, 0],
  ["010", INT, 10],
  [" 7", INT, 7],
  ["+7", INT, 7],
  ["-5", INT, -5],
  ["2147483647", INT, 2147483647],
  ["-2147483648", INT, -2147483648],
  ["90", TIME, 90],
  ["90s", TIME, 90],
  ["2m", TIME, 120],
  ["1h", TIME, 3600],
  ["3d", TIME, 259200],
  ["2w", TIME, 1209600],
  ["s", TIME, 0],
  ["0", { kind: "time", min: 0, max: 8640000 }, 0],
  ["100d", { kind: "time", min: 0, max: 8640000 }, 8640000],
  ["", { kind: "str" }, ""],
  ["a, b  c,,d", { kind: "list" }, ["a", "b", "c", "d"]],
  ["a:b", { kind: "list" }, ["a:b"]],
  ["!SSLv2:!SSLv3, TLSv1", { kind: "list", separators: ":" }, ["!SSLv2", "!SSLv3", "TLSv1"]],
  ["", { kind: "list" }, []],
  ["HIGH", { kind: "enum", values: ["high", "low"] }, "high"],
  ["2, Trace peerCert", { kind: "loglevel" }, ["2", "trace", "peercert"]],
  ["0x10", { kind: "mask" }, "0x10"],
  ["btree:/x", { kind: "database" }, "btree:/x"],
  ["memory:", { kind: "database" }, "memory:"],
  ["/plain/file", { kind: "database" }, "/plain/file"],
  ["3.11.2", { kind: "version" }, "3.11.2"],
];

for (const [text, bounds, expected] of ACCEPTED) {
  Deno.test(`readValue() takes ${JSON.stringify(text)} as ${bounds.kind}`, () => {
    assertEquals(readValue(text, bounds), { value: expected, problems: [] });
  });
}

const REFUSED: readonly [string, Bounds, string][] = [
  ...["true", "on", "1", "", "yes please"].map((text) =>
    [text, { kind: "bool" }, "Cannot read a yes/no value"] as [string, Bounds, string]
  ),
  ...["0x10", "7x", "", "1 2", "1.5", "--1"].map((text) =>
    [text, INT, "Cannot read a whole number"] as [string, Bounds, string]
  ),
  ["2147483648", INT, "32 bits"],
  ["-2147483649", INT, "32 bits"],
  ["0", { kind: "int", min: 1 }, "less than the minimum of 1"],
  ["11", { kind: "int", max: 10 }, "more than the maximum of 10"],
  ...["10 s", "1H", "1.5h", "-1", "", "9x", " 9", "later"].map((text) =>
    [text, TIME, "Cannot read a time"] as [string, Bounds, string]
  ),
  ["99999w", TIME, "32 bits"],
  ["101d", { kind: "time", max: 8640000 }, "more than the maximum of 8640000 seconds"],
  ["", { kind: "str", lengthMin: 1 }, "it is empty"],
  ["a\0b", { kind: "str" }, "NUL"],
  ["better", { kind: "enum", values: ["high"] }, "Cannot read a choice"],
  ["RC4:!MD5", { kind: "list", separators: ":", elementForbids: "!+-@" }, '"!MD5" begins with'],
  ["regexp:/x", { kind: "database" }, 'type "regexp"'],
  ["three", { kind: "version" }, "Cannot read a compatibility level"],
];

for (const [text, bounds, expected] of REFUSED) {
  Deno.test(`readValue() refuses ${JSON.stringify(text)} as ${bounds.kind}`, () => {
    const { value, problems } = readValue(text, bounds);
    assertEquals(value, undefined);
    assertEquals(problems.map((problem) => problem.severity), ["error"]);
    assertStringIncludes(problems[0].message, expected);
  });
}

Deno.test("readValue() reads 1h30m as one hour and says so", () => {
  const { value, problems } = readValue("1h30m", TIME);
  assertEquals(value, 3600);
  assertEquals(problems.map((problem) => problem.severity), ["warning"]);
});

Deno.test("readValue() keeps the valid words of a log level", () => {
  const { value, problems } = readValue("1, shout, peercert 10", { kind: "loglevel" });
  assertEquals(value, ["1", "peercert"]);
  assertEquals(problems.map(({ severity, message }) => [severity, message]), [
    ["warning", 'Cannot read a log level word: "shout"'],
    ["warning", 'Cannot read a log level word: "10"'],
  ]);
});

Deno.test("readValue() lowers a demoted word with a warning", () => {
  const bounds: Bounds = { kind: "enum", values: ["encrypt"], demoted: { secure: "encrypt" } };
  const { value, problems } = readValue("Secure", bounds);
  assertEquals(value, "encrypt");
  assertEquals(problems.map((problem) => problem.severity), ["warning"]);
  assertEquals(readValue("toString", bounds).value, undefined);
});

Deno.test("splitList() takes runs of separators as one", () => {
  assertEquals(splitList(" ,a,\t\r\n b , "), ["a", "b"]);
});
