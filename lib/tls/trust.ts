/**
 * Whom a server trusts: authorities, and what is asked of a client's certificate (Postfix's
 * tls/tls_certkey.c tls_set_ca_certificate_info(), tls/tls_server.c).
 *
 * No certificate makes a handshake fail: what was found is kept (`verification.ts`), told to the local
 * client, and decided there.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { EXTENDED_KEY_USAGE, PURPOSE, TRUST, VERIFY } from "../ffi/openssl/constants.ts";
import { clearErrors, drainErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import { type SslCtx, T } from "../ffi/openssl/types.ts";
import { cString } from "../ffi/memory.ts";
import { demandReadable, refusal } from "./_files.ts";
import { verifyCallback } from "./_callbacks.ts";

/** Where the certificates of trusted authorities are. */
export interface TrustStore {
  /** PEM file, read at once; empty for none. */
  readonly caFile: string;
  /** Folder with links named by hash, searched at each verification; empty for none. */
  readonly caPath: string;
  /** The system's authorities too; nothing without one of the other two. */
  readonly appendDefault: boolean;
  /** The settings they come from, for messages. */
  readonly caFileParameter: string;
  readonly caPathParameter: string;
}

/** What is asked of clients. */
export interface ClientCertificateRules {
  /** Most certificates of authorities in a client's chain. */
  readonly depth: number;
  /** A certificate for servers only is good for a client too (`tls_trust_server_ccerts`). */
  readonly acceptServerUse: boolean;
}

/** Loads the authorities; throws {@linkcode FatalError} that names what cannot be used. */
export function loadTrustStore(context: SslCtx, store: TrustStore): void {
  const { caFile, caPath } = store;
  if (caFile === "" && caPath === "") return;
  clearErrors();
  if (caFile !== "") {
    demandReadable(caFile, "CA certificate", store.caFileParameter);
    if (libssl.SSL_CTX_load_verify_file(context, cString(caFile)) !== 1) {
      throw refusal(`Cannot use CA certificate file "${caFile}"`, {
        hint: `Check ${store.caFileParameter}: the file must hold certificates in PEM form`,
      });
    }
  }
  if (caPath !== "") {
    demandFolder(caPath, store.caPathParameter);
    if (libssl.SSL_CTX_load_verify_dir(context, cString(caPath)) !== 1) {
      throw refusal(`Cannot use CA folder "${caPath}"`, { hint: `Check ${store.caPathParameter}` });
    }
  }
  if (store.appendDefault && libssl.SSL_CTX_set_default_verify_paths(context) !== 1) {
    throw refusal("Cannot use the system's authorities (tls_append_default_CA)", {
      hint: "Check SSL_CERT_FILE and SSL_CERT_DIR, or turn tls_append_default_CA off",
    });
  }
}

/**
 * Asks clients for certificates. Answers why the authorities' names cannot be sent along; clients can do
 * without them.
 */
export function askForCertificates(
  context: SslCtx,
  rules: ClientCertificateRules,
  store: TrustStore,
): string | undefined {
  // One more than allowed, so that a chain that is too long is told from one that is not complete.
  libssl.SSL_CTX_set_verify_depth(context, rules.depth + 1);
  libssl.SSL_CTX_set_verify(context, VERIFY.PEER | VERIFY.CLIENT_ONCE, verifyCallback);
  if (rules.acceptServerUse) {
    libssl.SSL_CTX_set_cert_verify_callback(context, verifyAsServerToo.pointer, null);
  }
  if (store.caFile === "") return undefined;
  const names = libssl.SSL_load_client_CA_file(cString(store.caFile));
  if (names === null) {
    const [error] = drainErrors();
    return `error loading client CA names from: ${store.caFile}: ${error ?? "no reason given"}`;
  }
  libssl.SSL_CTX_set_client_CA_list(context, names);
  return undefined;
}

/**
 * Takes a certificate whose extended key usage names servers but not clients for what it says it is
 * (Postfix's tls/tls_verify.c, 3.12). What throws here cannot be told from a failed verification, so
 * nothing here may throw.
 */
const verifyAsServerToo = new Deno.UnsafeCallback(
  { parameters: [T.x509StoreCtx, "pointer" /* arg */], result: "i32" },
  (store) => {
    const leaf = store === null ? null : libcrypto.X509_STORE_CTX_get0_cert(store);
    if (leaf !== null) {
      const usage = libcrypto.X509_get_extended_key_usage(leaf);
      const { SSL_CLIENT, SSL_SERVER, ANY } = EXTENDED_KEY_USAGE;
      // Without the extension the answer is all ones.
      if ((usage & (SSL_CLIENT | ANY)) === 0 && (usage & SSL_SERVER) !== 0) {
        const parameters = libcrypto.X509_STORE_CTX_get0_param(store);
        libcrypto.X509_VERIFY_PARAM_set_purpose(parameters, PURPOSE.SSL_SERVER);
        libcrypto.X509_VERIFY_PARAM_set_trust(parameters, TRUST.SSL_SERVER);
      }
    }
    return libcrypto.X509_verify_cert(store);
  },
);

function demandFolder(path: string, parameter: string): void {
  try {
    if (Deno.statSync(path).isDirectory) return;
  } catch (error) {
    throw new FatalError(`Cannot read CA folder "${path}": ${(error as Error).message}`, {
      hint: `Check ${parameter}`,
    });
  }
  throw new FatalError(`Cannot read CA folder "${path}": it is no folder`, {
    hint: `Check ${parameter}; a file of certificates belongs into the parameter for files`,
  });
}
