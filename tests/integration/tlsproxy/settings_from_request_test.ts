/**
 * tlsproxy, server role: clients of 3.12 that send settings with their requests.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ListPrinter } from "../../../lib/attr/print.ts";
import { concat } from "../../../lib/base/bytes.ts";
import { printServerSettings } from "../../../lib/proto/tls_params.ts";
import {
  emptyServerInit,
  emptyServerStart,
  type ServerInit,
  type ServerStart,
} from "../../../lib/proto/tls_settings.ts";
import { assertTalks, Bed, type BedOptions, established, FLAGS, type Session } from "./_bed.ts";
import { latin1Text, type Request, requestList } from "./_peers.ts";

/** All of PARAMS, as a server of 3.12 sends it, with its defaults. */
function libraryParameters(): Map<string, string | number> {
  return new Map<string, string | number>([
    ["tls_config_file", "default"],
    ["tls_config_name", ""],
    [
      "tls_high_cipherlist",
      "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH",
    ],
    [
      "tls_medium_cipherlist",
      "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:" +
      "@STRENGTH",
    ],
    ["tls_null_cipherlist", "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL"],
    ["tls_eecdh_auto_curves", "X25519 X448 prime256v1 secp384r1 secp521r1"],
    ["tls_eecdh_strong_curve", "prime256v1"],
    ["tls_eecdh_ultra_curve", "secp384r1"],
    ["tls_ffdhe_auto_groups", "ffdhe2048 ffdhe3072"],
    ["tls_disable_workarounds", ""],
    ["tls_ssl_options", ""],
    ["tlsmgr_service_name", "tlsmgr"],
    ["tls_session_ticket_cipher", "aes-256-cbc"],
    ["tls_daemon_random_bytes", 32],
    ["tls_append_default_CA", 0],
    ["tls_preempt_cipherlist", 0],
    ["tls_wildcard_matches_multiple_labels", 1],
    ["tls_server_sni_maps", ""],
    ["tls_fast_shutdown_enable", 1],
    ["tls_trust_server_ccerts", 0],
  ]);
}

interface Change {
  init?: Partial<ServerInit>;
  start?: Partial<ServerStart>;
}

/** The settings of a client that has the same as the service, but for `change`. */
function settingsOf(bed: Bed, change: Change = {}): string {
  const init: ServerInit = {
    ...emptyServerInit(),
    logParameter: "postscreen_tls_loglevel",
    logLevel: "1",
    verifyDepth: 9,
    cacheType: "smtpd",
    setSessionId: true,
    certFile: bed.folder.file("rsa.pem"),
    keyFile: bed.folder.file("rsa.key"),
    ecCertFile: bed.folder.file("ec.pem"),
    ecKeyFile: bed.folder.file("ec.key"),
    protocols: ">=TLSv1",
    eecdhGrade: "auto",
    digest: "sha256",
    ...change.init,
  };
  const start: ServerStart = {
    ...emptyServerStart(),
    logParameter: "postscreen_tls_loglevel",
    logLevel: "1",
    timeoutS: 300,
    serverId: "smtp:25",
    namaddr: "peer.example.test[192.0.2.9]:2525",
    cipherGrade: "medium",
    digest: "sha256",
    traceBytesMax: 0,
    tracePeer: "",
    ...change.start,
  };
  const printer = new ListPrinter();
  printServerSettings(printer, { parameters: libraryParameters(), init, start });
  return latin1Text(concat(printer.end()));
}

/** Sends a request with settings; the answer. */
async function ask(
  bed: Bed,
  change: Change = {},
  over: Partial<Request> = {},
): Promise<{ status: string; request: Request; local: Session["local"] }> {
  const request = bed.request(over);
  const local = await bed.client();
  await local.send(latin1Text(requestList(request)) + settingsOf(bed, change));
  const [name, status] = await local.readList();
  assertEquals(name, "status");
  return { status, request, local };
}

/** A session with settings, up to the hand-over of the descriptor. */
async function passed(
  bed: Bed,
  change: Change = {},
  over: Partial<Request> = {},
): Promise<Session> {
  const { status, request, local } = await ask(bed, change, over);
  assertEquals(status, "1");
  const { passed, remote } = await bed.peers.pair();
  await local.pass([passed]);
  await passed.close();
  return { endpoint: request.endpoint, local, remote };
}

function testSettings(name: string, run: (bed: Bed) => Promise<void>, options: BedOptions = {}) {
  Deno.test(`tlsproxy, settings of the request: ${name}`, async () => {
    await using bed = await Bed.start(options);
    await run(bed);
  });
}

testSettings("equal ones are served without a word, under the request's names", async (bed) => {
  const { endpoint, local, remote } = await passed(bed, {}, {
    flags: FLAGS.server | FLAGS.context,
  });
  await remote.tls({ ca: bed.ca });
  const words = await local.readList();
  // 3.12 reads 26 attributes.
  assertEquals(words.length, 2 * 26);
  assertEquals(words[words.indexOf("namaddr") + 1], "peer.example.test[192.0.2.9]:2525");
  await assertTalks({ local, remote });
  await local.close();
  await bed.check([
    `CONNECT from ${endpoint}`,
    established("peer.example.test[192.0.2.9]:2525"),
    `DISCONNECT ${endpoint}`,
  ]);
});

const UNEXPECTED = "warning: request from tlsproxy client with unexpected settings";
const ADVICE = /^warning: to avoid this warning, configure a custom tlsproxy service /;

testSettings("other protocols make another context, with one warning for all", async (bed) => {
  const change = { init: { protocols: ">=TLSv1.3" } };
  const difference =
    "warning: client request: tlsproxy_tls_protocols = >=TLSv1.3; own setting: >=TLSv1";
  for (const told of [[UNEXPECTED, difference, ADVICE], []]) {
    const { endpoint, local, remote } = await passed(bed, change);
    await assertRejects(() => remote.tls({ ca: bed.ca, version: "TLSv1_2" }));
    assertEquals(await local.readEnd(), { data: "", how: "closed" });
    await local.close();
    await bed.check([
      `CONNECT from ${endpoint}`,
      ...told,
      /^warning: TLS library problem: .*unsupported protocol/,
      `TLS handshake failed for service=smtpd peer=${endpoint}`,
      `DISCONNECT ${endpoint}`,
    ]);
  }
  // Who sends no settings has the service's own.
  const { handshake, local, remote } = await bed.established({}, { version: "TLSv1_2" });
  assertEquals(handshake.version, "TLSv1.2");
  await assertTalks({ local, remote });
});

testSettings("other files are refused, and the log says which", async (bed) => {
  const { status, request, local } = await ask(bed, { init: { ecCertFile: "/elsewhere.pem" } });
  assertEquals(status, "0");
  await local.close();
  await bed.check([
    `CONNECT from ${request.endpoint}`,
    UNEXPECTED,
    /^warning: client request: tlsproxy_tls_eccert_file = \/elsewhere\.pem; own setting: /,
    ADVICE,
    /^warning: request from tlsproxy client refused: its files are not this service's \(tlsproxy_tls_eccert_file = /,
    `DISCONNECT ${request.endpoint}`,
  ]);
});

testSettings("other files are used on trust", async (bed) => {
  const ecOnly = { init: { certFile: "", keyFile: "" } };
  const { local, remote, endpoint } = await passed(bed, ecOnly);
  const offer = { ca: bed.ca, version: "TLSv1_2", ciphers: "ECDHE+aRSA" } as const;
  await assertRejects(() => remote.tls(offer));
  await local.close();
  await bed.waitForLine(`DISCONNECT ${endpoint}`);
  const other = await passed(bed, ecOnly);
  const report = await other.remote.tls({ ca: bed.ca, version: "TLSv1_2", ciphers: "aECDSA" });
  assertMatch(report.cipher, /ECDSA/);
  // What cannot be loaded is this request's affair.
  const { status } = await ask(bed, { init: { certFile: "/nowhere/cert.pem" } });
  assertEquals(status, "0");
  await bed.waitForLine(/^warning: Cannot read certificate file "\/nowhere\/cert\.pem"/);
  await assertTalks({ local: other.local, remote: other.remote });
}, { service: { settings_from_request: "trust" } });

testSettings("cipher grade and exclusions are those of the session", async (bed) => {
  const change = { start: { cipherExclusions: "aECDSA" } };
  const { local, remote } = await passed(bed, change);
  const report = await remote.tls({ ca: bed.ca, version: "TLSv1_2" });
  assertMatch(report.cipher, /RSA/);
  await assertTalks({ local, remote });
  const usual = await passed(bed);
  const offer = { ca: bed.ca, version: "TLSv1_2", ciphers: "aECDSA" } as const;
  assertMatch((await usual.remote.tls(offer)).cipher, /ECDSA/);
  for (const start of [{ cipherGrade: "invalid" }, { cipherExclusions: "!x" }]) {
    assertEquals((await ask(bed, { start })).status, "0");
  }
});

testSettings("contexts are limited, and sessions outlive theirs", async (bed) => {
  const sessions: Session[] = [];
  for (let depth = 1; depth <= 5; depth++) {
    const session = await passed(bed, { init: { verifyDepth: depth } });
    await session.remote.tls({ ca: bed.ca });
    sessions.push(session);
  }
  for (const session of sessions) await assertTalks(session);
  // The first is made again.
  const again = await passed(bed, { init: { verifyDepth: 1 } });
  await again.remote.tls({ ca: bed.ca });
  await assertTalks(again);
  assert(bed.lines().length > 0);
}, { role: { max_contexts: 2 } });

testSettings("a role that is off refuses, and says so for each request", async (bed) => {
  const { status, request, local } = await ask(bed);
  assertEquals(status, "0");
  await local.close();
  await bed.waitForLine(`DISCONNECT ${request.endpoint}`);
  assert(bed.lines().includes("warning: TLS server role is disabled by configuration"));
}, { parameters: { smtpd_tls_security_level: "none" }, tlsmgr: false });
