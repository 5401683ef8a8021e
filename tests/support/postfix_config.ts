/**
 * The texts of main.cf and master.cf for a private Postfix instance.
 *
 * Pure text making, nothing is started here. Everything points into one temporary folder and to ports
 * of 127.0.0.1; what a test does not set has Postfix's default.
 *
 * @module
 */

import type { CertificatePaths } from "./certificates.ts";

/** Who serves `private/tlsmgr` or `private/tlsproxy`: Postfix's own daemon or postern. */
export type Side = "postfix" | "ours";

/** The ports of one instance, all on 127.0.0.1. */
export interface PostfixPorts {
  /** smtpd(8) itself; the master.cf service is called `127.0.0.1:PORT`. */
  smtpd: number;
  /** postscreen(8), which tests every client and serves TLS through tlsproxy. */
  postscreen: number;
  /**
   * A second postscreen(8), which lets loopback clients through at once, so that they speak with the
   * smtpd(8) whose master.cf service is called `smtpd`; TLS is then smtpd's.
   */
  passed: number;
}

/** The folders of one instance. */
export interface PostfixFolders {
  root: string;
  config: string;
  queue: string;
  data: string;
}

/** What a test may choose about an instance. */
export interface PostfixOptions {
  /** Part of the folder's name. @default {"pf"} */
  name?: string;
  /** Who serves `private/tlsmgr`. @default {"postfix"} */
  tlsmgr?: Side;
  /** Who serves `private/tlsproxy`. @default {"postfix"} */
  tlsproxy?: Side;
  /** `myhostname`. @default {"mx.example.test"} */
  hostname?: string;
  /** Whether smtpd and tlsproxy keep sessions in tlsmgr's database. @default {true} */
  sessionCache?: boolean;
  /** A port of 127.0.0.1 to which all mail goes; without it all mail is discarded. */
  relayTo?: number;
  /** How it goes there. @default {"smtp"} */
  relayBy?: "smtp" | "lmtp";
  /** More main.cf lines; they win over the harness's own. */
  settings?: Record<string, string>;
  /** More lines of master.cf. */
  services?: readonly string[];
}

/** What the text makers need to know of an instance. */
export interface PostfixLayout {
  folders: PostfixFolders;
  ports: PostfixPorts;
  certificates: CertificatePaths;
  maillog: string;
}

/** The settings that Postfix's daemons and postern must agree on. */
export function tlsSettings(
  layout: PostfixLayout,
  options: PostfixOptions,
): Record<string, string> {
  const { certificates } = layout;
  return {
    smtpd_tls_security_level: "may",
    smtpd_tls_cert_file: certificates.rsaCertificate,
    smtpd_tls_key_file: certificates.rsaKey,
    smtpd_tls_eccert_file: certificates.ecCertificate,
    smtpd_tls_eckey_file: certificates.ecKey,
    smtpd_tls_loglevel: "2",
    smtpd_tls_session_cache_database: options.sessionCache === false
      ? ""
      : "btree:${data_directory}/smtpd_scache",
    ...Object.fromEntries(
      Object.entries(options.settings ?? {}).filter(([name]) => /(?:^|_)tls/.test(name)),
    ),
  };
}

/** The text of main.cf. */
export function mainCf(layout: PostfixLayout, options: PostfixOptions): string {
  const { folders } = layout;
  const settings: Record<string, string> = {
    compatibility_level: "3.6",
    queue_directory: folders.queue,
    data_directory: folders.data,
    daemon_directory: "/usr/lib/postfix/sbin",
    command_directory: "/usr/sbin",
    // No file of the system's own Postfix is read.
    meta_directory: folders.config,
    alias_maps: "",
    alias_database: "",
    maillog_file: layout.maillog,
    maillog_file_prefixes: folders.root,

    myhostname: options.hostname ?? "mx.example.test",
    mydestination: "example.test",
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mynetworks: "127.0.0.0/8",
    smtpd_peername_lookup: "no",
    local_recipient_maps: "",
    smtpd_relay_restrictions: "permit_mynetworks, reject",
    ...routing(options),

    // Many sessions at once from one address are what the tests are about.
    smtpd_client_connection_count_limit: "0",
    smtpd_client_connection_rate_limit: "0",
    smtpd_client_new_tls_session_rate_limit: "0",
    in_flow_delay: "0",

    // Loopback clients are tested like strangers, and no pass is remembered; the tests after the
    // greeting keep a session inside postscreen to its end, where it gets 450 for each recipient.
    postscreen_access_list: "",
    postscreen_cache_map: "",
    postscreen_greet_wait: "1s",
    postscreen_pipelining_enable: "yes",
    postscreen_non_smtp_command_enable: "yes",
    postscreen_bare_newline_enable: "yes",
    postscreen_client_connection_count_limit: "0",

    ...tlsSettings(layout, options),
    ...options.settings,
  };
  return Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join("");
}

function routing({ relayTo, relayBy = "smtp" }: PostfixOptions): Record<string, string> {
  const transport = relayTo === undefined
    ? "discard:"
    : relayBy === "smtp"
    ? `smtp:[127.0.0.1]:${relayTo}`
    : `lmtp:inet:127.0.0.1:${relayTo}`;
  return { local_transport: transport, default_transport: transport };
}

/** The text of master.cf; a service that postern serves has no line. */
export function masterCf(layout: PostfixLayout, options: PostfixOptions): string {
  const { ports } = layout;
  const lines = [
    `127.0.0.1:${ports.smtpd} inet n - n - - smtpd`,
    `127.0.0.1:${ports.postscreen} inet n - n - 1 postscreen`,
    `127.0.0.1:${ports.passed} inet n - n - 1 postscreen`,
    "  -o postscreen_access_list=permit_mynetworks",
    "smtpd pass - - n - - smtpd",
    "dnsblog unix - - n - 0 dnsblog",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "verify unix - - n - 1 verify",
    "flush unix n - n - 0 flush",
    "proxymap unix - - n - - proxymap",
    "smtp unix - - n - - smtp",
    "lmtp unix - - n - - lmtp",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
  ];
  lines.push(...options.services ?? []);
  if (options.tlsmgr !== "ours") lines.push("tlsmgr unix - - n 1000? 1 tlsmgr");
  if (options.tlsproxy !== "ours") lines.push("tlsproxy unix - - n - 0 tlsproxy");
  return lines.join("\n") + "\n";
}
