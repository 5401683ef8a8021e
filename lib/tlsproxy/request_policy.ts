/**
 * What a request may decide about its own TLS settings (`[service] settings_from_request`).
 *
 * Clients of 3.12 send settings with each request. `trust` takes all of INIT and START, as Postfix
 * does; `match` takes them where the files they name are those of this service, which were read and
 * checked at start; `ignore`, as releases before 3.12, takes nothing and does not come here. The
 * parameters of the whole TLS library are this service's own in any case.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Parameters, Settings } from "../config/settings.ts";
import type { ServerInit, TlsServerSettings } from "../proto/tls_settings.ts";
import type { ServerPolicy } from "../tls/context.ts";
import { contextKey, policyOf, type SessionPolicy, sessionPolicyOf } from "./server_policy.ts";
import type { LocalServer } from "./server_role.ts";

/** The rules that a request asks for, or why it cannot have them. */
export type RequestPolicy =
  | {
    readonly key: string;
    readonly policy: ServerPolicy;
    readonly session: SessionPolicy;
    readonly warnings: readonly string[];
  }
  | { readonly refusal: string };

/** Files and folders of INIT, with the parameters of this service that name the same. */
const FILES = {
  chainFiles: "tlsproxy_tls_chain_files",
  certFile: "tlsproxy_tls_cert_file",
  keyFile: "tlsproxy_tls_key_file",
  dsaCertFile: "tlsproxy_tls_dcert_file",
  dsaKeyFile: "tlsproxy_tls_dkey_file",
  ecCertFile: "tlsproxy_tls_eccert_file",
  ecKeyFile: "tlsproxy_tls_eckey_file",
  caFile: "tlsproxy_tls_CAfile",
  caPath: "tlsproxy_tls_CApath",
  dhFile: "tlsproxy_tls_dh1024_param_file",
} as const satisfies Partial<Record<keyof ServerInit, string>>;

/** The rest of INIT that decides about a context. */
const OTHERS = {
  verifyDepth: "tlsproxy_tls_ccert_verifydepth",
  setSessionId: "tlsproxy_tls_always_issue_session_ids",
  protocols: "tlsproxy_tls_protocols",
  askClientCert: "tlsproxy_tls_ask_ccert",
  digest: "tlsproxy_tls_fingerprint_digest",
} as const satisfies Partial<Record<keyof ServerInit, string>>;

/** The rules for a request. */
export function policyOfRequest(
  request: TlsServerSettings,
  local: LocalServer,
  options: {
    parameters: Parameters;
    tls: Settings["tls"];
    mode: "trust" | "match";
  },
): RequestPolicy {
  const { start } = request;
  const digest = start.digest === "" ? request.init.digest : start.digest;
  const init: ServerInit = { ...request.init, digest };
  if (options.mode === "match") {
    const other = differingFile(init, local.init);
    if (other !== undefined) {
      return {
        refusal: `request from tlsproxy client refused: its files are not this service's ` +
          `(${other}); use the same files, or set [service] settings_from_request = "trust"`,
      };
    }
  }
  const source = { parameters: options.parameters, tls: options.tls, enforce: local.enforce };
  const warnings: string[] = [];
  try {
    const session = sessionPolicyOf(start, source);
    const { cipherList } = session;
    const names = { serverId: start.serverId, namaddr: start.namaddr };
    return {
      key: contextKey(init),
      policy: policyOf(init, { ...source, cipherList, warnings }),
      session: { ...session, ...names },
      warnings,
    };
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    return { refusal: `request from tlsproxy client refused: ${error.message}` };
  }
}

/** How a request differs from this service's own settings, a line each (Postfix's tlsproxy_diff.c). */
export function differencesOf(
  request: TlsServerSettings,
  local: LocalServer,
  parameters: Parameters,
): string[] {
  const lines: string[] = [];
  const compare = (name: string, asked: unknown, own: unknown) => {
    if (canonical(asked) === canonical(own)) return;
    lines.push(`client request: ${name} = ${asked}; own setting: ${own}`);
  };
  for (const [name, asked] of request.parameters) {
    if (name in parameters) compare(name, asked, parameters[name as keyof Parameters]);
  }
  for (const [key, name] of Object.entries({ ...FILES, ...OTHERS })) {
    const field = key as keyof ServerInit;
    compare(name, request.init[field], local.init[field]);
  }
  return lines;
}

function differingFile(asked: ServerInit, own: ServerInit): string | undefined {
  for (const [field, name] of Object.entries(FILES)) {
    const key = field as keyof typeof FILES;
    if (canonical(asked[key]) !== canonical(own[key])) {
      return `${name} = ${asked[key] || "(empty)"}, not ${own[key] || "(empty)"}`;
    }
  }
  return undefined;
}

/** Lists are equal when their elements are; yes is 1. */
function canonical(value: unknown): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  return text.split(/[\s,]+/).filter((word) => word !== "").join(" ");
}
