/**
 * Loading a server's keys and certificates into a context (Postfix's tls/tls_certkey.c).
 *
 * Chain files win over pairs; pairs are loaded in the order given. Every refusal names the file.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { FatalError } from "../base/errors.ts";
import { FILETYPE_PEM } from "../ffi/openssl/constants.ts";
import { clearErrors, drainErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { SslCtx, X509 } from "../ffi/openssl/types.ts";
import { cString, Memory } from "../ffi/memory.ts";
import { demandReadable, reasonOf, refusal } from "./_files.ts";
import { readChains } from "./chain_files.ts";

/** A certificate file with its key file, as one group of parameters names them. */
export interface CertificatePair {
  /** Certificate and issuers, leaf first; PEM. */
  readonly certificateFile: string;
  /** Private key; may be the same file. */
  readonly keyFile: string;
  /** The parameters they come from, for messages. */
  readonly certificateParameter: string;
  readonly keyParameter: string;
}

/** Where a server's identities come from. */
export interface CertificateFiles {
  /** Keys and chains in one stream; when not empty the pairs are not looked at. */
  readonly chainFiles: readonly string[];
  readonly chainParameter: string;
  readonly pairs: readonly CertificatePair[];
}

/**
 * Loads everything; throws {@linkcode FatalError} that says which file is at fault and why.
 *
 * @returns What people call each chain, by the address of its leaf in the context.
 */
export function loadCertificates(
  context: SslCtx,
  files: CertificateFiles,
): ReadonlyMap<bigint, string> {
  const names = new Map<bigint, string>();
  // One of the same algorithm takes the place of another, and may have its address.
  const note = (name: string) => names.set(addressOf(leafOf(context)), name);
  if (files.chainFiles.length > 0) {
    const chains = readChains(files.chainFiles, files.chainParameter);
    try {
      for (const chain of chains) {
        chain.useIn(context);
        note(chain.shown);
      }
    } finally {
      for (const chain of chains) chain.free();
    }
  } else {
    for (const pair of files.pairs) {
      loadPair(context, pair);
      note(`certificate file "${pair.certificateFile}" with private key "${pair.keyFile}"`);
    }
  }
  return names;
}

/** The leaf that was loaded last, or made the current one. */
export function leafOf(context: SslCtx): X509 {
  const leaf = libssl.SSL_CTX_get0_certificate(context);
  assert(leaf !== null, "a context has a current certificate");
  return leaf;
}

/** For {@linkcode loadCertificates}' names. */
export function addressOf(leaf: X509): bigint {
  return BigInt(Deno.UnsafePointer.value(leaf));
}

function loadPair(context: SslCtx, pair: CertificatePair): void {
  const { certificateFile, keyFile } = pair;
  demandReadable(certificateFile, "certificate", pair.certificateParameter);
  demandReadable(keyFile, "private key", pair.keyParameter);
  clearErrors();
  if (libssl.SSL_CTX_use_certificate_chain_file(context, cString(certificateFile)) !== 1) {
    throw refusal(`Cannot use certificate file "${certificateFile}"`, {
      hint: `Check ${pair.certificateParameter}: the file must hold a certificate in PEM form`,
    });
  }
  libssl.SSL_CTX_set_default_passwd_cb_userdata(context, NO_PASSWORD.pointer);
  const leaf = libssl.SSL_CTX_get0_certificate(context);
  const taken = libssl.SSL_CTX_use_PrivateKey_file(context, cString(keyFile), FILETYPE_PEM);
  // A key of another algorithm goes to another place of the context, beside another pair's
  // certificate perhaps, and OpenSSL compares it with that one. It must fit this certificate.
  const key = taken === 1 ? libssl.SSL_CTX_get0_privatekey(context) : null;
  if (taken === 1 && libcrypto.X509_check_private_key(leaf, key) === 1) return;
  const errors = drainErrors();
  if (taken === 1 || errors.some((error) => error.includes("key values mismatch"))) {
    throw new FatalError(
      `Cannot use private key "${keyFile}" with certificate "${certificateFile}": ` +
        `they do not belong together`,
      { hint: `Check ${pair.keyParameter} and ${pair.certificateParameter}` },
    );
  }
  throw new FatalError(`Cannot use private key file "${keyFile}": ${reasonOf(errors)}`, {
    hint: `Check ${pair.keyParameter}: the file must hold an unencrypted private key in PEM form`,
  });
}

/** The password of every key: none. With it OpenSSL asks nobody at a terminal for one. */
const NO_PASSWORD = new Memory(1);
