/**
 * What a finished handshake has agreed on, and the line that says so.
 *
 * @module
 */
import { fromUtf8 } from "../base/bytes.ts";
import { CTRL, VERSION } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { EvpPkey, Ssl, X509 } from "../ffi/openssl/types.ts";
import { readCString } from "../ffi/memory.ts";
import {
  type FingerprintDigest,
  type PeerCertificate,
  readPeerCertificate,
} from "./peer_certificate.ts";

/** How one side signed. */
export interface Signature {
  /** `RSA-PSS`, `RSA`, `ECDSA`, `ED25519`, …; empty when unknown. */
  readonly name: string;
  /** Curve of an EC key. */
  readonly curve: string;
  /** Bits of an RSA key. */
  readonly bits: number;
  /** `SHA256`, …; empty where the algorithm has one of its own. */
  readonly digest: string;
}

/** A finished handshake. */
export interface Handshake {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's name. */
  readonly cipher: string;
  readonly usedBits: number;
  readonly algorithmBits: number;
  /** TLS 1.3 only, else empty: `X25519`, `ECDHE`, `DHE`. */
  readonly keyExchange: string;
  readonly keyExchangeCurve: string;
  readonly keyExchangeBits: number;
  /** TLS 1.3 only, and not of a resumed session. */
  readonly serverSignature: Signature | undefined;
  /** TLS 1.3 only, with a certificate of the client's, and not of a resumed session. */
  readonly clientSignature: Signature | undefined;
  /** The session was resumed. */
  readonly resumed: boolean;
  /** … or made, with a ticket. */
  readonly ticketed: boolean;
  /** The client's certificate, of this handshake or of the session that it resumed. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** The server name that the client asked for, if there are certificates for it; else empty. */
  readonly serverName: string;
}

/** What the handshake itself has to say. */
export interface HandshakeFacts {
  readonly digest: FingerprintDigest;
  readonly serverName: string;
  readonly ticketed: boolean;
}

const bitsOut = new Int32Array(1);
const bitsBytes = new Uint8Array(bitsOut.buffer);
const nidOut = new Int32Array(1);
const nidBytes = new Uint8Array(nidOut.buffer);
const pkeyOut = new BigUint64Array(1);
const pkeyBytes = new Uint8Array(pkeyOut.buffer);
const groupName = new Uint8Array(64);
const groupLength = new Uint8Array(8);

/** What `ssl` has agreed on; without `facts` nothing is said about certificates and names. */
export function summarize(ssl: Ssl, facts?: HandshakeFacts): Handshake {
  const cipher = libssl.SSL_get_current_cipher(ssl);
  const usedBits = cipher === null ? 0 : libssl.SSL_CIPHER_get_bits(cipher, bitsBytes);
  const tls13 = libssl.SSL_version(ssl) === VERSION.TLSv1_3;
  const resumed = libssl.SSL_session_reused(ssl) === 1;
  const summary: Handshake = {
    protocol: readCString(libssl.SSL_get_version(ssl)),
    cipher: cipher === null ? "" : readCString(libssl.SSL_CIPHER_get_name(cipher)),
    usedBits,
    algorithmBits: cipher === null ? 0 : bitsOut[0],
    ...(tls13 ? keyExchangeOf(ssl) : NO_KEY_EXCHANGE),
    serverSignature: tls13 && !resumed ? serverSignatureOf(ssl) : undefined,
    clientSignature: tls13 && !resumed ? clientSignatureOf(ssl) : undefined,
    resumed,
    ticketed: facts?.ticketed ?? false,
    peerCertificate: facts === undefined ? undefined : readPeerCertificate(ssl, facts.digest),
    serverName: facts?.serverName ?? "",
  };
  // Questions that have no answer leave errors behind.
  clearErrors();
  return summary;
}

const NO_KEY_EXCHANGE = { keyExchange: "", keyExchangeCurve: "", keyExchangeBits: 0 };

/** Postfix's tls/tls_misc.c tls_get_signature_params(): the peer's share names the group. */
function keyExchangeOf(ssl: Ssl): typeof NO_KEY_EXCHANGE {
  if (libssl.SSL_ctrl(ssl, CTRL.GET_PEER_TMP_KEY, 0n, pkeyBytes) !== 1n) return NO_KEY_EXCHANGE;
  const key = Deno.UnsafePointer.create(pkeyOut[0]) as EvpPkey | null;
  if (key === null) return NO_KEY_EXCHANGE;
  const type = readCString(libcrypto.EVP_PKEY_get0_type_name(key));
  const curve = type === "EC" ? groupOf(key) : "";
  const bits = type === "DH" ? libcrypto.EVP_PKEY_get_bits(key) : 0;
  libcrypto.EVP_PKEY_free(key);
  const name = type === "EC" ? "ECDHE" : type === "DH" ? "DHE" : type;
  return { keyExchange: name, keyExchangeCurve: curve, keyExchangeBits: bits };
}

function groupOf(key: EvpPkey): string {
  const size = BigInt(groupName.length);
  if (libcrypto.EVP_PKEY_get_group_name(key, groupName, size, groupLength) !== 1) return "";
  const end = groupName.indexOf(0);
  return fromUtf8(groupName.subarray(0, end < 0 ? groupName.length : end));
}

function serverSignatureOf(ssl: Ssl): Signature | undefined {
  const certificate = libssl.SSL_get_certificate(ssl);
  return certificate === null
    ? undefined
    : describeKey(certificate, digestOf(ssl, CTRL.GET_SIGNATURE_NID));
}

function clientSignatureOf(ssl: Ssl): Signature | undefined {
  const certificate = libssl.SSL_get0_peer_certificate(ssl);
  return certificate === null
    ? undefined
    : describeKey(certificate, digestOf(ssl, CTRL.GET_PEER_SIGNATURE_NID));
}

function digestOf(ssl: Ssl, question: number): string {
  if (libssl.SSL_ctrl(ssl, question, 0n, nidBytes) !== 1n) return "";
  const digest = readCString(libcrypto.OBJ_nid2sn(nidOut[0]));
  return digest === "UNDEF" ? "" : digest;
}

function describeKey(certificate: X509, digest: string): Signature | undefined {
  // The key belongs to the certificate.
  const key = libcrypto.X509_get0_pubkey(certificate);
  if (key === null) return undefined;
  const type = readCString(libcrypto.EVP_PKEY_get0_type_name(key));
  switch (type) {
    case "RSA":
    case "RSA-PSS":
      // In TLS 1.3 every RSA key signs with PSS.
      return { name: "RSA-PSS", curve: "", bits: libcrypto.EVP_PKEY_get_bits(key), digest };
    case "EC":
      return { name: "ECDSA", curve: groupOf(key), bits: 0, digest };
    default:
      return { name: type, curve: "", bits: 0, digest };
  }
}

/**
 * The line of Postfix's tls/tls_misc.c tls_log_summary(), at TLS log level 1.
 *
 * @param peer what Postfix calls namaddr: `[192.0.2.1]:25`
 */
export function describeHandshake(handshake: Handshake, peer: string): string {
  const { protocol, cipher, usedBits, algorithmBits } = handshake;
  const { peerCertificate, serverName } = handshake;
  const trust = peerCertificate === undefined
    ? "Anonymous"
    : peerCertificate.trusted
    ? "Trusted"
    : "Untrusted";
  const to = serverName === "" ? "" : ` to ${serverName}`;
  let line = `${trust} TLS connection established from ${peer}${to}: ${protocol} with cipher ` +
    `${cipher} (${usedBits}/${algorithmBits} bits)`;
  if (handshake.keyExchange !== "") {
    line += ` key-exchange ${handshake.keyExchange}` +
      detail(handshake.keyExchangeCurve, handshake.keyExchangeBits);
  }
  return line + signed("server", handshake.serverSignature) +
    signed("client", handshake.clientSignature);
}

function signed(who: string, signature: Signature | undefined): string {
  if (signature === undefined) return "";
  const { name, curve, bits, digest } = signature;
  return ` ${who}-signature ${name}${detail(curve, bits)}` +
    (digest === "" ? "" : ` ${who}-digest ${digest}`);
}

function detail(curve: string, bits: number): string {
  if (curve !== "") return ` (${curve})`;
  return bits > 0 ? ` (${bits} bits)` : "";
}
