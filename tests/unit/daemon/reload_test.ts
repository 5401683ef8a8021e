import { assert, assertEquals } from "@std/assert";
import { loadSettings, type RoleName, type Settings } from "../../../lib/config/settings.ts";
import { findFixed, keepFixed } from "../../../lib/daemon/reload.ts";

function settingsOf(role: RoleName, text: string): Settings {
  const { settings, findings } = loadSettings({
    ...{ role, text, file: "/postern.toml", overrides: [] },
  });
  assert(settings !== undefined, JSON.stringify(findings));
  return settings;
}

const CHANGED = `smtpd_tls_loglevel = 1
syslog_name = "other"
mail_owner = "nobody"
[service]
drain_timeout = 5
core_dumps = true
[service.tlsproxy]
max_sessions = 7
workers = 3
socket = "/run/other"
[log]
destination = "/var/log/other"
`;

Deno.test("findFixed() names what a process is made of, and nothing that threads are made of", () => {
  assertEquals(findFixed(settingsOf("tlsproxy", ""), settingsOf("tlsproxy", CHANGED)).toSorted(), [
    "log.destination",
    "mail_owner",
    "service.core_dumps",
    "service.drain_timeout",
    "service.socket",
    "service.user",
    "syslog_name",
  ]);
  assertEquals(findFixed(settingsOf("tlsproxy", CHANGED), settingsOf("tlsproxy", CHANGED)), []);
});

Deno.test("findFixed() names everything that differs for tlsmgr", () => {
  const before = settingsOf("tlsmgr", "");
  const after = settingsOf("tlsmgr", "tls_random_bytes = 64\n[cache.smtpd]\nmax_entries = 5\n");
  assertEquals(findFixed(before, after), ["tls_random_bytes", "cache.smtpd.max_entries"]);
});

Deno.test("keepFixed() takes the new settings, and the old ones of the process", () => {
  const before = settingsOf("tlsproxy", "");
  const kept = keepFixed(before, settingsOf("tlsproxy", CHANGED));
  assertEquals(
    kept.parameters.smtpd_tls_loglevel,
    settingsOf("tlsproxy", CHANGED).parameters.smtpd_tls_loglevel,
  );
  assertEquals([kept.service.max_sessions, kept.service.workers], [7, 3]);
  assertEquals(findFixed(before, kept), []);
  assertEquals(kept.service.socket, before.service.socket);
  assertEquals(kept.parameters.syslog_name, "postfix");
});
