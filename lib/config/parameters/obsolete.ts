/**
 * Names that old manuals and old files have, and that Postfix's daemons read no more.
 *
 * A file with one of them still loads. Nobody reads the values, so none is refused.
 *
 * @module
 */

import { type Parameter, TLSPROXY } from "./row.ts";

export const OBSOLETE_PARAMETERS = {
  tls_legacy_public_key_fingerprints: {
    kind: "unread",
    initial: "no",
    ignoredSince: "3.9",
    instead: "make the fingerprints anew",
    obeyed: { only: ["no"] },
    roles: TLSPROXY,
    since: "2.9",
    help: "Once the wrong key fingerprints of Postfix 2.9.0 to 2.9.5.",
    text: `\
Accepted and without an effect; only *yes* gets a warning, for fingerprints that were made then match no
more.`,
  },
  tls_dane_digest_agility: {
    kind: "unread",
    initial: "on",
    ignoredSince: "3.2",
    roles: TLSPROXY,
    since: "2.11",
    help: "Once how the digests of TLSA records were chosen.",
    text: `\
Accepted and without an effect. The strongest digest of *tls_dane_digests* is taken.`,
  },
  tls_dane_trust_anchor_digest_enable: {
    kind: "unread",
    initial: "yes",
    ignoredSince: "3.2",
    roles: TLSPROXY,
    since: "2.11",
    help: "Once whether TLSA records with digests of trust anchors counted.",
    text: `\
Accepted and without an effect. They count.`,
  },
  tlsproxy_client_loglevel_parameter: {
    kind: "unread",
    initial: "smtp_tls_loglevel",
    ignoredSince: "3.12",
    instead: "set tlsproxy_client_loglevel",
    roles: TLSPROXY,
    since: "3.4",
    help: "Once the name of a log level parameter, for messages.",
    text: `\
Accepted and without an effect.`,
  },
  tlsproxy_tls_session_cache_timeout: {
    kind: "unread",
    initial: "$smtpd_tls_session_cache_timeout",
    ignoredSince: "2.11",
    instead: "set smtpd_tls_session_cache_timeout",
    roles: TLSPROXY,
    since: "2.8",
    help: "Once tlsproxy's own session lifetime.",
    text: `\
Accepted and without an effect. There is one lifetime, that of tlsmgr:
*smtpd_tls_session_cache_timeout*.`,
  },
  tlsproxy_tls_received_header: {
    kind: "unread",
    initial: "",
    ignoredSince: "2.8",
    roles: TLSPROXY,
    since: "2.8",
    help: "Never read by tlsproxy.",
    text: `\
Accepted and without an effect. Headers are smtpd(8)'s business.`,
  },
  smtpd_tls_cipherlist: {
    kind: "unread",
    initial: "",
    ignoredSince: "2.3",
    instead: "set smtpd_tls_ciphers and smtpd_tls_exclude_ciphers",
    roles: TLSPROXY,
    since: "2.2",
    help: "Once the cipher list of the server.",
    text: `\
Accepted and without an effect. Grades took its place: *smtpd_tls_ciphers*.`,
  },
  smtp_tls_cipherlist: {
    kind: "unread",
    initial: "",
    ignoredSince: "2.3",
    instead: "set smtp_tls_ciphers and smtp_tls_exclude_ciphers",
    roles: TLSPROXY,
    since: "2.2",
    help: "Once the cipher list of the client.",
    text: `\
Accepted and without an effect. Grades took its place: *smtp_tls_ciphers*.`,
  },
} as const satisfies Record<string, Parameter>;
