import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  allNames,
  describeUnknown,
  listKeys,
  listParameters,
} from "../../../../lib/cli/config/listing.ts";
import { ROLE_NAMES, type RoleName } from "../../../../lib/config/parameters.ts";

interface Options {
  readonly roles?: readonly RoleName[];
  readonly overrides?: readonly string[];
  readonly asked?: readonly string[];
  readonly expand?: boolean;
}

/** `roles name value` of each entry; the roles are there only where they differ. */
function list(text: string, options: Options = {}): string[] {
  const { roles = ROLE_NAMES, overrides = [], asked = [], expand = false } = options;
  const request = { text, file: "/etc/p/a.toml", roles, overrides };
  return listParameters(request, (one) => expand ? one.expanded : one.canonical, asked)
    .map((one) => {
      const value = expand ? one.expanded : one.canonical;
      return `${one.differs ? `${one.roles.join("+")} ` : ""}${one.name} ${value}`;
    });
}

const only = (lines: readonly string[], name: string) =>
  lines.filter((line) => line.split(" ").includes(name));

Deno.test("listParameters() lists a name once where the roles agree, sorted by name", () => {
  const lines = list('smtpd_tls_loglevel = 2\nown = "x"\n');
  assertEquals(only(lines, "smtpd_tls_loglevel"), ["smtpd_tls_loglevel 2"]);
  assertEquals(only(lines, "own"), ["own x"]);
  const names = lines.map((line) => line.replace(/^tls(?:mgr|proxy) /, "").split(" ")[0]);
  assertEquals(names, names.toSorted());
});

Deno.test("listParameters() lists a name for each role where they differ", () => {
  const text = "smtpd_tls_loglevel = 1\n[tlsproxy]\nsmtpd_tls_loglevel = 2\n";
  const expected = ["tlsmgr smtpd_tls_loglevel 1", "tlsproxy smtpd_tls_loglevel 2"];
  assertEquals(only(list(text), "smtpd_tls_loglevel"), expected);
  const one = list(text, { roles: ["tlsproxy"] });
  assertEquals(only(one, "smtpd_tls_loglevel"), ["smtpd_tls_loglevel 2"]);
});

Deno.test("listParameters() compares what is shown: texts may agree and values differ", () => {
  const text = 'syslog_name = "$who"\nwho = "a"\n[tlsproxy]\nwho = "b"\n';
  assertEquals(only(list(text), "syslog_name"), ["syslog_name $who"]);
  assertEquals(only(list(text, { expand: true }), "syslog_name"), [
    "tlsmgr syslog_name a",
    "tlsproxy syslog_name b",
  ]);
});

Deno.test("listParameters() leaves out what another role reads, unless it is asked for", () => {
  const roles = ["tlsproxy"] as const;
  assertEquals(only(list("", { roles }), "tls_random_bytes"), []);
  const asked = ["tls_random_bytes"];
  assertEquals(only(list("", { roles, asked }), "tls_random_bytes"), ["tls_random_bytes 32"]);
});

Deno.test("listParameters() takes -o above the file, and defaults from the OpenSSL at hand", () => {
  const text = 'tls_random_bytes = 20\nsmtpd_tls_cert_file = "/c"\n';
  const overrides = ["tls_random_bytes=30"];
  assertEquals(only(list(text, { overrides }), "tls_random_bytes"), ["tls_random_bytes 30"]);
  const entries = listParameters(
    { text, file: "", roles: ROLE_NAMES, overrides, openSslVersionNumber: 0x30500000 },
    ({ canonical }) => canonical,
  );
  const named = (name: string) => entries.find((entry) => entry.name === name);
  assertEquals(named("tls_random_bytes")?.initial, "32");
  assertEquals(named("tls_random_bytes")?.layer, "override");
  assertEquals(named("smtpd_tls_cert_file")?.place, { line: 2, column: 1 });
  const groups = named("tls_eecdh_auto_curves");
  assertStringIncludes(groups?.canonical ?? "", "X25519MLKEM768");
  assertEquals(groups?.initial, groups?.canonical);
});

const own = (text: string, roles: readonly RoleName[] = ROLE_NAMES) =>
  listKeys({ text, file: "", roles, overrides: [] });

Deno.test("listKeys() shows a key that is as a parameter with the value of that parameter", () => {
  const user = (text: string) => {
    const key = own(text).find(({ name }) => name === "service.user");
    return [key?.text, key?.source, key?.follows];
  };
  assertEquals(user(""), ['"postfix"', "default", "mail_owner"]);
  assertEquals(user('who = "mail"\nmail_owner = "$who"\n'), ['"mail"', "default", "mail_owner"]);
  assertEquals(user('[service]\nuser = ""\n'), ['""', "file", undefined]);
});

Deno.test("listKeys() shows a cache's own keys as those of [cache], unless it has some itself", () => {
  const text = "[cache]\nmax_entries = 7\n[cache.smtp]\nmax_entries = 8\n";
  const keys = new Map(own(text).map((key) => [key.name, key]));
  const shown = (name: string) => {
    const { text, source, follows, initial } = keys.get(name)!;
    return [text, source, follows, initial];
  };
  assertEquals(shown("cache.max_entries"), ["7", "file", undefined, "20000"]);
  assertEquals(shown("cache.smtp.max_entries"), ["8", "file", undefined, "20000"]);
  assertEquals(shown("cache.smtpd.max_entries"), ["7", "file", "cache", "20000"]);
  assertEquals(shown("cache.smtpd.max_bytes"), ["67108864", "default", "cache", "67108864"]);
});

Deno.test("listKeys() leaves out the service table of another role", () => {
  const tables = new Set(own("", ["tlsmgr"]).map(({ table }) => table));
  assert(tables.has("service.tlsmgr") && tables.has("service"));
  assert(!tables.has("service.tlsproxy"));
});

Deno.test("describeUnknown() tells a misspelt name from another program's", () => {
  assertEquals(
    describeUnknown("smtpd_tls_cert_fiel"),
    "smtpd_tls_cert_fiel: unknown parameter; did you mean smtpd_tls_cert_file?",
  );
  assertEquals(
    describeUnknown("max_entries"),
    "max_entries: unknown parameter; did you mean cache.max_entries?",
  );
  assertStringIncludes(describeUnknown("myhostname"), "another Postfix program's parameter");
  assertEquals(describeUnknown("frobnicate"), "frobnicate: unknown parameter");
});

Deno.test("allNames() holds parameters and our own keys", () => {
  const names = allNames();
  for (const name of ["tls_random_source", "cache.smtp.sync", "service.tlsproxy.workers"]) {
    assert(names.includes(name), name);
  }
});
