/**
 * Writing keys, strings, comments and native values.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/toml";
import {
  tomlComment,
  tomlKey,
  tomlNative,
  tomlPath,
  tomlString,
} from "../../../../lib/config/import/toml_text.ts";
import { type Parameter, parameterRow } from "../../../../lib/config/parameters.ts";

function rowOf(name: string): Parameter {
  const row = parameterRow(name);
  assert(row !== undefined, name);
  return row;
}

Deno.test("tomlString() writes what TOML reads back, in the plainest form", () => {
  const forms: [text: string, toml: string][] = [
    ["", '""'],
    ["high", '"high"'],
    ["a\tb # c $d ${e?{f}:{g}}", '"a\tb # c $d ${e?{f}:{g}}"'],
    ['say "x"', `'say "x"'`],
    ["C:\\new", `'C:\\new'`],
    ["it's", `"it's"`],
    [`it's "x" \\`, '"it\'s \\"x\\" \\\\"'],
    ["a\rb", '"a\\u000Db"'],
    ["bell \x07 del \x7f nel \x85", '"bell \\u0007 del \\u007F nel \\u0085"'],
    ["\uFEFFx\u2028y", '"\\uFEFFx\\u2028y"'],
    ['"\x01\\', '"\\"\\u0001\\\\"'],
    ["\\u0041", `'\\u0041'`],
    ["Grüße 🐘", '"Grüße 🐘"'],
  ];
  for (const [text, toml] of forms) {
    assertEquals(tomlString(text), toml);
    assertEquals(parse(`v = ${toml}\n`).v, text);
  }
});

Deno.test("tomlString() reads back as itself for every character of the basic plane", () => {
  for (let start = 1; start < 0xd800; start += 64) {
    let text = "'\"\\";
    for (let code = start; code < start + 64; code++) text += String.fromCharCode(code);
    assertEquals(parse(`v = ${tomlString(text)}\n`).v, text);
  }
});

Deno.test("tomlKey() quotes names that are no bare keys", () => {
  assertEquals(["smtpd_tls_CAfile", "a-b", "007"].map(tomlKey), ["smtpd_tls_CAfile", "a-b", "007"]);
  assertEquals(["foo.bar", "ü", 'a"b', "a'b\\"].map(tomlKey), [
    '"foo.bar"',
    '"ü"',
    `'a"b'`,
    `"a'b\\\\"`,
  ]);
  assertEquals(tomlPath(["instance", "a.b", "parameters"]), 'instance."a.b".parameters');
});

Deno.test("tomlComment() makes a comment of any text, and shows what TOML forbids", () => {
  assertEquals(["# a", "#a", "#", "a", ""].map(tomlComment), ["# a", "#a", "#", "# a", "#"]);
  assertEquals(tomlComment("# a\x00b\rc\ttab"), "# a\\u0000b\\u000Dc\ttab");
});

Deno.test("tomlNative() writes arrays, booleans and integers where they mean the same", () => {
  const forms: [name: string, text: string, toml: string][] = [
    ["smtpd_tls_ask_ccert", "yes", "true"],
    ["smtpd_tls_ask_ccert", "NO", "false"],
    ["smtpd_tls_ask_ccert", "maybe", '"maybe"'],
    ["smtpd_tls_ask_ccert", "", '""'],
    ["tlsproxy_tls_ask_ccert", "$smtpd_tls_ask_ccert", '"$smtpd_tls_ask_ccert"'],
    ["tls_random_bytes", "32", "32"],
    ["tls_random_bytes", "010", '"010"'],
    ["tls_random_bytes", "-5", "-5"],
    ["tls_random_bytes", "-0", '"-0"'],
    ["tls_random_bytes", "+5", '"+5"'],
    ["tls_random_bytes", "4294967296", '"4294967296"'],
    ["tls_random_bytes", "0x10", '"0x10"'],
    ["ipc_timeout", "3600", "3600"],
    ["ipc_timeout", "3600s", '"3600s"'],
    ["ipc_timeout", "1h", '"1h"'],
    ["ipc_timeout", "-1", '"-1"'],
    ["smtpd_tls_chain_files", "/a.pem", '["/a.pem"]'],
    ["smtpd_tls_chain_files", "/a.pem,  /b.pem\t/c.pem", '["/a.pem", "/b.pem", "/c.pem"]'],
    ["smtpd_tls_chain_files", "", "[]"],
    ["smtpd_tls_chain_files", "${a} /b", '"${a} /b"'],
    ["smtpd_tls_chain_files", "{/a b}", '"{/a b}"'],
    ["smtpd_tls_protocols", ">=TLSv1.2:!SSLv2", '[">=TLSv1.2", "!SSLv2"]'],
    ["smtpd_tls_loglevel", "1", "1"],
    ["smtpd_tls_loglevel", "1,trace", '["1", "trace"]'],
    ["tls_ssl_options", "NO_RENEGOTIATION, 0x10", '["NO_RENEGOTIATION", "0x10"]'],
    ["tls_ssl_options", "131072", '["131072"]'],
    ["compatibility_level", "2", "2"],
    ["compatibility_level", "3", '"3"'],
    ["compatibility_level", "3.6", '"3.6"'],
    ["syslog_name", "yes", '"yes"'],
    ["syslog_name", "1", '"1"'],
    ["tls_high_cipherlist", "HIGH:!aNULL", '"HIGH:!aNULL"'],
    ["smtpd_tls_security_level", "may", '"may"'],
  ];
  for (const [name, text, toml] of forms) {
    assertEquals(tomlNative(text, rowOf(name)), toml, `${name} = ${text}`);
  }
});

Deno.test("tomlNative() changes no text of a name that has no row", () => {
  const forms = {
    yes: "true",
    no: "false",
    YES: '"YES"',
    "5": "5",
    "05": '"05"',
    "a, b": '"a, b"',
  };
  for (const [text, toml] of Object.entries(forms)) assertEquals(tomlNative(text, undefined), toml);
});

Deno.test("tomlNative() gives each element of a long array a line", () => {
  const files = Array.from({ length: 4 }, (_, i) => `/etc/postfix/certificates/chain-${i}.pem`);
  assertEquals(
    tomlNative(files.join(" "), rowOf("smtpd_tls_chain_files")),
    `[\n${files.map((file) => `  "${file}",\n`).join("")}]`,
  );
});
