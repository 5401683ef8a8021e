/**
 * Whole files to settings and findings.
 *
 * @module
 */

import { assert, assertEquals, assertExists, assertMatch, assertStringIncludes } from "@std/assert";
import { ownText } from "../../../lib/config/describe.ts";
import {
  isObeyed,
  type Parameter,
  PARAMETERS,
  ROLE_NAMES,
} from "../../../lib/config/parameters.ts";
import { OWN_TABLES } from "../../../lib/config/own_keys.ts";
import {
  formatFinding,
  type LoadRequest,
  loadSettings,
  type Settings,
} from "../../../lib/config/settings.ts";

const FILE = "/etc/postern/postern.toml";

function load(text: string, more: Partial<LoadRequest> = {}) {
  return loadSettings({ text, file: FILE, role: "tlsproxy", overrides: [], ...more });
}

/** The findings without their file. */
function findingsOf(text: string, more: Partial<LoadRequest> = {}): string[] {
  return load(text, more).findings.map((found) => formatFinding(found).replace(`${FILE}:`, ""));
}

function settingsOf(text: string, more: Partial<LoadRequest> = {}): Settings {
  const { settings, findings } = load(text, more);
  assertExists(settings, findings.map(formatFinding).join("\n"));
  return settings;
}

Deno.test("loadSettings() gives typed defaults for an empty file", () => {
  const { settings, findings } = load("");
  assertEquals(findings, []);
  const parameters = settings?.parameters;
  assertEquals(parameters?.tls_random_bytes, 32);
  assertEquals(parameters?.tls_random_exchange_name, "/var/lib/postfix/prng_exch");
  assertEquals(parameters?.smtpd_tls_session_cache_timeout, 3600);
  assertEquals(parameters?.smtpd_tls_loglevel, ["0"]);
  assertEquals(parameters?.tlsproxy_tls_security_level, "");
  assertEquals(parameters?.tlsproxy_client_security_level, "may");
  assertEquals(parameters?.tlsproxy_tls_ask_ccert, false);
  assertEquals(parameters?.tlsproxy_tls_protocols, [">=TLSv1"]);
  assertEquals(parameters?.tlsproxy_tls_chain_files, []);
  assertEquals(parameters?.tlsproxy_client_policy_maps, []);
  assertEquals(parameters?.smtpd_tls_fingerprint_digest, "sha256");
  assertEquals(parameters?.tls_ffdhe_auto_groups, ["ffdhe2048", "ffdhe3072"]);
  assertEquals(parameters?.config_directory, "/etc/postern");
  assertEquals(parameters?.maillog_file_prefixes, ["/var", "/dev/stdout"]);
  assertEquals(parameters?.syslog_name, "postfix");
  assertEquals(parameters?.process_name, "tlsproxy");
});

Deno.test("loadSettings() gives the documented defaults of our own keys", () => {
  const { service, cache, tickets, entropy, tls, log } = settingsOf("");
  assertEquals(service, {
    mode: "detect",
    strict: false,
    reload: "signal",
    user: "postfix",
    group: "",
    chroot: false,
    recycle: false,
    drain_timeout: 300,
    settings_from_request: "match",
    require_tlsmgr: true,
    core_dumps: false,
    socket: "/var/spool/postfix/private/tlsproxy",
    socket_mode: 0o660,
    socket_group: "",
    max_connections: 1000,
    metrics: "",
    control: "",
    workers: 0,
    max_sessions: 5000,
    max_contexts: 64,
  });
  const limits = {
    max_entries: 20000,
    max_bytes: 67108864,
    max_entry_bytes: 65536,
    eviction: "lru",
    persist: true,
    compact_ratio: 2,
    compact_min_bytes: 1048576,
    sync: "interval",
  };
  assertEquals(cache as unknown, { smtpd: limits, smtp: limits, lmtp: limits });
  assertEquals(tickets, { prefetch: true });
  assertEquals(entropy, { on_failure: "continue" });
  assertEquals(tls, { enforce_req_ccert: "report", detect_truncation: false });
  assertEquals(log, { destination: "stderr", format: "postfix", verbose: 0 });
});

Deno.test("loadSettings() merges our own tables for the role and for each cache", () => {
  const text = `
queue_directory = "/q/"
tlsmgr_service_name = "manager"
[service]
drain_timeout = "5m"
[service.tlsmgr]
max_connections = 7
socket_mode = "0666"
[service.tlsproxy]
socket = "/run/p$x"
workers = 3
[cache]
persist = false
max_entry_bytes = 100
[cache.smtp]
persist = true
`;
  const manager = settingsOf(text, { role: "tlsmgr" });
  assertEquals(manager.service.socket, "/q/private/manager");
  assertEquals(manager.service.max_connections, 7);
  assertEquals(manager.service.socket_mode, 0o666);
  assertEquals(manager.service.drain_timeout, 300);
  assertEquals(manager.service.workers, 1);
  assertEquals(manager.cache.smtpd.persist, false);
  assertEquals(manager.cache.smtp.persist, true);
  assertEquals(manager.cache.smtp.max_entry_bytes, 100);
  const proxy = settingsOf(text);
  assertEquals(proxy.service.socket, "/run/p$x");
  assertEquals(proxy.service.max_connections, 1000);
  assertEquals(proxy.service.workers, 3);
});

Deno.test("Settings survive the way to another thread", () => {
  const settings = settingsOf("");
  assertEquals(structuredClone(settings), settings);
});

Deno.test("loadSettings() takes native and string forms for the same value", () => {
  const native = settingsOf(`
smtpd_tls_always_issue_session_ids = false
ipc_timeout = 90
tls_daemon_random_bytes = 16
tlsproxy_tls_loglevel = 2
tlsproxy_tls_protocols = [">=TLSv1.2", "<=TLSv1.3"]
tls_ssl_options = 0x20000
tls_disable_workarounds = ["CVE-2010-4180", 16]
tls_eecdh_auto_curves = ["X25519", "prime256v1"]
tls_ffdhe_auto_groups = []
compatibility_level = 2
`);
  const strings = settingsOf(`
smtpd_tls_always_issue_session_ids = "NO"
ipc_timeout = " 90s "
tls_daemon_random_bytes = "16"
tlsproxy_tls_loglevel = "2"
tlsproxy_tls_protocols = ">=TLSv1.2:<=TLSv1.3"
tls_ssl_options = "0x20000"
tls_disable_workarounds = "CVE-2010-4180, 0x10"
tls_eecdh_auto_curves = """X25519
  prime256v1"""
tls_ffdhe_auto_groups = ""
compatibility_level = "2"
`);
  assertEquals(native.parameters, strings.parameters);
  assertEquals(native.parameters.tls_disable_workarounds, "CVE-2010-4180, 0x10");
  assertEquals(native.parameters.tlsproxy_tls_fingerprint_digest, "md5");
});

const WRONG_FORMS: readonly [string, string][] = [
  ["compatibility_level = 3.10", "Cannot take the number 3.10"],
  ["compatibility_level = 3", "Cannot take the number 3 as a level"],
  ["compatibility_level = 1.0", "Cannot take the number 1.0"],
  ["ipc_timeout = 1979-05-27", "Cannot take a date or time"],
  ["ipc_timeout = true", "Cannot take true here"],
  ["ipc_timeout = -1", 'Cannot read a time: "-1s"'],
  ['tls_random_bytes = ["1"]', "Cannot take an array here"],
  ["smtpd_tls_ask_ccert = 1", "Cannot take the number 1 here"],
  ['smtpd_tls_ask_ccert = "true"', 'write true, false, "yes" or "no"'],
  ["smtpd_tls_protocols = [303]", "an element that is not a string: integer"],
  ["smtpd_tls_protocols = 303", "Cannot take the number 303 here"],
  ['smtpd_tls_chain_files = [["/a"]]', "an element that is not a string: array"],
  ['smtpd_tls_chain_files = ["/a b"]', 'Cannot take the element "/a b": " " separates'],
  ['smtpd_tls_chain_files = ["/a", " "]', "blank element"],
  ['tls_random_bytes = ""', "Cannot read a whole number"],
  ['queue_directory = ""', "it is empty"],
  ['tls_high_cipherlist = ["HIGH"]', "Cannot take an array here"],
  ["tls_ssl_options = -1", "it is negative"],
  ['smtpd_tls_ciphers = "invalid"', "Cannot read a choice"],
  ['tlsproxy_tls_exclude_ciphers = "!MD5"', "begins with"],
  ['tlsproxy_tls_security_level = "dane"', "Cannot read a choice"],
  ["smtpd_tls_CAfile = { a = 1 }", "Unknown table: [smtpd_tls_CAfile]"],
];

for (const [text, expected] of WRONG_FORMS) {
  Deno.test(`loadSettings() refuses ${text}`, () => {
    const { settings, findings } = load(text);
    assertEquals(settings, undefined);
    const errors = findings.filter((found) => found.severity === "error");
    assertEquals(errors.length, 1, findings.map(formatFinding).join("\n"));
    assertEquals(errors[0].line, 1);
    assertExists(errors[0].hint, "a remedy");
    assertStringIncludes(formatFinding(errors[0]), expected);
  });
}

Deno.test("loadSettings() merges layers first and expands afterwards", () => {
  const text = `
smtpd_tls_cert_file = "/global.pem"
smtpd_tls_eccert_file = "$smtpd_tls_cert_file.ec"
[tlsproxy]
smtpd_tls_cert_file = "/proxy.pem"
`;
  const manager = settingsOf(text, { role: "tlsmgr" });
  assertEquals(manager.parameters.tlsproxy_tls_eckey_file, "/global.pem.ec");
  const proxy = settingsOf(text);
  assertEquals(proxy.parameters.tlsproxy_tls_eckey_file, "/proxy.pem.ec");
  const override = { overrides: ["smtpd_tls_cert_file=/first", " smtpd_tls_cert_file = /o.pem "] };
  assertEquals(settingsOf(text, override).parameters.tlsproxy_tls_eckey_file, "/o.pem.ec");
});

Deno.test("loadSettings() takes [parameters] for the top level, and a key in one of them only", () => {
  assertEquals(
    settingsOf('[parameters]\nmulti_instance_name = "mx"').parameters.syslog_name,
    "mx",
  );
  assertEquals(findingsOf("ipc_timeout = 1\n[parameters]\nipc_timeout = 2"), [
    '3:1: error: parameters.ipc_timeout: Cannot take "ipc_timeout": given twice, first in line 1 ' +
    "(the top level and [parameters] are the same place; keep one of them)",
  ]);
});

Deno.test("loadSettings() refuses an option that is no name=value, and places faults in options", () => {
  assertEquals(findingsOf("", { overrides: ["ipc_timeout"] }), [
    'command line: error: Cannot read the option -o "ipc_timeout": it is not name=value ' +
    "(for example -o smtpd_tls_loglevel=1)",
  ]);
  assertMatch(
    findingsOf("", { overrides: ["ipc_timeout=later"] }).join("\n"),
    /^command line: error: ipc_timeout: Cannot read a time: "later" \(.*\)$/,
  );
});

Deno.test("loadSettings() follows the OpenSSL version for two defaults", () => {
  const before = settingsOf("", { openSslVersionNumber: 0x300000d0 }).parameters;
  assertEquals(before.tls_ffdhe_auto_groups, ["ffdhe2048", "ffdhe3072"]);
  const after = settingsOf("", { openSslVersionNumber: 0x30500000 }).parameters;
  assertEquals(after.tls_eecdh_auto_curves, ["?X25519MLKEM768", "DEFAULT"]);
  assertEquals(after.tls_ffdhe_auto_groups, []);
});

Deno.test("loadSettings() forces the read-only names and says when a file sets one", () => {
  const text = 'process_name = "x"\nsyslog_name = "$process_name-$service_name-$process_id"';
  const { settings, findings } = load(text, { processId: 42 });
  assertEquals(settings?.parameters.syslog_name, "tlsproxy-tlsproxy-42");
  assertEquals(findings.map(({ line, severity }) => [line, severity]), [[1, "warning"]]);
});

Deno.test("loadSettings() lets a file set config_directory, and takes the file's folder else", () => {
  const text = 'syslog_name = "$config_directory"';
  assertEquals(settingsOf(text, { file: "/a$b/c.toml" }).parameters.syslog_name, "/a$b");
  assertEquals(settingsOf(text, { file: "/c.toml" }).parameters.syslog_name, "/");
  assertEquals(settingsOf(text, { file: "c.toml" }).parameters.syslog_name, "/etc/postfix");
  assertEquals(settingsOf(`${text}\nconfig_directory = "/x"`).parameters.syslog_name, "/x");
});

Deno.test("loadSettings() warns about an unused name, unless a value mentions it", () => {
  assertEquals(findingsOf("smtpd_tls_logevel = 1\nunheard = 2"), [
    "1:1: warning: smtpd_tls_logevel: Unused parameter: neither tlsmgr nor tlsproxy reads it " +
    "(did you mean smtpd_tls_loglevel)",
    "2:1: warning: unheard: Unused parameter: neither tlsmgr nor tlsproxy reads it " +
    "(remove it, or use it in a value)",
  ]);
  assertEquals(findingsOf('smtpdtlsloglevel = "1"')[0].includes("smtpd_tls_loglevel"), true);
  assertEquals(findingsOf('tag = "edge"\nsyslog_name = "${tag?{$tag}:{postfix}}"'), []);
});

Deno.test("loadSettings() makes unused names errors when strict", () => {
  const { settings, findings } = load("unheard = 2\n[service]\nstrict = true");
  assertEquals(settings, undefined);
  assertEquals(findings.map(({ severity, line }) => [severity, line]), [["error", 1]]);
});

Deno.test("loadSettings() warns about undefined names in values", () => {
  assertEquals(findingsOf('syslog_name = "a$lost"'), [
    '1:1: warning: syslog_name: Undefined parameter: "$lost" expands to nothing ' +
    "(set lost, or remove it from the value)",
  ]);
  assertEquals(findingsOf('syslog_name = "a$mydomain"'), [
    '1:1: warning: syslog_name: Undefined parameter: "$mydomain" expands to nothing ' +
    "(its default belongs to another program of Postfix's; set mydomain too)",
  ]);
});

Deno.test("loadSettings() says what is accepted and not obeyed", () => {
  const idle = "Accepted, but nothing obeys it yet";
  for (const [name, row] of Object.entries<Parameter>(PARAMETERS)) {
    if (row.obeyed !== false) continue;
    const findings = findingsOf(`${name} = ${JSON.stringify(row.initial)}`);
    assert(findings.includes(`1:1: warning: ${name}: ${idle}`), name);
  }
  for (const [table, rows] of OWN_TABLES) {
    for (const [key, row] of Object.entries(rows)) {
      const findings = findingsOf(`[${table}]\n${key} = ${ownText(row)}`);
      const expected = isObeyed(row.obeyed, String(row.initial))
        ? []
        : [`2:1: warning: ${table}.${key}: ${idle}`];
      assertEquals(findings, expected, `${table}.${key}`);
    }
  }
});

Deno.test("isObeyed() tells values apart", () => {
  assertEquals(isObeyed(undefined, "x"), true);
  assertEquals(isObeyed(false, "x"), false);
  assertEquals(isObeyed({ only: ["", "auto"] }, "auto"), true);
  assertEquals(isObeyed({ only: ["", "auto"] }, "/dh.pem"), false);
  assertEquals(isObeyed({ except: ["syslog"] }, "syslog"), false);
  assertEquals(isObeyed({ except: ["syslog"] }, "stderr"), true);
});

Deno.test("loadSettings() notes deprecated, ignored and idle names", () => {
  assertEquals(findingsOf('smtpd_use_tls = true\nsmtpd_tls_eecdh_grade = "strong"'), [
    '1:1: warning: smtpd_use_tls: Deprecated: write smtpd_tls_security_level = "may"',
    "2:1: warning: smtpd_tls_eecdh_grade: Ignored, as by Postfix since 3.6 " +
    "(set tls_eecdh_auto_curves)",
  ]);
  const key = "tls_legacy_public_key_fingerprints";
  assertEquals(findingsOf(`${key} = "no"`), []);
  assertEquals(findingsOf(`${key} = "yes"`), [
    `1:1: warning: ${key}: Ignored, as by Postfix since 3.9 (make the fingerprints anew)`,
  ]);
  assertEquals(findingsOf("tlsproxy_tls_session_cache_timeout = 5"), [
    "1:1: warning: tlsproxy_tls_session_cache_timeout: Ignored, as by Postfix since 2.11 " +
    "(set smtpd_tls_session_cache_timeout)",
  ]);
  assertEquals(findingsOf('setgid_group = "postdrop"'), [
    "1:1: note: setgid_group: No effect: Postfix's daemons check the group and do not use it; " +
    "here it is not checked",
  ]);
});

const MISPLACED: readonly [string, string][] = [
  [
    "max_entries = 5",
    '1:1: error: max_entries: Cannot take "max_entries" at the top level: it is not a Postfix parameter (it goes below [cache])',
  ],
  [
    "[cache]\nipc_timeout = 5",
    '2:1: error: cache.ipc_timeout: Cannot take "ipc_timeout" below [cache]: it is a Postfix parameter (it goes to the top level, or below [parameters], [tlsmgr] or [tlsproxy])',
  ],
  [
    "[cache]\nmax_entires = 5",
    '2:1: error: cache.max_entires: Cannot take "max_entires" below [cache]: no such key (did you mean max_entries)',
  ],
  [
    "[service.tlsmgr]\nworkers = 2",
    '2:1: error: service.tlsmgr.workers: Cannot take "workers" below [service.tlsmgr]: no such key (it goes below [service.tlsproxy])',
  ],
  ["[chache]\nx = 1", "1:2: error: chache: Unknown table: [chache] (did you mean [cache])"],
  [
    "smtpd.tls = 1",
    '1:1: error: smtpd: Unknown table: [smtpd] (a parameter with a dot in its name needs quotes: "a.b" = "text")',
  ],
  [
    "cache = 1",
    '1:1: error: cache: Cannot take "cache" as a parameter: it is the name of a table (a parameter of that name goes below [parameters])',
  ],
  [
    '[instance.a]\nrole = "smtpd"',
    "2:1: error: instance.a.role: Cannot read the role of an instance (one of tlsmgr, tlsproxy)",
  ],
  [
    '[instance.a]\nrole = "tlsproxy"\nipc_timeout = 1',
    '3:1: error: instance.a.ipc_timeout: Cannot take "ipc_timeout" below [instance.a]: no such key (role, or a key of [service.tlsproxy])',
  ],
  [
    "[service.tlsmgr]\nsocket_mode = 660",
    '2:1: error: service.tlsmgr.socket_mode: Cannot read file mode bits: 660 (write octal digits in quotes: "0660")',
  ],
  [
    "[service.tlsproxy]\nmax_sessions = 0",
    "2:1: error: service.tlsproxy.max_sessions: Cannot accept 0: too small (1 or more)",
  ],
  [
    '[service]\nmode = "inetd"',
    '2:1: error: service.mode: Cannot read a choice: "inetd" (one of "detect", "standalone", "systemd", "master")',
  ],
  [
    "[cache]\ncompact_ratio = 0.5",
    "2:1: error: cache.compact_ratio: Cannot read a ratio (write a number of at least 1)",
  ],
];

for (const [text, expected] of MISPLACED) {
  Deno.test(`loadSettings() refuses ${JSON.stringify(text)} and says where it belongs`, () => {
    const { findings, settings } = load(text);
    assertEquals(settings, undefined);
    const errors = findings.filter((found) => found.severity === "error");
    assertEquals(errors.map((found) => formatFinding(found).replace(`${FILE}:`, "")), [expected]);
  });
}

Deno.test("loadSettings() allows a parameter with the name of a table below [parameters]", () => {
  assertEquals(findingsOf('[parameters]\ncache = "x"\nsyslog_name = "$cache"'), []);
});

Deno.test("loadSettings() finds faults in the other role's table too", () => {
  const text = '[tlsproxy]\nipc_timeout = "later"';
  assertEquals(load(text, { role: "tlsmgr" }).settings, undefined);
  assertEquals(findingsOf(text, { role: "tlsmgr" }), findingsOf(text));
  assertEquals(findingsOf(text).length, 1);
});

Deno.test("loadSettings() tells a fault in a base once", () => {
  assertEquals(findingsOf('smtpd_tls_always_issue_session_ids = "perhaps"').length, 1);
  assertEquals(findingsOf('smtpd_tls_key_file = "${"').length, 1);
  assertEquals(findingsOf('compatibility_level = "newest"').length, 1);
  assertEquals(findingsOf('smtpd_tls_security_level = "secure"'), [
    '1:1: warning: smtpd_tls_security_level: Cannot honour "secure" here: it counts as "encrypt"',
  ]);
});

Deno.test("loadSettings() finds ten mistakes in one run, each with its line and a remedy", () => {
  const text = `smtpd_tls_security_level = may
ipc_timeout = "10 s"
ipc_timeout = 10
smtpd_tls_ask_cert = true
compatibility_level = 3.10
syslog_name = "\${multi_instance_name"
max_sessions = 100
[cache]
smtp_tls_loglevel = 1
max_bytes = "64M"
[chache]
max_bytes = 1
`;
  const { settings, findings } = load(text);
  assertEquals(settings, undefined);
  assertEquals(findings.map((found) => found.line), [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);
  for (const found of findings) assertExists(found.hint, formatFinding(found));
});

Deno.test("loadSettings() gives no settings for text that is no TOML", () => {
  for (const text of ["{", "[", "\0", "a", '"', "]]>"]) {
    const { settings, findings } = load(text);
    assertEquals(settings, undefined);
    assertEquals(findings.map(({ line, severity }) => [line, severity]), [[1, "error"]], text);
  }
});

Deno.test("loadSettings() ends for values that expand without end", () => {
  const circle = findingsOf('a = "$b"\nb = "$a"\nsyslog_name = "$a"\nmail_owner = "$b"');
  assertEquals(circle.filter((found) => found.includes(": error: ")), [
    "1:1: error: a: Cannot expand $a: it refers to itself, a -> b -> a " +
    '(expressions are written as in main.cf; a real dollar sign is "$$")',
  ]);
  const growing = Array.from({ length: 90 }, (_, i) => `n${i} = "$n${i + 1}$n${i + 1}"\n`).join("");
  assertStringIncludes(
    findingsOf(`${growing}n90 = "0123456789"\nsyslog_name = "$n0"`).join("\n"),
    "the result is longer than",
  );
});

Deno.test("formatFinding() leaves out what is not known", () => {
  assertEquals(
    formatFinding({ severity: "warning", file: "f", line: 1, column: 2, message: "M" }),
    "f:1:2: warning: M",
  );
  assertEquals(
    formatFinding({ severity: "error", file: "f", key: "k", message: "M", hint: "h" }),
    "f: error: k: M (h)",
  );
});

Deno.test("the shipped example has no findings for either role", async () => {
  const text = await Deno.readTextFile(new URL("../../../config/postern.toml", import.meta.url));
  for (const role of ROLE_NAMES) {
    const { settings, findings } = load(text, { role });
    assertEquals(findings, []);
    assertEquals(
      settings?.parameters.tlsproxy_tls_loglevel,
      role === "tlsproxy" ? ["1"] : ["0"],
    );
  }
});
