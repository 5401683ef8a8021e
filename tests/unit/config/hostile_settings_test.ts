/**
 * Settings that nobody writes by mistake: each is taken, or refused in bounded words with a place.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { utf8 } from "../../../lib/base/bytes.ts";
import { type Finding, FINDINGS_MAX, formatFinding } from "../../../lib/config/findings.ts";
import { importSettings } from "../../../lib/config/import/import_settings.ts";
import { loadSettings } from "../../../lib/config/settings.ts";
import { KEYS_MAX } from "../../../lib/config/toml_values.ts";
import { TEXT_LENGTH_MAX } from "../../../lib/config/toml_source.ts";

function load(text: string) {
  return loadSettings({ text, file: "postern.toml", role: "tlsproxy", overrides: [] });
}

/** The first error as one line; fails when there is none, or when the words are too many. */
function refusalOf(findings: readonly Finding[]): string {
  assert(findings.length <= 3 * (FINDINGS_MAX + 1), `${findings.length} findings`);
  const lines = findings.filter(({ severity }) => severity === "error").map(formatFinding);
  assert(lines.length > 0, "nothing is refused");
  for (const line of lines) assert(line.length < 2_000, `${line.length} characters`);
  return lines[0];
}

const MEGABYTE = 1 << 20;
const repeat = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join("");

const REFUSED: Readonly<Record<string, readonly [text: () => string, expected: string]>> = {
  "a value of a megabyte": [
    () => `max_use = "${"1".repeat(MEGABYTE - 100)}"`,
    "postern.toml:1:1: error: max_use: Cannot read a whole number",
  ],
  "a file of more than a megabyte": [
    () => "#".repeat(TEXT_LENGTH_MAX + 1),
    "characters, more than the limit of",
  ],
  "a hundred thousand keys": [
    () => repeat(100_000, (i) => `k${i}=1\n`),
    `postern.toml:${KEYS_MAX + 1}:1: error: Cannot read the file: more than ${KEYS_MAX} keys`,
  ],
  "a hundred thousand tables": [
    () => repeat(100_000, (i) => `[a${i}]\n`),
    "postern.toml:1:2: error: a0: Unknown table",
  ],
  "a hundred thousand keys in one inline table": [
    () => `tls_server_sni_maps = { ${repeat(80_000, (i) => `k${i}=1, `)} z = 1 }`,
    `Cannot read the file: more than ${KEYS_MAX} keys`,
  ],
  "ten thousand different mistakes": [
    () => repeat(9_000, (i) => `k${i} = no\n`),
    'postern.toml:1:6: error: Cannot read a value: text without quotes, "no"',
  ],
  "one key, a hundred thousand times": [
    () => "max_use = 1\n".repeat(80_000),
    'postern.toml:2:1: error: Cannot take the key "max_use": given twice, first in line 1',
  ],
  "arrays in arrays": [
    () => `max_use = ${"[".repeat(500_000)}`,
    "postern.toml:1:20: error: Cannot read the file: nested more than 8 deep",
  ],
  "tables in tables": [
    () => `max_use = ${"{a=".repeat(300_000)}`,
    "nested more than 8 deep",
  ],
  "a path of a hundred thousand names": [
    () => `${"a.".repeat(100_000)}a = 1`,
    "postern.toml:1:17: error: Cannot read the file: nested more than 8 deep",
  ],
  "an array of a hundred thousand elements for a number": [
    () => `max_use = [${'"a",'.repeat(100_000)}]`,
    "postern.toml:1:1: error: max_use: Cannot take an array here",
  ],
  "a circle of a thousand names": [
    () => repeat(1_000, (i) => `n${i} = "$n${(i + 1) % 1_000}"\n`) + 'syslog_name = "$n0"\n',
    "more than 100 nested expansions",
  ],
  "a chain of nine thousand names": [
    () => repeat(9_000, (i) => `n${i} = "$n${i + 1}"\n`) + 'syslog_name = "$n0"\n',
    "postern.toml:9001:1: error: syslog_name: Cannot expand",
  ],
  "brackets in brackets": [
    () => `syslog_name = "${"${a?{".repeat(60_000)}x${"}}".repeat(60_000)}"\na = "1"`,
    "postern.toml:1:1: error: syslog_name: Cannot expand",
  ],
  "comparisons in comparisons": [
    () => `syslog_name = "${"${{".repeat(90_000)}x${"} == {}}".repeat(90_000)}"`,
    "postern.toml:1:1: error: syslog_name: Cannot expand",
  ],
  "brackets that never close": [
    () => `syslog_name = "${"${".repeat(400_000)}"`,
    "is not closed",
  ],
  "text that doubles forty times": [
    () =>
      'n0 = "0123456789"\n' + repeat(40, (i) => `n${i + 1} = "$n${i}$n${i}"\n`) +
      'syslog_name = "$n40"\n',
    "the result is longer than",
  ],
  "a NUL in a string": [
    () => 'syslog_name = "a\0b"',
    "postern.toml:1:15: error: Cannot read a string: it holds a control character",
  ],
  "a NUL by its escape": [
    () => 'syslog_name = "a\\u0000b"',
    "postern.toml:1:1: error: syslog_name: Cannot read a value: it holds a NUL character",
  ],
  "a NUL between statements": [
    () => "max_use = 1\n\0\nmax_idle = 1\n",
    "postern.toml:2:1: error: Cannot read a key",
  ],
  "half of a surrogate pair by its escape": [
    () => 'syslog_name = "\\ud83d"',
    "postern.toml:1:15: error: Cannot read a value: no such character",
  ],
  "a surrogate pair by its escapes": [
    () => 'syslog_name = "\\ud83d\\ude00"',
    "postern.toml:1:15: error: Cannot read a value: no such character",
  ],
  "UTF-16 read as UTF-8": [
    () => [..."max_use = 1\n"].map((char) => `${char}\0`).join(""),
    "postern.toml:1:2: error: Cannot read a setting",
  ],
  "a byte order mark in the middle": [
    () => "max_use = 1\n\uFEFFmax_idle = 1\n",
    "postern.toml:2:1: error: Cannot read a key",
  ],
  "carriage returns alone": [
    () => "max_use = 1\rmax_idle = 1\r",
    "postern.toml:1:",
  ],
};

for (const [title, [text, expected]] of Object.entries(REFUSED)) {
  Deno.test(`loadSettings() refuses ${title}`, () => {
    const { settings, findings } = load(text());
    assertEquals(settings, undefined);
    assertStringIncludes(refusalOf(findings), expected);
  });
}

const TAKEN: Readonly<Record<string, readonly [text: () => string, value: string]>> = {
  "a value of a megabyte": [
    () => `syslog_name = "${"x".repeat(MEGABYTE - 20)}"`,
    "x".repeat(MEGABYTE - 20),
  ],
  "a byte order mark at the start": [() => '\uFEFFsyslog_name = "x"', "x"],
  "lines that end as on Windows": [() => '# c\r\nsyslog_name = "x"\r\n\r\n', "x"],
  "a value that mentions one name a hundred thousand times": [
    () => `a = ""\nsyslog_name = "x${"$a".repeat(100_000)}"`,
    "x",
  ],
  "names of object properties": [
    () => '__proto__ = "x"\nconstructor = "$__proto__"\nsyslog_name = "$constructor"',
    "x",
  ],
};

for (const [title, [text, value]] of Object.entries(TAKEN)) {
  Deno.test(`loadSettings() takes ${title}`, () => {
    const { settings, findings } = load(text());
    assert(settings !== undefined, findings.map(formatFinding).join("\n").slice(0, 2_000));
    assertEquals(settings.parameters.syslog_name === value, true);
  });
}

const MAIN_CFS: Readonly<Record<string, readonly [bytes: () => Uint8Array, expected: string]>> = {
  "a file of more than a megabyte": [
    () => new Uint8Array(TEXT_LENGTH_MAX + 1).fill(35),
    "more than the limit of",
  ],
  "a hundred thousand names": [
    () => utf8(repeat(100_000, (i) => `k${i}=\n`)),
    "Cannot convert the file: the result has",
  ],
  "a NUL": [() => utf8("a = b\nc = \0\n"), "main.cf:2:"],
  "UTF-16": [
    () => new Uint8Array([0xff, 0xfe, ...utf8([..."a=b\n"].map((c) => `${c}\0`).join(""))]),
    "main.cf:1:",
  ],
  "bytes that are not UTF-8": [
    () => new Uint8Array([...utf8("a = b\nc = "), 0xc3, 0x28, 10]),
    "main.cf:2:",
  ],
  "half of a surrogate pair": [
    () => new Uint8Array([...utf8("a = "), 0xed, 0xa0, 0x80, 10]),
    "main.cf:1:",
  ],
  "lines without a name": [() => utf8("= x\n".repeat(200_000)), "main.cf:1:1: error: "],
};

for (const [title, [bytes, expected]] of Object.entries(MAIN_CFS)) {
  Deno.test(`importSettings() refuses ${title}`, () => {
    const { text, findings } = importSettings({
      main: { name: "main.cf", bytes: bytes() },
      style: "strings",
      oursOnly: false,
    });
    assertEquals(text, undefined);
    assertStringIncludes(refusalOf(findings), expected);
  });
}

Deno.test("loadSettings() tells a fault that only a default shows where the value stands", () => {
  const wrong = load('smtp_tls_security_level = "encr(ypt"\n');
  assertEquals(wrong.findings.filter(({ severity }) => severity === "error").map(formatFinding), [
    'postern.toml:1:1: error: smtp_tls_security_level: Cannot read a choice: "encr(ypt" (one of ' +
    '"", "none", "may", "encrypt", "fingerprint", "dane", "dane-only", "verify", "secure")',
  ]);
  const level = load(
    'tlsproxy_client_security_level = "$smtp_tls_security_level"\ncompatibility_level = "y"\n',
  );
  assertEquals(level.findings.filter(({ severity }) => severity === "error").map(formatFinding), [
    "postern.toml:2:1: error: compatibility_level: Cannot read a compatibility level: " +
    '"y" (write a version: "3.11")',
  ]);
});

Deno.test("formatFinding() lets nothing of a file steer a terminal", () => {
  const { findings } = load('"a\\u001b[2J\\u009b\\u202e\\nb" = "x"\nmax_use = "\u009bm\u2028"\n');
  const lines = findings.map(formatFinding);
  // deno-lint-ignore no-control-regex -- these are meant
  for (const line of lines) assert(!/[\x00-\x1f\x7f-\x9f\u2028\u202e]/.test(line), line);
  assertStringIncludes(lines[0], "a\\u001b[2J\\u009b\\u202e\\u000ab: Unused parameter");
  assertStringIncludes(lines[1], '"\\u009bm\\u2028"');
});
