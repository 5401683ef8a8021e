/**
 * Name spaces of a file: layers, instances, listeners, tables as values.
 *
 * @module
 */

import { assert, assertEquals, assertExists } from "@std/assert";
import { describeSettings } from "../../../lib/config/describe.ts";
import { listServices } from "../../../lib/config/services.ts";
import { formatFinding, type LoadRequest, loadSettings } from "../../../lib/config/settings.ts";

const FILE = "/etc/postern/postern.toml";
const IDLE = "Accepted, but nothing obeys it yet";

function load(text: string, more: Partial<LoadRequest> = {}) {
  return loadSettings({ text, file: FILE, role: "tlsproxy", overrides: [], ...more });
}

function settingsOf(text: string, more: Partial<LoadRequest> = {}) {
  const { settings, findings } = load(text, more);
  assertExists(settings, findings.map(formatFinding).join("\n"));
  return settings;
}

/** Findings of one severity without their file. */
function told(text: string, severity: string, more: Partial<LoadRequest> = {}): string[] {
  return load(text, more).findings.filter((found) => found.severity === severity).map((found) =>
    formatFinding(found).replace(`${FILE}:`, "").replace(` ${severity}:`, "")
  );
}

const INSTANCES = `
queue_directory = "/q"
syslog_name = "$service_name"
smtpd_tls_cert_file = "/global.pem"
[service.tlsproxy]
socket = "/run/tlsproxy"
max_sessions = 10
workers = 2
[tlsproxy]
smtpd_tls_cert_file = "/proxy.pem"
[instance.relay]
role = "tlsproxy"
workers = 3
[instance.relay.parameters]
smtpd_tls_key_file = "$smtpd_tls_cert_file.key"
[instance.keys]
role = "tlsmgr"
socket = "/run/keys"
`;

Deno.test("loadSettings() loads an instance over its role", () => {
  const relay = settingsOf(INSTANCES, { instance: "relay" });
  assertEquals(relay.parameters.tlsproxy_tls_key_file, "/proxy.pem.key");
  assertEquals(relay.parameters.syslog_name, "relay");
  assertEquals(relay.service.max_sessions, 10);
  assertEquals(relay.service.workers, 3);
  assertEquals(relay.service.socket, "/q/private/relay");
  const keys = settingsOf(INSTANCES, { instance: "keys", role: "tlsmgr" });
  assertEquals(keys.parameters.smtpd_tls_cert_file, "/global.pem");
  assertEquals(keys.service.socket, "/run/keys");
  const plain = settingsOf(INSTANCES);
  assertEquals(plain.parameters.tlsproxy_tls_key_file, "/proxy.pem");
  assertEquals(plain.parameters.syslog_name, "tlsproxy");
  assertEquals(plain.service.socket, "/run/tlsproxy");
  assertEquals(plain.service.workers, 2);
});

Deno.test("loadSettings() lets -o win over an instance", () => {
  const more = { instance: "relay", overrides: ["smtpd_tls_key_file=/o.pem"] };
  assertEquals(settingsOf(INSTANCES, more).parameters.tlsproxy_tls_key_file, "/o.pem");
});

Deno.test("loadSettings() says when there is no such instance of the role", () => {
  for (
    const [more, hint] of [
      [{ instance: "realy" }, "did you mean relay"],
      [{ instance: "relay", role: "tlsmgr" }, "it is one of tlsproxy"],
      [{ instance: "other" }, "write [instance.other]"],
    ] as const
  ) {
    assertEquals(load(INSTANCES, more).settings, undefined);
    const { instance, role = "tlsproxy" } = more as { instance: string; role?: string };
    assertEquals(
      load(INSTANCES, more).findings.filter(({ severity }) => severity === "error").map((found) =>
        `${found.message} (${found.hint})`
      ),
      [`Cannot find the instance "${instance}" of ${role} (${hint})`],
    );
  }
});

Deno.test("loadSettings() finds faults in every instance, whichever is loaded", () => {
  const text = `${INSTANCES}[instance.keys.parameters]\nipc_timeout = "soon"\n`;
  assertEquals(told(text, "error").length, 1);
  assertEquals(told(text, "error"), told(text, "error", { instance: "relay" }));
  assertEquals(
    told(text, "error")[0].startsWith("20:1: instance.keys.parameters.ipc_timeout"),
    true,
  );
  const key = '[instance.a]\nrole = "tlsproxy"\nworkers = -1';
  assertEquals(told(key, "error"), [
    "3:1: instance.a.workers: Cannot accept -1: too small (0 or more)",
  ]);
});

Deno.test("loadSettings() has nothing to say of an instance that is right", () => {
  assertEquals(load(INSTANCES).findings, []);
  assertEquals(settingsOf(INSTANCES, { instance: "relay" }).instance, "relay");
  assertEquals(settingsOf(INSTANCES).instance, undefined);
});

Deno.test("loadSettings() takes the name of the service from master(8)", () => {
  const given = (more: Partial<LoadRequest>) =>
    settingsOf(INSTANCES, { serviceName: "smtptls", ...more }).parameters.syslog_name;
  assertEquals(given({}), "smtptls");
  assertEquals(given({ instance: "relay" }), "smtptls");
});

Deno.test("loadSettings() warns of an instance that wants another service's socket or cache", () => {
  const text = `
queue_directory = "/q"
data_directory = "/d"
smtpd_tls_session_cache_database = "btree:$data_directory/scache"
smtp_tls_session_cache_database = "memory:x"
[instance.tlsproxy]
role = "tlsproxy"
[instance.keys]
role = "tlsmgr"
socket = "/q/private/tlsmgr"
[instance.keys.parameters]
lmtp_tls_session_cache_database = "btree:/d/lmtp"
[instance.others]
role = "tlsmgr"
[instance.others.parameters]
smtpd_tls_session_cache_database = ""
lmtp_tls_session_cache_database = "lmdb:/d/lmtp"
[instance.own]
role = "tlsmgr"
[instance.own.parameters]
smtpd_tls_session_cache_database = "btree:/d/own"
`;
  const hint = "(only one of them can run; give the instance another one)";
  assertEquals(told(text, "warning"), [
    '4:1: smtpd_tls_session_cache_database: The cache of instance keys of tlsmgr is that of tlsmgr too: "/d/scache" ' +
    hint,
    '10:1: instance.keys.socket: The socket of instance keys of tlsmgr is that of tlsmgr too: "/q/private/tlsmgr" ' +
    hint,
    "17:1: instance.others.parameters.lmtp_tls_session_cache_database: The cache of instance others of tlsmgr is " +
    `that of instance keys of tlsmgr too: "/d/lmtp" ${hint}`,
    ` instance.tlsproxy: The socket of instance tlsproxy of tlsproxy is that of tlsproxy too: "/q/private/tlsproxy" ${hint}`,
  ]);
});

Deno.test("listServices() lists the plain services and the instances with a role", () => {
  assertEquals(listServices(`${INSTANCES}[instance.none]\n[instance.bad]\nrole = "smtpd"`), [
    { role: "tlsmgr" },
    { role: "tlsproxy" },
    { role: "tlsproxy", instance: "relay" },
    { role: "tlsmgr", instance: "keys" },
  ]);
  assertEquals(listServices("[").length, 2);
});

Deno.test("loadSettings() refuses a name of an instance that cannot be a file's and a unit's", () => {
  for (const name of ["", "..", "a/b", "a b", "-a", "ü"]) {
    assertEquals(told(`[instance."${name}"]\nrole = "tlsproxy"`, "error"), [
      `1:2: instance.${name}: Cannot call an instance "${name}": it names a socket and a unit ` +
      "(use letters, digits and ._-+@:, only, and no - at the start)",
    ]);
  }
  for (const name of ["edge", "a.b", "tlsproxy-relay", "_x@1:2,3+"]) {
    assertEquals(told(`[instance."${name}"]\nrole = "tlsproxy"`, "error"), []);
  }
});

Deno.test("loadSettings() says once of each listener that nothing starts it", () => {
  const text = '[[listener]]\naccept = "[::]:465"\nconnect = "localhost:25"\nname = "a"\n' +
    'role = "server"\n[[listener]]\naccept = "/run/x"\nconnect = "h:1"\n';
  assertEquals(told(text, "warning"), [`1:3: listener.0: ${IDLE}`, `6:3: listener.1: ${IDLE}`]);
  assertEquals(told(text, "error"), []);
});

const REFUSED: readonly [string, string][] = [
  ["[instance]", "1:2: instance: Unknown table: [instance] (write [instance.NAME])"],
  ["[[instance]]", "1:3: instance.0: Unknown table: [instance] (write [instance.NAME])"],
  [
    "[instance]\nrole = 1",
    "1:2: instance: Unknown table: [instance] (write [instance.NAME])",
  ],
  [
    "[instance.a]",
    '1:2: instance.a: Cannot tell what the instance is: it has no role (write role = "tlsmgr" or role = "tlsproxy")',
  ],
  [
    '[instance.a]\nrole = "tlsmgr"\nworkers = 2',
    '3:1: instance.a.workers: Cannot take "workers" below [instance.a]: no such key (role, or a key of [service.tlsmgr])',
  ],
  [
    '[instance.a]\nrole = "tlsmgr"\n[instance.a.params]\nx = 1',
    "3:2: instance.a.params: Unknown table: [instance.a.params] (parameters go below [instance.a.parameters])",
  ],
  ["[listener]", "1:2: listener: Unknown table: [listener] (write [[listener]])"],
  [
    '[[listener]]\naccept = "a:1"',
    '1:3: listener.0: Cannot use a listener without "connect" (write connect = "host:port", or the path of a socket)',
  ],
  [
    '[[listener]]\naccept = "a:1"\nconect = "b:1"\nconnect = "c:1"',
    '3:1: listener.0.conect: Cannot take "conect" below [[listener]]: no such key (did you mean connect)',
  ],
  [
    '[[listener]]\naccept = "a:1"\nconnect = "b:1"\nrole = "both"',
    '4:1: listener.0.role: Cannot read a choice: "both" (one of "server", "client")',
  ],
  [
    '[[listener]]\naccept = "a:1"\nconnect = "b:1"\ninstance = "x"',
    '1:3: listener.0: Cannot find the instance of a listener: "x" (write [instance.x], or leave the key out)',
  ],
  [
    "listener = 1",
    '1:1: listener: Cannot take "listener" as a parameter: it is the name of a table (a parameter of that name goes below [parameters])',
  ],
  [
    "[tickets]\nprefecth = true",
    '2:1: tickets.prefecth: Cannot take "prefecth" below [tickets]: no such key (did you mean prefetch)',
  ],
  ["[[cache]]\nsync = 1", "1:3: cache.0: Unknown table: [cache.0] (did you mean [cache])"],
];

for (const [text, expected] of REFUSED) {
  Deno.test(`loadSettings() refuses ${JSON.stringify(text)}`, () => {
    assert(told(text, "error").includes(expected), told(text, "error").join("\n"));
    assertEquals(load(text).settings, undefined);
  });
}

const SNI: readonly [string, string][] = [
  [
    'tls_server_sni_maps = { "a.example" = ["/a.pem", "/b.pem"], ".c.example" = "/c.pem" }',
    "inline:{ { a.example = /a.pem, /b.pem }, { .c.example = /c.pem } }",
  ],
  [
    '[tls_server_sni_maps]\n"a.example" = "/a.pem"',
    "inline:{ { a.example = /a.pem } }",
  ],
  [
    '[tlsproxy]\ntls_server_sni_maps."a.example" = "/a.pem"',
    "inline:{ { a.example = /a.pem } }",
  ],
  ["tls_server_sni_maps = {}", ""],
  [
    'tls_server_sni_maps = ["texthash:/sni", "inline:{ {a = /a.pem, /b.pem} }"]',
    "texthash:/sni, inline:{ {a = /a.pem, /b.pem} }",
  ],
];

for (const [text, expected] of SNI) {
  Deno.test(`loadSettings() reads ${JSON.stringify(text)} as lookup tables`, () => {
    const [setting] = describeSettings({ text, file: FILE, role: "tlsproxy", overrides: [] })
      .filter(({ name }) => name === "tls_server_sni_maps");
    assertEquals(setting.canonical, expected);
    assertEquals(told(text, "error"), []);
  });
}

Deno.test("loadSettings() splits lookup tables outside of braces", () => {
  const text = 'tls_server_sni_maps = "texthash:/a, inline:{ {b = /b, /c} } pcre:/d"';
  assertEquals(settingsOf(text).parameters.tls_server_sni_maps, [
    "texthash:/a",
    "inline:{ {b = /b, /c} }",
    "pcre:/d",
  ]);
});

const BAD_SNI: readonly [string, string][] = [
  ['tls_server_sni_maps = { "a b" = "/a" }', '"a b" is not one plain word'],
  ['tls_server_sni_maps = { a = "/x, /y" }', '"/x, /y" is not one plain word'],
  ["tls_server_sni_maps = { a = [] }", "it has no files"],
  ["tls_server_sni_maps = { a = 1 }", "its value is not a string"],
  ["tls_server_sni_maps = { a = [[]] }", "its value is not a string"],
];

for (const [text, found] of BAD_SNI) {
  Deno.test(`loadSettings() refuses ${text}`, () => {
    const [message] = told(text, "error");
    assert(message.includes(found), message);
    assert(message.startsWith("1:1: tls_server_sni_maps: "), message);
  });
}

Deno.test("loadSettings() refuses a parameter as a value and as a table", () => {
  const text = '[parameters.tls_server_sni_maps]\na = "/a"\n[parameters]\n' +
    'tls_server_sni_maps = "texthash:/a"';
  assertEquals(told(text, "error").length, 1);
  const split = 'tls_server_sni_maps = "texthash:/a"\n[parameters.tls_server_sni_maps]\na = "/a"';
  assertEquals(told(split, "error").map((line) => line.split(":")[0]), ["2"]);
});
