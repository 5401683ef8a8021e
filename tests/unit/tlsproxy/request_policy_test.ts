import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadSettings, type Parameters } from "../../../lib/config/settings.ts";
import {
  emptyServerStart,
  type ServerInit,
  type ServerStart,
  type TlsServerSettings,
} from "../../../lib/proto/tls_settings.ts";
import {
  differencesOf,
  policyOfRequest,
  type RequestPolicy,
} from "../../../lib/tlsproxy/request_policy.ts";
import { type LocalServer, serverRoleOf } from "../../../lib/tlsproxy/server_role.ts";

const TLS = { enforce_req_ccert: "report", detect_truncation: false } as const;
const TEXT = `
tlsproxy_tls_security_level = "may"
tlsproxy_tls_cert_file = "/c.pem"
tlsproxy_tls_key_file = "/k.pem"
tlsproxy_tls_CAfile = "/ca.pem"
`;

function bench(): { parameters: Parameters; local: LocalServer } {
  const { settings, findings } = loadSettings({
    text: TEXT,
    file: "/etc/postern.toml",
    role: "tlsproxy",
    overrides: [],
  });
  assert(settings !== undefined, JSON.stringify(findings));
  const { local } = serverRoleOf(settings.parameters, TLS);
  assert(local !== undefined);
  return { parameters: settings.parameters, local };
}

interface Change {
  init?: Partial<ServerInit>;
  start?: Partial<ServerStart>;
  library?: [string, string | number][];
}

/** What a client sends that has the same settings, but for `change`. */
function requestOf(local: LocalServer, change: Change = {}): TlsServerSettings {
  return {
    parameters: new Map(change.library ?? []),
    init: { ...local.init, logParameter: "smtpd_tls_loglevel", ...change.init },
    start: {
      ...emptyServerStart(),
      logLevel: "1",
      serverId: "smtp:25",
      namaddr: "[192.0.2.7]:99",
      cipherGrade: "medium",
      ...change.start,
    },
    contextAttributes: 26,
    initEnd: 0,
  };
}

type Taken = Exclude<RequestPolicy, { refusal: string }>;

function taken(policy: RequestPolicy): Taken {
  assert(!("refusal" in policy), "refusal" in policy ? policy.refusal : "");
  return policy;
}

Deno.test("policyOfRequest() of equal settings is the local context, and the request's session", () => {
  const { parameters, local } = bench();
  for (const mode of ["trust", "match"] as const) {
    const { key, session } = taken(
      policyOfRequest(requestOf(local), local, { parameters, tls: TLS, mode }),
    );
    assertEquals(key, local.key);
    assertEquals([session.serverId, session.namaddr], ["smtp:25", "[192.0.2.7]:99"]);
    assertEquals(session.shows.summary, true);
  }
});

Deno.test("policyOfRequest() takes what START says about the session", () => {
  const { parameters, local } = bench();
  const request = requestOf(local, {
    start: {
      requireClientCert: true,
      cipherGrade: "high",
      cipherExclusions: "MD5, aDSS",
      logLevel: "cache, summary",
    },
  });
  const { session } = taken(
    policyOfRequest(request, local, { parameters, tls: TLS, mode: "match" }),
  );
  assertEquals(session.requireCertificate, true);
  assertEquals(session.cipherList, `${parameters.tls_high_cipherlist}:!MD5:!aDSS`);
  assertEquals([session.shows.cache, session.shows.untrusted, session.shows.verbose], [
    true,
    true,
    false,
  ]);
});

Deno.test("policyOfRequest() makes another context for another INIT", () => {
  const { parameters, local } = bench();
  const request = requestOf(local, {
    init: { protocols: ">=TLSv1.3", askClientCert: true, verifyDepth: 4, setSessionId: false },
  });
  const { key, policy } = taken(
    policyOfRequest(request, local, { parameters, tls: TLS, mode: "match" }),
  );
  assert(key !== local.key);
  assertEquals(policy.protocols.floor, 0x304);
  assertEquals(policy.clientCertificates, { depth: 4, acceptServerUse: false });
  assertEquals(policy.alwaysIssueIds, false);
});

Deno.test("policyOfRequest() takes other files only on trust", () => {
  const { parameters, local } = bench();
  const request = requestOf(local, { init: { certFile: "/other.pem" } });
  const matched = policyOfRequest(request, local, { parameters, tls: TLS, mode: "match" });
  assert("refusal" in matched);
  assertStringIncludes(matched.refusal, "tlsproxy_tls_cert_file = /other.pem, not /c.pem");
  const { policy } = taken(
    policyOfRequest(request, local, { parameters, tls: TLS, mode: "trust" }),
  );
  assertEquals(policy.certificates.pairs[0].certificateFile, "/other.pem");
});

Deno.test("policyOfRequest() refuses what can never work, and says why", () => {
  const { parameters, local } = bench();
  const options = { parameters, tls: TLS, mode: "trust" } as const;
  const rows: [Change, string][] = [
    [{ start: { cipherGrade: "invalid" } }, "invalid cipher grade"],
    [{ start: { cipherExclusions: "!MD5" } }, "invalid excluded cipher"],
    [{ init: { protocols: "TLSv9" } }, "Invalid protocol list"],
  ];
  for (const [change, words] of rows) {
    const refused = policyOfRequest(requestOf(local, change), local, options);
    assert("refusal" in refused);
    assertStringIncludes(refused.refusal, words);
  }
});

Deno.test("differencesOf() names each setting that is not the same, and only those", () => {
  const { parameters, local } = bench();
  const same = requestOf(local, {
    library: [
      ["tls_high_cipherlist", parameters.tls_high_cipherlist],
      ["tls_preempt_cipherlist", 0],
      ["tls_config_file", "default"],
      ["tls_eecdh_auto_curves", parameters.tls_eecdh_auto_curves.join(", ")],
    ],
  });
  assertEquals(differencesOf(same, local, parameters), []);
  const other = requestOf(local, {
    library: [["tls_preempt_cipherlist", 1], ["tls_config_file", "none"]],
    init: { caFile: "/elsewhere.pem" },
  });
  assertEquals(differencesOf(other, local, parameters), [
    "client request: tls_preempt_cipherlist = 1; own setting: false",
    "client request: tls_config_file = none; own setting: default",
    "client request: tlsproxy_tls_CAfile = /elsewhere.pem; own setting: /ca.pem",
  ]);
});
