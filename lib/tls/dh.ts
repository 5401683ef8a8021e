/**
 * Finite-field Diffie-Hellman of TLS 1.2 and older (Postfix's tls/tls_dh.c).
 *
 * Without a file OpenSSL chooses a group that is as strong as the certificate. The parameters of a file
 * belong to one context and to no other.
 *
 * @module
 */
import { CTRL } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { SslCtx } from "../ffi/openssl/types.ts";
import { cString } from "../ffi/memory.ts";
import { demandReadable, refusal } from "./_files.ts";

/** Sets the groups of a context up; throws {@linkcode FatalError} when `file` cannot be used. */
export function setDhParameters(context: SslCtx, file: string, parameter: string): void {
  if (file === "" || file === "auto") {
    libssl.SSL_CTX_ctrl(context, CTRL.SET_DH_AUTO, 1n, null);
    return;
  }
  demandReadable(file, "DH parameter", parameter);
  const bio = libcrypto.BIO_new_file(cString(file), cString("r"));
  const hint = {
    hint: `Check ${parameter}: the file must hold DH parameters in PEM form, or write "auto"`,
  };
  const what = `Cannot use DH parameter file "${file}"`;
  if (bio === null) throw refusal(what, hint);
  clearErrors();
  const parameters = libcrypto.PEM_read_bio_Parameters(bio, null);
  libcrypto.BIO_free(bio);
  if (parameters === null) throw refusal(what, hint);
  // On success the context owns them.
  if (libssl.SSL_CTX_set0_tmp_dh_pkey(context, parameters) === 1) return;
  libcrypto.EVP_PKEY_free(parameters);
  throw refusal(what, hint);
}
