import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { loadSettings, type Parameters } from "../../../lib/config/settings.ts";
import {
  type LocalServer,
  type ServerRole,
  serverRoleOf,
} from "../../../lib/tlsproxy/server_role.ts";
import type { ServerPolicy } from "../../../lib/tls/context.ts";

const CERTIFICATE = 'tlsproxy_tls_cert_file = "/c.pem"\ntlsproxy_tls_key_file = "/k.pem"\n';

/** The parameters that a TOML text sets. */
function parametersOf(text: string): Parameters {
  const { settings, findings } = loadSettings({
    text,
    file: "/etc/postern.toml",
    role: "tlsproxy",
    overrides: [],
  });
  assert(settings !== undefined, JSON.stringify(findings));
  return settings.parameters;
}

/** The same with a pair of files, and with values that the settings would not let through. */
function changed(text: string, change: Partial<Record<keyof Parameters, unknown>>): Parameters {
  return { ...parametersOf(CERTIFICATE + text), ...change } as unknown as Parameters;
}

const TLS = { enforce_req_ccert: "report", detect_truncation: false } as const;

function roleOf(parameters: Parameters): ServerRole {
  return serverRoleOf(parameters, TLS);
}

function localOf(text: string): LocalServer {
  const { local } = roleOf(parametersOf(CERTIFICATE + text));
  assert(local !== undefined);
  return local;
}

function policyOf(text: string): ServerPolicy {
  return localOf(text).policy;
}

const MANDATORY = `
tlsproxy_tls_mandatory_protocols = ">=TLSv1.3"
tlsproxy_tls_protocols = ">=TLSv1.2"
`;
const OFF = "TLS server role is disabled with tlsproxy_tls_security_level or tlsproxy_use_tls";

for (
  const [text, enforce] of [
    ['tlsproxy_tls_security_level = "may"', false],
    ['tlsproxy_tls_security_level = "MAY"', false],
    ['tlsproxy_tls_security_level = "encrypt"', true],
    ['tlsproxy_tls_security_level = ""\ntlsproxy_use_tls = true', false],
    ['tlsproxy_tls_security_level = ""\ntlsproxy_enforce_tls = true', true],
    ['tlsproxy_tls_security_level = "may"\ntlsproxy_enforce_tls = true', false],
  ] as const
) {
  Deno.test(`serverRoleOf() with ${text.replaceAll("\n", ", ")}`, () => {
    const role = roleOf(parametersOf(CERTIFICATE + MANDATORY + text));
    assert(role.local !== undefined);
    assertEquals(role.local.policy.protocols.floor, enforce ? 0x304 : 0x303);
    assertEquals(role.warnings, []);
  });
}

Deno.test("serverRoleOf() is off without a level and with the level none", () => {
  for (const level of ["", "none", "None"]) {
    const text = `tlsproxy_tls_security_level = "${level}"`;
    assertEquals(roleOf(parametersOf(CERTIFICATE + text)), { local: undefined, warnings: [OFF] });
  }
});

Deno.test("serverRoleOf() takes a client's level for encrypt, with a warning", () => {
  for (const level of ["fingerprint", "verify", "secure"]) {
    const role = roleOf(changed(MANDATORY, { tlsproxy_tls_security_level: level }));
    assert(role.local !== undefined);
    assertEquals(role.local.policy.protocols.floor, 0x304);
    assertEquals(role.warnings, [
      `tlsproxy_tls_security_level: unsupported level "${level}", using "encrypt"`,
    ]);
  }
});

Deno.test("serverRoleOf() refuses a level that nobody knows", () => {
  const parameters = changed("", { tlsproxy_tls_security_level: "sometimes" });
  assertThrows(
    () => roleOf(parameters),
    FatalError,
    'Invalid TLS level "sometimes" in tlsproxy_tls_security_level',
  );
});

const MAY = 'tlsproxy_tls_security_level = "may"\n';

Deno.test("serverRoleOf() without any certificate is off", () => {
  assertEquals(roleOf(parametersOf(MAY)), {
    local: undefined,
    warnings: ["No server certs available. TLS can't be enabled"],
  });
});

Deno.test('serverRoleOf() with the certificate "none" is on without one', () => {
  const role = roleOf(parametersOf(`${MAY}tlsproxy_tls_cert_file = "none"`));
  assert(role.local !== undefined);
  assertEquals(role.local.policy.certificates.pairs, []);
});

Deno.test("serverRoleOf() takes pairs in the order RSA, DSA, EC", () => {
  const text = `tlsproxy_tls_eccert_file = "/ec.pem"
tlsproxy_tls_eckey_file = "/ec.key"
tlsproxy_tls_dcert_file = "/d.pem"
tlsproxy_tls_dkey_file = "/d.key"
`;
  const { pairs } = policyOf(MAY + text).certificates;
  assertEquals(pairs.map(({ certificateFile, keyFile }) => [certificateFile, keyFile]), [
    ["/c.pem", "/k.pem"],
    ["/d.pem", "/d.key"],
    ["/ec.pem", "/ec.key"],
  ]);
  assertEquals(pairs.map((pair) => [pair.certificateParameter, pair.keyParameter]), [
    [
      "tlsproxy_tls_cert_file or smtpd_tls_cert_file",
      "tlsproxy_tls_key_file or smtpd_tls_key_file",
    ],
    [
      "tlsproxy_tls_dcert_file or smtpd_tls_dcert_file",
      "tlsproxy_tls_dkey_file or smtpd_tls_dkey_file",
    ],
    [
      "tlsproxy_tls_eccert_file or smtpd_tls_eccert_file",
      "tlsproxy_tls_eckey_file or smtpd_tls_eckey_file",
    ],
  ]);
});

Deno.test("serverRoleOf() finds the key in the certificate's file when none is named", () => {
  const { pairs } = (() => {
    const role = roleOf(parametersOf(`${MAY}tlsproxy_tls_eccert_file = "/both.pem"`));
    assert(role.local !== undefined);
    return role.local.policy.certificates;
  })();
  assertEquals([pairs[0].certificateFile, pairs[0].keyFile], ["/both.pem", "/both.pem"]);
});

Deno.test("serverRoleOf() lets chain files beat pairs, and says so", () => {
  const text = `${CERTIFICATE}${MAY}tlsproxy_tls_chain_files = ["/a.pem", "/b.pem"]`;
  const role = roleOf(parametersOf(text));
  assert(role.local !== undefined);
  assertEquals(role.local.policy.certificates.chainFiles, ["/a.pem", "/b.pem"]);
  assert(role.warnings.some((warning) => warning.startsWith("tlsproxy_tls_chain_files is set")));
});

Deno.test("serverRoleOf() adds mandatory exclusions to the general ones only when enforcing", () => {
  const text = `tls_high_cipherlist = "HI"
tls_medium_cipherlist = "MED"
tlsproxy_tls_ciphers = "medium"
tlsproxy_tls_mandatory_ciphers = "high"
tlsproxy_tls_exclude_ciphers = "MD5"
tlsproxy_tls_mandatory_exclude_ciphers = "aNULL, RC4"
`;
  assertEquals(policyOf(MAY + text).cipherList, "MED:!MD5");
  const enforced = `tlsproxy_tls_security_level = "encrypt"\n${text}`;
  assertEquals(policyOf(enforced).cipherList, "HI:!MD5:!aNULL:!RC4");
});

Deno.test("serverRoleOf() refuses a bad grade, exclusion or protocol list by its parameter", () => {
  const cases: [Partial<Record<keyof Parameters, unknown>>, string][] = [
    [{ tlsproxy_tls_ciphers: "strong" }, "Cannot use tlsproxy_tls_ciphers"],
    [{ tlsproxy_tls_exclude_ciphers: ["!MD5"] }, 'invalid excluded cipher "!MD5"'],
    [{ tlsproxy_tls_protocols: ["TLSv9"] }, "Invalid protocol list in tlsproxy_tls_protocols"],
  ];
  for (const [change, words] of cases) {
    assertThrows(() => roleOf(changed(MAY, change)), FatalError, words);
  }
});

Deno.test("serverRoleOf() sets the option bits of Postfix, and warns of words that mean nothing", () => {
  assertEquals(policyOf(MAY).options, 0xC00008D0n);
  assertEquals(policyOf(MAY).noTickets, false);
  const text = `${CERTIFICATE}${MAY}tls_ssl_options = "NO_TICKET, 0x4000"\n`;
  const role = roleOf(parametersOf(text));
  assert(role.local !== undefined);
  assertEquals([role.local.policy.options, role.local.policy.noTickets], [0xC00048D0n, true]);
  const odd = changed(MAY, { tls_ssl_options: "BOGUS" });
  assertEquals(roleOf(odd).warnings, ['unknown SSL option or work-around "BOGUS"']);
});

Deno.test("serverRoleOf() offers curves before finite-field groups", () => {
  const text = 'tls_eecdh_auto_curves = "X25519 prime256v1"\ntls_ffdhe_auto_groups = "ffdhe2048"\n';
  assertEquals(policyOf(MAY + text).groups, ["X25519", "prime256v1", "ffdhe2048"]);
});

const ENCRYPT = 'tlsproxy_tls_security_level = "encrypt"\n';

Deno.test("serverRoleOf() asks for client certificates, and requires them when TLS is mandatory", () => {
  const rows: [string, boolean, boolean, string[]][] = [
    [MAY, false, false, []],
    [`${MAY}tlsproxy_tls_ask_ccert = true`, true, false, []],
    [
      `${MAY}tlsproxy_tls_req_ccert = true`,
      false,
      false,
      ["Can't require client certs unless TLS is required"],
    ],
    [`${ENCRYPT}tlsproxy_tls_req_ccert = true`, true, true, []],
    [`${ENCRYPT}tlsproxy_tls_ask_ccert = true`, true, false, []],
  ];
  for (const [text, asked, required, warnings] of rows) {
    const role = roleOf(parametersOf(CERTIFICATE + text));
    assert(role.local !== undefined);
    const { policy, session } = role.local;
    assertEquals(
      [policy.clientCertificates !== undefined, session.requireCertificate, role.warnings],
      [asked, required, warnings],
      text,
    );
    // Anonymous ciphers and client certificates exclude each other.
    assertEquals(session.cipherList.endsWith(":!aNULL"), asked, text);
    assertEquals(policy.cipherList, session.cipherList);
    assertEquals(session.shows.untrusted, required, text);
  }
});

Deno.test("serverRoleOf() cannot ask for certificates without one of its own", () => {
  const text = `${MAY}tlsproxy_tls_ask_ccert = true\ntlsproxy_tls_cert_file = "none"`;
  assertEquals(roleOf(parametersOf(text)), {
    local: undefined,
    warnings: [
      "Need a server cert to request client certs",
      "No server certs available. TLS can't be enabled",
    ],
  });
});

Deno.test("serverRoleOf() rejects untrusted clients itself only when told so", () => {
  const text = `${CERTIFICATE}${ENCRYPT}tlsproxy_tls_req_ccert = true`;
  for (const choice of ["report", "reject"] as const) {
    const tls = { ...TLS, enforce_req_ccert: choice };
    const { local } = serverRoleOf(parametersOf(text), tls);
    assertEquals(local?.session.rejectUntrusted, choice === "reject");
  }
  const asked = `${CERTIFICATE}${ENCRYPT}tlsproxy_tls_ask_ccert = true`;
  const { local } = serverRoleOf(parametersOf(asked), { ...TLS, enforce_req_ccert: "reject" });
  assertEquals(local?.session.rejectUntrusted, false);
});

Deno.test("serverRoleOf() takes an end without close_notify for a fault when told so", () => {
  const { local } = serverRoleOf(parametersOf(CERTIFICATE + MAY), {
    ...TLS,
    detect_truncation: true,
  });
  assertEquals(local?.policy.options, 0xC0000850n);
});

Deno.test("serverRoleOf() passes on whom to trust, DH parameters, depth and digest", () => {
  const text = `${MAY}tlsproxy_tls_CAfile = "/ca.pem"
tlsproxy_tls_CApath = "/ca"
tls_append_default_CA = true
tlsproxy_tls_ask_ccert = true
tlsproxy_tls_ccert_verifydepth = 3
tlsproxy_tls_dh1024_param_file = "/dh.pem"
tlsproxy_tls_fingerprint_digest = "sha512"
tls_trust_server_ccerts = true
`;
  const { policy } = localOf(text);
  assertEquals(policy.trust, {
    caFile: "/ca.pem",
    caPath: "/ca",
    appendDefault: true,
    caFileParameter: "tlsproxy_tls_CAfile or smtpd_tls_CAfile",
    caPathParameter: "tlsproxy_tls_CApath or smtpd_tls_CApath",
  });
  assertEquals(policy.clientCertificates, { depth: 3, acceptServerUse: true });
  assertEquals([policy.dhFile, policy.fingerprintDigest], ["/dh.pem", "sha512"]);
});
