/**
 * Every Postfix parameter we know, one row each: kind, default, bounds, who reads it, one line of help.
 *
 * The only place where a parameter's name and default are written. Loading, checks and the typed
 * settings are derived from the rows; a parameter more is a row more and nothing else. Defaults are
 * the expressions that postconf -d prints, not their results. Facts come from mail_params.h and the
 * parameter tables of tlsmgr.c, tlsproxy.c and tls_misc.c.
 *
 * @module
 */

import type { Bounds, LogWord } from "./kinds.ts";

/** The two daemons. */
export type RoleName = "tlsmgr" | "tlsproxy";

/** All roles, for walks over both. */
export const ROLE_NAMES = ["tlsmgr", "tlsproxy"] as const;

/**
 * Whether a part of the program acts on a setting: always, never, for some values only, or for all
 * values but some. What is set and not obeyed is a warning.
 */
export type Obeyed = boolean | { readonly only: readonly string[] } | {
  readonly except: readonly string[];
};

/** One row. */
export interface Parameter extends Bounds {
  /** Default as an expression; absent keys have it. */
  readonly initial: string;
  /** Default when the OpenSSL at run time is 3.5 or later. */
  readonly initialFromOpenSsl35?: string;
  readonly roles: readonly RoleName[];
  /** Postfix release that introduced the name; 2.0 also stands for older ones. */
  readonly since: string;
  /** What to write in its stead, for a name that postconf calls deprecated. */
  readonly deprecated?: string;
  /** Postfix release since which the value has no effect there either. */
  readonly ignoredSince?: string;
  /** Set by the program; what a file says is overwritten. */
  readonly readOnly?: boolean;
  /** @default {true} */
  readonly obeyed?: Obeyed;
  readonly help: string;
}

const BOTH = ROLE_NAMES;
const TLSMGR = ["tlsmgr"] as const;
const TLSPROXY = ["tlsproxy"] as const;
const GRADES = ["high", "medium", "low", "export", "null"] as const;
// deno-fmt-ignore
const FACILITIES = [
  "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user",
  "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
] as const;

export const PARAMETERS = {
  // tlsmgr: entropy.
  tls_random_source: {
    kind: "str",
    initial: "dev:/dev/urandom",
    obeyed: false,
    roles: TLSMGR,
    since: "2.2",
    help: "External entropy source: `dev:path`, `egd:path`, or a file.",
  },
  tls_random_bytes: {
    kind: "int",
    initial: "32",
    min: 1,
    obeyed: false,
    roles: TLSMGR,
    since: "2.2",
    help: "Bytes to read from the entropy source at each reseed.",
  },
  tls_random_exchange_name: {
    kind: "path",
    initial: "${data_directory}/prng_exch",
    obeyed: false,
    roles: TLSMGR,
    since: "2.2",
    help: "File that carries the generator state from run to run; empty for none.",
  },
  tls_random_prng_update_period: {
    kind: "time",
    initial: "3600s",
    min: 1,
    obeyed: false,
    roles: TLSMGR,
    since: "2.2",
    help: "Longest wait between two updates of the exchange file.",
  },
  tls_random_reseed_period: {
    kind: "time",
    initial: "3600s",
    min: 1,
    obeyed: false,
    roles: TLSMGR,
    since: "2.2",
    help: "Longest wait between two reseeds.",
  },

  // tlsmgr: session caches.
  smtpd_tls_session_cache_database: {
    kind: "database",
    initial: "",
    roles: TLSMGR,
    since: "2.2",
    help: "Cache of server sessions, `type:name`; empty for none.",
  },
  smtp_tls_session_cache_database: {
    kind: "database",
    initial: "",
    roles: TLSMGR,
    since: "2.2",
    help: "Cache of client sessions, `type:name`; empty for none.",
  },
  lmtp_tls_session_cache_database: {
    kind: "database",
    initial: "",
    roles: TLSMGR,
    since: "2.3",
    help: "Cache of LMTP client sessions, `type:name`; empty for none.",
  },
  smtpd_tls_session_cache_timeout: {
    kind: "time",
    initial: "3600s",
    min: 0,
    max: 8640000,
    roles: TLSMGR,
    since: "2.2",
    help:
      "How long a cached server session stays usable, and the age of ticket keys; 0 turns both off.",
  },
  smtp_tls_session_cache_timeout: {
    kind: "time",
    initial: "3600s",
    min: 0,
    max: 8640000,
    roles: TLSMGR,
    since: "2.2",
    help: "How long a cached client session stays usable; 0 turns the cache off.",
  },
  lmtp_tls_session_cache_timeout: {
    kind: "time",
    initial: "3600s",
    min: 0,
    max: 8640000,
    roles: TLSMGR,
    since: "2.3",
    help: "How long a cached LMTP client session stays usable; 0 turns the cache off.",
  },
  smtpd_tls_loglevel: {
    kind: "loglevel",
    initial: "0",
    roles: BOTH,
    since: "2.2",
    help: "What is logged about server TLS; tlsmgr looks at the word `cache` only.",
  },
  smtp_tls_loglevel: {
    kind: "loglevel",
    initial: "0",
    roles: TLSMGR,
    since: "2.2",
    help: "What is logged about client TLS; tlsmgr looks at the word `cache` only.",
  },
  lmtp_tls_loglevel: {
    kind: "loglevel",
    initial: "0",
    roles: TLSMGR,
    since: "2.3",
    help: "What is logged about LMTP client TLS; tlsmgr looks at the word `cache` only.",
  },

  // tlsproxy, server role; each name falls back on the smtpd_ name of the same meaning.
  tlsproxy_tls_security_level: {
    kind: "enum",
    initial: "$smtpd_tls_security_level",
    values: ["", "none", "may", "encrypt"],
    demoted: { fingerprint: "encrypt", verify: "encrypt", secure: "encrypt" },
    roles: TLSPROXY,
    since: "2.8",
    help: "Server TLS level; empty leaves it to the two obsolete booleans.",
  },
  smtpd_tls_security_level: {
    kind: "enum",
    initial: "",
    values: ["", "none", "may", "encrypt"],
    demoted: { fingerprint: "encrypt", verify: "encrypt", secure: "encrypt" },
    roles: TLSPROXY,
    since: "2.3",
    help: "Default of tlsproxy_tls_security_level.",
  },
  tlsproxy_use_tls: {
    kind: "bool",
    initial: "$smtpd_use_tls",
    deprecated: 'tlsproxy_tls_security_level = "may"',
    roles: TLSPROXY,
    since: "2.8",
    help: "Opportunistic TLS, when the level is empty.",
  },
  smtpd_use_tls: {
    kind: "bool",
    initial: "no",
    deprecated: 'smtpd_tls_security_level = "may"',
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_use_tls.",
  },
  tlsproxy_enforce_tls: {
    kind: "bool",
    initial: "$smtpd_enforce_tls",
    deprecated: 'tlsproxy_tls_security_level = "encrypt"',
    roles: TLSPROXY,
    since: "2.8",
    help: "Mandatory TLS, when the level is empty.",
  },
  smtpd_enforce_tls: {
    kind: "bool",
    initial: "no",
    deprecated: 'smtpd_tls_security_level = "encrypt"',
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_enforce_tls.",
  },
  tlsproxy_tls_chain_files: {
    kind: "list",
    initial: "$smtpd_tls_chain_files",
    roles: TLSPROXY,
    since: "3.4",
    help: "PEM files with keys, their certificates and issuers; in place of the pairs below.",
  },
  smtpd_tls_chain_files: {
    kind: "list",
    initial: "",
    roles: TLSPROXY,
    since: "3.4",
    help: "Default of tlsproxy_tls_chain_files.",
  },
  tlsproxy_tls_cert_file: {
    kind: "path",
    initial: "$smtpd_tls_cert_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Certificate and issuers, PEM; `none` declares that there is none on purpose.",
  },
  smtpd_tls_cert_file: {
    kind: "path",
    initial: "",
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_cert_file.",
  },
  tlsproxy_tls_key_file: {
    kind: "path",
    initial: "$smtpd_tls_key_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Private key of the certificate, PEM, unencrypted.",
  },
  smtpd_tls_key_file: {
    kind: "path",
    initial: "$smtpd_tls_cert_file",
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_key_file.",
  },
  tlsproxy_tls_dcert_file: {
    kind: "path",
    initial: "$smtpd_tls_dcert_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "DSA certificate.",
  },
  smtpd_tls_dcert_file: {
    kind: "path",
    initial: "",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_dcert_file.",
  },
  tlsproxy_tls_dkey_file: {
    kind: "path",
    initial: "$smtpd_tls_dkey_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "DSA key.",
  },
  smtpd_tls_dkey_file: {
    kind: "path",
    initial: "$smtpd_tls_dcert_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_dkey_file.",
  },
  tlsproxy_tls_eccert_file: {
    kind: "path",
    initial: "$smtpd_tls_eccert_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "ECDSA certificate and issuers, PEM.",
  },
  smtpd_tls_eccert_file: {
    kind: "path",
    initial: "",
    roles: TLSPROXY,
    since: "2.6",
    help: "Default of tlsproxy_tls_eccert_file.",
  },
  tlsproxy_tls_eckey_file: {
    kind: "path",
    initial: "$smtpd_tls_eckey_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Private key of the ECDSA certificate, PEM, unencrypted.",
  },
  smtpd_tls_eckey_file: {
    kind: "path",
    initial: "$smtpd_tls_eccert_file",
    roles: TLSPROXY,
    since: "2.6",
    help: "Default of tlsproxy_tls_eckey_file.",
  },
  tlsproxy_tls_CAfile: {
    kind: "path",
    initial: "$smtpd_tls_CAfile",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "Trusted CAs, PEM.",
  },
  smtpd_tls_CAfile: {
    kind: "path",
    initial: "",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_CAfile.",
  },
  tlsproxy_tls_CApath: {
    kind: "path",
    initial: "$smtpd_tls_CApath",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "Directory of trusted CAs with hash links.",
  },
  smtpd_tls_CApath: {
    kind: "path",
    initial: "",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_CApath.",
  },
  tlsproxy_tls_ask_ccert: {
    kind: "bool",
    initial: "$smtpd_tls_ask_ccert",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "Ask for a client certificate.",
  },
  smtpd_tls_ask_ccert: {
    kind: "bool",
    initial: "no",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_ask_ccert.",
  },
  tlsproxy_tls_req_ccert: {
    kind: "bool",
    initial: "$smtpd_tls_req_ccert",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "With mandatory TLS, require a trusted client certificate.",
  },
  smtpd_tls_req_ccert: {
    kind: "bool",
    initial: "no",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_req_ccert.",
  },
  tlsproxy_tls_ccert_verifydepth: {
    kind: "int",
    initial: "$smtpd_tls_ccert_verifydepth",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "Most CA certificates in a client chain.",
  },
  smtpd_tls_ccert_verifydepth: {
    kind: "int",
    initial: "9",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_ccert_verifydepth.",
  },
  tlsproxy_tls_protocols: {
    kind: "list",
    initial: "$smtpd_tls_protocols",
    separators: ":",
    roles: TLSPROXY,
    since: "2.8",
    help: "Protocols with opportunistic TLS.",
  },
  smtpd_tls_protocols: {
    kind: "list",
    initial: ">=TLSv1",
    separators: ":",
    roles: TLSPROXY,
    since: "2.6",
    help: "Default of tlsproxy_tls_protocols.",
  },
  tlsproxy_tls_mandatory_protocols: {
    kind: "list",
    initial: "$smtpd_tls_mandatory_protocols",
    separators: ":",
    roles: TLSPROXY,
    since: "2.8",
    help: "Protocols with mandatory TLS.",
  },
  smtpd_tls_mandatory_protocols: {
    kind: "list",
    initial: ">=TLSv1",
    separators: ":",
    roles: TLSPROXY,
    since: "2.3",
    help: "Default of tlsproxy_tls_mandatory_protocols.",
  },
  tlsproxy_tls_ciphers: {
    kind: "enum",
    initial: "$smtpd_tls_ciphers",
    lengthMin: 1,
    values: GRADES,
    roles: TLSPROXY,
    since: "2.8",
    help: "Least cipher grade with opportunistic TLS.",
  },
  smtpd_tls_ciphers: {
    kind: "enum",
    initial: "medium",
    lengthMin: 1,
    values: GRADES,
    roles: TLSPROXY,
    since: "2.6",
    help: "Default of tlsproxy_tls_ciphers.",
  },
  tlsproxy_tls_mandatory_ciphers: {
    kind: "enum",
    initial: "$smtpd_tls_mandatory_ciphers",
    lengthMin: 1,
    values: GRADES,
    roles: TLSPROXY,
    since: "2.8",
    help: "Least cipher grade with mandatory TLS.",
  },
  smtpd_tls_mandatory_ciphers: {
    kind: "enum",
    initial: "medium",
    lengthMin: 1,
    values: GRADES,
    roles: TLSPROXY,
    since: "2.3",
    help: "Default of tlsproxy_tls_mandatory_ciphers.",
  },
  tlsproxy_tls_exclude_ciphers: {
    kind: "list",
    initial: "$smtpd_tls_exclude_ciphers",
    separators: ":",
    elementForbids: "!+-@",
    roles: TLSPROXY,
    since: "2.8",
    help: "Ciphers excluded at all levels.",
  },
  smtpd_tls_exclude_ciphers: {
    kind: "list",
    initial: "",
    separators: ":",
    elementForbids: "!+-@",
    roles: TLSPROXY,
    since: "2.3",
    help: "Default of tlsproxy_tls_exclude_ciphers.",
  },
  tlsproxy_tls_mandatory_exclude_ciphers: {
    kind: "list",
    initial: "$smtpd_tls_mandatory_exclude_ciphers",
    separators: ":",
    elementForbids: "!+-@",
    roles: TLSPROXY,
    since: "2.8",
    help: "Further ciphers excluded with mandatory TLS.",
  },
  smtpd_tls_mandatory_exclude_ciphers: {
    kind: "list",
    initial: "",
    separators: ":",
    elementForbids: "!+-@",
    roles: TLSPROXY,
    since: "2.3",
    help: "Default of tlsproxy_tls_mandatory_exclude_ciphers.",
  },
  tlsproxy_tls_dh1024_param_file: {
    kind: "path",
    initial: "$smtpd_tls_dh1024_param_file",
    obeyed: { only: ["", "auto"] },
    roles: TLSPROXY,
    since: "2.8",
    help: "DH parameters up to TLS 1.2; empty or `auto` lets OpenSSL choose.",
  },
  smtpd_tls_dh1024_param_file: {
    kind: "path",
    initial: "",
    obeyed: { only: ["", "auto"] },
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_dh1024_param_file.",
  },
  tlsproxy_tls_dh512_param_file: {
    kind: "path",
    initial: "$smtpd_tls_dh512_param_file",
    ignoredSince: "3.6",
    roles: TLSPROXY,
    since: "2.8",
    help: "Once export-grade DH parameters.",
  },
  smtpd_tls_dh512_param_file: {
    kind: "path",
    initial: "",
    ignoredSince: "3.6",
    roles: TLSPROXY,
    since: "2.2",
    help: "Default of tlsproxy_tls_dh512_param_file.",
  },
  tlsproxy_tls_eecdh_grade: {
    kind: "str",
    initial: "$smtpd_tls_eecdh_grade",
    lengthMin: 1,
    ignoredSince: "3.6",
    roles: TLSPROXY,
    since: "2.8",
    help: "Once the strength of elliptic curves; tls_eecdh_auto_curves rules.",
  },
  smtpd_tls_eecdh_grade: {
    kind: "str",
    initial: "auto",
    lengthMin: 1,
    ignoredSince: "3.6",
    roles: TLSPROXY,
    since: "2.6",
    help: "Default of tlsproxy_tls_eecdh_grade.",
  },
  tlsproxy_tls_fingerprint_digest: {
    kind: "str",
    initial: "$smtpd_tls_fingerprint_digest",
    lengthMin: 1,
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "Digest of client certificate and key fingerprints.",
  },
  smtpd_tls_fingerprint_digest: {
    kind: "str",
    initial: "${{$compatibility_level} <level {3.6}?{md5}:{sha256}}",
    lengthMin: 1,
    obeyed: false,
    roles: TLSPROXY,
    since: "2.5",
    help: "Default of tlsproxy_tls_fingerprint_digest.",
  },
  tlsproxy_tls_loglevel: {
    kind: "loglevel",
    initial: "$smtpd_tls_loglevel",
    roles: TLSPROXY,
    since: "2.8",
    help: "What is logged about server TLS.",
  },
  tlsproxy_tls_always_issue_session_ids: {
    kind: "bool",
    initial: "$smtpd_tls_always_issue_session_ids",
    roles: TLSPROXY,
    since: "2.8",
    help: "Offer session ids even without cache and tickets.",
  },
  smtpd_tls_always_issue_session_ids: {
    kind: "bool",
    initial: "yes",
    roles: TLSPROXY,
    since: "2.3",
    help: "Default of tlsproxy_tls_always_issue_session_ids.",
  },
  tlsproxy_tls_enable_rpk: {
    kind: "bool",
    initial: "$smtpd_tls_enable_rpk",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.9",
    help: "Ask clients for a raw public key rather than a certificate.",
  },
  smtpd_tls_enable_rpk: {
    kind: "bool",
    initial: "no",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.9",
    help: "Default of tlsproxy_tls_enable_rpk.",
  },

  // TLS library.
  tls_append_default_CA: {
    kind: "bool",
    initial: "no",
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "Trust the CAs of the system too.",
  },
  tls_daemon_random_bytes: {
    kind: "int",
    initial: "32",
    min: 1,
    roles: TLSPROXY,
    since: "2.2",
    help: "Entropy asked from tlsmgr, in bytes; tlsmgr gives 255 at most.",
  },
  tls_disable_workarounds: {
    kind: "mask",
    initial: "",
    roles: TLSPROXY,
    since: "2.8",
    help: "Work-arounds for bugs of others to turn off, names or 0x bits.",
  },
  tls_ssl_options: {
    kind: "mask",
    initial: "",
    roles: TLSPROXY,
    since: "2.11",
    help: "Further OpenSSL options, names or 0x bits.",
  },
  tls_eecdh_auto_curves: {
    kind: "list",
    initial: "X25519 X448 prime256v1 secp384r1 secp521r1",
    separators: ":",
    initialFromOpenSsl35: "?X25519MLKEM768:DEFAULT",
    roles: TLSPROXY,
    since: "3.2",
    help: "Key exchange groups, preferred first.",
  },
  tls_ffdhe_auto_groups: {
    kind: "list",
    initial: "ffdhe2048 ffdhe3072",
    separators: ":",
    initialFromOpenSsl35: "",
    roles: TLSPROXY,
    since: "3.8",
    help: "Finite-field groups of TLS 1.3, after the curves.",
  },
  tls_high_cipherlist: {
    kind: "str",
    initial: "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.3",
    help: "OpenSSL cipher list of grade `high`.",
  },
  tls_medium_cipherlist: {
    kind: "str",
    initial:
      "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.3",
    help: "OpenSSL cipher list of grade `medium`.",
  },
  tls_null_cipherlist: {
    kind: "str",
    initial: "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.3",
    help: "OpenSSL cipher list of grade `null`: no encryption.",
  },
  tls_preempt_cipherlist: {
    kind: "bool",
    initial: "no",
    roles: TLSPROXY,
    since: "2.8",
    help: "The order of the server decides about the cipher.",
  },
  tls_session_ticket_cipher: {
    kind: "str",
    initial: "aes-256-cbc",
    roles: TLSPROXY,
    since: "3.0",
    help: "Cipher of session tickets; empty for no tickets.",
  },
  tlsmgr_service_name: {
    kind: "str",
    initial: "tlsmgr",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.11",
    help: "Name of the tlsmgr socket below `$queue_directory/private`.",
  },

  // Process control.
  compatibility_level: {
    kind: "version",
    initial: "3.11",
    roles: BOTH,
    since: "3.0",
    help: "Decides about defaults that changed between the releases of Postfix.",
  },
  config_directory: {
    kind: "path",
    initial: "/etc/postfix",
    roles: BOTH,
    since: "2.0",
    help: "Directory of the settings file.",
  },
  queue_directory: {
    kind: "path",
    initial: "/var/spool/postfix",
    lengthMin: 1,
    roles: BOTH,
    since: "2.0",
    help: "Parent of the `private` socket directory.",
  },
  data_directory: {
    kind: "path",
    initial: "/var/lib/postfix",
    lengthMin: 1,
    roles: BOTH,
    since: "2.5",
    help: "Directory of files that are written.",
  },
  mail_owner: {
    kind: "str",
    initial: "postfix",
    lengthMin: 1,
    obeyed: false,
    roles: BOTH,
    since: "2.0",
    help: "Unprivileged account, owner of data files.",
  },
  daemon_timeout: {
    kind: "time",
    initial: "18000s",
    min: 1,
    obeyed: false,
    roles: TLSMGR,
    since: "2.0",
    help: "tlsmgr ends itself after this long without progress.",
  },
  tlsproxy_watchdog_timeout: {
    kind: "time",
    initial: "10s",
    min: 10,
    obeyed: false,
    roles: TLSPROXY,
    since: "2.8",
    help: "tlsproxy ends itself after this long without progress.",
  },
  ipc_timeout: {
    kind: "time",
    initial: "3600s",
    min: 1,
    roles: BOTH,
    since: "2.0",
    help: "Limit of one read or write on an internal connection.",
  },
  tlsproxy_service_name: {
    kind: "str",
    initial: "tlsproxy",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.8",
    help: "Name of the tlsproxy socket below `$queue_directory/private`.",
  },
  syslog_facility: {
    kind: "enum",
    initial: "mail",
    lengthMin: 1,
    values: FACILITIES,
    obeyed: false,
    roles: BOTH,
    since: "2.0",
    help: "Facility of log records.",
  },
  syslog_name: {
    kind: "str",
    initial: "${multi_instance_name?{$multi_instance_name}:{postfix}}",
    lengthMin: 1,
    roles: BOTH,
    since: "2.0",
    help: "First part of the tag of log records.",
  },
  multi_instance_name: {
    kind: "str",
    initial: "",
    roles: BOTH,
    since: "2.6",
    help: "Name of this Postfix instance; default of syslog_name.",
  },
  default_database_type: {
    kind: "str",
    initial: "hash",
    lengthMin: 1,
    roles: TLSMGR,
    since: "2.0",
    help: "Type of a cache database that is given without one.",
  },
  stress: {
    kind: "str",
    initial: "",
    roles: BOTH,
    since: "2.5",
    help: "Always empty for these services; for conditions in defaults.",
  },

  // Read only.
  process_name: {
    kind: "str",
    initial: "",
    readOnly: true,
    roles: BOTH,
    since: "2.0",
    help: "Name of the role.",
  },
  service_name: {
    kind: "str",
    initial: "",
    readOnly: true,
    roles: BOTH,
    since: "3.3",
    help: "Name of the service.",
  },
  process_id: {
    kind: "str",
    initial: "",
    readOnly: true,
    roles: BOTH,
    since: "2.0",
    help: "Number of the process.",
  },
} as const satisfies Record<string, Parameter>;

export type ParameterName = keyof typeof PARAMETERS;

type ValueOf<P> = P extends { kind: "bool" } ? boolean
  : P extends { kind: "int" | "time" } ? number
  : P extends { kind: "list" } ? readonly string[]
  : P extends { kind: "loglevel" } ? readonly LogWord[]
  : P extends { values: readonly (infer V extends string)[] } ? V
  : string;

/** The typed value of every parameter; times in seconds, lists split, words of enums lower case. */
export type Parameters = { readonly [N in ParameterName]: ValueOf<(typeof PARAMETERS)[N]> };

/** The row of `name`, or nothing for a name that is not in the table. */
export function parameterRow(name: string): Parameter | undefined {
  return Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name as ParameterName] : undefined;
}

/** Whether a part of the program acts on the text `value` of a row. */
export function isObeyed(obeyed: Obeyed | undefined, value: string): boolean {
  if (obeyed === undefined || typeof obeyed === "boolean") return obeyed ?? true;
  return "only" in obeyed ? obeyed.only.includes(value) : !obeyed.except.includes(value);
}
