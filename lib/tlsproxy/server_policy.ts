/**
 * From INIT and START, the settings of a TLS server as a client of 3.12 sends them, to the rules of a
 * context and of a session (Postfix's tls/tls_server.c tls_server_init() and tls_server_start()).
 *
 * Of the parameters only those of the whole TLS library are looked at here, which a request cannot
 * change; the others have become INIT and START in `server_role.ts`. Messages name the parameters all
 * the same, because that is where an operator sets things right.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Parameters, Settings } from "../config/settings.ts";
import { type TlsLogShows, tlsLogShows } from "../config/tls_log_level.ts";
import type { ServerInit, ServerStart } from "../proto/tls_settings.ts";
import type { CertificateFiles, CertificatePair } from "../tls/certificates.ts";
import { cipherList } from "../tls/ciphers.ts";
import type { ServerPolicy } from "../tls/context.ts";
import { parseProtocols } from "../tls/protocols.ts";
import { IGNORE_UNEXPECTED_EOF, NO_TICKET, sslOptions } from "../tls/ssl_options.ts";

/** What is decided for each session. */
export interface SessionPolicy {
  /** OpenSSL cipher list for TLS 1.2 and older. */
  readonly cipherList: string;
  /** The local client shall refuse a session without a trusted certificate. */
  readonly requireCertificate: boolean;
  /** … and so shall tlsproxy itself (`[tls] enforce_req_ccert`). */
  readonly rejectUntrusted: boolean;
  readonly shows: TlsLogShows;
  /** Name in the key of cached sessions, and in log lines; absent: those of the request. */
  readonly serverId?: string;
  readonly namaddr?: string;
}

/** The parts of a START that decide about a session. */
export type SessionStart = Pick<
  ServerStart,
  "logLevel" | "requireClientCert" | "cipherGrade" | "cipherExclusions"
>;

/** What tells contexts apart: all of INIT but the name of the parameter of the log level. */
export function contextKey(init: ServerInit): string {
  return JSON.stringify({ ...init, logParameter: "" });
}

/** What rules are made with beside INIT and START. */
export interface PolicySource {
  readonly parameters: Parameters;
  readonly tls: Settings["tls"];
  /** TLS is mandatory: decides which parameters messages name. */
  readonly enforce: boolean;
}

/**
 * The rules of a context. Throws {@linkcode FatalError} for values that can never work.
 *
 * @param source.cipherList the list of most of its sessions
 */
export function policyOf(
  init: ServerInit,
  source: PolicySource & { cipherList: string; warnings: string[] },
): ServerPolicy {
  const { parameters, tls, enforce, cipherList, warnings } = source;
  const options = sslOptions(parameters.tls_disable_workarounds, parameters.tls_ssl_options);
  for (const word of options.unknown) warnings.push(`unknown SSL option or work-around "${word}"`);
  return {
    certificates: certificateFilesOf(init, warnings),
    protocols: protocolsOf(init.protocols, enforce),
    cipherList,
    groups: [...parameters.tls_eecdh_auto_curves, ...parameters.tls_ffdhe_auto_groups],
    // SMTP has an end marker of its own; other protocols may not.
    options: tls.detect_truncation ? options.bits : options.bits | IGNORE_UNEXPECTED_EOF,
    preferServerCiphers: parameters.tls_preempt_cipherlist,
    noTickets: (options.bits & NO_TICKET) !== 0n,
    alwaysIssueIds: init.setSessionId,
    dhFile: init.dhFile,
    dhParameter: withDefault("tlsproxy_tls_dh1024_param_file"),
    trust: {
      caFile: init.caFile,
      caPath: init.caPath,
      appendDefault: parameters.tls_append_default_CA,
      caFileParameter: withDefault("tlsproxy_tls_CAfile"),
      caPathParameter: withDefault("tlsproxy_tls_CApath"),
    },
    clientCertificates: init.askClientCert
      ? { depth: init.verifyDepth, acceptServerUse: parameters.tls_trust_server_ccerts }
      : undefined,
    fingerprintDigest: init.digest,
    digestParameter: withDefault("tlsproxy_tls_fingerprint_digest"),
    library: {
      configFile: parameters.tls_config_file,
      configName: parameters.tls_config_name,
    },
  };
}

/** The rules of a session. Throws {@linkcode FatalError} for values that can never work. */
export function sessionPolicyOf(start: SessionStart, source: PolicySource): SessionPolicy {
  const { parameters, tls, enforce } = source;
  const choice = cipherList({
    grade: start.cipherGrade,
    exclusions: [start.cipherExclusions],
    lists: {
      high: parameters.tls_high_cipherlist,
      medium: parameters.tls_medium_cipherlist,
      null: parameters.tls_null_cipherlist,
    },
  });
  if ("fault" in choice) {
    const name = enforce ? "tlsproxy_tls_mandatory_ciphers" : "tlsproxy_tls_ciphers";
    throw new FatalError(`Cannot use ${name} and its exclusions: ${choice.fault}`, {
      hint: 'A grade is "high", "medium" or "null"',
    });
  }
  return {
    cipherList: choice.list,
    requireCertificate: start.requireClientCert,
    rejectUntrusted: start.requireClientCert && tls.enforce_req_ccert === "reject",
    shows: showsOf(wordsOf(start.logLevel ?? ""), start.requireClientCert),
  };
}

/** Elements between blanks, commas and colons. */
export function wordsOf(text: string): string[] {
  return text.split(/[\s,:]+/).filter((word) => word !== "");
}

/** Why a certificate that is required is not trusted is always worth a line. */
function showsOf(words: readonly string[], required: boolean): TlsLogShows {
  const shows = tlsLogShows(words.map((word) => word.toLowerCase()));
  return required ? { ...shows, untrusted: true } : shows;
}

function certificateFilesOf(init: ServerInit, warnings: string[]): CertificateFiles {
  const chainFiles = init.chainFiles.split(/[\s,]+/).filter((file) => file !== "");
  const pairs: CertificatePair[] = [];
  for (const { kind, certificateFile, keyFile } of pairsOf(init)) {
    if (certificateFile === "") continue;
    const certificateParameter = `tlsproxy_tls_${kind}cert_file`;
    const keyParameter = `tlsproxy_tls_${kind}key_file`;
    if (keyFile === "") {
      warnings.push(
        `${certificateParameter} is set but ${keyParameter} is not: taking both from it`,
      );
    }
    pairs.push({
      certificateFile,
      keyFile: keyFile === "" ? certificateFile : keyFile,
      certificateParameter: withDefault(certificateParameter),
      keyParameter: withDefault(keyParameter),
    });
  }
  if (chainFiles.length > 0 && pairs.length > 0) {
    warnings.push("tlsproxy_tls_chain_files is set: the other certificate parameters are ignored");
  }
  return { chainFiles, chainParameter: "tlsproxy_tls_chain_files", pairs };
}

/** Certificate and key files in Postfix's order. */
function pairsOf(init: ServerInit) {
  return [
    { kind: "", certificateFile: init.certFile, keyFile: init.keyFile },
    { kind: "d", certificateFile: init.dsaCertFile, keyFile: init.dsaKeyFile },
    { kind: "ec", certificateFile: init.ecCertFile, keyFile: init.ecKeyFile },
  ];
}

/** A parameter and the one that its default comes from: the file may have set either. */
function withDefault(parameter: string): string {
  return `${parameter} or ${parameter.replace("tlsproxy_", "smtpd_")}`;
}

/** The parameter that says which protocols are allowed. */
export function protocolsParameter(enforce: boolean) {
  return enforce ? "tlsproxy_tls_mandatory_protocols" : "tlsproxy_tls_protocols";
}

function protocolsOf(list: string, enforce: boolean) {
  const bounds = parseProtocols(list);
  if (typeof bounds !== "string") return bounds;
  throw new FatalError(`Invalid protocol list in ${protocolsParameter(enforce)}: ${bounds}`, {
    hint: 'Write for example ">=TLSv1.2" or "TLSv1.2, TLSv1.3"',
  });
}
