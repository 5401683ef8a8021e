/**
 * Self-signed certificates for one occasion: nobody trusts them, and they end soon.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { FatalError } from "../base/errors.ts";
import { describeErrno } from "../ffi/errno.ts";
import { closeFile, OPEN, openFile } from "../ffi/libc/file.ts";
import { cString } from "../ffi/memory.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto } from "../ffi/openssl/openssl.ts";
import type { EvpPkey, EvpPkeyCtx, X509 } from "../ffi/openssl/types.ts";
import { initializeLibrary } from "./library.ts";

/** Kinds of key. */
export type KeyKind = "ECDSA P-256" | "RSA-2048";

const LIFETIME_S = 7 * 24 * 3600;
/** Clocks of two machines differ a little. */
const EARLIER_S = 3600;
/** X.509 version 3 is written as 2 (RFC 5280, 4.1.2.1). */
const VERSION_3 = 2n;
/** `MBSTRING_UTF8` (openssl/asn1.h) */
const UTF8_TEXT = 0x1000;

/**
 * Makes a key of `kind` and a certificate for `hostName`, and writes both into the PEM file `path`,
 * which must not exist and gets mode 0600.
 *
 * Throws {@linkcode FatalError} when the file cannot be written.
 */
export function writeEphemeralCertificate(path: string, kind: KeyKind, hostName: string): void {
  initializeLibrary();
  clearErrors();
  const key = generateKey(kind);
  try {
    const certificate = certify(key, hostName);
    try {
      writePem(path, key, certificate);
    } finally {
      libcrypto.X509_free(certificate);
    }
  } finally {
    libcrypto.EVP_PKEY_free(key);
  }
}

function generateKey(kind: KeyKind): EvpPkey {
  const name = kind === "RSA-2048" ? "RSA" : "EC";
  const context = libcrypto.EVP_PKEY_CTX_new_from_name(null, cString(name), null);
  assert(context !== null, `OpenSSL knows keys of type ${name}`);
  try {
    demand(libcrypto.EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init");
    chooseSize(context, kind);
    const out = new BigUint64Array(1);
    demand(
      libcrypto.EVP_PKEY_generate(context, new Uint8Array(out.buffer)),
      "EVP_PKEY_generate",
    );
    return Deno.UnsafePointer.create(out[0]) as EvpPkey;
  } finally {
    libcrypto.EVP_PKEY_CTX_free(context);
  }
}

function chooseSize(context: EvpPkeyCtx, kind: KeyKind): void {
  const result = kind === "RSA-2048"
    ? libcrypto.EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
    : libcrypto.EVP_PKEY_CTX_set_group_name(context, cString("P-256"));
  demand(result, `the size of ${kind}`);
}

function certify(key: EvpPkey, hostName: string): X509 {
  const certificate = libcrypto.X509_new();
  assert(certificate !== null, "X509_new succeeds");
  const [serial] = crypto.getRandomValues(new BigUint64Array(1));
  libcrypto.X509_set_version(certificate, VERSION_3);
  libcrypto.ASN1_INTEGER_set_uint64(libcrypto.X509_get_serialNumber(certificate), serial);
  libcrypto.X509_gmtime_adj(libcrypto.X509_getm_notBefore(certificate), BigInt(-EARLIER_S));
  libcrypto.X509_gmtime_adj(libcrypto.X509_getm_notAfter(certificate), BigInt(LIFETIME_S));
  libcrypto.X509_set_pubkey(certificate, key);
  const name = libcrypto.X509_get_subject_name(certificate);
  demand(
    // Length -1: up to the NUL; position -1: behind what is there; set 0: a part of its own.
    libcrypto.X509_NAME_add_entry_by_txt(
      name,
      cString("CN"),
      UTF8_TEXT,
      cString(hostName),
      -1,
      -1,
      0,
    ),
    "X509_NAME_add_entry_by_txt",
  );
  demand(libcrypto.X509_set_issuer_name(certificate, name), "X509_set_issuer_name");
  assert(
    // Answers the size of the signature.
    libcrypto.X509_sign(certificate, key, libcrypto.EVP_sha256()) > 0,
    "X509_sign succeeds",
  );
  return certificate;
}

function writePem(path: string, key: EvpPkey, certificate: X509): void {
  // BIO_new_file() knows no modes: the file is there, with the right one, before it is filled.
  const fd = openFile(path, OPEN.writeOnly | OPEN.create | OPEN.exclusive, 0o600);
  if (fd < 0) throw new FatalError(`Cannot create "${path}": ${describeErrno(-fd)}`);
  closeFile(fd);
  const bio = libcrypto.BIO_new_file(cString(path), cString("w"));
  if (bio === null) throw new FatalError(`Cannot write "${path}": OpenSSL cannot open it`);
  const written = libcrypto.PEM_write_bio_PrivateKey(bio, key, null, null, 0, null, null) === 1 &&
    libcrypto.PEM_write_bio_X509(bio, certificate) === 1;
  // The last bytes reach the file, or do not, when it is closed; a short file is refused by its reader.
  libcrypto.BIO_free(bio);
  if (!written) throw new FatalError(`Cannot write "${path}": the disk may be full`);
}

function demand(result: number, what: string): void {
  assert(result === 1, `${what} succeeds`);
}
