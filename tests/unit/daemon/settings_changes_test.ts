import { assert, assertEquals } from "@std/assert";
import { loadSettings, type RoleName, type Settings } from "../../../lib/config/settings.ts";
import { Parcel, readParcel } from "../../../lib/daemon/parcel.ts";
import { findDifferences, findFixed, keepNamed } from "../../../lib/daemon/settings_changes.ts";

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

Deno.test("findDifferences() names what differs as a settings file does", () => {
  const before = settingsOf("tlsmgr", "");
  const after = settingsOf("tlsmgr", "tls_random_bytes = 64\n[cache.smtpd]\nmax_entries = 5\n");
  assertEquals(findDifferences(before, after), ["tls_random_bytes", "cache.smtpd.max_entries"]);
  assertEquals(findFixed(before, after), []);
  assertEquals(findDifferences(after, after), []);
});

Deno.test("keepNamed() takes the new settings, and what it is told of the old ones", () => {
  const before = settingsOf("tlsproxy", "");
  const after = settingsOf("tlsproxy", CHANGED);
  const kept = keepNamed(before, after, findFixed(before, after));
  assertEquals(kept.parameters.smtpd_tls_loglevel, after.parameters.smtpd_tls_loglevel);
  assertEquals([kept.service.max_sessions, kept.service.workers], [7, 3]);
  assertEquals(findFixed(before, kept), []);
  assertEquals(kept.service.socket, before.service.socket);
  assertEquals(kept.parameters.syslog_name, "postfix");
  assertEquals(after.parameters.syslog_name, "other", "what it was given stays as it is");
  assertEquals(keepNamed(before, after, []), after);
});

Deno.test("settings survive the way to a service thread", () => {
  const settings = settingsOf("tlsmgr", CHANGED);
  using parcel = new Parcel(settings);
  assertEquals(readParcel<Settings>(parcel.place), settings);
});
