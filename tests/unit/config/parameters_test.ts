/**
 * The parameter table against the names, kinds, bounds and defaults of Postfix.
 *
 * @module
 */

import { assert, assertEquals, assertExists, assertMatch } from "@std/assert";
import { describeSettings } from "../../../lib/config/describe.ts";
import { FOREIGN_NAMES, isForeignName } from "../../../lib/config/foreign_names.ts";
import { LISTENER_KEYS, OWN_TABLES } from "../../../lib/config/own_keys.ts";
import {
  isObeyed,
  parameterRow,
  PARAMETERS,
  ROLE_NAMES,
  SECTIONS,
} from "../../../lib/config/parameters.ts";
import { formatFinding, loadSettings } from "../../../lib/config/settings.ts";

/**
 * What tlsmgr and tlsproxy read, part by part as the parameter tables of Postfix 3.12 have it: name,
 * type, bounds (`len`: not empty), first release, and the value when nothing is set, on OpenSSL 3.0 and
 * at compatibility level 3.11.
 */
const SPECIFIED = `
# B.1
tls_random_source str - 2.2 dev:/dev/urandom
tls_random_bytes int 1/- 2.2 32
tls_random_exchange_name path - 2.2 /var/lib/postfix/prng_exch
tls_random_prng_update_period time 1/- 2.2 3600s
tls_random_reseed_period time 1/- 2.2 3600s
smtpd_tls_session_cache_database table - 2.2
smtp_tls_session_cache_database table - 2.2
lmtp_tls_session_cache_database table - 2.3
smtpd_tls_session_cache_timeout time 0/8640000 2.2 3600s
smtp_tls_session_cache_timeout time 0/8640000 2.2 3600s
lmtp_tls_session_cache_timeout time 0/8640000 2.3 3600s
smtpd_tls_loglevel loglevel - 2.2 0
smtp_tls_loglevel loglevel - 2.2 0
lmtp_tls_loglevel loglevel - 2.3 0
# B.2
tlsproxy_tls_security_level enum - 2.8
smtpd_tls_security_level enum - 2.3
tlsproxy_use_tls bool - 2.8 no
smtpd_use_tls bool - 2.2 no
tlsproxy_enforce_tls bool - 2.8 no
smtpd_enforce_tls bool - 2.2 no
tlsproxy_tls_chain_files list - 3.4
smtpd_tls_chain_files list - 3.4
tlsproxy_tls_cert_file path - 2.8
smtpd_tls_cert_file path - 2.2
tlsproxy_tls_key_file path - 2.8
smtpd_tls_key_file path - 2.2
tlsproxy_tls_dcert_file path - 2.8
smtpd_tls_dcert_file path - 2.2
tlsproxy_tls_dkey_file path - 2.8
smtpd_tls_dkey_file path - 2.2
tlsproxy_tls_eccert_file path - 2.8
smtpd_tls_eccert_file path - 2.6
tlsproxy_tls_eckey_file path - 2.8
smtpd_tls_eckey_file path - 2.6
tlsproxy_tls_CAfile path - 2.8
smtpd_tls_CAfile path - 2.2
tlsproxy_tls_CApath path - 2.8
smtpd_tls_CApath path - 2.2
tlsproxy_tls_ask_ccert bool - 2.8 no
smtpd_tls_ask_ccert bool - 2.2 no
tlsproxy_tls_req_ccert bool - 2.8 no
smtpd_tls_req_ccert bool - 2.2 no
tlsproxy_tls_ccert_verifydepth int - 2.8 9
smtpd_tls_ccert_verifydepth int - 2.2 9
tlsproxy_tls_protocols proto - 2.8 >=TLSv1
smtpd_tls_protocols proto - 2.6 >=TLSv1
tlsproxy_tls_mandatory_protocols proto - 2.8 >=TLSv1
smtpd_tls_mandatory_protocols proto - 2.3 >=TLSv1
tlsproxy_tls_ciphers grade len 2.8 medium
smtpd_tls_ciphers grade len 2.6 medium
tlsproxy_tls_mandatory_ciphers grade len 2.8 medium
smtpd_tls_mandatory_ciphers grade len 2.3 medium
tlsproxy_tls_exclude_ciphers excl - 2.8
smtpd_tls_exclude_ciphers excl - 2.3
tlsproxy_tls_mandatory_exclude_ciphers excl - 2.8
smtpd_tls_mandatory_exclude_ciphers excl - 2.3
tlsproxy_tls_dh1024_param_file path - 2.8
smtpd_tls_dh1024_param_file path - 2.2
tlsproxy_tls_dh512_param_file path - 2.8
smtpd_tls_dh512_param_file path - 2.2
tlsproxy_tls_eecdh_grade str len 2.8 auto
smtpd_tls_eecdh_grade str len 2.6 auto
tlsproxy_tls_fingerprint_digest digest len 2.8 sha256
smtpd_tls_fingerprint_digest digest len 2.5 sha256
tlsproxy_tls_loglevel loglevel - 2.8 0
tlsproxy_tls_always_issue_session_ids bool - 2.8 yes
smtpd_tls_always_issue_session_ids bool - 2.3 yes
tlsproxy_tls_enable_rpk bool - 3.9 no
smtpd_tls_enable_rpk bool - 3.9 no
# B.3
tlsproxy_client_security_level enum - 3.7 may
smtp_tls_security_level enum - 2.3 may
tlsproxy_client_level enum - 3.4
tlsproxy_client_use_tls bool - 3.4 no
smtp_use_tls bool - 2.2 no
tlsproxy_client_enforce_tls bool - 3.4 no
smtp_enforce_tls bool - 2.2 no
tlsproxy_client_per_site maps - 3.4
smtp_tls_per_site maps - 2.2
tlsproxy_client_policy_maps maps - 3.7
smtp_tls_policy_maps maps - 2.3
tlsproxy_client_policy maps - 3.4
tlsproxy_client_chain_files list - 3.4
smtp_tls_chain_files list - 3.4
tlsproxy_client_cert_file path - 3.4
smtp_tls_cert_file path - 2.2
tlsproxy_client_key_file path - 3.4
smtp_tls_key_file path - 2.2
tlsproxy_client_dcert_file path - 3.4
smtp_tls_dcert_file path - 2.2
tlsproxy_client_dkey_file path - 3.4
smtp_tls_dkey_file path - 2.2
tlsproxy_client_eccert_file path - 3.4
smtp_tls_eccert_file path - 2.6
tlsproxy_client_eckey_file path - 3.4
smtp_tls_eckey_file path - 2.6
tlsproxy_client_CAfile path - 3.4
smtp_tls_CAfile path - 2.2
tlsproxy_client_CApath path - 3.4
smtp_tls_CApath path - 2.2
tlsproxy_client_scert_verifydepth int - 3.4 9
smtp_tls_scert_verifydepth int - 2.2 9
tlsproxy_client_fingerprint_digest digest len 3.4 sha256
smtp_tls_fingerprint_digest digest len 2.5 sha256
tlsproxy_client_loglevel loglevel - 3.4 0
# B.4
tls_append_default_CA bool - 2.8 no
tls_config_file str - 3.9 default
tls_config_name str - 3.9
tls_daemon_random_bytes int 1/- 2.2 32
tls_dane_digests list len 2.11 sha512 sha256
tls_disable_workarounds mask - 2.8
tls_ssl_options mask - 2.11
tls_eecdh_auto_curves list - 3.2 X25519 X448 prime256v1 secp384r1 secp521r1
tls_ffdhe_auto_groups list - 3.8 ffdhe2048 ffdhe3072
tls_eecdh_strong_curve str - 2.6 prime256v1
tls_eecdh_ultra_curve str - 2.6 secp384r1
tls_high_cipherlist str len 2.3 aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH
tls_medium_cipherlist str len 2.3 aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH
tls_null_cipherlist str len 2.3 eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL
tls_low_cipherlist str - 2.3
tls_export_cipherlist str - 2.3
tls_preempt_cipherlist bool - 2.8 no
tls_session_ticket_cipher str - 3.0 aes-256-cbc
tls_server_sni_maps maps - 3.4
tls_fast_shutdown_enable bool - 3.5 yes
tls_wildcard_matches_multiple_labels bool - 2.11 yes
tls_trust_server_ccerts bool - 3.12 no
tls_trace_rate_limit int - 3.12 1
tlsmgr_service_name str len 2.11 tlsmgr
openssl_path str len 3.1 openssl
# B.5
compatibility_level version - 3.0 3.11
config_directory path - 2.0 /etc/postfix
queue_directory path len 2.0 /var/spool/postfix
data_directory path len 2.5 /var/lib/postfix
mail_owner str len 2.0 postfix
setgid_group str len 2.0 postdrop
default_privs str len 2.0 nobody
daemon_timeout time 1/- 2.0 18000s
tlsproxy_watchdog_timeout time 10/- 2.8 10s
ipc_timeout time 1/- 2.0 3600s
ipc_idle time 1/- 2.0 5s
ipc_ttl time 1/- 2.1 1000s
max_idle time 1/- 2.0 100s
max_use int 1/- 2.0 100
tlsproxy_service_name str len 2.8 tlsproxy
syslog_facility enum len 2.0 mail
syslog_name str len 2.0 postfix
multi_instance_name str - 2.6
maillog_file path - 3.4
maillog_file_prefixes list len 3.4 /var, /dev/stdout
maillog_file_permissions str len 3.9 0600
postlog_service_name str len 3.4 postlog
import_environment list - 2.0 MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME
default_database_type str len 2.0 hash
daemon_table_open_error_is_fatal bool - 2.9 no
smtputf8_enable bool - 3.0 yes
process_id str - 2.0
process_name str - 2.0 tlsmgr
service_name str - 3.3 tlsmgr
stress str - 2.5
`;

/** Names that manuals have and that nothing reads any more. */
const OBSOLETE = `
tls_legacy_public_key_fingerprints tls_dane_digest_agility tls_dane_trust_anchor_digest_enable
tlsproxy_client_loglevel_parameter tlsproxy_tls_session_cache_timeout tlsproxy_tls_received_header
smtpd_tls_cipherlist smtp_tls_cipherlist
`.trim().split(/\s+/);

/** Rows of each part. */
const COUNTS = { "B.1": 14, "B.2": 55, "B.3": 35, "B.4": 25, "B.5": 30 };

/** Our kind for each type of the specification that has another name. */
const KINDS: Readonly<Record<string, string>> = {
  table: "database",
  proto: "protocols",
  grade: "enum",
  excl: "list",
  digest: "str",
};

interface Specified {
  readonly part: string;
  readonly name: string;
  readonly kind: string;
  readonly bounds: string;
  readonly since: string;
  readonly value: string;
}

function* specifiedRows(): Generator<Specified> {
  let part = "";
  for (const line of SPECIFIED.trim().split("\n")) {
    if (line.startsWith("# ")) {
      part = line.slice(2);
      continue;
    }
    const [name, type, bounds, since, ...rest] = line.split(" ");
    yield { part, name, kind: KINDS[type] ?? type, bounds, since, value: rest.join(" ") };
  }
}

const specified = [...specifiedRows()];

Deno.test("the table has every parameter of both daemons and no other", () => {
  const counts: Record<string, number> = {};
  for (const { part } of specified) counts[part] = (counts[part] ?? 0) + 1;
  assertEquals(counts, COUNTS);
  const wanted = new Set([...specified.map(({ name }) => name), ...OBSOLETE]);
  const names = Object.keys(PARAMETERS);
  const missing = [...wanted].filter((name) => !names.includes(name));
  const extra = names.filter((name) => !wanted.has(name));
  assertEquals({ missing, extra }, { missing: [], extra: [] });
});

Deno.test("each row has the kind, the bounds and the first release of the specification", () => {
  for (const { name, kind, bounds, since } of specified) {
    const row = parameterRow(name);
    assertExists(row, name);
    const [min, max] = bounds.includes("/") ? bounds.split("/") : ["-", "-"];
    assertEquals(
      [row.kind, row.since, row.lengthMin, row.min, row.max],
      [
        kind,
        since,
        bounds === "len" ? 1 : undefined,
        min === "-" ? undefined : Number(min),
        max === "-" ? undefined : Number(max),
      ],
      name,
    );
  }
});

Deno.test("each row has the default of the specification after expansion", () => {
  const request = { text: "", file: "postern.toml", role: "tlsmgr", overrides: [] } as const;
  const described = new Map(describeSettings(request).map((setting) => [setting.name, setting]));
  for (const { name, value } of specified) {
    assertEquals(described.get(name)?.expanded, value, name);
    assertEquals(described.get(name)?.layer, "default", name);
  }
});

Deno.test("the defaults of tlsproxy's parameters are those of smtpd and smtp", () => {
  for (const { part, name } of specified) {
    const row = parameterRow(name);
    if (name === "tlsproxy_client_security_level" || name === "tlsproxy_client_policy_maps") {
      const base = name.replace("tlsproxy_client_", "smtp_tls_");
      const old = name.replace(/security_|_maps/, "");
      assertEquals(row?.initial, `\${${old}?{$${old}}:{$${base}}}`);
    } else if (part === "B.2" && name.startsWith("tlsproxy_")) {
      assertEquals(row?.initial, `$${name.replace("tlsproxy_", "smtpd_")}`);
    } else if (/^tlsproxy_client_(?!level|policy)/.test(name)) {
      const base = /_(use|enforce)_tls$/.test(name) ? "smtp_" : "smtp_tls_";
      assertEquals(row?.initial, `$${name.replace("tlsproxy_client_", base)}`);
    }
  }
});

Deno.test("roles follow the part of the specification", () => {
  for (const { part, name } of specified) {
    const roles = parameterRow(name)?.roles ?? [];
    if (part === "B.1") assert(roles.includes("tlsmgr"), name);
    if (part === "B.2" || part === "B.3") assertEquals([...roles], ["tlsproxy"], name);
    if (part === "B.4") assert(roles.includes("tlsproxy"), name);
  }
  assertEquals([...parameterRow("smtpd_tls_loglevel")?.roles ?? []], ["tlsmgr", "tlsproxy"]);
  assertEquals([...parameterRow("smtp_tls_loglevel")?.roles ?? []], ["tlsmgr", "tlsproxy"]);
  assertEquals([...parameterRow("lmtp_tls_loglevel")?.roles ?? []], ["tlsmgr"]);
});

Deno.test("SECTIONS holds each row once, in the order of the table", () => {
  assertEquals(SECTIONS.flatMap(({ rows }) => Object.keys(rows)), Object.keys(PARAMETERS));
});

Deno.test("every row is loaded, described and marked", () => {
  // Without a folder, so that config_directory has the default of its row.
  const request = { file: "postern.toml", role: "tlsproxy", overrides: [] } as const;
  const defaults = loadSettings({ ...request, text: "" }).settings?.parameters;
  assertExists(defaults);
  for (const name of Object.keys(PARAMETERS)) {
    const row = parameterRow(name);
    assertExists(row, name);
    assertMatch(row.help, /^[A-Z].*\.$|^tls\w+ .*\.$/, name);
    assert(!/[`*\n]/.test(row.help), `${name}: help is plain text of one line`);
    assertMatch(row.since, /^\d+\.\d+$/, name);
    if (row.readOnly) continue;
    const text = `${name} = ${JSON.stringify(row.initial)}`;
    const { settings, findings } = loadSettings({ ...request, text });
    const value = String(settings?.parameters[name as keyof typeof PARAMETERS] ?? "");
    const obeyed = isObeyed(row.obeyed, value);
    const remarks = [
      ...(row.deprecated !== undefined ? [`Deprecated: ${row.deprecated}`] : []),
      ...(row.noEffect !== undefined ? [`No effect: ${row.noEffect}`] : []),
      ...(row.ignoredSince !== undefined && (row.obeyed === undefined || !obeyed)
        ? [`Ignored, as by Postfix since ${row.ignoredSince}`]
        : []),
      ...(!obeyed && row.ignoredSince === undefined ? ["Accepted, but nothing obeys it yet"] : []),
      ...(/^max_(use|idle)$/.test(name) ? ["No effect: the service keeps running"] : []),
    ];
    assertEquals(findings.map(({ message }) => message), remarks, name);
    assertEquals(settings?.parameters, defaults, name);
  }
});

/** All rows, ours included, by a name that says where they stand. */
function* allRows(): Generator<[string, { readonly text: string }]> {
  yield* Object.entries(PARAMETERS);
  for (const [table, rows] of [...OWN_TABLES, ["listener", LISTENER_KEYS] as const]) {
    for (const [key, row] of Object.entries(rows)) yield [`${table}.${key}`, row];
  }
}

Deno.test("every row has a text for the manual in the markup that the row type describes", () => {
  for (const [name, row] of allRows()) {
    assert(row.text.length > 20, name);
    assertMatch(row.text, /^\S[^]*[.]$/, `${name}: begins with a word and ends with a period`);
    assertEquals((row.text.match(/\*/g) ?? []).length % 2, 0, `${name}: an open *`);
    assert(!/\n{3}|[ \t]\n|`/.test(row.text), name);
    for (const line of row.text.split("\n")) assert(line.length <= 120, `${name}: ${line}`);
    // What is printed as literal text and looks like a parameter is one.
    for (const [, word] of row.text.matchAll(/\*([a-z]+_[a-zA-Z0-9_]+)\*/g)) {
      const known = parameterRow(word) !== undefined || isForeignName(word) ||
        [...OWN_TABLES.values()].some((rows) => Object.hasOwn(rows, word));
      assert(known, `${name}: names ${word}`);
    }
  }
});

Deno.test("a row that refers to another in its advice names one that exists", () => {
  const words = /\b(?:tls|tlsproxy|smtpd?)_\w+/g;
  for (const [name, row] of Object.entries(PARAMETERS)) {
    const { deprecated = "", instead = "" } = parameterRow(name) ?? {};
    for (const word of `${row.help} ${deprecated} ${instead}`.match(words) ?? []) {
      assert(parameterRow(word) !== undefined || isForeignName(word), `${name}: names ${word}`);
    }
  }
});

Deno.test("every row of our own keys is described and has a default that it accepts", () => {
  for (const [table, rows] of OWN_TABLES) {
    for (const [key, row] of Object.entries(rows)) {
      assertMatch(row.help, /^\S.*[.]$/, `${table}.${key}`);
      if (row.kind === "enum") assert(row.values?.includes(String(row.initial)), key);
      if (typeof row.initial === "number") {
        assert(row.initial >= (row.min ?? -Infinity) && row.initial <= (row.max ?? Infinity), key);
      }
    }
  }
});

Deno.test("the names of our tables and parameters do not clash", () => {
  for (const table of ["parameters", "instance", "listener", ...ROLE_NAMES, ...OWN_TABLES.keys()]) {
    assertEquals(parameterRow(table), undefined);
    assert(!isForeignName(table), table);
  }
});

Deno.test("parameterRow() knows no names of object properties", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    assertEquals(parameterRow(name), undefined);
  }
});

/** All names that the manual of Postfix 3.12 describes. */
const DOCUMENTED = 958;

Deno.test("isForeignName() knows the parameters of other programs and none of ours", () => {
  const ours = Object.keys(PARAMETERS);
  assertEquals(ours.filter((name) => isForeignName(name)), []);
  // One row of ours is not in the manual; names of services stand there as `transport_...`.
  assert(FOREIGN_NAMES.size + ours.length >= DOCUMENTED - 20);
  const generic = `
    mail_name mail_version inet_protocols proxy_interfaces multi_instance_directories dnssec_probe
    known_tcp_ports myhostname mynetworks_style fast_flush_domains shlib_directory
    default_cache_db_type hash_queue_names export_environment verp_delimiter_filter
    info_log_address_format non_bdb_migration_level bounce_service_name proxywrite_service_name
    dont_remove tcp_windowsize lmdb_map_size in_flow_delay requiretls_enable soft_bounce
    transport_maps smtpd_recipient_restrictions postscreen_tls_chain_files smtp_tlsrpt_enable
    lmtp_tls_security_level virtual_maps relay_destination_rate_delay policyd-spf_time_limit
    dovecot_destination_recipient_limit smtp_transport_rate_delay
  `.trim().split(/\s+/);
  assertEquals(generic.filter((name) => !isForeignName(name)), []);
  for (const name of ["smtpd_recipent_restrictions", "time_limit", "", "constructor", "cache"]) {
    assert(!isForeignName(name), name);
  }
});

Deno.test("loadSettings() says nothing about a file that is Postfix's own", () => {
  const text = 'myhostname = "mx.example.test"\nsmtpd_recipient_restrictions = "reject"\n' +
    'postscreen_greet_action = "enforce"\nuucp_destination_recipient_limit = 1\n';
  const { findings } = loadSettings({ text, file: "/t.toml", role: "tlsmgr", overrides: [] });
  assertEquals(findings.map(formatFinding), []);
});
