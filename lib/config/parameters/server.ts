/**
 * Parameters of tlsproxy's server role (tlsproxy.c, tlsproxy_server.c). The default of each is the
 * parameter of smtpd(8) of the same meaning, see `server_defaults.ts`.
 *
 * @module
 */

import { GRADES, type Parameter, TLSPROXY } from "./row.ts";

export const SERVER_PARAMETERS = {
  tlsproxy_tls_security_level: {
    kind: "enum",
    initial: "$smtpd_tls_security_level",
    values: ["", "none", "may", "encrypt"],
    demoted: { fingerprint: "encrypt", verify: "encrypt", secure: "encrypt" },
    roles: TLSPROXY,
    since: "2.8",
    help: "Server TLS level; empty leaves it to the two obsolete booleans.",
    text: `\
Whether the server role is on, and which settings it works with.

- *none*: the role is off.
- *may*: opportunistic TLS, with *tlsproxy_tls_protocols* and *tlsproxy_tls_ciphers*.
- *encrypt*: mandatory TLS, with *tlsproxy_tls_mandatory_protocols* and
*tlsproxy_tls_mandatory_ciphers*.
- empty: *tlsproxy_use_tls* and *tlsproxy_enforce_tls* decide; with neither of them the role is off.

tlsproxy never refuses plaintext itself: that is the business of whoever hands it a connection. The
levels *fingerprint*, *verify* and *secure* are for clients; here they count as *encrypt*, with a
warning.`,
  },
  tlsproxy_use_tls: {
    kind: "bool",
    initial: "$smtpd_use_tls",
    deprecated: 'write tlsproxy_tls_security_level = "may"',
    roles: TLSPROXY,
    since: "2.8",
    help: "Opportunistic TLS, when the level is empty.",
    text: `\
The same as the level *may*. Looked at only while *tlsproxy_tls_security_level* is empty.`,
  },
  tlsproxy_enforce_tls: {
    kind: "bool",
    initial: "$smtpd_enforce_tls",
    deprecated: 'write tlsproxy_tls_security_level = "encrypt"',
    roles: TLSPROXY,
    since: "2.8",
    help: "Mandatory TLS, when the level is empty.",
    text: `\
The same as the level *encrypt*. Looked at only while *tlsproxy_tls_security_level* is empty.`,
  },
  tlsproxy_tls_chain_files: {
    kind: "list",
    initial: "$smtpd_tls_chain_files",
    roles: TLSPROXY,
    since: "3.4",
    help: "PEM files with keys, their certificates and issuers; in place of the pairs below.",
    text: `\
PEM files that are read one after the other as if they were one: a private key, its certificate, the
issuers of that, then the next key, and so on; one chain for each type of key. Keys are not encrypted.

Where this list is not empty the six parameters with a file for each key and each certificate are not
looked at. A file that cannot be read, a key without a certificate or a certificate that belongs to
another key keeps the role from starting; Postfix takes a missing file for success. A path with a blank
or a comma in it cannot be written.`,
  },
  tlsproxy_tls_cert_file: {
    kind: "path",
    initial: "$smtpd_tls_cert_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Certificate and issuers, PEM; none declares that there is none on purpose.",
    text: `\
A PEM file with the certificate of the server first and its issuers after it. In spite of the manual's
word RSA the key may be of any type. Needs *tlsproxy_tls_key_file*.

The word *none*, in any case, says that the server is meant to run without a certificate; that works with
anonymous ciphers up to TLS 1.2 only. A file of that name is written *./none*.`,
  },
  tlsproxy_tls_key_file: {
    kind: "path",
    initial: "$smtpd_tls_key_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Private key of the certificate, PEM, unencrypted.",
    text: `\
The private key that belongs to *tlsproxy_tls_cert_file*.

Beware of the default: it follows the certificate of smtpd(8), not that of tlsproxy. Whoever sets
*tlsproxy_tls_cert_file* sets this one as well, even where one file holds both; there is a warning
otherwise. The same holds for the two pairs below.`,
  },
  tlsproxy_tls_dcert_file: {
    kind: "path",
    initial: "$smtpd_tls_dcert_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "DSA certificate and issuers, PEM.",
    text: `\
As *tlsproxy_tls_cert_file*, for a second certificate. The DSA algorithm is obsolete, and the default
cipher lists have no cipher for it.`,
  },
  tlsproxy_tls_dkey_file: {
    kind: "path",
    initial: "$smtpd_tls_dkey_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Private key of the DSA certificate, PEM, unencrypted.",
    text: `\
The private key that belongs to *tlsproxy_tls_dcert_file*.`,
  },
  tlsproxy_tls_eccert_file: {
    kind: "path",
    initial: "$smtpd_tls_eccert_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "ECDSA certificate and issuers, PEM.",
    text: `\
As *tlsproxy_tls_cert_file*, for one more certificate, so that a server can have an RSA and an ECDSA
certificate at the same time.`,
  },
  tlsproxy_tls_eckey_file: {
    kind: "path",
    initial: "$smtpd_tls_eckey_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "Private key of the ECDSA certificate, PEM, unencrypted.",
    text: `\
The private key that belongs to *tlsproxy_tls_eccert_file*.`,
  },
  tlsproxy_tls_CAfile: {
    kind: "path",
    initial: "$smtpd_tls_CAfile",
    roles: TLSPROXY,
    since: "2.8",
    help: "Certificates of trusted CAs, PEM.",
    text: `\
A PEM file with the CAs that a client certificate must lead to. It is read at start. When a certificate
is asked for, the client is told the names of these CAs.`,
  },
  tlsproxy_tls_CApath: {
    kind: "path",
    initial: "$smtpd_tls_CApath",
    roles: TLSPROXY,
    since: "2.8",
    help: "Directory of trusted CAs with hash links.",
    text: `\
A directory with one file for each CA, named by a hash as openssl-rehash(1) does it. It is searched while
certificates are verified, so it must stay readable to the running process. Clients are not told these
names.`,
  },
  tlsproxy_tls_ask_ccert: {
    kind: "bool",
    initial: "$smtpd_tls_ask_ccert",
    roles: TLSPROXY,
    since: "2.8",
    help: "Ask for a client certificate.",
    text: `\
Ask each client for a certificate, and go on without one. Anonymous ciphers are excluded then. The server
needs a certificate of its own.`,
  },
  tlsproxy_tls_req_ccert: {
    kind: "bool",
    initial: "$smtpd_tls_req_ccert",
    roles: TLSPROXY,
    since: "2.8",
    help: "With mandatory TLS, require a trusted client certificate.",
    text: `\
Ask for a client certificate and report whether it is trusted. It has an effect with mandatory TLS only.

As in Postfix the handshake does not fail for want of a certificate: the program that handed over the
connection is told, and acts. *[tls] enforce_req_ccert* lets tlsproxy end such sessions itself.`,
  },
  tlsproxy_tls_ccert_verifydepth: {
    kind: "int",
    initial: "$smtpd_tls_ccert_verifydepth",
    roles: TLSPROXY,
    since: "2.8",
    help: "Most CA certificates in a client chain.",
    text: `\
How many certificates of CAs the chain of a client may have: 1 where one CA signs all clients.`,
  },
  tlsproxy_tls_protocols: {
    kind: "protocols",
    initial: "$smtpd_tls_protocols",
    separators: ":",
    roles: TLSPROXY,
    since: "2.8",
    help: "Protocols with opportunistic TLS.",
    text: `\
A list with commas, blanks or colons between its elements. *>=TLSv1.2* and *<=TLSv1.3* are bounds,
without a blank after the sign; a version may also be written as a hexadecimal number, *>=0303*. A
name alone, *TLSv1.2*, includes a protocol and leaves out all that are not named; *!TLSv1.1* excludes
one. The names are *SSLv2*, *SSLv3*, *TLSv1*, *TLSv1.1*, *TLSv1.2* and *TLSv1.3*, in any case.

Prefer bounds: an excluded protocol in the middle also costs clients those above it. What leaves no
protocol, or reads as something that was hardly meant, is told when the settings are read. A bound that
OpenSSL does not know is an error; Postfix takes it for no bound.

TLS 1.0 and 1.1 additionally need security level 0 in OpenSSL, which is what tlsproxy uses unless a
client certificate is required.`,
  },
  tlsproxy_tls_mandatory_protocols: {
    kind: "protocols",
    initial: "$smtpd_tls_mandatory_protocols",
    separators: ":",
    roles: TLSPROXY,
    since: "2.8",
    help: "Protocols with mandatory TLS.",
    text: `\
As *tlsproxy_tls_protocols*, and in place of it at the level *encrypt*.`,
  },
  tlsproxy_tls_ciphers: {
    kind: "enum",
    initial: "$smtpd_tls_ciphers",
    lengthMin: 1,
    values: GRADES,
    roles: TLSPROXY,
    since: "2.8",
    help: "Least cipher grade with opportunistic TLS.",
    text: `\
*high*, *medium* or *null*, each standing for the cipher list *tls_high_cipherlist* and so on; *low* and
*export* mean *medium*. Cipher lists have no say in TLS 1.3. A word that is no grade is found when the
settings are read, and not at the first connection as in Postfix.

A request that brings its own cipher settings, as those of Postfix from 3.12 do, has precedence; see
*[service] settings_from_request*.`,
  },
  tlsproxy_tls_mandatory_ciphers: {
    kind: "enum",
    initial: "$smtpd_tls_mandatory_ciphers",
    lengthMin: 1,
    values: GRADES,
    roles: TLSPROXY,
    since: "2.8",
    help: "Least cipher grade with mandatory TLS.",
    text: `\
As *tlsproxy_tls_ciphers*, and in place of it at the level *encrypt*.`,
  },
  tlsproxy_tls_exclude_ciphers: {
    kind: "list",
    initial: "$smtpd_tls_exclude_ciphers",
    separators: ":",
    elementForbids: "!+-@",
    roles: TLSPROXY,
    since: "2.8",
    help: "Ciphers excluded at all levels.",
    text: `\
Names of ciphers, or of properties such as *aNULL* or *MD5*, with commas, blanks or colons between them.
Several properties at once are joined with a plus: *kEDH+aRSA*. No name begins with one of the signs
! + - @. TLS 1.3 is not affected, and a name that OpenSSL does not know excludes nothing.`,
  },
  tlsproxy_tls_mandatory_exclude_ciphers: {
    kind: "list",
    initial: "$smtpd_tls_mandatory_exclude_ciphers",
    separators: ":",
    elementForbids: "!+-@",
    roles: TLSPROXY,
    since: "2.8",
    help: "Further ciphers excluded with mandatory TLS.",
    text: `\
As *tlsproxy_tls_exclude_ciphers*, and in addition to it at the level *encrypt*.`,
  },
  tlsproxy_tls_dh1024_param_file: {
    kind: "path",
    initial: "$smtpd_tls_dh1024_param_file",
    roles: TLSPROXY,
    since: "2.8",
    help: "DH parameters up to TLS 1.2; empty or auto lets OpenSSL choose.",
    text: `\
A PEM file with parameters for finite-field Diffie-Hellman, of any length, whatever the name says. Empty
or *auto* (in lower case) lets OpenSSL take a group that suits the certificate, which is the better
choice. A file called auto is written *./auto*. TLS 1.3 has *tls_ffdhe_auto_groups* instead.`,
  },
  tlsproxy_tls_dh512_param_file: {
    kind: "path",
    initial: "$smtpd_tls_dh512_param_file",
    ignoredSince: "3.6",
    roles: TLSPROXY,
    since: "2.8",
    help: "Once export-grade DH parameters.",
    text: `\
Accepted and without an effect: ciphers of export grade are gone.`,
  },
  tlsproxy_tls_eecdh_grade: {
    kind: "str",
    initial: "$smtpd_tls_eecdh_grade",
    lengthMin: 1,
    ignoredSince: "3.6",
    instead: "set tls_eecdh_auto_curves",
    roles: TLSPROXY,
    since: "2.8",
    help: "Once the strength of elliptic curves; tls_eecdh_auto_curves rules.",
    text: `\
Accepted and without an effect, whatever word it is: *tls_eecdh_auto_curves* lists the curves. As in
Postfix an empty value is an error.`,
  },
  tlsproxy_tls_fingerprint_digest: {
    kind: "str",
    initial: "$smtpd_tls_fingerprint_digest",
    lengthMin: 1,
    roles: TLSPROXY,
    since: "2.8",
    help: "Digest of client certificate and key fingerprints.",
    text: `\
The name of a digest as OpenSSL knows it, such as *sha256*. Fingerprints of the client's certificate and
of its public key are reported to the program that handed over the connection. With a
*compatibility_level* below 3.6 the default is *md5*.`,
  },
  tlsproxy_tls_loglevel: {
    kind: "loglevel",
    initial: "$smtpd_tls_loglevel",
    roles: TLSPROXY,
    since: "2.8",
    help: "What is logged about server TLS.",
    text: `\
Words and numbers with commas or blanks between them, in any case.

- *0*, *none*: nothing.
- *1*, *routine*, *summary*: one line for each handshake.
- *2*, *debug*: also what the TLS engine does, certificates, and operations on the session cache.
- *3*, *ssl-expert*: also a dump of the handshake; *4* and up, *ssl-developer*: of the whole session.
- *untrusted*, *peercert*, *certmatch*, *verbose*, *cache*, *ssl-debug*, *ssl-handshake-packet-dump*,
*ssl-session-packet-dump*, *dane*, *trace*: single parts, none of which belongs to a number except
where it is named above.

A word that does not exist costs only itself, with a warning; in Postfix it silences the whole level.`,
  },
  tlsproxy_tls_always_issue_session_ids: {
    kind: "bool",
    initial: "$smtpd_tls_always_issue_session_ids",
    roles: TLSPROXY,
    since: "2.8",
    help: "Offer session ids even without cache and tickets.",
    text: `\
Give each session an id, even where nobody could resume it. Some old clients fail without one.`,
  },
  tlsproxy_tls_enable_rpk: {
    kind: "bool",
    initial: "$smtpd_tls_enable_rpk",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.9",
    help: "Ask clients for a raw public key rather than a certificate.",
    text: `\
Let a client that is asked for a certificate send a raw public key (RFC 7250) instead. Needs OpenSSL 3.2
or later and has no effect with older ones.`,
  },
} as const satisfies Record<string, Parameter>;
