/**
 * Settings as text: layers, before and after expansion.
 *
 * @module
 */

import { assertEquals, assertExists, assertStringIncludes } from "@std/assert";
import {
  type DescribedSetting,
  describeOwnKeys,
  describeSettings,
  ownText,
} from "../../../lib/config/describe.ts";
import { OWN_TABLES } from "../../../lib/config/own_keys.ts";
import { PARAMETERS } from "../../../lib/config/parameters.ts";
import { formatFinding, type LoadRequest, loadSettings } from "../../../lib/config/settings.ts";

const FILE = "/etc/postern/postern.toml";

function describe(text: string, more: Partial<LoadRequest> = {}) {
  const settings = describeSettings({
    text,
    file: FILE,
    role: "tlsproxy",
    overrides: [],
    ...more,
  });
  return new Map(settings.map((setting) => [setting.name, setting]));
}

function short(setting: DescribedSetting | undefined): string {
  assertExists(setting);
  const { layer, canonical, expanded, place } = setting;
  return `${layer} ${place?.line ?? "-"}: ${canonical} -> ${expanded}`;
}

const TEXT = `
smtpd_tls_cert_file = "/global.pem"
smtpd_tls_session_cache_timeout = 90
mine = "$smtpd_tls_cert_file.mine"
[tlsproxy]
smtpd_tls_cert_file = "/proxy.pem"
[instance.relay]
role = "tlsproxy"
[instance.relay.parameters]
smtpd_tls_key_file = "\${smtpd_tls_cert_file}.key"
`;

Deno.test("describeSettings() has every row in its order, and then the other names", () => {
  const names = [...describe(TEXT).keys()];
  assertEquals(names, [...Object.keys(PARAMETERS), "mine"]);
});

Deno.test("describeSettings() tells the layer that won", () => {
  const manager = describe(TEXT, { role: "tlsmgr" });
  assertEquals(
    short(manager.get("smtpd_tls_cert_file")),
    "file 2: /global.pem -> /global.pem",
  );
  assertEquals(
    short(manager.get("smtpd_tls_key_file")),
    "default -: $smtpd_tls_cert_file -> /global.pem",
  );
  const proxy = describe(TEXT);
  assertEquals(short(proxy.get("smtpd_tls_cert_file")), "role 6: /proxy.pem -> /proxy.pem");
  assertEquals(short(proxy.get("mine")), "file 4: $smtpd_tls_cert_file.mine -> /proxy.pem.mine");
  assertEquals(proxy.get("mine")?.known, false);
  assertEquals(proxy.get("smtpd_tls_cert_file")?.known, true);
  const relay = describe(TEXT, { instance: "relay" });
  assertEquals(
    short(relay.get("smtpd_tls_key_file")),
    "instance 10: ${smtpd_tls_cert_file}.key -> /proxy.pem.key",
  );
  const option = describe(TEXT, { overrides: ["smtpd_tls_cert_file = /o.pem"] });
  assertEquals(short(option.get("smtpd_tls_cert_file")), "override -: /o.pem -> /o.pem");
});

Deno.test("describeSettings() gives canonical text", () => {
  const described = describe(`
smtpd_tls_ask_ccert = true
smtpd_tls_protocols = [">=TLSv1.2", "<=TLSv1.3"]
tls_ssl_options = 131072
smtpd_tls_session_cache_timeout = 90
`);
  const texts = [
    "smtpd_tls_ask_ccert",
    "smtpd_tls_protocols",
    "tls_ssl_options",
    "smtpd_tls_session_cache_timeout",
  ].map((name) => described.get(name)?.canonical);
  assertEquals(texts, ["yes", ">=TLSv1.2, <=TLSv1.3", "0x20000", "90s"]);
});

Deno.test("describeSettings() shows what the program gives, whatever a file says", () => {
  const described = describe('process_name = "x"\nprocess_id = "y"', { processId: 42 });
  assertEquals(short(described.get("process_name")), "default -: tlsproxy -> tlsproxy");
  assertEquals(short(described.get("process_id")), "default -: 42 -> 42");
  assertEquals(
    short(described.get("config_directory")),
    "default -: /etc/postern -> /etc/postern",
  );
});

Deno.test("describeSettings() follows the OpenSSL version", () => {
  const described = describe("", { openSslVersionNumber: 0x30500010 });
  assertEquals(described.get("tls_eecdh_auto_curves")?.canonical, "?X25519MLKEM768:DEFAULT");
});

Deno.test("describeSettings() says why a value cannot be expanded, and describes the rest", () => {
  const described = describe('a = "$a"\nsyslog_name = "${"\nipc_timeout = "later"\nx = [[');
  assertStringIncludes(described.get("a")?.fault ?? "", "it refers to itself");
  assertEquals(described.get("syslog_name")?.expanded, "");
  assertStringIncludes(described.get("syslog_name")?.fault ?? "", "is not closed");
  assertEquals(described.get("ipc_timeout")?.expanded, "later");
  assertEquals(described.get("ipc_timeout")?.fault, undefined);
});

Deno.test("describeOwnKeys() has every key, set or not", () => {
  const keys = describeOwnKeys(
    '[cache]\nmax_bytes = 0x10\npersist = "no"\n[cache.smtp]\nsync="always"',
  );
  assertEquals(keys.length, [...OWN_TABLES.values()].flatMap((rows) => Object.keys(rows)).length);
  const shown = (table: string, key: string) => {
    const found = keys.find((own) => own.table === table && own.key === key);
    assertExists(found);
    return `${found.text} ${found.set} ${found.place?.line ?? "-"}`;
  };
  assertEquals(shown("cache", "max_bytes"), "0x10 true 2");
  assertEquals(shown("cache", "persist"), '"no" true 3');
  assertEquals(shown("cache.smtp", "sync"), '"always" true 5');
  assertEquals(shown("cache", "compact_ratio"), "2.0 false -");
  assertEquals(shown("service.tlsmgr", "socket_mode"), '"0660" false -');
  assertEquals(shown("service", "mode"), '"detect" false -');
});

Deno.test("describeOwnKeys() shows for one cache what [cache] sets for all", () => {
  const keys = describeOwnKeys("[cache]\npersist = false\n[cache.smtp]\npersist = true");
  const persist = keys.filter(({ key }) => key === "persist");
  assertEquals(persist.map(({ table, text, set }) => [table, text, set]), [
    ["cache", "false", true],
    ["cache.smtpd", "false", false],
    ["cache.smtp", "true", true],
    ["cache.lmtp", "false", false],
  ]);
});

Deno.test("ownText() is TOML that gives the default again", () => {
  for (const [table, rows] of OWN_TABLES) {
    for (const [key, row] of Object.entries(rows)) {
      const text = `[${table}]\n${key} = ${ownText(row)}\n`;
      const { settings, findings } = loadSettings({
        text,
        file: FILE,
        role: table === "service.tlsmgr" ? "tlsmgr" : "tlsproxy",
        overrides: [],
      });
      assertExists(settings, findings.map(formatFinding).join("\n"));
      if (row.initialFrom !== undefined) continue;
      const plain = loadSettings({ text: "", file: FILE, role: settings.role, overrides: [] });
      assertEquals(settings, plain.settings, `${table}.${key}`);
    }
  }
});

Deno.test("describeOwnKeys() adds those of one instance", () => {
  const text =
    "[instance.edge]\nrole = 'tlsproxy'\nworkers = 3\n[instance.keys]\nrole = 'tlsmgr'\n";
  const keysOf = (instance: string) =>
    describeOwnKeys(text, instance).filter(({ table }) => table.startsWith("instance."));
  const edge = keysOf("edge");
  assertEquals(edge.find(({ key }) => key === "workers"), {
    table: "instance.edge",
    key: "workers",
    set: true,
    text: "3",
    place: { line: 3, column: 1 },
  });
  assertEquals(edge.find(({ key }) => key === "socket")?.set, false);
  const keys = keysOf("keys").map(({ table, key }) => `${table} ${key}`);
  assertEquals([keys.includes("instance.keys socket"), keys.includes("instance.keys workers")], [
    true,
    false,
  ]);
  assertEquals([keysOf("none"), describeOwnKeys(text).length], [[], describeOwnKeys("").length]);
});
