/**
 * The grammar of main.cf. What Postfix makes of each text was seen with postconf(1) of release 3.7.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { latin1, utf8 } from "../../../../lib/base/bytes.ts";
import { type Finding, FindingList, FINDINGS_MAX } from "../../../../lib/config/findings.ts";
import { FILE_BYTES_MAX } from "../../../../lib/config/import/logical_lines.ts";
import { readMainCf } from "../../../../lib/config/import/main_cf.ts";

function read(text: string | Uint8Array) {
  const findings = new FindingList("main.cf");
  const items = readMainCf(typeof text === "string" ? utf8(text) : text, findings);
  return { items, findings: findings.inOrder() };
}

/** `name=value` of each parameter; nothing may have been found. */
function parametersOf(text: string | Uint8Array): string[] {
  const { items, findings } = read(text);
  assertEquals(findings.filter(({ severity }) => severity === "error"), []);
  return items.flatMap((item) => item.kind === "parameter" ? [`${item.name}=${item.value}`] : []);
}

function errorsOf(text: string | Uint8Array): string[] {
  return read(text).findings.filter(({ severity }) => severity === "error").map(short);
}

function warningsOf(text: string | Uint8Array): string[] {
  return read(text).findings.filter(({ severity }) => severity === "warning").map(short);
}

function short({ line, message, hint }: Finding): string {
  return `${line} ${message} (${hint})`;
}

Deno.test("readMainCf() splits name and value, with blanks around the equals sign or without", () => {
  for (
    const text of ["biff = no\n", "biff=no\n", "biff =no\n", "biff= no \t\n", "biff\t=\fno\v\n"]
  ) {
    assertEquals(parametersOf(text), ["biff=no"], JSON.stringify(text));
  }
  assertEquals(parametersOf("biff == x"), ["biff== x"]);
  assertEquals(parametersOf("relayhost =\nbiff = \n"), ["relayhost=", "biff="]);
});

Deno.test("readMainCf() needs no newline at the end of the file", () => {
  assertEquals(parametersOf("biff = no"), ["biff=no"]);
  assertEquals(parametersOf("biff = a\n b"), ["biff=a b"]);
  assertEquals(parametersOf(""), []);
});

Deno.test("readMainCf() takes names with any characters but white space and the equals sign", () => {
  assertEquals(parametersOf('foo.bar-baz$x = 1\nfoo"bar=2\n\\ = 3\nüber\u00a0 = 4\n'), [
    "foo.bar-baz$x=1",
    'foo"bar=2',
    "\\=3",
    "über\u00a0=4",
  ]);
});

Deno.test("readMainCf() joins continued lines and keeps the blanks that begin them", () => {
  assertEquals(parametersOf("a = 1\n  2\n\t3  \n 4\nb = 5\n"), ["a=1  2\t3   4", "b=5"]);
  assertEquals(parametersOf("biff\n = x\n"), ["biff=x"]);
});

Deno.test("readMainCf() passes over comments and blank lines inside a continued line", () => {
  assertEquals(parametersOf("a = 1\n\n# x\n 2\n\n   # y\n \t\n 3\nb = 4\n"), ["a=1 2 3", "b=4"]);
  assertEquals(parametersOf("a = 1\n#x\nb = 2\n"), ["a=1", "b=2"]);
});

Deno.test("readMainCf() puts comments from inside a value in front of it, others where they stood", () => {
  const { items } = read("# head\n\na = 1\n# in\n\n  2\n# after\n\nb = 3\n# end");
  assertEquals(items.map((item) => [item.line, "name" in item ? item.name : item.text]), [
    [1, "# head"],
    [2, ""],
    [4, "# in"],
    [3, "a"],
    [7, "# after"],
    [8, ""],
    [9, "b"],
    [10, "# end"],
  ]);
});

Deno.test("readMainCf() takes a number sign after other text for text, and says so", () => {
  const text = "biff = no # comment\nmyhostname = a#b\n";
  assertEquals(parametersOf(text), ["biff=no # comment", "myhostname=a#b"]);
  const warnings = warningsOf(text);
  assertEquals(warnings.length, 1);
  assert(/^1 .*"#".*part of the value/.test(warnings[0]), warnings[0]);
});

Deno.test("readMainCf() drops the carriage returns at the end of a value and keeps inner ones", () => {
  assertEquals(parametersOf("a = 1\r\n 2\r\n\r\n# c\r\nb = 3"), ["a=1\r 2", "b=3"]);
  assertEquals(read("# c\r\n").items, [{ kind: "comment", text: "# c", line: 1 }]);
});

Deno.test("readMainCf() skips a line that continues nothing, with what continues that one", () => {
  for (const start of ["", "# c\n", "\n\n"]) {
    const text = `${start}  foo = bar\n  more\nbiff = no\n`;
    assertEquals(parametersOf(text), ["biff=no"]);
    const [warning] = warningsOf(text);
    assertStringIncludes(warning, 'Skipped: "  foo = bar  more"');
  }
});

Deno.test("readMainCf() refuses lines without equals sign or name, all of them in one run", () => {
  const errors = errorsOf("biff\nfine = 1\nbiff no\n= value\n  = more\n\n[service]\nlast");
  assertEquals(errors.map((error) => error.replace(/ \(.*/, "")), [
    '1 Cannot read a parameter: no "=" after "biff"',
    '3 Cannot read a parameter: no "=" after "biff"',
    '4 Cannot read a parameter: no name in front of the "="',
    '7 Cannot read a parameter: no "=" after "[service]"',
    '8 Cannot read a parameter: no "=" after "last"',
  ]);
  assertStringIncludes(errors[0], "write name = value");
  assertStringIncludes(errors[3], "TOML");
});

Deno.test("readMainCf() knows master.cf when it sees it", () => {
  assertStringIncludes(errorsOf("smtp inet n - y - - smtpd\n")[0], "--master");
});

Deno.test("readMainCf() refuses NUL bytes, except in comments", () => {
  const errors = errorsOf("a = 1\0 2\n# x\0y\nb = 1\n 2\0\n\0c = 3\n");
  assertEquals(errors.map((error) => error.slice(0, 1)), ["1", "4", "5"]);
  assertStringIncludes(errors[0], "NUL");
  assertEquals(parametersOf("# x\0y\nb = 1"), ["b=1"]);
});

Deno.test("readMainCf() refuses what is not UTF-8, and reads such a comment as ISO 8859-1", () => {
  const errors = errorsOf(latin1("a = caf\xe9\n# caf\xe9\nb = 1\n\xff = 2\nc=1\n \xc3\x28"));
  assertEquals(errors.map((error) => error.slice(0, 1)), ["1", "4", "6"]);
  assertStringIncludes(errors[0], "not UTF-8");
  assertStringIncludes(errors[0], "iconv");
  const { items, findings } = read(latin1("# caf\xe9\n"));
  assertEquals(items[0], { kind: "comment", text: "# café", line: 1 });
  assertEquals(findings.map(({ severity, line }) => [severity, line]), [["warning", 1]]);
});

Deno.test("readMainCf() takes a byte order mark for part of the first name, as Postfix does", () => {
  assertEquals(parametersOf("\uFEFFbiff = no\n"), ["\uFEFFbiff=no"]);
  assertStringIncludes(warningsOf("\uFEFFbiff = no\n")[0], "byte order mark");
  assertStringIncludes(errorsOf("\uFEFF# c\n")[0], "byte order mark");
});

Deno.test("readMainCf() reads what postconf prints, folded or not", () => {
  const text =
    "biff = no\nsmtpd_relay_restrictions = permit_mynetworks,\n    reject\nrelayhost =\n";
  assertEquals(parametersOf(text), [
    "biff=no",
    "smtpd_relay_restrictions=permit_mynetworks,    reject",
    "relayhost=",
  ]);
});

Deno.test("readMainCf() says little about a file that is something else", () => {
  const noise = new Uint8Array(300_000).fill(0xff);
  for (let i = 0; i < noise.length; i += 3) noise[i] = 10;
  const { items, findings } = read(noise);
  assertEquals(findings.length, FINDINGS_MAX + 1);
  assertEquals(items, [{ kind: "blank", text: "", line: 1 }]);
  const more = `There are more than ${FINDINGS_MAX} errors; the rest is not told`;
  assertEquals(findings.at(-1)?.message, more);
});

Deno.test("readMainCf() refuses a file that could not be loaded after conversion", () => {
  const [error] = errorsOf(new Uint8Array(FILE_BYTES_MAX + 1).fill(10));
  assertStringIncludes(error, `${FILE_BYTES_MAX + 1} bytes`);
});

Deno.test("readMainCf() takes time in proportion to the length of a line", () => {
  const blanks = " ".repeat(300_000);
  const [parameter] = parametersOf(`a =${blanks}b${blanks}c${blanks}\n`);
  assertEquals(parameter.length, blanks.length + 4);
});
