/**
 * The TLS settings of a tlsproxy request as plain objects; how they travel is in tls_params.ts.
 *
 * A field with a question mark is one that only some Postfix releases send.
 *
 * @module
 */

import type { ContextAttributes } from "./tls_context.ts";
import type { DaneTrust, TlsReportRequest } from "./tls_groups.ts";

/** Values of PARAMS: main.cf parameter name to value, in the order of the wire. */
export type LibraryParameters = Map<string, string | number>;

/** INIT of the client role: what determines a TLS context. Files are paths or empty. */
export interface ClientInit {
  /** Name of the parameter that gave the log level. */
  logParameter: string;
  logLevel: string;
  verifyDepth: number;
  /** `smtp` or `lmtp`. */
  cacheType: string;
  chainFiles: string;
  certFile: string;
  keyFile: string;
  dsaCertFile: string;
  dsaKeyFile: string;
  ecCertFile: string;
  ecKeyFile: string;
  caFile: string;
  caPath: string;
  /** Digest algorithm of fingerprints (`mdalg`). */
  digest: string;
}

/** INIT of the server role (3.12). */
export interface ServerInit extends ClientInit {
  /** Issue session ids even when sessions are not cached. */
  setSessionId: boolean;
  protocols: string;
  eecdhGrade: string;
  /** `dh1024_param_file`. */
  dhFile: string;
  /** `dh512_param_file`. */
  dhExportFile: string;
  askClientCert: boolean;
}

/** START of the client role: one session. */
export interface ClientStart {
  /** 3.12. */
  logParameter?: string;
  /** 3.12. */
  logLevel?: string;
  /** Seconds; tlsproxy has no use for it. */
  timeoutS: number;
  /** Raw public keys are wanted; 3.9 and later. */
  enableRawKeys?: boolean;
  /** A number of tls_levels.ts, or a negative one. */
  tlsLevel: number;
  nexthop: string;
  host: string;
  /** `host[address]:port`; goes back in the TLS context. */
  namaddr: string;
  /** A name, the words `hostname` or `nexthop`, or empty. */
  sni: string;
  /** Prefix of the session cache id; not the serverid of list A. */
  serverId: string;
  helo: string;
  protocols: string;
  cipherGrade: string;
  cipherExclusions: string;
  matchPatterns: string[];
  digest: string;
  dane: DaneTrust | undefined;
  /** 3.10 and later, when built with TLSRPT; `null`: nothing to report. */
  tlsReport?: TlsReportRequest | null;
  /** 3.10 and later. */
  forcedFailureType?: string;
  /** Bytes of a TLS trace; 3.12. */
  traceBytesMax?: number;
  /** For the name of the trace file; 3.12. */
  tracePeer?: string;
}

/** START of the server role (3.12). */
export interface ServerStart {
  logParameter?: string;
  logLevel?: string;
  /** Seconds. */
  timeoutS: number;
  enableRawKeys: boolean;
  requireClientCert: boolean;
  serverId: string;
  namaddr: string;
  cipherGrade: string;
  cipherExclusions: string;
  digest: string;
  /** Bytes. */
  traceBytesMax?: number;
  tracePeer?: string;
}

/** Releases whose lists differ. */
export type PostfixRelease = "3.7" | "3.8" | "3.9" | "3.10" | "3.11" | "3.12";

/** List B of the client role. */
export interface TlsClientSettings {
  parameters: LibraryParameters;
  init: ClientInit;
  start: ClientStart;
  /** The sender's release, as far as the list shows it. */
  release: PostfixRelease;
  /** How many attributes the sender wants in the TLS context. */
  contextAttributes: ContextAttributes;
  /** Bytes of the list that PARAMS and INIT take; equal bytes mean an equal TLS context. */
  initEnd: number;
}

/** List B of the server role. */
export interface TlsServerSettings {
  parameters: LibraryParameters;
  init: ServerInit;
  start: ServerStart;
  contextAttributes: ContextAttributes;
  /** Bytes of the list that PARAMS and INIT take; equal bytes mean an equal TLS context. */
  initEnd: number;
}

/** A {@linkcode ClientInit} in which nothing is set. */
export function emptyClientInit(): ClientInit {
  return {
    logParameter: "",
    logLevel: "",
    verifyDepth: 0,
    cacheType: "",
    chainFiles: "",
    certFile: "",
    keyFile: "",
    dsaCertFile: "",
    dsaKeyFile: "",
    ecCertFile: "",
    ecKeyFile: "",
    caFile: "",
    caPath: "",
    digest: "",
  };
}

/** A {@linkcode ServerInit} in which nothing is set. */
export function emptyServerInit(): ServerInit {
  return {
    ...emptyClientInit(),
    setSessionId: false,
    protocols: "",
    eecdhGrade: "",
    dhFile: "",
    dhExportFile: "",
    askClientCert: false,
  };
}

/** A {@linkcode ClientStart} in which nothing is set. */
export function emptyClientStart(): ClientStart {
  return {
    timeoutS: 0,
    tlsLevel: 0,
    nexthop: "",
    host: "",
    namaddr: "",
    sni: "",
    serverId: "",
    helo: "",
    protocols: "",
    cipherGrade: "",
    cipherExclusions: "",
    matchPatterns: [],
    digest: "",
    dane: undefined,
  };
}

/** A {@linkcode ServerStart} in which nothing is set. */
export function emptyServerStart(): ServerStart {
  return {
    timeoutS: 0,
    enableRawKeys: false,
    requireClientCert: false,
    serverId: "",
    namaddr: "",
    cipherGrade: "",
    cipherExclusions: "",
    digest: "",
  };
}
