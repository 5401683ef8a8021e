/**
 * Parameters of tlsproxy's client role (tlsproxy.c, tlsproxy_client.c). The default of each is the
 * parameter of smtp(8) of the same meaning, see `client_defaults.ts`.
 *
 * Whatever else a client session needs arrives with the request of whoever hands over a connection.
 *
 * @module
 */

import { CLIENT_LEVELS, type Parameter, TLSPROXY } from "./row.ts";

export const CLIENT_PARAMETERS = {
  tlsproxy_client_security_level: {
    kind: "enum",
    initial: "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}",
    values: CLIENT_LEVELS,
    obeyed: false,
    roles: TLSPROXY,
    since: "3.7",
    help: "Client TLS level; decides only whether the client role is on.",
    text: `\
One of *none*, *may*, *encrypt*, *fingerprint*, *dane*, *dane-only*, *verify* and *secure*, in any case.
Any of them but *none* turns the client role on; which level a session has comes with the request.
Empty, it leaves the choice to *tlsproxy_client_use_tls* and *tlsproxy_client_enforce_tls*.

The role is on, too, when *tlsproxy_client_per_site* or *tlsproxy_client_policy_maps* is not empty. The
default is *may* from *compatibility_level* 3.11 on.`,
  },
  tlsproxy_client_level: {
    kind: "enum",
    initial: "",
    values: CLIENT_LEVELS,
    deprecated: "write tlsproxy_client_security_level",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Name of tlsproxy_client_security_level before Postfix 3.7.",
    text: `\
Honoured through the default of *tlsproxy_client_security_level*.`,
  },
  tlsproxy_client_use_tls: {
    kind: "bool",
    initial: "$smtp_use_tls",
    deprecated: 'write tlsproxy_client_security_level = "may"',
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Client role with opportunistic TLS, when the level is empty.",
    text: `\
Turns the client role on. Looked at only while *tlsproxy_client_security_level* is empty.`,
  },
  tlsproxy_client_enforce_tls: {
    kind: "bool",
    initial: "$smtp_enforce_tls",
    deprecated: 'write tlsproxy_client_security_level = "encrypt"',
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Client role with mandatory TLS, when the level is empty.",
    text: `\
Turns the client role on. Looked at only while *tlsproxy_client_security_level* is empty.`,
  },
  tlsproxy_client_per_site: {
    kind: "maps",
    initial: "$smtp_tls_per_site",
    deprecated: "use tlsproxy_client_policy_maps",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Old client policy tables; a value turns the client role on.",
    text: `\
Lookup tables, *type:name*. As in Postfix tlsproxy looks only whether there are any and opens none: the
program that hands over a connection has looked the policy up.`,
  },
  tlsproxy_client_policy_maps: {
    kind: "maps",
    initial: "${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.7",
    help: "Client policy tables; a value turns the client role on.",
    text: `\
Lookup tables, *type:name*. As in Postfix tlsproxy looks only whether there are any and opens none: the
program that hands over a connection has looked the policy up.`,
  },
  tlsproxy_client_policy: {
    kind: "maps",
    initial: "",
    deprecated: "write tlsproxy_client_policy_maps",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Name of tlsproxy_client_policy_maps before Postfix 3.7.",
    text: `\
Honoured through the default of *tlsproxy_client_policy_maps*.`,
  },
  tlsproxy_client_chain_files: {
    kind: "list",
    initial: "$smtp_tls_chain_files",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "PEM files with client keys, their certificates and issuers.",
    text: `\
As *tlsproxy_tls_chain_files*, for the client's own identity. What is loaded at start serves requests
that name the same files.`,
  },
  tlsproxy_client_cert_file: {
    kind: "path",
    initial: "$smtp_tls_cert_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Client certificate and issuers, PEM.",
    text: `\
As *tlsproxy_tls_cert_file*, for the client's own identity, except that the word *none* has no meaning of
its own. Clients rarely need a certificate.`,
  },
  tlsproxy_client_key_file: {
    kind: "path",
    initial: "$smtp_tls_key_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Private key of the client certificate, PEM, unencrypted.",
    text: `\
The private key that belongs to *tlsproxy_client_cert_file*. The default follows the certificate of
smtp(8), so set both or neither.`,
  },
  tlsproxy_client_dcert_file: {
    kind: "path",
    initial: "$smtp_tls_dcert_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Client DSA certificate and issuers, PEM.",
    text: `\
As *tlsproxy_client_cert_file*, for an obsolete algorithm.`,
  },
  tlsproxy_client_dkey_file: {
    kind: "path",
    initial: "$smtp_tls_dkey_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Private key of the client DSA certificate, PEM, unencrypted.",
    text: `\
The private key that belongs to *tlsproxy_client_dcert_file*.`,
  },
  tlsproxy_client_eccert_file: {
    kind: "path",
    initial: "$smtp_tls_eccert_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Client ECDSA certificate and issuers, PEM.",
    text: `\
As *tlsproxy_client_cert_file*, for one more certificate.`,
  },
  tlsproxy_client_eckey_file: {
    kind: "path",
    initial: "$smtp_tls_eckey_file",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Private key of the client ECDSA certificate, PEM, unencrypted.",
    text: `\
The private key that belongs to *tlsproxy_client_eccert_file*.`,
  },
  tlsproxy_client_CAfile: {
    kind: "path",
    initial: "$smtp_tls_CAfile",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Certificates of the CAs that servers must lead to, PEM.",
    text: `\
A PEM file with trusted CAs, read at start. Needed for the levels *verify* and *secure*.`,
  },
  tlsproxy_client_CApath: {
    kind: "path",
    initial: "$smtp_tls_CApath",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Directory of CAs that servers must lead to, with hash links.",
    text: `\
A directory as for *tlsproxy_tls_CApath*, searched while certificates are verified.`,
  },
  tlsproxy_client_scert_verifydepth: {
    kind: "int",
    initial: "$smtp_tls_scert_verifydepth",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Most CA certificates in a server chain.",
    text: `\
How many certificates of CAs the chain of a server may have.`,
  },
  tlsproxy_client_fingerprint_digest: {
    kind: "str",
    initial: "$smtp_tls_fingerprint_digest",
    lengthMin: 1,
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "Digest of server certificate and key fingerprints.",
    text: `\
The name of a digest as OpenSSL knows it. It must be the one with which the fingerprints of the level
*fingerprint* were made. With a *compatibility_level* below 3.6 the default is *md5*.`,
  },
  tlsproxy_client_loglevel: {
    kind: "loglevel",
    initial: "$smtp_tls_loglevel",
    obeyed: false,
    roles: TLSPROXY,
    since: "3.4",
    help: "What is logged about client TLS.",
    text: `\
As *tlsproxy_tls_loglevel*. The level that comes with a request has precedence.`,
  },
} as const satisfies Record<string, Parameter>;
