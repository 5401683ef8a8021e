/**
 * Parameters of Postfix's TLS library that both roles of tlsproxy read (tls_misc.c: tls_param_init()).
 *
 * They belong to the whole process: no request changes them.
 *
 * @module
 */

import { BOTH, type Parameter, TLSPROXY } from "./row.ts";

export const LIBRARY_PARAMETERS = {
  tls_append_default_CA: {
    kind: "bool",
    initial: "no",
    roles: TLSPROXY,
    since: "2.8",
    help: "Trust the CAs of the system too.",
    text: `\
Where a CA file or CA directory is set, trust the CAs that OpenSSL finds by itself as well. Alone it has
no effect. OpenSSL's environment variables *SSL_CERT_FILE* and *SSL_CERT_DIR* count.`,
  },
  tls_config_file: {
    kind: "str",
    initial: "default",
    roles: TLSPROXY,
    since: "3.9",
    help: "OpenSSL configuration file: default, none, or an absolute path.",
    text: `\
*default* reads the file of the system and overlooks its faults; *none* reads no file; a path must be
absolute, and the file must be free of faults. Anything else is an error.

Of what such a file sets, protocol bounds, cipher lists up to TLS 1.2 and the security level are
overruled by the parameters here.`,
  },
  tls_config_name: {
    kind: "str",
    initial: "",
    roles: TLSPROXY,
    since: "3.9",
    help: "Section of the OpenSSL configuration file; empty for the usual one.",
    text: `\
The name of the application section in *tls_config_file*. In the file of the system a missing section is
overlooked; in a file of your own it is an error.`,
  },
  tls_daemon_random_bytes: {
    kind: "int",
    initial: "32",
    min: 1,
    roles: TLSPROXY,
    since: "2.2",
    help: "Entropy asked from tlsmgr, in bytes; tlsmgr gives 255 at most.",
    text: `\
How many random bytes tlsproxy asks tlsmgr for when it starts. More than 255 are refused there, and TLS
with them; there is a warning.`,
  },
  tls_dane_digests: {
    kind: "list",
    initial: "sha512 sha256",
    lengthMin: 1,
    obeyed: false,
    roles: TLSPROXY,
    since: "2.11",
    help: "Digests of TLSA records, preferred first.",
    text: `\
Names of digests, each with an equals sign and the number of its TLSA matching type behind it unless it
is *sha256* (1) or *sha512* (2). The numbers 0 and 255 cannot be used.`,
  },
  tls_disable_workarounds: {
    kind: "mask",
    initial: "",
    roles: TLSPROXY,
    since: "2.8",
    help: "Work-arounds for bugs of others to turn off, names or 0x bits.",
    text: `\
Names of OpenSSL's bug work-arounds, or one hexadecimal number such as *0x10*; a TOML integer is one too.
Most of the names stand for nothing in OpenSSL 3. Any value at all also turns off the work-around for
ECDHE-ECDSA in Safari, as in Postfix.`,
  },
  tls_ssl_options: {
    kind: "mask",
    initial: "",
    roles: TLSPROXY,
    since: "2.11",
    help: "Further OpenSSL options, names or 0x bits.",
    text: `\
Names such as *NO_TICKET*, *NO_COMPRESSION*, *PRIORITIZE_CHACHA*, *LEGACY_SERVER_CONNECT*,
*NO_SESSION_RESUMPTION_ON_RENEGOTIATION*, *ENABLE_MIDDLEBOX_COMPAT*, or a hexadecimal number. Options are
added only; those that other parameters decide about are left out.`,
  },
  tls_eecdh_auto_curves: {
    kind: "list",
    initial: "X25519 X448 prime256v1 secp384r1 secp521r1",
    separators: ":",
    initialFromOpenSsl35: "?X25519MLKEM768:DEFAULT",
    roles: TLSPROXY,
    since: "3.2",
    help: "Key exchange groups, preferred first.",
    text: `\
Names of groups as OpenSSL knows them, with blanks, commas or colons between them. Names that OpenSSL does
not know are left out. The first one is what a TLS 1.3 client tries first. Where this list and
*tls_ffdhe_auto_groups* are both empty OpenSSL chooses. The default depends on the version of OpenSSL that
is found at start.`,
  },
  tls_ffdhe_auto_groups: {
    kind: "list",
    initial: "ffdhe2048 ffdhe3072",
    separators: ":",
    initialFromOpenSsl35: "",
    roles: TLSPROXY,
    since: "3.8",
    help: "Finite-field groups of TLS 1.3, after the curves.",
    text: `\
Appended to *tls_eecdh_auto_curves*. These names are in lower case.`,
  },
  tls_eecdh_strong_curve: {
    kind: "str",
    initial: "prime256v1",
    ignoredSince: "3.6",
    instead: "set tls_eecdh_auto_curves",
    roles: TLSPROXY,
    since: "2.6",
    help: "Once the curve of the grade strong.",
    text: `\
Accepted and without an effect.`,
  },
  tls_eecdh_ultra_curve: {
    kind: "str",
    initial: "secp384r1",
    ignoredSince: "3.6",
    instead: "set tls_eecdh_auto_curves",
    roles: TLSPROXY,
    since: "2.6",
    help: "Once the curve of the grade ultra.",
    text: `\
Accepted and without an effect.`,
  },
  tls_high_cipherlist: {
    kind: "str",
    initial: "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.3",
    help: "OpenSSL cipher list of grade high.",
    text: `\
A cipher list in the language of openssl-ciphers(1), for up to TLS 1.2. It is one string, not an array.
There is hardly ever a reason to change it: exclude ciphers with *tlsproxy_tls_exclude_ciphers* instead.`,
  },
  tls_medium_cipherlist: {
    kind: "str",
    initial:
      "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.3",
    help: "OpenSSL cipher list of grade medium.",
    text: `\
As *tls_high_cipherlist*, for the grade *medium*. With OpenSSL 3.0 both stand for the same ciphers.`,
  },
  tls_null_cipherlist: {
    kind: "str",
    initial: "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.3",
    help: "OpenSSL cipher list of grade null: no encryption.",
    text: `\
As *tls_high_cipherlist*, for the grade *null*, which authenticates and does not encrypt. TLS 1.3 still
encrypts.`,
  },
  tls_low_cipherlist: {
    kind: "str",
    initial: "",
    ignoredSince: "3.8",
    roles: TLSPROXY,
    since: "2.3",
    help: "Once the cipher list of grade low, which means medium.",
    text: `\
Accepted and without an effect.`,
  },
  tls_export_cipherlist: {
    kind: "str",
    initial: "",
    ignoredSince: "3.8",
    roles: TLSPROXY,
    since: "2.3",
    help: "Once the cipher list of grade export, which means medium.",
    text: `\
Accepted and without an effect.`,
  },
  tls_preempt_cipherlist: {
    kind: "bool",
    initial: "no",
    roles: TLSPROXY,
    since: "2.8",
    help: "The order of the server decides about the cipher.",
    text: `\
Take the first cipher of the server's list that the client has, rather than the first of the client's.`,
  },
  tls_session_ticket_cipher: {
    kind: "str",
    initial: "aes-256-cbc",
    roles: TLSPROXY,
    since: "3.0",
    help: "Cipher of session tickets; empty for no tickets.",
    text: `\
The name of a cipher in CBC mode with a key of 16 to 32 bytes, in any case. Another one, *aes-256-gcm* for
instance, is a warning and turns tickets off.`,
  },
  tls_server_sni_maps: {
    kind: "maps",
    initial: "",
    tableForm: true,
    roles: TLSPROXY,
    since: "3.4",
    help: "Certificates by the name that a client asks for.",
    text: `\
Lookup tables, *type:name*, from a server name to the chain files of its key and certificate. A name is
looked up as it is, then each of its parents with a dot in front. A name that is not found gets the
server's own certificate.

In TOML it can be a table of names and files, *{ "mail.example" = ["/etc/postern/mail.pem"] }*, which means
an *inline:* table of Postfix's. Files are read and checked when the settings are, and not at each
handshake. Indexed types such as *hash:* hold the certificates themselves and are not read: use *texthash:*
or a table in TOML.`,
  },
  tls_fast_shutdown_enable: {
    kind: "bool",
    initial: "yes",
    noEffect: "tlsproxy never waits for the other side's end of TLS, here as in Postfix",
    roles: TLSPROXY,
    since: "3.5",
    help: "Without an effect in tlsproxy.",
    text: `\
Other programs of Postfix can wait for the peer's close_notify when they end a session. tlsproxy never
does, there as here.`,
  },
  tls_wildcard_matches_multiple_labels: {
    kind: "bool",
    initial: "yes",
    noEffect: "nothing looks at it, here as in Postfix",
    roles: TLSPROXY,
    since: "2.11",
    help: "Without an effect.",
    text: `\
Meant to let a wildcard in a certificate stand for several labels. Postfix reads it and does not use it;
neither does postern.`,
  },
  tls_trust_server_ccerts: {
    kind: "bool",
    initial: "no",
    roles: TLSPROXY,
    since: "3.12",
    help: "Accept client certificates that are meant for servers only.",
    text: `\
Where client certificates are asked for: also accept one whose extended key usage names servers and not
clients, as public CAs issue them.`,
  },
  tls_trace_rate_limit: {
    kind: "int",
    initial: "1",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.12",
    help: "Trace files that are begun in 60 seconds; 0 or less for no limit.",
    text: `\
Bounds how often the word *trace* of a log level begins a file below *queue_directory*/tlstrace. Postfix
counts over all its processes with anvil(8); postern counts its own.`,
  },
  tlsmgr_service_name: {
    kind: "str",
    initial: "tlsmgr",
    lengthMin: 1,
    roles: BOTH,
    since: "2.11",
    help: "Name of the tlsmgr socket below $queue_directory/private.",
    text: `\
Which tlsmgr tlsproxy asks. It is also the default name of tlsmgr's own socket, unless
*[service.tlsmgr] socket* gives a path.`,
  },
  openssl_path: {
    kind: "str",
    initial: "openssl",
    lengthMin: 1,
    noEffect: "only the command postfix tls runs that program",
    roles: TLSPROXY,
    since: "3.1",
    help: "Without an effect here: for the command postfix tls.",
    text: `\
The openssl(1) program. Neither daemon runs it, in Postfix or here.`,
  },
} as const satisfies Record<string, Parameter>;
