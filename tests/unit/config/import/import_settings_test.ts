/**
 * Whole files, by the rules of the conversion.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findDifferences } from "../../../../lib/config/import/read_back.ts";
import { TomlWriter } from "../../../../lib/config/import/toml_writer.ts";
import { loadSettings } from "../../../../lib/config/settings.ts";
import { KEYS_MAX } from "../../../../lib/config/toml_scan.ts";
import { bodyOf, convert, linesOf, textOf, valueIn } from "./_convert.ts";

Deno.test("importSettings() keeps order, comments and blank lines", () => {
  const main = `# Head

compatibility_level = 3.6
#off = 1
biff = no

  # indented
smtpd_tls_chain_files = /a.pem,
# between
    /b.pem
# tail`;
  assertEquals(
    textOf(main),
    `# Converted by \`postern config import\` from /etc/postfix/main.cf.

# Head

compatibility_level = "3.6"
#off = 1
biff = "no"

# indented
# between
smtpd_tls_chain_files = "/a.pem,    /b.pem"
# tail
`,
  );
});

Deno.test("importSettings() writes the last of several values, and the others as comments", () => {
  const main = "relayhost = a\nbiff = no\nrelayhost = b\nrelayhost = b\n";
  assertEquals(
    bodyOf(main),
    `biff = "no"
# Line 2 does not count: relayhost = "a"
# Line 4 does not count: relayhost = "b"
relayhost = "b"
`,
  );
  const duplicates = linesOf(main).filter((line) => line.includes("does not count"));
  assertEquals(duplicates.length, 1, "the same value twice is no surprise");
  assertMatch(duplicates[0], /^\/etc\/postfix\/main.cf:4:1: warning: relayhost: .* line 1 /);
});

Deno.test("importSettings() quotes names that are no bare keys of TOML", () => {
  const names = ["foo.bar", "a'b", 'a"b', "grün", "[x]", "__proto__", "a.b.c", "-"];
  const text = textOf(names.map((name, i) => `${name} = ${i}\n`).join(""));
  names.forEach((name, i) => assertEquals(valueIn(text, name)?.canonical, String(i), name));
});

Deno.test("importSettings() puts names that clash with tables or keys of ours below [parameters]", () => {
  const main = "cache = hub\n# about mode\nmode = $cache/x\nsyslog_name = $mode\nbiff = no\n";
  assertEquals(
    bodyOf(main),
    `# about mode
syslog_name = "$mode"
biff = "no"

[parameters]
# postern has tables or keys of these names, so they stand here.
cache = "hub"
mode = "$cache/x"
`,
  );
  assertEquals(valueIn(textOf(main), "syslog_name")?.expanded, "hub/x");
});

Deno.test("importSettings() writes all top-level keys before the first table", () => {
  const text = textOf("service = a\nbiff = no\ntls = b\nrelayhost = c\n", {
    master: "tlsmgr unix - - n - 1 tlsmgr -v -o ipc_timeout=5\n",
  });
  const firstTable = text.indexOf("\n[");
  for (const key of ["compatibility_level", "biff", "relayhost"]) {
    const at = text.indexOf(`\n${key} = `);
    assert(at > 0 && at < firstTable, key);
  }
});

Deno.test("importSettings() always writes compatibility_level", () => {
  const text = textOf("biff = no\n");
  assertMatch(text, /\ncompatibility_level = "0"\n\nbiff/);
  assertMatch(textOf("biff = no\n", { style: "native" }), /\ncompatibility_level = 0\n/);
  assertEquals(textOf("compatibility_level = 2\n").match(/compatibility_level/g)?.length, 1);
  assertEquals(valueIn(text, "smtpd_tls_fingerprint_digest")?.expanded, "md5");
});

Deno.test("importSettings() writes config_directory where a value needs it and main.cf does not say", () => {
  const needs = "indexed = lmdb:${config_directory}/\ntls_random_exchange_name = ${indexed}x\n";
  assertEquals(valueIn(textOf(needs), "tls_random_exchange_name")?.expanded, "lmdb:/etc/postfix/x");
  assert(!textOf("biff = no\n").includes("config_directory"));
  const given = textOf(`${needs}config_directory = /etc/other\n`);
  assertEquals(given.match(/^config_directory = .*$/mg), ['config_directory = "/etc/other"']);
  const [unknown] = linesOf(needs, { folderUnknown: true });
  assertMatch(unknown, /config_directory: Taken to be \/etc\/postfix/);
});

Deno.test("importSettings() tells of values that need a default which only Postfix knows", () => {
  const main =
    "smtpd_tls_cert_file = /etc/live/$name/x.pem\nname = ${myhostname}\nbiff = $mydomain\n";
  const told = (lines: string[]) => lines.filter((line) => line.includes("going to be empty"));
  const [line, ...more] = told(linesOf(main));
  assertMatch(line, /main.cf:2:1: warning: name: \$myhostname is .*postconf -h myhostname/);
  assertEquals(more, []);
  assertEquals(told(linesOf(`${main}myhostname = mx.example.test\n`)), []);
});

Deno.test("importSettings() keeps every value as it is, and so does the loader", () => {
  const values = [
    "",
    "a # b",
    "'single'",
    `'"both"' \\ $$`,
    "C:\\x\\u0041",
    "${a?{b}:{c}} {d  e}",
    "=x=",
    "[1, 2]",
    "true",
    "1979-05-27",
    '"""',
    "'''",
    "\x01\x1b\x7f",
    "a\rb",
    "ümläut 🐘 \u2028 \uFEFF",
    "x".repeat(50_000),
  ];
  for (const style of ["strings", "native"] as const) {
    const text = textOf(values.map((value, i) => `v${i} = ${value}\n`).join(""), { style });
    values.forEach((value, i) => assertEquals(valueIn(text, `v${i}`)?.canonical, value));
  }
});

Deno.test("importSettings() writes native values on request", () => {
  const main = `smtpd_tls_ask_ccert = yes
tls_random_bytes = 64
ipc_timeout = 1h
smtpd_tls_chain_files = /a.pem,
    /b.pem
smtpd_tls_mandatory_protocols = $smtpd_tls_protocols
mailbox_size_limit = 0
smtpd_banner = $myhostname
`;
  assertEquals(
    bodyOf(main, { style: "native" }),
    `smtpd_tls_ask_ccert = true
tls_random_bytes = 64
ipc_timeout = "1h"
smtpd_tls_chain_files = ["/a.pem", "/b.pem"]
smtpd_tls_mandatory_protocols = "$smtpd_tls_protocols"
mailbox_size_limit = 0
smtpd_banner = "$myhostname"
`,
  );
  const settings = (style: "native" | "strings") =>
    loadSettings({
      text: textOf(main, { style }),
      file: "/etc/postern/postern.toml",
      role: "tlsproxy",
      overrides: [],
    }).settings;
  assert(settings("strings") !== undefined);
  assertEquals(settings("native"), settings("strings"));
});

Deno.test("importSettings() leaves out what others read on request, and lists it", () => {
  const main = `# general
myhostname = mx.example.test
mydomain = example.test
unused = $mydomain
biff = no

syslog_name = $tag
tag = \${sub?{$mydomain}}
sub = 1
`;
  assertEquals(
    bodyOf(main, { oursOnly: true }),
    `# general
mydomain = "example.test"

syslog_name = "$tag"
tag = "\${sub?{$mydomain}}"
sub = "1"

# Left out, because neither tlsmgr nor tlsproxy reads them:
#   myhostname
#   unused
#   biff
`,
  );
  const { summary } = convert(main, { oursOnly: true });
  assertEquals(summary?.leftOut, ["myhostname", "unused", "biff"]);
});

Deno.test("importSettings() converts a line that Postfix skips into a comment", () => {
  assertStringIncludes(textOf("  foo = bar\n"), "\n# Skipped by Postfix:   foo = bar\n");
});

Deno.test("importSettings() gives no text when there is an error, but all errors of both files", () => {
  const { text, findings } = convert("biff\n=x\n", { master: "tlsmgr unix\n" });
  assertEquals(text, undefined);
  assertEquals(findings.map(({ file, line, severity }) => `${file}:${line} ${severity}`), [
    "/etc/postfix/main.cf:1 error",
    "/etc/postfix/main.cf:2 error",
    "/etc/postfix/master.cf:1 error",
  ]);
  assert(findings.every(({ hint }) => hint !== undefined));
});

Deno.test("importSettings() converts a value that will be refused, and tells of it in its place", () => {
  const main = "# c\nipc_timeout = soon\nsmtpd_tls_loglevel = 1\nsmtpd_tls_ciphers = $-\n";
  const text = textOf(main);
  assertEquals(valueIn(text, "ipc_timeout")?.canonical, "soon");
  const lines = linesOf(main).filter((line) => line.includes("config check will refuse"));
  assertEquals(lines.length, 2);
  assertMatch(lines[0], /^\/etc\/postfix\/main.cf:2:1: warning: ipc_timeout: .*"soon"/);
  assertMatch(lines[1], /^\/etc\/postfix\/main.cf:4:1: warning: smtpd_tls_ciphers: /);
});

Deno.test("importSettings() refuses what would be too large for a settings file", () => {
  const many = Array.from({ length: KEYS_MAX + 1 }, (_, i) => `n${i} = 1\n`).join("");
  const { text, findings } = convert(many);
  assertEquals(text, undefined);
  assertStringIncludes(findings.at(-1)?.message ?? "", `${KEYS_MAX + 2} keys`);
  const { text: fits } = convert(many, { oursOnly: true });
  assert(fits !== undefined);
});

Deno.test("importSettings() takes time in proportion to the length of a value", () => {
  // What takes a square of time would not end here.
  for (const piece of ["/", " ", "$", "${", "{", "$a", "'", ",", "9"]) {
    const value = `x${piece.repeat(400_000 / piece.length)}x`;
    const main = `queue_directory = ${value}\nsmtpd_tls_chain_files = ${value}\n`;
    for (const style of ["strings", "native"] as const) {
      const { differences } = convert(main, { style, master: "tlsmgr unix - - n - 1 tlsmgr\n" });
      assertEquals(differences, []);
    }
  }
});

Deno.test("importSettings() sorts the names by what becomes of them", () => {
  const { summary } = convert(
    "smtpd_tls_security_level = may\nsmtpd_tls_dh512_param_file = x\nmyhostname = a\nmine = b\n" +
      "process_id = 5\nmax_use = 5\ntls_random_bytes = 9\n",
  );
  assertEquals(summary?.obeyed, [
    "compatibility_level",
    "smtpd_tls_security_level",
    "tls_random_bytes",
  ]);
  assertEquals(summary?.idle, ["smtpd_tls_dh512_param_file", "process_id", "max_use"]);
  assertEquals(summary?.foreign, ["myhostname"]);
  assertEquals(summary?.unknown, ["mine"]);
});

Deno.test("importSettings() counts a parameter of an instance by what the instance does", () => {
  const main = "compatibility_level = 3.6\n";
  const master = (value: string) =>
    `tlsproxy unix - - n - 0 tlsproxy -o smtpd_tls_loglevel=1\n` +
    `edge unix - - n - 0 tlsproxy -o smtpd_tls_loglevel=${value}\n`;
  const { summary, findings } = convert(main, { master: master("2") });
  assertEquals(summary?.obeyed, ["compatibility_level", "smtpd_tls_loglevel"]);
  assertEquals(summary?.notObeyed, []);
  assertEquals(findings.filter(({ message }) => /nothing obeys/.test(message)), []);
  const other = "edge unix - - n - 0 tlsproxy -o tlsproxy_client_level=may\n";
  assertEquals(convert(main, { master: other }).summary?.notObeyed, ["tlsproxy_client_level"]);
});

Deno.test("findDifferences() finds a changed, a missing and an additional key", () => {
  const writer = new TomlWriter("strings");
  writer.parameter("relayhost", "a");
  writer.parameter("foo.bar", "b");
  writer.table(["tlsmgr"]);
  writer.parameter("ipc_timeout", "5");
  writer.table(["service", "tlsmgr"]);
  writer.ownKey("socket", "/q/private/tlsmgr");
  const { text, keys, style } = writer;
  const differences = (changed: string) => findDifferences({ text: changed, keys, style });
  assertEquals(differences(text), []);
  assertEquals(differences(text.replace('"a"', '"A"')), ["relayhost"]);
  assertEquals(differences(text.replace('"b"', '" b c"')), ["foo.bar"]);
  assertEquals(differences(text.replace('"5"', "5")), ["tlsmgr.ipc_timeout"]);
  assertEquals(differences(text.replace(/socket = .*/, "")), ["service.tlsmgr.socket"]);
  assertEquals(differences(`more = "x"\n${text}`), ['["more"]']);
  assertEquals(differences(`[parameters]\nrelayhost = "a"\n${text}`).length > 0, true);
  assertStringIncludes(differences(`${text}=`)[0], "error");
});
