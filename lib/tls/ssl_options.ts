/**
 * SSL option bits from their names (Postfix's tls/tls_misc.c tls_bug_bits()).
 *
 * @module
 */
import { OP } from "../ffi/openssl/constants.ts";

/** Names for `tls_disable_workarounds`; many stand for nothing since OpenSSL 3. */
const WORKAROUNDS: Readonly<Record<string, bigint>> = {
  MICROSOFT_SESS_ID_BUG: 0n,
  NETSCAPE_CHALLENGE_BUG: 0n,
  LEGACY_SERVER_CONNECT: OP.LEGACY_SERVER_CONNECT,
  NETSCAPE_REUSE_CIPHER_CHANGE_BUG: 0n,
  "CVE-2010-4180": 0n,
  SSLREF2_REUSE_CERT_TYPE_BUG: 0n,
  MICROSOFT_BIG_SSLV3_BUFFER: 0n,
  MSIE_SSLV2_RSA_PADDING: 0n,
  "CVE-2005-2969": 0n,
  SSLEAY_080_CLIENT_DH_BUG: 0n,
  TLS_D5_BUG: 0n,
  TLS_BLOCK_PADDING_BUG: 0n,
  TLS_ROLLBACK_BUG: OP.TLS_ROLLBACK_BUG,
  DONT_INSERT_EMPTY_FRAGMENTS: OP.DONT_INSERT_EMPTY_FRAGMENTS,
  CRYPTOPRO_TLSEXT_BUG: OP.CRYPTOPRO_TLSEXT_BUG,
  TLSEXT_PADDING: OP.TLSEXT_PADDING,
};

/** Names for `tls_ssl_options`. */
const OPTIONS: Readonly<Record<string, bigint>> = {
  LEGACY_SERVER_CONNECT: OP.LEGACY_SERVER_CONNECT,
  NO_TICKET: OP.NO_TICKET,
  NO_COMPRESSION: OP.NO_COMPRESSION,
  NO_RENEGOTIATION: OP.NO_RENEGOTIATION,
  NO_SESSION_RESUMPTION_ON_RENEGOTIATION: OP.NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
  PRIORITIZE_CHACHA: OP.PRIORITIZE_CHACHA,
  ENABLE_MIDDLEBOX_COMPAT: OP.ENABLE_MIDDLEBOX_COMPAT,
};

/** Bits that other parameters decide about; `tls_ssl_options` cannot set them. */
const MANAGED = OP.CIPHER_SERVER_PREFERENCE | OP.IGNORE_UNEXPECTED_EOF | OP.NO_SSLv3 | OP.NO_TLSv1 |
  OP.NO_TLSv1_1 | OP.NO_TLSv1_2 | OP.NO_TLSv1_3;

/** Option bits, and the words that mean nothing. */
export interface SslOptions {
  readonly bits: bigint;
  readonly unknown: readonly string[];
}

/** The bits for `tls_disable_workarounds` and `tls_ssl_options`. */
export function sslOptions(disabledWorkarounds: string, options: string): SslOptions {
  const off = parseMask(disabledWorkarounds, WORKAROUNDS);
  const on = parseMask(options, OPTIONS);
  let bits: bigint = OP.ALL;
  // Any value at all costs this work-around too; Postfix never sets it together with another choice.
  if (disabledWorkarounds.trim() !== "") bits &= ~(off.bits | OP.SAFARI_ECDHE_ECDSA_BUG);
  bits |= on.bits & ~(OP.ALL | MANAGED);
  return { bits: bits | OP.NO_RENEGOTIATION, unknown: [...off.unknown, ...on.unknown] };
}

function parseMask(text: string, names: Readonly<Record<string, bigint>>): SslOptions {
  let bits = 0n;
  const unknown: string[] = [];
  for (const word of text.split(/[\s,]+/)) {
    if (word === "") continue;
    const named = names[word.toUpperCase()];
    if (named !== undefined) bits |= named;
    else if (/^0x[0-9a-f]{1,16}$/i.test(word)) bits |= BigInt(word);
    else unknown.push(word);
  }
  return { bits, unknown };
}

/** The end of a TCP connection counts as the end of TLS, close_notify or not. */
export const IGNORE_UNEXPECTED_EOF: bigint = OP.IGNORE_UNEXPECTED_EOF;

/** Neither tickets nor their extension. */
export const NO_TICKET: bigint = OP.NO_TICKET;
