/**
 * TOML text to flat entries: places, structure, limits.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { readToml, TEXT_LENGTH_MAX, type TomlValue } from "../../../lib/config/toml_source.ts";
import { DEPTH_MAX, FAULTS_MAX, KEYS_MAX } from "../../../lib/config/toml_scan.ts";

/** Path and a short form of the value, of each entry. */
function entriesOf(text: string): string[] {
  const { entries, faults } = readToml(text);
  assertEquals(faults, []);
  return entries.map(({ path, value }) => `${path.join("/")}=${short(value)}`);
}

function short(value: TomlValue): string {
  switch (value.type) {
    case "string":
      return JSON.stringify(value.text);
    case "boolean":
    case "integer":
      return `${value.type}:${value.value}`;
    case "array":
      return `[${value.items.map(short).join(" ")}]`;
    case "table":
      return "table";
    default:
      return `${value.type}:${value.raw}`;
  }
}

/** `line:column message` of each fault. */
function faultsOf(text: string): string[] {
  return readToml(text).faults.map(({ place, message }) =>
    `${place?.line}:${place?.column} ${message}`
  );
}

Deno.test("readToml() reads nothing from empty text and comments", () => {
  for (const text of ["", "\n\n", "# only this", "  # a\r\n\t# b\r\n"]) {
    assertEquals(entriesOf(text), []);
  }
});

Deno.test("readToml() reads every kind of value", () => {
  assertEquals(
    entriesOf(String.raw`
basic = "a\tb\u00e9 # no comment"   # comment
literal = 'C:\x'
block = """
one
two \
   three""""
raw = '''
'x' \n'''
yes = true
no = false
int = 1_000
neg = -7
hex = 0x1F
oct = 0o17
bin = 0b101
float = 1.0
exp = 1e3
date = 1979-05-27
moment = 1979-05-27 07:32:00Z
time = 07:32:00
list = ["a", 'b', 3, [true], # comment
  "]",
]
empty = []
"quoted key" = 1
'lit.eral' = 2
a.b."c.d" = 3
inline = { x = 1, y.z = "t", w = {} }
mixed = [{ x = 1 }]
`),
    [
      'basic="a\\tbé # no comment"',
      'literal="C:\\\\x"',
      'block="one\\ntwo three\\""',
      "raw=\"'x' \\\\n\"",
      "yes=boolean:true",
      "no=boolean:false",
      "int=integer:1000",
      "neg=integer:-7",
      "hex=integer:31",
      "oct=integer:15",
      "bin=integer:5",
      "float=float:1.0",
      "exp=float:1e3",
      "date=date:1979-05-27",
      "moment=date:1979-05-27 07:32:00Z",
      "time=date:07:32:00",
      'list=["a" "b" integer:3 [boolean:true] "]"]',
      "empty=[]",
      "quoted key=integer:1",
      "lit.eral=integer:2",
      "a/b/c.d=integer:3",
      "inline/x=integer:1",
      'inline/y/z="t"',
      "mixed=[table]",
    ],
  );
});

Deno.test("readToml() gives tables and elements of arrays of tables their paths", () => {
  assertEquals(
    entriesOf(`
top = 1
[a]
x = 1
[a.b]
x = 2
[[list]]
x = 3
[list.sub]
x = 4
[[list]]
x = 5
[ "q.r" . s ]
x = 6
`),
    [
      "top=integer:1",
      "a/x=integer:1",
      "a/b/x=integer:2",
      "list/0/x=integer:3",
      "list/0/sub/x=integer:4",
      "list/1/x=integer:5",
      "q.r/s/x=integer:6",
    ],
  );
  assertEquals(readToml("[a.b]\n[[c]]\nd = {}").tables.map(({ path }) => path.join("/")), [
    "a/b",
    "c/0",
    "c/0/d",
  ]);
});

Deno.test("readToml() counts lines and columns from 1, whatever the line ends", () => {
  const { entries } = readToml('\uFEFFa = 1\r\n\r\n  b = """\n\n"""\n[t]\n\tc = 2');
  assertEquals(entries.map(({ path, place }) => [path.join("."), place.line, place.column]), [
    ["a", 1, 2],
    ["b", 3, 3],
    ["t.c", 7, 2],
  ]);
});

const REPEATED: readonly [string, string][] = [
  ["a = 1\na = 2", '2:1 Cannot take the key "a": given twice, first in line 1'],
  ["a = 1\n'a' = 1", '2:1 Cannot take the key "a": given twice, first in line 1'],
  ["a = [1]\na = [2]", '2:1 Cannot take the key "a": given twice, first in line 1'],
  ["[a]\nx = 1\n[a]\ny = 1", "3:2 Cannot take the table [a]: given twice, first in line 1"],
  ["a = 1\n[a]", "2:2 Cannot take the table [a]: a is a value, first in line 1"],
  ["a = 1\n[a.b]", "2:2 Cannot take the table [a.b]: a is a value, first in line 1"],
  ["a = {}\n[a]", "2:2 Cannot take the table [a]: a is a value, first in line 1"],
  ["a.b = 1\n[a]", "2:2 Cannot take the table [a]: given twice, first in line 1"],
  ["a.b = 1\na = 2", '2:1 Cannot take the key "a": it is also a table, first in line 1'],
  ["a = 1\na.b = 2", '2:1 Cannot take the key "a.b": given twice, first in line 1'],
  ["a = { b = 1, b = 2 }", '1:14 Cannot take the key "b": given twice, first in line 1'],
  ["[a.b]\n[a]\nb.c = 1", '3:1 Cannot take the key "b.c": it is also a table, first in line 1'],
  ["[a]\n[[a]]", "2:3 Cannot take the table [a]: given twice, first in line 1"],
  ["[[a]]\n[a]", "2:2 Cannot take the table [a]: given twice, first in line 1"],
];

for (const [text, expected] of REPEATED) {
  Deno.test(`readToml() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(faultsOf(text), [expected]);
  });
}

Deno.test("readToml() passes over the keys of a refused table and reads on", () => {
  const { entries, faults } = readToml("[a]\nx = 1\n[a]\nx = 2\n[b]\nx = 3");
  assertEquals(entries.map(({ path }) => path.join(".")), ["a.x", "b.x"]);
  assertEquals(faults.length, 1);
});

Deno.test("readToml() allows a table header after its own sub-table", () => {
  assertEquals(entriesOf("[a.b]\nx = 1\n[a]\ny = 2"), ["a/b/x=integer:1", "a/y=integer:2"]);
});

const SYNTAX: readonly [string, string][] = [
  ["a = yes", '1:5 Cannot read a value: text without quotes, "yes"'],
  ["a = btree:/x, y # c", '1:5 Cannot read a value: text without quotes, "btree:/x, y"'],
  ["a = [b]", '1:6 Cannot read a value: text without quotes, "b"'],
  ["a =", "1:4 Cannot read a value: found the end of the file"],
  ["a =\nb = 1", "1:4 Cannot read a value: found the end of the line"],
  ["a", '1:2 Cannot read a setting: no "=" after the key "a"'],
  ["= 1", '1:1 Cannot read a key: found "="'],
  ["a. = 1", '1:4 Cannot read a key: found "="'],
  ["é = 1", '1:1 Cannot read a key: found "é"'],
  ['a = "x', '1:5 Cannot read a string: no closing " on its line'],
  ["a = 'x\ny'", "1:5 Cannot read a string: no closing ' on its line"],
  ['a = """x', '1:5 Cannot read a string: no closing """ before the end'],
  ["a = [1, 2", '1:5 Cannot read an array: no closing "]" before the end'],
  ["a = [1 2]", '1:8 Cannot read an array: found "2" where "," or "]" belongs'],
  ["a = { b = 1 ]", '1:13 Cannot read an inline table: found "]" where "," or "}" belongs'],
  ["[a", '1:3 Cannot read a table header: no "]" after its name'],
  ["[[a]", '1:4 Cannot read a table header: no "]]" after its name'],
  ['a = "x" y', '1:9 Cannot read the end of a line: found "y" after the value'],
  ["[a] b = 1", '1:5 Cannot read the end of a line: found "b" after the value'],
  ["a = 1 # \u0001", "1:7 Cannot read a comment: it holds a control character"],
  ['a = "\u0001"', "1:5 Cannot read a string: it holds a control character"],
  ["a = 'x\r'", "1:5 Cannot read a string: it holds a control character"],
];

for (const [text, expected] of SYNTAX) {
  Deno.test(`readToml() places the fault in ${JSON.stringify(text)}`, () => {
    assertEquals(faultsOf(text), [expected]);
  });
}

Deno.test("readToml() leaves what is in a value to the TOML package", () => {
  for (const value of ['"\\q"', "1__0", "0x", "2020-13-45", "99999999999999999999"]) {
    const faults = faultsOf(`ok = 1\nbad = ${value}`);
    assertEquals(faults.length, 1, value);
    assertStringIncludes(faults[0], "2:7 Cannot read a value: ");
  }
});

Deno.test("readToml() finds several syntax faults and keeps what is right between them", () => {
  const { entries, faults } = readToml("a = yes\nb = 1\nc = no\n[t\nd = 2\n");
  assertEquals(faults.map(({ place }) => place?.line), [1, 3, 4]);
  assertEquals(entries.map(({ path }) => path.join(".")), ["b", "d"]);
});

Deno.test("readToml() holds its limits", () => {
  const deep = (depth: number) => `a = ${"[".repeat(depth)}${"]".repeat(depth)}`;
  assertEquals(faultsOf(deep(DEPTH_MAX)), []);
  assertStringIncludes(faultsOf(deep(DEPTH_MAX + 2))[0], "nested more than 8 deep");
  assertStringIncludes(faultsOf(deep(100_000))[0], "nested more than 8 deep");
  const path = (depth: number) => Array.from({ length: depth }, () => "a").join(".");
  assertStringIncludes(faultsOf(`[${path(DEPTH_MAX + 1)}]`)[0], "nested more than 8 deep");
  assertStringIncludes(faultsOf(`${path(DEPTH_MAX + 1)} = 1`)[0], "nested more than 8 deep");
  const inline = (depth: number) => `a = ${"{a = ".repeat(depth)}1${"}".repeat(depth)}`;
  assertStringIncludes(faultsOf(inline(50_000))[0], "nested more than 8 deep");

  const many = (count: number) => Array.from({ length: count }, (_, i) => `k${i} = 1\n`).join("");
  assertEquals(faultsOf(many(KEYS_MAX)), []);
  assertEquals(faultsOf(many(KEYS_MAX + 5)), [
    `${KEYS_MAX + 1}:1 Cannot read the file: more than ${KEYS_MAX} keys and tables`,
  ]);

  assertEquals(faultsOf("[[a]]\n".repeat(KEYS_MAX + 1)).length, 1);

  assertStringIncludes(faultsOf("#".repeat(TEXT_LENGTH_MAX + 1))[0], "more than the limit");
  assertEquals(faultsOf("#".repeat(TEXT_LENGTH_MAX)), []);
  assertEquals(faultsOf("= 1\n".repeat(1000)).length <= 50, true);
});

Deno.test("readToml() takes the names of object properties as any other name", () => {
  assertEquals(
    entriesOf("__proto__ = 1\nconstructor.prototype = 2\n[toString]\n__proto__.x = 3"),
    [
      "__proto__=integer:1",
      "constructor/prototype=integer:2",
      "toString/__proto__/x=integer:3",
    ],
  );
});

Deno.test("readToml() survives every cut of a file", () => {
  const whole = 'a = "x\\"y"\n[t.u]\nb = [1, { c = """z""" }]\n[[l]]\nd.e = 1979-05-27 # end\n';
  for (let end = 0; end <= whole.length; end++) {
    for (const { place } of readToml(whole.slice(0, end)).faults) {
      assertEquals(place !== undefined && place.line >= 1 && place.column >= 1, true);
    }
  }
});

Deno.test("readToml() gives up after so many faults, and says so", () => {
  const faults = faultsOf(`${"a =\n".repeat(FAULTS_MAX)}b = 1\n`);
  assertEquals(faults.length, FAULTS_MAX);
  const more = faultsOf("a =\n".repeat(FAULTS_MAX + 5));
  assertEquals(more.length, FAULTS_MAX + 1);
  assertStringIncludes(more[FAULTS_MAX], "Cannot read the rest of the file: more than 50 faults");
});
