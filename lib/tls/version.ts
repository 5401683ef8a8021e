/**
 * Which OpenSSL is there, for the rooms above that do not speak C.
 *
 * Loading this module opens libssl and libcrypto; where they cannot be used that is a `FatalError`.
 *
 * @module
 */
export { opensslVersionNumber, opensslVersionText } from "../ffi/openssl/openssl.ts";
