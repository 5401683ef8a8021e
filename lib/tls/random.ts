/**
 * Random bytes from OpenSSL's generator, which seeds itself from the kernel.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto } from "../ffi/openssl/openssl.ts";

/**
 * Fills `bytes` with random bytes.
 *
 * Answers whether the generator did its work; if not, the content must not be used. Anything but 1
 * from `RAND_bytes` is a failure.
 */
export function fillRandom(bytes: Bytes): boolean {
  if (bytes.length === 0) return true;
  if (libcrypto.RAND_bytes(bytes, bytes.length) === 1) return true;
  clearErrors();
  bytes.fill(0);
  return false;
}

/** Mixes `bytes` into the generator's pool; this can only add to what is unknown about it. */
export function stirRandom(bytes: Bytes): void {
  libcrypto.RAND_seed(bytes, bytes.length);
}
