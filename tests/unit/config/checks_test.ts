/**
 * What is told of settings beyond their kinds: pairs of parameters, places of names, old habits.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FINDINGS_MAX } from "../../../lib/config/findings.ts";
import { type Finding, formatFinding, loadSettings } from "../../../lib/config/settings.ts";

const FILE = "/etc/postern/postern.toml";

function findingsOf(text: string, overrides: readonly string[] = []): readonly Finding[] {
  return loadSettings({ text, file: FILE, role: "tlsproxy", overrides }).findings;
}

/** Findings without their file, and without those about what nothing obeys yet. */
function told(text: string): string[] {
  return findingsOf(text).map((found) => formatFinding(found).replace(`${FILE}:`, "")).filter(
    (line) => !line.endsWith("nothing obeys it yet"),
  );
}

Deno.test("loadSettings() warns when a key does not follow its certificate", () => {
  for (
    const [prefix, algorithm] of [["tlsproxy_tls", ""], ["tlsproxy_tls", "ec"], [
      "tlsproxy_client",
      "d",
    ]]
  ) {
    const name = `${prefix}_${algorithm}cert_file`;
    assertMatch(
      told(`${name} = "/c.pem"`).join("\n"),
      new RegExp(`^1:1: warning: ${name}: The key does not follow this certificate: `),
    );
    const both = `${name} = "/c.pem"\n${prefix}_${algorithm}key_file = "/c.pem"`;
    assertEquals(told(both), []);
  }
  assertEquals(told('tlsproxy_tls_cert_file = "none"'), []);
});

Deno.test("loadSettings() warns of key files beside chain files", () => {
  const text = 'smtpd_tls_chain_files = "/chain.pem"\ntlsproxy_tls_cert_file = "/c.pem"\n' +
    'tlsproxy_tls_key_file = "/k.pem"\n';
  assertEquals(told(text), [
    "2:1: warning: tlsproxy_tls_cert_file: No effect: tlsproxy_tls_chain_files is set (keep one of them)",
    "3:1: warning: tlsproxy_tls_key_file: No effect: tlsproxy_tls_chain_files is set (keep one of them)",
  ]);
});

Deno.test("loadSettings() refuses two caches in one place", () => {
  const caches = (one: string, other: string) =>
    told(
      `smtpd_tls_session_cache_database = "${one}"\nsmtp_tls_session_cache_database = "${other}"\n`,
    );
  for (const [one, other] of [["hash:/x", "hash:/x"], ["hash:/x", "btree:/x"], ["/x", "lmdb:/x"]]) {
    assertMatch(caches(one, other)[0], /^2:1: error: .*Cannot keep two caches in one place/);
  }
  assertEquals(caches("memory:", "memory:"), []);
  assertEquals(caches("hash:/x", "hash:/y"), []);
  const idle = 'smtpd_tls_session_cache_database = "hash:/x"\n' +
    'smtp_tls_session_cache_database = "hash:/x"\nsmtp_tls_session_cache_timeout = 0\n';
  assertEquals(told(idle), []);
});

Deno.test("loadSettings() refuses a default type that cannot be written to", () => {
  const text = 'smtpd_tls_session_cache_database = "/x"\ndefault_database_type = "regexp"';
  assertMatch(told(text).join("\n"), /^2:1: error: default_database_type: Cannot keep/);
  assertEquals(told('default_database_type = "regexp"'), []);
});

Deno.test("loadSettings() tells of amounts of entropy that nobody gives", () => {
  assertMatch(told("tls_daemon_random_bytes = 256").join("\n"), /^1:1: warning: .* gives 255/);
  assertMatch(told("tls_random_bytes = 256").join("\n"), /^1:1: note: .*Only 255 bytes are read/);
  assertEquals(told('tls_random_bytes = 256\ntls_random_source = "/var/lib/seed"'), []);
});

Deno.test("loadSettings() notes the exchange file in its old place", () => {
  for (const place of ["${config_directory}/prng_exch", "/etc/postfix/prng_exch"]) {
    assertMatch(
      told(`tls_random_exchange_name = "${place}"`).join("\n"),
      /^1:1: note: tls_random_exchange_name: An old place: .*data_directory \(leave it out\)$/,
    );
  }
  assertEquals(told('tls_random_exchange_name = "${data_directory}/prng_exch"'), []);
});

Deno.test("loadSettings() refuses an OpenSSL file that is neither a word nor a full path", () => {
  for (const good of ["default", "none", "/etc/ssl/x.cnf"]) {
    assertEquals(told(`tls_config_file = "${good}"`), []);
  }
  for (const bad of ["openssl.cnf", "", "Default"]) {
    assertMatch(told(`tls_config_file = "${bad}"`).join("\n"), /^1:1: error: .*no absolute path/);
  }
});

Deno.test("loadSettings() refuses indexed tables of server names", () => {
  assertEquals(told('tls_server_sni_maps = "hash:/etc/sni"'), [
    '1:1: error: tls_server_sni_maps: Cannot look server names up in a table of type "hash" ' +
    "(name the source of the table: texthash:/etc/sni)",
  ]);
  assertMatch(told('tls_server_sni_maps = "/etc/sni"').join("\n"), /of type "hash"/);
  assertEquals(told('tls_server_sni_maps = "texthash:/etc/sni, regexp:/r"'), []);
});

Deno.test("loadSettings() notes that a service does not recycle itself", () => {
  assertEquals(told('max_use = 50\nmax_idle = "10s"').map((line) => line.slice(0, 45)), [
    "1:1: note: max_use: No effect: the service ke",
    "2:1: note: max_idle: No effect: the service k",
  ]);
  assertEquals(told("max_use = 50\n[service]\nrecycle = true"), []);
  assertEquals(findingsOf("[service]\nrecycle = true"), []);
});

Deno.test("loadSettings() warns of a name in the table of a role that does not read it", () => {
  assertEquals(told("[tlsproxy]\nsmtpd_tls_session_cache_timeout = 5"), [
    "2:1: warning: tlsproxy.smtpd_tls_session_cache_timeout: No effect: tlsproxy does not read " +
    "it, only tlsmgr does (move it to the top of the file, or below [tlsmgr])",
  ]);
  assertEquals(
    told('[tlsmgr]\nsmtpd_tls_cert_file = "/c"\nsyslog_name = "$smtpd_tls_cert_file"'),
    [],
  );
  assertEquals(told("[tlsmgr]\nsmtpd_tls_loglevel = 2"), []);
});

Deno.test("loadSettings() warns when one role only is told what both must know", () => {
  assertEquals(told('[tlsproxy]\nqueue_directory = "/q"'), [
    "2:1: warning: tlsproxy.queue_directory: Set for tlsproxy only: tlsmgr reads it too, and has " +
    "the default (move it to the top of the file, above all tables)",
  ]);
  assertEquals(told('[tlsproxy]\nqueue_directory = "/q"\n[tlsmgr]\nqueue_directory = "/q"'), []);
  assertEquals(told('queue_directory = "/p"\n[tlsproxy]\nqueue_directory = "/q"'), []);
  assertEquals(told('[tlsproxy]\nsyslog_name = "edge"'), []);
});

Deno.test("loadSettings() suggests names of other programs too", () => {
  assertMatch(told('smtpd_recipent_restrictions = "x"')[0], /did you mean smtpd_recipient_restr/);
});

Deno.test("loadSettings() tells of protocol lists at their place", () => {
  assertMatch(
    told('smtpd_tls_protocols = "<=0305"').join("\n"),
    /^1:1: error: .*no version "<=0305"/,
  );
  assertEquals(told('smtpd_tls_protocols = ">= TLSv1.2"').length, 1);
  assertMatch(told('smtpd_tls_protocols = ["!TLSv1.1"]')[0], /^1:1: warning: .*in the middle/);
});

Deno.test("every error that a file can have comes with a place and a remedy", () => {
  const texts = [
    "a",
    "a =",
    "= 1",
    "a = b",
    "a = [1",
    "a = [1 2]",
    "a = {",
    "a = { b = 1 ]",
    "[a",
    "[[a]",
    "a = 'x",
    'a = """x',
    "a = 1 b",
    '"\\q" = 1',
    'a = "\\q"',
    "a = 1\na = 2",
    "a.b = 1\na = 2",
    "[x]\n[x]",
    "x = \u0001",
    "# \u0001",
    "a = 99999999999999999999",
    `${"[".repeat(20)}`,
    `a = ${"[".repeat(20)}`,
    "ipc_timeout = 0",
    "ipc_timeout = 1e3",
    'ipc_timeout = "99999999999"',
    "tls_random_bytes = 0",
    'tls_random_bytes = "99999999999"',
    "smtpd_tls_session_cache_timeout = 8640001",
    'syslog_name = "a\\u0000"',
    'queue_directory = ""',
    "tls_ssl_options = -1",
    "queue_directory = [1]",
    "smtpd_tls_protocols = [1]",
    'smtpd_tls_chain_files = ["a b"]',
    "smtpd_tls_ask_ccert = 1",
    'syslog_name = "${"',
    'syslog_name = "$"',
    'a = "$a"\nsyslog_name = "$a"',
    "compatibility_level = 3.1",
    'compatibility_level = "x"',
    "[x]",
    "[cache]\nx = 1",
    "[cache]\nmax_bytes = -1",
    "[cache]\nmax_bytes = true",
    '[log]\nverbose = "x"',
    "[service]\nmode = 1",
    "[service]\nuser = 1",
    "[service]\ndrain_timeout = true",
    "[service]\nstrict = 1",
    "[service.tlsmgr]\nsocket_mode = 1",
    "[instance]",
    "[instance.a]",
    "[listener]",
    "[[listener]]",
    "cache = 1",
    "max_bytes = 1",
    "tls_server_sni_maps = { a = 1 }",
    'tls_config_file = "x"',
  ];
  for (const text of texts) {
    const errors = findingsOf(text).filter(({ severity }) => severity === "error");
    assert(errors.length > 0, text);
    for (const error of errors) {
      assert(
        error.line !== undefined && error.column !== undefined,
        `${text}: ${formatFinding(error)}`,
      );
      assert((error.hint ?? "") !== "", `${text}: ${formatFinding(error)}`);
    }
  }
});

Deno.test("loadSettings() tells of thousands of unknown and repeated names, up to a limit", () => {
  const unknown = Array.from({ length: 9_000 }, (_, i) => `smtpd_tls_logevel${i} = 1`).join("\n");
  for (const text of [unknown, "a = 1\n".repeat(5_000)]) {
    const lines = findingsOf(text).map(formatFinding);
    assertEquals(lines.filter((line) => /There are more than 1000 \w+s;/.test(line)).length, 1);
    assert(lines.length <= FINDINGS_MAX + 2, String(lines.length));
  }
});
