/**
 * From settings to the rules of a TLS server: tlsproxy's own parameters, whose defaults are smtpd's.
 *
 * The only file that knows which parameter decides what in the server role (Postfix's
 * tlsproxy/tlsproxy.c pre_jail_init_server() and tls/tls_server.c). Everything that can be wrong is
 * found here, at start, and not at the first connection.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Parameters } from "../config/settings.ts";
import type { CertificateFiles, CertificatePair } from "../tls/certificates.ts";
import { cipherList } from "../tls/ciphers.ts";
import type { ServerPolicy } from "../tls/context.ts";
import { parseProtocols } from "../tls/protocols.ts";
import { IGNORE_UNEXPECTED_EOF, NO_TICKET, sslOptions } from "../tls/ssl_options.ts";

/** Whether there is a server role, and with which rules. */
export type ServerRole =
  | { readonly on: true; readonly policy: ServerPolicy; readonly warnings: readonly string[] }
  | { readonly on: false; readonly warnings: readonly string[] };

/** What a security level comes down to on the server side. */
interface Enforcement {
  readonly use: boolean;
  readonly enforce: boolean;
  readonly warning: string | undefined;
}

/** Decides; throws {@linkcode FatalError} for values that can never work. */
export function serverRoleOf(parameters: Parameters): ServerRole {
  const warnings: string[] = [];
  const { use, enforce, warning } = enforcementOf(parameters);
  if (warning !== undefined) warnings.push(warning);
  if (!use) {
    warnings.push(
      "TLS server role is disabled with tlsproxy_tls_security_level or tlsproxy_use_tls",
    );
    return { on: false, warnings };
  }
  const certificates = certificateFilesOf(parameters, warnings);
  if (certificates === undefined) {
    warnings.push("No server certs available. TLS can't be enabled");
    return { on: false, warnings };
  }
  const options = sslOptions(parameters.tls_disable_workarounds, parameters.tls_ssl_options);
  for (const word of options.unknown) warnings.push(`unknown SSL option or work-around "${word}"`);
  const policy: ServerPolicy = {
    certificates,
    protocols: protocolsOf(parameters, enforce),
    cipherList: ciphersOf(parameters, enforce),
    groups: [...parameters.tls_eecdh_auto_curves, ...parameters.tls_ffdhe_auto_groups],
    // IGNORE_UNEXPECTED_EOF: SMTP has an end marker of its own.
    options: options.bits | IGNORE_UNEXPECTED_EOF,
    preferServerCiphers: parameters.tls_preempt_cipherlist,
    noTickets: (options.bits & NO_TICKET) !== 0n,
  };
  return { on: true, policy, warnings };
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

function certificateFilesOf(
  parameters: Parameters,
  warnings: string[],
): CertificateFiles | undefined {
  const chainFiles = parameters.tlsproxy_tls_chain_files;
  const pairs: CertificatePair[] = [];
  const without = parameters.tlsproxy_tls_cert_file.toLowerCase() === "none";
  for (const kind of ["cert", "dcert", "eccert"] as const) {
    const certificateParameter = `tlsproxy_tls_${kind}_file` as const;
    const keyParameter = KEY_PARAMETERS[kind];
    const certificateFile = parameters[certificateParameter];
    if (certificateFile === "" || (kind === "cert" && without)) continue;
    const keyFile = parameters[keyParameter];
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
  if (chainFiles.length === 0 && pairs.length === 0 && !without) return undefined;
  return { chainFiles, chainParameter: "tlsproxy_tls_chain_files", pairs };
}

/** A parameter and the one that its default comes from: the file may have set either. */
function withDefault(parameter: string): string {
  return `${parameter} or ${parameter.replace("tlsproxy_", "smtpd_")}`;
}

const KEY_PARAMETERS = {
  cert: "tlsproxy_tls_key_file",
  dcert: "tlsproxy_tls_dkey_file",
  eccert: "tlsproxy_tls_eckey_file",
} as const;

function protocolsOf(parameters: Parameters, enforce: boolean) {
  const name = enforce ? "tlsproxy_tls_mandatory_protocols" : "tlsproxy_tls_protocols";
  const bounds = parseProtocols(parameters[name].join(" "));
  if (typeof bounds !== "string") return bounds;
  throw new FatalError(`Invalid protocol list in ${name}: ${bounds}`, {
    hint: 'Write for example ">=TLSv1.2" or "TLSv1.2, TLSv1.3"',
  });
}

function ciphersOf(parameters: Parameters, enforce: boolean): string {
  const choice = cipherList({
    grade: enforce ? parameters.tlsproxy_tls_mandatory_ciphers : parameters.tlsproxy_tls_ciphers,
    exclusions: [
      ...parameters.tlsproxy_tls_exclude_ciphers,
      ...(enforce ? parameters.tlsproxy_tls_mandatory_exclude_ciphers : []),
    ],
    lists: {
      high: parameters.tls_high_cipherlist,
      medium: parameters.tls_medium_cipherlist,
      null: parameters.tls_null_cipherlist,
    },
  });
  if ("list" in choice) return choice.list;
  const name = enforce ? "tlsproxy_tls_mandatory_ciphers" : "tlsproxy_tls_ciphers";
  throw new FatalError(`Cannot use ${name} and its exclusions: ${choice.fault}`, {
    hint: 'A grade is "high", "medium" or "null"',
  });
}
