/**
 * Settings of a TLS server, and clients of many kinds: what the two tlsproxies are compared with.
 *
 * @module
 */

import type { TlsClientOptions } from "../support/tls_client.ts";

/** A client. */
export interface Hello extends TlsClientOptions {
  readonly label: string;
}

const TLS10 = 0x301;
const TLS11 = 0x302;
const TLS12 = 0x303;
const TLS13 = 0x304;
/** So that OpenSSL's client offers what is weak. */
const WEAK = "@SECLEVEL=0";

function tls12(ciphers: string, more: Partial<Hello> = {}): Hello {
  const label = `1.2 ${ciphers}${more.groups === undefined ? "" : ` ${more.groups}`}`;
  return { label, version: TLS12, ciphers: `${ciphers}:${WEAK}`, ...more };
}

function tls13(groups: string, more: Partial<Hello> = {}): Hello {
  return { label: `1.3 ${groups}`, version: TLS13, groups, ...more };
}

/** The clients. */
export const HELLOS: readonly Hello[] = [
  { label: "as OpenSSL likes it" },
  { label: "1.0", version: TLS10, ciphers: `ALL:${WEAK}` },
  { label: "1.1", version: TLS11, ciphers: `ALL:${WEAK}` },
  { label: "1.2", version: TLS12 },
  { label: "1.3", version: TLS13 },
  { label: "all versions, all ciphers", ciphers: `ALL:eNULL:${WEAK}` },
  { label: "1.2, all ciphers", version: TLS12, ciphers: `ALL:eNULL:${WEAK}` },
  tls12("ECDHE-RSA-AES128-GCM-SHA256"),
  tls12("ECDHE-RSA-AES256-GCM-SHA384"),
  tls12("ECDHE-ECDSA-AES128-GCM-SHA256"),
  tls12("ECDHE-ECDSA-AES256-SHA"),
  tls12("ECDHE-RSA-CHACHA20-POLY1305"),
  tls12("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA"),
  tls12("AES128-SHA"),
  tls12("AES256-GCM-SHA384"),
  tls12("CAMELLIA128-SHA"),
  tls12("DHE-RSA-AES256-GCM-SHA384"),
  tls12("DHE-RSA-AES128-SHA"),
  tls12("ADH-AES128-SHA"),
  tls12("AECDH-AES256-SHA"),
  tls12("ADH-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"),
  tls12("NULL-SHA256"),
  tls12("ECDHE-ECDSA-NULL-SHA:ECDHE-RSA-NULL-SHA"),
  tls12("AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"),
  tls12("ECDHE-RSA-AES256-GCM-SHA384", { groups: "prime256v1" }),
  tls12("ECDHE-RSA-AES256-GCM-SHA384", { groups: "secp384r1" }),
  tls12("ECDHE-ECDSA-AES256-GCM-SHA384", { groups: "secp521r1:prime256v1" }),
  tls12("ECDHE-RSA-AES256-GCM-SHA384", { groups: "X448" }),
  tls13("X25519"),
  tls13("prime256v1"),
  tls13("secp521r1:X25519"),
  tls13("X448"),
  tls13("ffdhe2048"),
  tls13("ffdhe4096"),
];

/** Settings by name: main.cf parameters over and above those of the test bed. */
export const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "may": {},
  "encrypt, high": {
    smtpd_tls_security_level: "encrypt",
    smtpd_tls_mandatory_protocols: ">=TLSv1.2",
    smtpd_tls_mandatory_ciphers: "high",
    smtpd_tls_mandatory_exclude_ciphers: "aNULL, kRSA",
  },
  "a hole in the protocols": { smtpd_tls_protocols: "!SSLv2, !SSLv3, !TLSv1.2" },
  "one protocol": { smtpd_tls_protocols: "TLSv1.2" },
  "1.3 only": { smtpd_tls_protocols: ">=TLSv1.3" },
  "up to 1.1": { smtpd_tls_protocols: "<=TLSv1.1" },
  "exclusions": { smtpd_tls_ciphers: "high", smtpd_tls_exclude_ciphers: "aRSA, AES128 CAMELLIA" },
  "client certificates": { smtpd_tls_ask_ccert: "yes" },
  "no certificate": {
    smtpd_tls_cert_file: "none",
    smtpd_tls_key_file: "",
    smtpd_tls_eccert_file: "",
    smtpd_tls_eckey_file: "",
  },
  "RSA only, the server's order": {
    smtpd_tls_eccert_file: "",
    smtpd_tls_eckey_file: "",
    tls_preempt_cipherlist: "yes",
    tls_medium_cipherlist: "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384",
  },
  "few groups": { tls_eecdh_auto_curves: "secp384r1 prime256v1", tls_ffdhe_auto_groups: "" },
  "null": { smtpd_tls_ciphers: "null" },
  "options": {
    tls_ssl_options: "NO_TICKET, PRIORITIZE_CHACHA",
    tls_disable_workarounds: "DONT_INSERT_EMPTY_FRAGMENTS",
    tls_preempt_cipherlist: "yes",
  },
};
