/**
 * Entries of master.cf as tables.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatFinding } from "../../../../lib/config/findings.ts";
import { loadSettings } from "../../../../lib/config/settings.ts";
import { convert, type ConvertOptions, linesOf, textOf, valueIn } from "./_convert.ts";

const MAIN = "compatibility_level = 3.6\nqueue_directory = /var/spool/${x}\nx = postfix\n";

/** The tables that come of `master`, without what main.cf gives. */
function tablesOf(master: string, options: ConvertOptions & { main?: string } = {}): string {
  const text = textOf(options.main ?? MAIN, { ...options, master });
  const from = text.indexOf('x = "postfix"\n');
  return text.slice(from + 'x = "postfix"\n'.length);
}

function warningsOf(master: string, main = MAIN): string[] {
  return linesOf(main, { master }).filter((line) => line.includes("master.cf:"))
    .map((line) => line.replace("/etc/postfix/", ""));
}

Deno.test("writeServices() writes socket and mode of a role's own service", () => {
  assertEquals(
    tablesOf("tlsmgr unix - - n - 1 tlsmgr\ntlsproxy unix n - n - 0 tlsproxy\n"),
    `
[service.tlsmgr]
socket = "/var/spool/postfix/private/tlsmgr"
socket_mode = "0666"

[service.tlsproxy]
socket = "/var/spool/postfix/public/tlsproxy"
socket_mode = "0666"
`,
  );
});

Deno.test("writeServices() writes overrides into the role's table, the last of a name", () => {
  const master =
    "tlsproxy unix - - n - 0 tlsproxy -o smtpd_tls_loglevel=2 -o { syslog_name = a b }" +
    " -o smtpd_tls_loglevel=3 -o cache=x\n";
  assertStringIncludes(
    tablesOf(master),
    `
[tlsproxy]
syslog_name = "a b"
smtpd_tls_loglevel = "3"
cache = "x"
`,
  );
  assertStringIncludes(tablesOf(master, { style: "native" }), "\nsmtpd_tls_loglevel = 3\n");
  const text = textOf(MAIN, { master });
  assertEquals(valueIn(text, "syslog_name", "tlsproxy")?.expanded, "a b");
  assertEquals(valueIn(text, "syslog_name", "tlsmgr")?.expanded, "postfix");
  const [twice] = warningsOf(master);
  assertMatch(twice, /^master.cf:1:1: warning: tlsproxy: Left out: -o smtpd_tls_loglevel = "2"/);
});

Deno.test("writeServices() makes an instance of a service with another name", () => {
  assertEquals(
    tablesOf("edge.1 unix - - n - 0 tlsproxy -o smtpd_tls_loglevel=1 -i 5s\n"),
    `
[instance."edge.1"]
role = "tlsproxy"
socket = "/var/spool/postfix/private/edge.1"
socket_mode = "0666"

[instance."edge.1".parameters]
smtpd_tls_loglevel = "1"
max_idle = "5s"
`,
  );
});

Deno.test("writeServices() knows a role's service by the name that its clients use", () => {
  const main = `${MAIN}tlsproxy_service_name = edge\n`;
  const master = "edge unix - - n - 0 tlsproxy\ntlsproxy unix - - n - 0 tlsproxy\n";
  const text = textOf(main, { master });
  assertStringIncludes(text, '[service.tlsproxy]\nsocket = "/var/spool/postfix/private/edge"');
  assertStringIncludes(text, "[instance.tlsproxy]\n");
});

Deno.test("writeServices() converts unpriv and chroot", () => {
  assertEquals(
    tablesOf("tlsmgr unix - n y - 1 tlsmgr\n").replace(/\n\[service\.tlsmgr\][^]*/, ""),
    `
[service]
# tlsmgr in line 1 of master.cf: Note: unpriv is n, so it stays root
user = ""
chroot = true
`,
  );
  const widened = tablesOf("tlsmgr unix - - y - 1 tlsmgr\ntlsproxy unix - - n - 0 tlsproxy\n");
  assertStringIncludes(widened, "Widened: chroot y is for this service alone");
  assertStringIncludes(widened, "\nchroot = true\n");
  assert(!widened.includes("user = "));
});

Deno.test("writeServices() takes a dash below level 1 for chroot, as Postfix does", () => {
  const master = "tlsmgr unix - - - - 1 tlsmgr\n";
  const old = "compatibility_level = 0.9\nx = postfix\n";
  assertStringIncludes(tablesOf(master, { main: old }), "chroot = true");
  assertStringIncludes(textOf("x = postfix\n", { master }), "chroot = true");
  assert(!tablesOf(master).includes("chroot"));
});

Deno.test("writeServices() sums up -v for the log", () => {
  const master = "tlsmgr unix - - n - 1 tlsmgr -v -vv\ntlsproxy unix - - n - 0 tlsproxy\n";
  assertMatch(tablesOf(master), /\n\[log\]\n# tlsmgr [^\n]*Widened: -v [^\n]*\nverbose = 3\n$/);
  const alike = "tlsmgr unix - - n - 1 tlsmgr -v\ntlsproxy unix - - n - 0 tlsproxy -v\n";
  assertMatch(tablesOf(alike), /\n\[log\]\nverbose = 1\n$/);
  const master12 = `tlsmgr unix - - n - 1 tlsmgr -${"v".repeat(12)}\n`;
  assertMatch(tablesOf(master12), /\n\[log\]\n# [^\n]*Cut down: 12 times -v[^\n]*\nverbose = 9\n$/);
});

Deno.test("writeServices() says what is left out, as a comment and as a warning with its line", () => {
  const master = `# two services
tlsmgr unix - - n 1000? - tlsmgr -D
tlsproxy unix - - n 0 1 tlsproxy -S word
outside inet n - n - 0 tlsproxy
tlsproxy pass - - n - 0 tlsproxy
`;
  const told = [
    ["tlsmgr", 2, "Left out: wakeup 1000?"],
    ["tlsmgr", 2, "Left out: maxproc -;"],
    ["tlsmgr", 2, 'Left out: the option "-D"'],
    ["tlsproxy", 3, "Left out: maxproc 1;"],
    ["tlsproxy", 3, 'Left out: the option "-S"'],
    ["tlsproxy", 3, 'Left out: the option "word"'],
    ["outside", 4, "Not converted: a service of type inet"],
    ["tlsproxy", 5, "Not converted: a service of type pass"],
  ] as const;
  const text = tablesOf(master);
  const warnings = warningsOf(master).join("\n");
  for (const [service, line, message] of told) {
    assertStringIncludes(text, `# ${service} in line ${line} of master.cf: ${message}`);
    assertStringIncludes(warnings, `master.cf:${line}:1: warning: ${service}: ${message}`);
  }
  assertStringIncludes(text, "#   outside inet n - n - 0 tlsproxy\n");
});

Deno.test("writeServices() says nothing about columns that lose nothing", () => {
  const master = "tlsmgr unix - - n - 1 tlsmgr\ntlsproxy unix - y n 0 0 tlsproxy\n";
  assertEquals(warningsOf(master), []);
});

Deno.test("writeServices() leaves the socket alone when queue_directory cannot be expanded", () => {
  const main = "compatibility_level = 3.6\nqueue_directory = ${x\nx = postfix\n";
  const text = tablesOf("tlsmgr unix - - n - 1 tlsmgr\n", { main });
  assert(!text.includes("socket = "));
  assertStringIncludes(text, "Left out: the socket");
});

Deno.test("writeServices() warns when there is no service of ours", () => {
  const lines = linesOf(MAIN, { master: "smtp inet n - n - - smtpd\n" });
  assertStringIncludes(lines.join("\n"), "Found no service");
});

Deno.test("writeServices() drops foreign overrides with --ours-only, and keeps what values need", () => {
  const master = "tlsmgr unix - - n - 1 tlsmgr -o biff=no -o tag=x -o syslog_name=$tag\n";
  const text = tablesOf(master, { oursOnly: true });
  assertMatch(text, /\[tlsmgr\]\ntag = "x"\nsyslog_name = "\$tag"\n$/);
  assertStringIncludes(text, "Left out: -o biff;");
});

Deno.test("writeServices() gives settings that load, for both roles", () => {
  const master = Deno.readTextFileSync(
    new URL("../../../fixtures/import/proxies.master.cf", import.meta.url),
  );
  const { text, summary } = convert(MAIN, { master });
  assert(text !== undefined && summary !== undefined);
  for (const role of ["tlsmgr", "tlsproxy"] as const) {
    const { settings, findings } = loadSettings({ text, file: "/f.toml", role, overrides: [] });
    assertEquals(settings?.service.socket, `/var/spool/postfix/private/${role}`);
    assertEquals(settings?.service.socket_mode, 0o666);
    assertEquals(settings?.log.verbose, 2, findings.map(formatFinding).join("\n"));
  }
  assertEquals(valueIn(text, "syslog_name", "tlsproxy")?.expanded, "postfix/tlsproxy edge");
});
