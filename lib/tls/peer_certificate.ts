/**
 * Who a TLS client says it is: names and fingerprints of its certificate (Postfix's tls/tls_verify.c
 * tls_peer_CN() and tls_issuer_CN(), tls/tls_fprint.c).
 *
 * @module
 */
import { fromUtf8, toHex } from "../base/bytes.ts";
import { NID, X509_ERROR } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { EvpMd, Ssl, X509, X509Name } from "../ffi/openssl/types.ts";
import { copyFromC, cString, Memory } from "../ffi/memory.ts";
import { nameLine } from "./verification.ts";

/** A client's certificate. */
export interface PeerCertificate {
  /** The chain was verified, in this handshake or in the one whose session was resumed. */
  readonly trusted: boolean;
  /** Common name of the subject; empty when there is none, or none that can be shown. */
  readonly commonName: string;
  /** Common name of the issuer, or its organization. */
  readonly issuerCommonName: string;
  /** Digest of the certificate: upper-case hexadecimal pairs with colons. */
  readonly fingerprint: string;
  /** Digest of its public key (SubjectPublicKeyInfo). */
  readonly keyFingerprint: string;
  /** Distinguished names, a line each. */
  readonly subject: string;
  readonly issuer: string;
}

/** Longer names are not shown (tls.h CCERT_BUFSIZ). */
const NAME_BYTES_MAX = 255;
const DIGEST_BYTES_MAX = 64;

const digestOut = new Uint8Array(DIGEST_BYTES_MAX);
const digestLength = new Uint32Array(1);
const digestLengthBytes = new Uint8Array(digestLength.buffer);
const pointerOut = new BigUint64Array(1);
const pointerBytes = new Uint8Array(pointerOut.buffer);

/** A digest algorithm by name; `undefined` when OpenSSL does not know it, or refuses to use it. */
export class FingerprintDigest {
  readonly #pointer: EvpMd;

  private constructor(pointer: EvpMd) {
    this.#pointer = pointer;
  }

  /** Finds an algorithm and tries it: one may be known and forbidden (FIPS). */
  static find(name: string): FingerprintDigest | undefined {
    const pointer = libcrypto.EVP_get_digestbyname(cString(name));
    const digest = pointer === null ? undefined : new FingerprintDigest(pointer);
    const usable = digest?.ofMemory(null, 0n) !== undefined;
    clearErrors();
    return usable ? digest : undefined;
  }

  /** The digest of `count` bytes at `data`, as Postfix writes it. */
  ofMemory(data: Deno.PointerValue, count: bigint): string | undefined {
    const taken = libcrypto.EVP_Digest(
      data,
      count,
      digestOut,
      digestLengthBytes,
      this.#pointer,
      null,
    );
    return taken === 1 ? colonHex() : undefined;
  }

  /** The digest of a certificate in DER form. */
  ofCertificate(certificate: X509): string | undefined {
    const taken = libcrypto.X509_digest(certificate, this.#pointer, digestOut, digestLengthBytes);
    return taken === 1 ? colonHex() : undefined;
  }
}

/** The certificate of the peer of `ssl`; `undefined` when it sent none. */
export function readPeerCertificate(
  ssl: Ssl,
  digest: FingerprintDigest,
): PeerCertificate | undefined {
  const certificate = libssl.SSL_get0_peer_certificate(ssl);
  if (certificate === null) return undefined;
  const subject = libcrypto.X509_get_subject_name(certificate);
  const issuer = libcrypto.X509_get_issuer_name(certificate);
  const described: PeerCertificate = {
    trusted: libssl.SSL_get_verify_result(ssl) === BigInt(X509_ERROR.OK),
    commonName: entryOf(subject, NID.commonName) ?? "",
    issuerCommonName: entryOf(issuer, NID.commonName) ?? entryOf(issuer, NID.organizationName) ??
      "",
    fingerprint: digest.ofCertificate(certificate) ?? "",
    keyFingerprint: keyFingerprintOf(certificate, digest) ?? "",
    subject: subject === null ? "" : nameLine(subject),
    issuer: issuer === null ? "" : nameLine(issuer),
  };
  // Questions that have no answer leave errors behind.
  clearErrors();
  return described;
}

function keyFingerprintOf(certificate: X509, digest: FingerprintDigest): string | undefined {
  const key = libcrypto.X509_get_X509_PUBKEY(certificate);
  if (key === null) return undefined;
  const length = libcrypto.i2d_X509_PUBKEY_length(key, null);
  if (length <= 0) return undefined;
  using der = new Memory(length);
  pointerOut[0] = der.address;
  if (libcrypto.i2d_X509_PUBKEY(key, pointerBytes) !== length) return undefined;
  return digest.ofMemory(der.pointer, BigInt(length));
}

/** The first entry of a kind, if it can be shown: no control characters, not too long. */
function entryOf(name: X509Name | null, nid: number): string | undefined {
  if (name === null) return undefined;
  const at = libcrypto.X509_NAME_get_index_by_NID(name, nid, -1);
  const entry = at < 0 ? null : libcrypto.X509_NAME_get_entry(name, at);
  const data = entry === null ? null : libcrypto.X509_NAME_ENTRY_get_data(entry);
  if (data === null) return undefined;
  const length = libcrypto.ASN1_STRING_to_UTF8(pointerBytes, data);
  if (length < 0) return undefined;
  const pointer = Deno.UnsafePointer.create(pointerOut[0]);
  if (pointer === null) return undefined;
  const bytes = new Uint8Array(length);
  copyFromC(bytes, pointer, length);
  libcrypto.CRYPTO_free(pointer, null, 0);
  // Postfix takes NULs at the end for part of the encoding.
  const text = fromUtf8(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
  const tooLong = length > NAME_BYTES_MAX;
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return tooLong || /[\x00-\x1f\x7f]/.test(text) ? undefined : text;
}

function colonHex(): string {
  const digits = toHex(digestOut.subarray(0, digestLength[0]));
  return digits.replace(/..(?!$)/g, "$&:");
}
