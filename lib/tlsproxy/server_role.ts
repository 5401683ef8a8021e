/**
 * From this service's parameters to its server role: whether there is one, and its INIT and START, as a
 * client of 3.12 would send them.
 *
 * The only file that knows which of tlsproxy's own parameters decides what in the server role (Postfix's
 * tlsproxy/tlsproxy.c pre_jail_init_server()); their defaults are smtpd's. Everything that can be wrong
 * is found here or when the context is made, at start, and not at the first connection.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Parameters, Settings } from "../config/settings.ts";
import { emptyServerInit, type ServerInit } from "../proto/tls_settings.ts";
import type { ServerPolicy } from "../tls/context.ts";
import {
  contextKey,
  policyOf,
  protocolsParameter,
  type SessionPolicy,
  sessionPolicyOf,
  type SessionStart,
} from "./server_policy.ts";

/** The server role of this service's own settings. */
export interface LocalServer {
  readonly policy: ServerPolicy;
  readonly session: SessionPolicy;
  /** What the context is made from, as a request would say it. */
  readonly init: ServerInit;
  /** {@linkcode contextKey} of `init`. */
  readonly key: string;
  /** TLS is mandatory. */
  readonly enforce: boolean;
}

/** Whether there is a server role, and with which rules. */
export interface ServerRole {
  readonly local: LocalServer | undefined;
  readonly warnings: readonly string[];
}

/** What a security level comes down to on the server side. */
interface Enforcement {
  readonly use: boolean;
  readonly enforce: boolean;
  readonly warning: string | undefined;
}

/** Decides; throws {@linkcode FatalError} for values that can never work. */
export function serverRoleOf(parameters: Parameters, tls: Settings["tls"]): ServerRole {
  const warnings: string[] = [];
  const { use, enforce, warning } = enforcementOf(parameters);
  if (warning !== undefined) warnings.push(warning);
  if (!use) {
    warnings.push(
      "TLS server role is disabled with tlsproxy_tls_security_level or tlsproxy_use_tls",
    );
    return { local: undefined, warnings };
  }
  const asks = asksForCertificates(parameters, enforce, warnings);
  const init = initOf(parameters, { enforce, asks });
  if (!mayServe(parameters, { asks, warnings })) return { local: undefined, warnings };
  const context = { parameters, tls, enforce };
  const session = sessionPolicyOf(startOf(parameters, { enforce, asks }), context);
  const { cipherList } = session;
  const policy = policyOf(init, { ...context, cipherList, warnings });
  return { local: { policy, session, init, key: contextKey(init), enforce }, warnings };
}

function enforcementOf(parameters: Parameters): Enforcement {
  const level = parameters.tlsproxy_tls_security_level.toLowerCase();
  switch (level) {
    case "": {
      const enforce = parameters.tlsproxy_enforce_tls;
      return { use: enforce || parameters.tlsproxy_use_tls, enforce, warning: undefined };
    }
    case "none":
      return { use: false, enforce: false, warning: undefined };
    case "may":
      return { use: true, enforce: false, warning: undefined };
    case "encrypt":
      return { use: true, enforce: true, warning: undefined };
    case "fingerprint":
    case "verify":
    case "secure":
      return {
        use: true,
        enforce: true,
        warning: `tlsproxy_tls_security_level: unsupported level "${level}", using "encrypt"`,
      };
    default:
      throw new FatalError(`Invalid TLS level "${level}" in tlsproxy_tls_security_level`, {
        hint: 'A server\'s level is "none", "may" or "encrypt"',
      });
  }
}

/** To require a certificate takes mandatory TLS, and means to ask for one. */
function asksForCertificates(
  parameters: Parameters,
  enforce: boolean,
  warnings: string[],
): boolean {
  const { tlsproxy_tls_req_ccert: required, tlsproxy_tls_ask_ccert: asked } = parameters;
  if (required && !enforce) warnings.push("Can't require client certs unless TLS is required");
  return asked || (required && enforce);
}

/** Running without a certificate must have been asked for, and allows no client certificates. */
function mayServe(
  parameters: Parameters,
  options: { asks: boolean; warnings: string[] },
): boolean {
  const { asks, warnings } = options;
  const without = isNone(parameters.tlsproxy_tls_cert_file);
  const hasOne = parameters.tlsproxy_tls_chain_files.length > 0 ||
    parameters.tlsproxy_tls_dcert_file !== "" || parameters.tlsproxy_tls_eccert_file !== "" ||
    (parameters.tlsproxy_tls_cert_file !== "" && !without);
  if (hasOne) return true;
  if (asks) warnings.push("Need a server cert to request client certs");
  if (without && !asks) return true;
  warnings.push("No server certs available. TLS can't be enabled");
  return false;
}

function isNone(file: string): boolean {
  return file.toLowerCase() === "none";
}

/** The parameters as a client of 3.12 would send them. */
function initOf(
  parameters: Parameters,
  role: { enforce: boolean; asks: boolean },
): ServerInit {
  const certificate = parameters.tlsproxy_tls_cert_file;
  return {
    ...emptyServerInit(),
    logLevel: parameters.tlsproxy_tls_loglevel.join(" "),
    verifyDepth: parameters.tlsproxy_tls_ccert_verifydepth,
    cacheType: "smtpd",
    setSessionId: parameters.tlsproxy_tls_always_issue_session_ids,
    chainFiles: parameters.tlsproxy_tls_chain_files.join(", "),
    certFile: isNone(certificate) ? "" : certificate,
    keyFile: parameters.tlsproxy_tls_key_file,
    dsaCertFile: parameters.tlsproxy_tls_dcert_file,
    dsaKeyFile: parameters.tlsproxy_tls_dkey_file,
    ecCertFile: parameters.tlsproxy_tls_eccert_file,
    ecKeyFile: parameters.tlsproxy_tls_eckey_file,
    caFile: parameters.tlsproxy_tls_CAfile,
    caPath: parameters.tlsproxy_tls_CApath,
    protocols: parameters[protocolsParameter(role.enforce)].join(" "),
    eecdhGrade: parameters.tlsproxy_tls_eecdh_grade,
    dhFile: parameters.tlsproxy_tls_dh1024_param_file,
    dhExportFile: parameters.tlsproxy_tls_dh512_param_file,
    askClientCert: role.asks,
    digest: parameters.tlsproxy_tls_fingerprint_digest,
  };
}

function startOf(
  parameters: Parameters,
  role: { enforce: boolean; asks: boolean },
): SessionStart {
  const { enforce, asks } = role;
  return {
    logLevel: parameters.tlsproxy_tls_loglevel.join(" "),
    requireClientCert: parameters.tlsproxy_tls_req_ccert && enforce,
    cipherGrade: enforce
      ? parameters.tlsproxy_tls_mandatory_ciphers
      : parameters.tlsproxy_tls_ciphers,
    cipherExclusions: [
      ...parameters.tlsproxy_tls_exclude_ciphers,
      ...(enforce ? parameters.tlsproxy_tls_mandatory_exclude_ciphers : []),
      // Who shows no certificate cannot ask for one.
      ...(asks ? ["aNULL"] : []),
    ].join(" "),
  };
}
