/**
 * Numbers of OpenSSL 3 that are macros in its headers, and not symbols of the library.
 *
 * @module
 */

/** Commands of `SSL_CTX_ctrl` and `SSL_ctrl` (openssl/ssl.h). */
export const CTRL = {
  MODE: 33,
  SET_READ_AHEAD: 41,
  SET_SESS_CACHE_SIZE: 42,
  SET_SESS_CACHE_MODE: 44,
  SET_TLSEXT_SERVERNAME_CB: 53,
  SET_TLSEXT_HOSTNAME: 55,
  SET_GROUPS_LIST: 92,
  GET_PEER_SIGNATURE_NID: 108,
  GET_PEER_TMP_KEY: 109,
  GET_CHAIN_CERTS: 115,
  SET_CURRENT_CERT: 117,
  SET_DH_AUTO: 118,
  SET_MIN_PROTO_VERSION: 123,
  SET_MAX_PROTO_VERSION: 124,
  GET_SIGNATURE_NID: 132,
  GET_NEGOTIATED_GROUP: 134,
} as const;

/** `SSL_MODE_*` */
export const MODE = {
  ENABLE_PARTIAL_WRITE: 0x1,
  ACCEPT_MOVING_WRITE_BUFFER: 0x2,
  RELEASE_BUFFERS: 0x10,
} as const;

/** `SSL_SESS_CACHE_*` */
export const SESSION_CACHE = {
  OFF: 0,
  CLIENT: 0x1,
  SERVER: 0x2,
  NO_AUTO_CLEAR: 0x80,
  NO_INTERNAL: 0x300,
} as const;

/** `SSL_OP_*` (64-bit in OpenSSL 3). */
export const OP = {
  LEGACY_SERVER_CONNECT: 0x4n,
  TLSEXT_PADDING: 0x10n,
  SAFARI_ECDHE_ECDSA_BUG: 0x40n,
  IGNORE_UNEXPECTED_EOF: 0x80n,
  DONT_INSERT_EMPTY_FRAGMENTS: 0x800n,
  NO_TICKET: 0x4000n,
  NO_SESSION_RESUMPTION_ON_RENEGOTIATION: 0x10000n,
  NO_COMPRESSION: 0x20000n,
  ENABLE_MIDDLEBOX_COMPAT: 0x100000n,
  PRIORITIZE_CHACHA: 0x200000n,
  CIPHER_SERVER_PREFERENCE: 0x400000n,
  TLS_ROLLBACK_BUG: 0x800000n,
  NO_SSLv3: 0x2000000n,
  NO_TLSv1: 0x4000000n,
  NO_TLSv1_2: 0x8000000n,
  NO_TLSv1_1: 0x10000000n,
  NO_TLSv1_3: 0x20000000n,
  NO_RENEGOTIATION: 0x40000000n,
  CRYPTOPRO_TLSEXT_BUG: 0x80000000n,
  /** `SSL_OP_ALL` */
  ALL: 0x80000850n,
} as const;

/** Protocol versions (openssl/tls1.h). */
export const VERSION = {
  SSLv3: 0x300,
  TLSv1: 0x301,
  TLSv1_1: 0x302,
  TLSv1_2: 0x303,
  TLSv1_3: 0x304,
} as const;

/** `SSL_ERROR_*`: answers of `SSL_get_error`. */
export const SSL_ERROR = {
  NONE: 0,
  SSL: 1,
  WANT_READ: 2,
  WANT_WRITE: 3,
  WANT_X509_LOOKUP: 4,
  SYSCALL: 5,
  ZERO_RETURN: 6,
  WANT_CLIENT_HELLO_CB: 11,
} as const;

/** Commands of `BIO_ctrl` and `BIO_int_ctrl`, and a flag of `BIO_test_flags` (openssl/bio.h). */
export const BIO = { FLUSH: 11, SET_BUFFER_SIZE: 117, SHOULD_RETRY: 0x8 } as const;
/** Which of the buffers of `BIO_f_buffer` is meant. */
export const BIO_WRITE_BUFFER = 1;

/** Answers of a ClientHello callback. */
export const CLIENT_HELLO = { ERROR: 0, SUCCESS: 1, RETRY: -1 } as const;

/** TLS extension numbers (IANA registry "TLS ExtensionType Values"). */
export const EXTENSION = {
  sessionTicket: 35,
  preSharedKey: 41,
  supportedVersions: 43,
} as const;

/** `SSL_FILETYPE_PEM` */
export const FILETYPE_PEM = 1;
/** `EVP_CIPH_CBC_MODE` */
export const CBC_MODE = 2;
/** `OPENSSL_VERSION` for `OpenSSL_version` */
export const VERSION_TEXT = 0;

/** `OPENSSL_INIT_*` of `OPENSSL_init_ssl` (openssl/crypto.h). */
export const INIT = { LOAD_CONFIG: 0x40n, NO_LOAD_CONFIG: 0x80n } as const;

/** `CONF_MFLAGS_*` (openssl/conf.h). */
export const CONFIG_FLAG = {
  IGNORE_RETURN_CODES: 0x2,
  SILENT: 0x4,
  IGNORE_MISSING_FILE: 0x10,
  DEFAULT_SECTION: 0x20,
} as const;

/** `SSL_CB_*` and `SSL_ST_ACCEPT`: what an info callback is told (openssl/ssl.h). */
export const INFO = {
  LOOP: 0x1,
  EXIT: 0x2,
  READ: 0x4,
  ALERT: 0x4000,
  ACCEPT: 0x2000,
} as const;

/** `SSL_AD_*` */
export const ALERT = { INTERNAL_ERROR: 80 } as const;

/** `SSL_VERIFY_*` */
export const VERIFY = { NONE: 0, PEER: 0x1, CLIENT_ONCE: 0x4 } as const;

/** `X509_V_*`: results of verification (openssl/x509_vfy.h). */
export const X509_ERROR = {
  OK: 0,
  CERT_NOT_YET_VALID: 9,
  CERT_HAS_EXPIRED: 10,
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 13,
  ERROR_IN_CERT_NOT_AFTER_FIELD: 14,
  DEPTH_ZERO_SELF_SIGNED_CERT: 18,
  SELF_SIGNED_CERT_IN_CHAIN: 19,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 20,
  CERT_CHAIN_TOO_LONG: 22,
  INVALID_PURPOSE: 26,
  CERT_UNTRUSTED: 27,
} as const;

/** `X509_PURPOSE_*` */
export const PURPOSE = { SSL_SERVER: 2 } as const;

/** `X509_TRUST_*` */
export const TRUST = { SSL_SERVER: 3 } as const;

/** `XKU_*`: answers of `X509_get_extended_key_usage`. */
export const EXTENDED_KEY_USAGE = { SSL_SERVER: 0x1, SSL_CLIENT: 0x2, ANY: 0x100 } as const;

/** `NID_*`: parts of a distinguished name (openssl/obj_mac.h). */
export const NID = { commonName: 13, organizationName: 17 } as const;

/** `SSL_TLSEXT_ERR_*`: answers of a server name callback. */
export const SERVER_NAME = { OK: 0, ALERT_FATAL: 2, NOACK: 3 } as const;

/** Which certificate of a context `CTRL.SET_CURRENT_CERT` makes the current one (`SSL_CERT_SET_*`). */
export const CERT_SET = { FIRST: 1, NEXT: 2 } as const;
