/**
 * What OpenSSL found about a client's certificate chain, and how it is said (Postfix's
 * tls/tls_verify.c).
 *
 * OpenSSL reports each certificate of the chain, from the root to the leaf, and each fault. The fault
 * nearest to the leaf is the one that counts.
 *
 * @module
 */
import { X509_ERROR } from "../ffi/openssl/constants.ts";
import { libcrypto } from "../ffi/openssl/openssl.ts";
import type { X509, X509Name, X509StoreCtx } from "../ffi/openssl/types.ts";
import { readCString } from "../ffi/memory.ts";
import { fromUtf8 } from "../base/bytes.ts";

/** Bytes of a distinguished name that are shown, the last for a NUL (tls.h CCERT_BUFSIZ). */
const NAME_BYTES_MAX = 256;
const room = new Uint8Array(NAME_BYTES_MAX);

/** A distinguished name on one line, cut off where it is too long. */
export function nameLine(name: X509Name): string {
  libcrypto.X509_NAME_oneline(name, room, room.length);
  return fromUtf8(room.subarray(0, room.indexOf(0)));
}

/** Gathers what is reported during one handshake. */
export class Verification {
  readonly #tell: ((text: string) => void) | undefined;
  /** Number of the fault (`X509_V_ERR_*`); 0 for none. */
  #code: number = X509_ERROR.OK;
  /** Where the fault is: 0 is the leaf, -1 nowhere. */
  #depth = -1;
  #issuer = "";

  /** @param tell is told of each certificate, fault or not */
  constructor(tell?: (text: string) => void) {
    this.#tell = tell;
  }

  /** For OpenSSL: one certificate of the chain, good or not. */
  observe(ok: boolean, store: X509StoreCtx): void {
    const depth = libcrypto.X509_STORE_CTX_get_error_depth(store);
    const certificate = libcrypto.X509_STORE_CTX_get_current_cert(store);
    if (!ok && (this.#depth < 0 || depth < this.#depth)) {
      this.#code = libcrypto.X509_STORE_CTX_get_error(store);
      this.#depth = depth;
      this.#issuer = certificate === null ? "<unknown>" : issuerOf(certificate);
    }
    if (this.#tell === undefined) return;
    const subject = certificate === null ? "<unknown>" : subjectOf(certificate);
    this.#tell(`depth=${depth} verify=${ok ? 1 : 0} subject=${subject}`);
  }

  /** Why the chain is not trusted, in Postfix's words; `undefined` when no fault was reported. */
  describe(peer: string): string | undefined {
    const whose = this.#depth > 0 ? "CA" : "client";
    const failed = `certificate verification failed for ${peer}: `;
    switch (this.#code) {
      case X509_ERROR.OK:
        return undefined;
      case X509_ERROR.CERT_UNTRUSTED:
        return `${failed}not trusted by local or TLSA policy`;
      case X509_ERROR.DEPTH_ZERO_SELF_SIGNED_CERT:
        return `${failed}self-signed certificate`;
      case X509_ERROR.UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_ERROR.SELF_SIGNED_CERT_IN_CHAIN:
        return `${failed}untrusted issuer ${this.#issuer}`;
      case X509_ERROR.CERT_NOT_YET_VALID:
      case X509_ERROR.ERROR_IN_CERT_NOT_BEFORE_FIELD:
        return `${whose} ${failed}certificate not yet valid`;
      case X509_ERROR.CERT_HAS_EXPIRED:
      case X509_ERROR.ERROR_IN_CERT_NOT_AFTER_FIELD:
        return `${whose} ${failed}certificate has expired`;
      case X509_ERROR.INVALID_PURPOSE:
        return `${failed}not designated for use as a ${whose} certificate`;
      case X509_ERROR.CERT_CHAIN_TOO_LONG:
        return `${failed}certificate chain longer than limit(${this.#depth - 1})`;
      default: {
        const text = readCString(libcrypto.X509_verify_cert_error_string(BigInt(this.#code)));
        return `${whose} ${failed}num=${this.#code}:${text}`;
      }
    }
  }
}

function subjectOf(certificate: X509): string {
  const name = libcrypto.X509_get_subject_name(certificate);
  return name === null ? "<unknown>" : nameLine(name);
}

function issuerOf(certificate: X509): string {
  const name = libcrypto.X509_get_issuer_name(certificate);
  return name === null ? "<unknown>" : nameLine(name);
}
