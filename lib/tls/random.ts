/**
 * Random bytes from OpenSSL's generator, which seeds itself from the kernel.
 *
 * What is mixed in can only add to what is unknown about the generator, whoever made it: OpenSSL 3
 * takes it as additional input of a reseed from the kernel (crypto/rand/rand_lib.c: RAND_add).
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

/** Mixes `bytes` into the generator's pool, and counts them as unknown to everybody else. */
export function stirRandom(bytes: Bytes): void {
  libcrypto.RAND_seed(bytes, bytes.length);
  clearErrors();
}

/** Mixes `bytes` into the generator's pool, and counts on nothing: others may know them. */
export function stirRandomUncounted(bytes: Bytes): void {
  libcrypto.RAND_add(bytes, bytes.length, 0);
  clearErrors();
}

/** Whether the generator has been seeded; OpenSSL tries to, if it has not been. */
export function isRandomSeeded(): boolean {
  const seeded = libcrypto.RAND_status() === 1;
  clearErrors();
  return seeded;
}
