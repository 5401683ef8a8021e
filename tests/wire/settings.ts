/**
 * Generated TLS settings, for tests that print and read them back.
 *
 * @module
 */

import type { DaneTrust, TlsReportRequest } from "../../lib/proto/tls_groups.ts";
import type {
  ClientInit,
  ClientStart,
  LibraryParameters,
  PostfixRelease,
  ServerInit,
  ServerStart,
} from "../../lib/proto/tls_settings.ts";
import type { Seeded } from "./lists.ts";

const TEXT_PARAMETERS = [
  "tls_config_file",
  "tls_config_name",
  "tls_high_cipherlist",
  "tls_medium_cipherlist",
  "tls_null_cipherlist",
  "tls_eecdh_auto_curves",
  "tls_eecdh_strong_curve",
  "tls_eecdh_ultra_curve",
  "tls_disable_workarounds",
  "tls_ssl_options",
  "tlsmgr_service_name",
  "tls_session_ticket_cipher",
];

const NUMBER_PARAMETERS = [
  "tls_daemon_random_bytes",
  "tls_append_default_CA",
  "tls_preempt_cipherlist",
  "tls_wildcard_matches_multiple_labels",
];

/** Parameters that only some releases send. */
const TEXTS_OF: Record<string, string[]> = {
  "3.7": ["tls_low_cipherlist", "tls_export_cipherlist", "tls_dane_digests"],
  later: ["tls_ffdhe_auto_groups", "tls_dane_digests"],
  server: ["tls_ffdhe_auto_groups", "tls_server_sni_maps"],
};

const NUMBERS_OF: Record<string, string[]> = {
  "3.7": ["tls_legacy_public_key_fingerprints"],
  "3.8": ["tls_legacy_public_key_fingerprints"],
  "3.9": ["tls_legacy_public_key_fingerprints"],
  "3.10": ["tls_legacy_public_key_fingerprints"],
  "3.11": [],
  "3.12": ["tls_fast_shutdown_enable"],
  server: ["tls_fast_shutdown_enable", "tls_trust_server_ccerts"],
};

/** PARAMS as the client role of a release, or the server role of 3.12, sends it. */
export function someParameters(
  random: Seeded,
  sender: PostfixRelease | "server",
): LibraryParameters {
  const texts = TEXTS_OF[sender] ?? TEXTS_OF.later;
  const parameters: LibraryParameters = new Map();
  for (const name of [...TEXT_PARAMETERS, ...texts]) parameters.set(name, random.text());
  for (const name of [...NUMBER_PARAMETERS, ...NUMBERS_OF[sender]]) {
    parameters.set(name, random.below(2));
  }
  return parameters;
}

/** INIT of the client role. */
export function someClientInit(random: Seeded): ClientInit {
  return {
    logParameter: random.text(),
    logLevel: random.text(),
    verifyDepth: random.below(10),
    cacheType: random.text(),
    chainFiles: random.text(),
    certFile: random.text(),
    keyFile: random.text(),
    dsaCertFile: random.text(),
    dsaKeyFile: random.text(),
    ecCertFile: random.text(),
    ecKeyFile: random.text(),
    caFile: random.text(),
    caPath: random.text(),
    digest: random.text(),
  };
}

/** INIT of the server role. */
export function someServerInit(random: Seeded): ServerInit {
  return {
    ...someClientInit(random),
    setSessionId: random.flip(),
    protocols: random.text(),
    eecdhGrade: random.text(),
    dhFile: random.text(),
    dhExportFile: random.text(),
    askClientCert: random.flip(),
  };
}

/** START of the client role as a release sends it; `tlsReport` only with `report`. */
export function someClientStart(
  random: Seeded,
  release: PostfixRelease,
  report: boolean,
): ClientStart {
  const minor = Number(release.slice(2));
  const start: ClientStart = {
    timeoutS: random.int32(),
    tlsLevel: random.below(11) - 2,
    nexthop: random.text(),
    host: random.text(),
    namaddr: random.text(),
    sni: random.text(),
    serverId: random.text(),
    helo: random.text(),
    protocols: random.text(),
    cipherGrade: random.text(),
    cipherExclusions: random.text(),
    matchPatterns: someTexts(random),
    digest: random.text(),
    dane: random.flip() ? someDane(random) : undefined,
  };
  if (minor >= 9) start.enableRawKeys = random.flip();
  if (minor >= 10) start.forcedFailureType = random.text();
  if (minor >= 10 && report) start.tlsReport = random.flip() ? someReport(random) : null;
  if (minor < 12) return start;
  return {
    ...start,
    logParameter: random.text(),
    logLevel: random.text(),
    traceBytesMax: random.int32(),
    tracePeer: random.text(),
  };
}

/** START of the server role. */
export function someServerStart(random: Seeded): ServerStart {
  const start: ServerStart = {
    timeoutS: random.int32(),
    enableRawKeys: random.flip(),
    requireClientCert: random.flip(),
    serverId: random.text(),
    namaddr: random.text(),
    cipherGrade: random.text(),
    cipherExclusions: random.text(),
    digest: random.text(),
  };
  if (random.flip()) return start;
  return {
    ...start,
    logParameter: random.text(),
    logLevel: random.text(),
    traceBytesMax: random.int32(),
    tracePeer: random.text(),
  };
}

function someTexts(random: Seeded): string[] {
  return Array.from({ length: random.below(4) }, () => random.text());
}

function someDane(random: Seeded): DaneTrust {
  const records = Array.from({ length: random.below(4) }, () => ({
    usage: random.below(4),
    selector: random.below(2),
    matchingType: random.pick([0, 1, 2, 255]),
    data: random.bytes(80),
  }));
  return { domain: random.text(), records };
}

function someReport(random: Seeded): TlsReportRequest {
  return {
    socketName: random.text(),
    policyDomain: random.text(),
    policyString: random.text(),
    tlsPolicyType: random.below(4),
    tlsPolicyStrings: someTexts(random),
    tlsPolicyDomain: random.text(),
    mxPatterns: someTexts(random),
    senderAddress: random.text(),
    receiverName: random.text(),
    receiverAddress: random.text(),
    receiverEhlo: random.text(),
    skipReusedHandshakes: random.flip(),
    flags: random.below(16),
  };
}
