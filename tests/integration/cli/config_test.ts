/** `postern config …` with the compiled executable. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { OWN_TABLES } from "../../../lib/config/own_keys.ts";
import { PARAMETERS } from "../../../lib/config/parameters.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { READ_BY_POSTFIX } from "./_parameter_names.ts";
import { assertRefusal, postern } from "./_run.ts";

/** Ten mistakes, each of its own kind; what stands behind `#` must be said about the line. */
const MISTAKES = `\
tls_preempt_cipherlist = "perhaps"               # error: tls_preempt_cipherlist: .*"perhaps"
ipc_timeout = "soon"                             # error: ipc_timeout: .*"soon"
tls_daemon_random_bytes = 0                      # error: tls_daemon_random_bytes: .*"0"
smtpd_tls_cert_fiel = "/etc/cert.pem"            # warning: smtpd_tls_cert_fiel: .*did you mean smtpd_tls_cert_file
compatibility_level = 3.11                       # error: compatibility_level: .*3\\.11.*write "3\\.11"
syslog_name = "\${multi_instance_name"            # error: syslog_name: Cannot expand
smtpd_tls_security_level = "my"                  # error: smtpd_tls_security_level: .*"my".*one of
smtp_tls_session_cache_database = "regexp:/x"    # error: smtp_tls_session_cache_database: .*"regexp"
data_directory = "/a"
data_directory = "/b"                            # error: Cannot take the key "data_directory": given twice, first in line 9
[cache]
max_entires = 5                                  # error: cache\\.max_entires: .*did you mean max_entries
`;

Deno.test("postern config check says ten mistakes at once, each with its line and a remedy", async () => {
  await using folder = await TempFolder.make("cli");
  const config = await folder.write("a.toml", MISTAKES);
  const { code, stdout, stderr } = await postern(["config", "check", "--config", config]);
  assertEquals([code, stdout], [78, ""], stderr);
  const lines = stderr.trimEnd().split("\n");
  const expected = MISTAKES.split("\n").flatMap((line, i) => {
    const pattern = line.split("# ")[1];
    return pattern === undefined ? [] : [{ line: i + 1, pattern }];
  });
  assertEquals(expected.length, 10);
  for (const [i, { line, pattern }] of expected.entries()) {
    assert(lines[i].startsWith(`${config}:${line}:1: `), lines[i]);
    assertMatch(lines[i], new RegExp(`: ${pattern}`));
    assertMatch(lines[i], / \([^()].*\)$/, "a remedy");
  }
  assertEquals(lines.slice(10), [
    `postern: error: Cannot use the settings in ${config}: 9 errors, 1 warning`,
    "postern: hint: Correct the lines above; each begins with its place in the file",
  ]);
});

Deno.test("postern config check accepts good settings, of a file and of standard input", async () => {
  await using folder = await TempFolder.make("cli");
  const config = await folder.write("a.toml", 'smtpd_tls_security_level = "may"\n');
  const fromFile = await postern(["config", "check", "--config", config]);
  assertEquals(fromFile, { code: 0, stdout: `${config}: ok\n`, stderr: "" });
  const fromInput = await postern(["config", "check", "--config", "-"], { input: "[cache]\n" });
  assertEquals(fromInput, { code: 0, stdout: "standard input: ok\n", stderr: "" });
});

Deno.test("postern config check warns and goes on, and says the role's own faults", async () => {
  const input = 'smtpd_use_tls = true\n[tlsproxy]\nsmtpd_tls_cert_file = "/c$nobody"\n';
  const check = (...args: string[]) =>
    postern(["config", "check", "--config", "-", ...args], { input });
  const both = await check();
  assertEquals([both.code, both.stdout], [0, "standard input: ok, 2 warnings\n"], both.stderr);
  assertMatch(both.stderr, /^standard input:1:1: warning: smtpd_use_tls: Deprecated: write /m);
  assertMatch(
    both.stderr,
    /^standard input:3:1: warning: tlsproxy\.smtpd_tls_cert_file: Undefined parameter/m,
  );
  const option = await check("--role", "tlsmgr", "-o", "ipc_timeout=never");
  assertEquals([option.code, option.stdout], [78, ""]);
  assertMatch(option.stderr, /^command line: error: ipc_timeout: .*"never"/m);
});

Deno.test("postern config check says that a key is accepted and not obeyed", async () => {
  const input = '[[listener]]\naccept = "[::1]:465"\nconnect = "/run/x"\n';
  const { code, stderr } = await postern(["config", "check", "--config", "-"], { input });
  assertEquals(code, 0, stderr);
  assertMatch(
    stderr,
    /^standard input:1:\d+: warning: listener\.0: Accepted, but nothing obeys /,
  );
});

const SETTINGS = `\
compatibility_level = "3.6"
smtpd_tls_CAfile = ""
smtpd_tls_protocols = [">=TLSv1.2", "<=TLSv1.3"]
smtpd_tls_ask_ccert = true
tls_random_reseed_period = 90
smtpd_tls_cert_file = "\${folder}/cert.pem"
folder = "/etc/$$x"
[tlsproxy]
smtpd_tls_loglevel = 2
[cache]
max_entries = 7
`;

async function show(...args: string[]) {
  return await postern(["config", "show", "--config", "-", ...args], { input: SETTINGS });
}

Deno.test("postern config show prints texts as main.cf would hold them", async () => {
  const names = ["smtpd_tls_protocols", "smtpd_tls_ask_ccert", "tls_random_reseed_period"];
  assertEquals(await show(...names, "smtpd_tls_CAfile", "smtpd_tls_cert_file"), {
    code: 0,
    stdout: "smtpd_tls_protocols = >=TLSv1.2, <=TLSv1.3\n" +
      "smtpd_tls_ask_ccert = yes\n" +
      "tls_random_reseed_period = 90s\n" +
      "smtpd_tls_CAfile =\n" +
      "smtpd_tls_cert_file = ${folder}/cert.pem\n",
    stderr: "",
  });
});

Deno.test("postern config show -x expands, through defaults as well", async () => {
  const { stdout } = await show("-x", "tlsproxy_tls_key_file", "syslog_name");
  assertEquals(stdout, "tlsproxy_tls_key_file = /etc/$x/cert.pem\nsyslog_name = postfix\n");
});

Deno.test("postern config show -n shows what the file sets, and no more", async () => {
  const { code, stdout, stderr } = await show("-nx", "-o", "tls_random_bytes=64");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout,
    `\
compatibility_level = 3.6
folder = /etc/$x
smtpd_tls_CAfile =
smtpd_tls_ask_ccert = yes
smtpd_tls_cert_file = /etc/$x/cert.pem
[tlsproxy] smtpd_tls_loglevel = 2
smtpd_tls_protocols = >=TLSv1.2, <=TLSv1.3
tls_random_bytes = 64
tls_random_reseed_period = 90s
[cache] max_entries = 7
`,
  );
  assertEquals((await show("-n", "smtpd_tls_key_file")).stdout, "");
});

Deno.test("postern config show names the roles where they differ", async () => {
  const differing = await show("smtpd_tls_loglevel");
  assertEquals(
    differing.stdout,
    "[tlsmgr] smtpd_tls_loglevel = 0\n[tlsproxy] smtpd_tls_loglevel = 2\n",
  );
  const ofOne = await show("--role", "tlsproxy", "smtpd_tls_loglevel");
  assertEquals(ofOne.stdout, "smtpd_tls_loglevel = 2\n");
});

Deno.test("postern config show -d needs no file", async () => {
  const { code, stdout, stderr } = await postern(["config", "show", "-d"]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  for (
    const line of [
      "tls_random_source = dev:/dev/urandom",
      "tlsproxy_tls_key_file = $smtpd_tls_key_file",
      "smtpd_tls_CAfile =",
      '[cache] eviction = "lru"',
      "[cache] max_entries = 20000",
    ]
  ) assert(lines.includes(line), line);
});

Deno.test("postern config show warns of unknown names, and shows the others", async () => {
  const result = await show("smtpd_tls_cert_fiel", "tls_random_bytes", "cache.smtp.max_entries");
  assertEquals(result, {
    code: 0,
    stdout: "tls_random_bytes = 32\n[cache.smtp] max_entries = 7\n",
    stderr: "postern: warning: smtpd_tls_cert_fiel: unknown parameter; " +
      "did you mean smtpd_tls_cert_file?\n",
  });
});

Deno.test("postern config show says what is wrong with the file, and shows the rest", async () => {
  const input = 'ipc_timeout = "soon"\nown = "$own"\n';
  const args = ["config", "show", "-x", "--config", "-", "own", "tls_random_bytes"];
  const { code, stdout, stderr } = await postern(args, { input });
  assertEquals([code, stdout], [78, "tls_random_bytes = 32\n"], stderr);
  assertMatch(stderr, /^standard input:1:1: error: ipc_timeout: /m);
  assertMatch(stderr, /^postern: warning: own: Cannot expand \$own: it refers to itself/m);
  assertMatch(stderr, /^postern: error: Cannot rely on what is shown: .* have errors$/m);
});

Deno.test("postern config show says that there is no file, and what can be shown without", async () => {
  await using folder = await TempFolder.make("cli");
  const result = await postern(["config", "show", "--config", folder.file("none.toml")]);
  assertRefusal(result, 66, /Cannot read settings file ".*\/none\.toml": no such file or folder$/);
  assertStringIncludes(result.stderr, "config show -d");
  assertRefusal(await postern(["config", "show", "-nd"]), 64, /-n does not go with -d$/);
  assertRefusal(
    await postern(["config", "show", "-d", "-o", "a=b"]),
    64,
    /-o does not go with -d$/,
  );
});

Deno.test("postern config show --json has every parameter and every key of ours", async () => {
  const { code, stdout, stderr } = await show("--json");
  assertEquals([code, stderr], [0, ""]);
  const document = JSON.parse(stdout);
  assertEquals(document.file, "standard input");
  const names = new Set(document.parameters.map(({ name }: { name: string }) => name));
  assertEquals(Object.keys(PARAMETERS).filter((name) => !names.has(name)), []);
  for (const [part, read] of READ_BY_POSTFIX) {
    assertEquals(read.filter((name) => !names.has(name)), [], part);
  }
  const counts = [...READ_BY_POSTFIX.values()].map((read) => read.length);
  assertEquals(counts, [14, 55, 35, 25, 30]);
  const keys = document.keys.map(({ name }: { name: string }) => name);
  const ours = [...OWN_TABLES].flatMap(([table, rows]) =>
    Object.keys(rows).map((key) => `${table}.${key}`)
  );
  assertEquals(keys, ours);

  const named = (name: string) =>
    document.parameters.filter((one: { name: string }) => one.name === name);
  const [source] = named("tls_random_reseed_period");
  const { help, obeyed, ...facts } = source;
  assertMatch(help, /\.$/);
  assertEquals(typeof obeyed, "boolean");
  assertEquals(facts, {
    name: "tls_random_reseed_period",
    roles: ["tlsmgr"],
    kind: "time",
    default: "3600s",
    value: "90s",
    expanded: "90s",
    source: "file",
    line: 5,
    column: 1,
    since: "2.2",
    deprecated: null,
  });
  const levels = named("smtpd_tls_loglevel");
  assertEquals(
    levels.map((one: Record<string, unknown>) => [one.roles, one.value, one.source, one.line]),
    [[["tlsmgr"], "0", "default", undefined], [["tlsproxy"], "2", "role", 9]],
  );
  const [own] = named("folder");
  assertEquals([own.kind, own.default, own.expanded], [null, null, "/etc/$x"]);
  const entries = document.keys.find((one: { name: string }) => one.name === "cache.max_entries");
  assertEquals([entries.value, entries.default, entries.source], ["7", "20000", "file"]);
});

Deno.test("postern config example prints a file that postern config check accepts", async () => {
  const example = await postern(["config", "example"]);
  assertEquals([example.code, example.stderr], [0, ""]);
  const check = (input: string) => postern(["config", "check", "--config", "-"], { input });
  assertEquals(await check(example.stdout), {
    code: 0,
    stdout: "standard input: ok\n",
    stderr: "",
  });
  const everything = await check(example.stdout.replace(/^#(?=[a-z])/gm, ""));
  assertEquals(everything.code, 0, everything.stderr);
  assertMatch(everything.stdout, /^standard input: ok, \d+ warnings\b.*\n$/);
});
