/**
 * OpenSSL's error queue of this thread.
 *
 * It is cleared before each TLS operation and drained after a failed one, so that what one session
 * did wrong is never reported about another.
 *
 * @module
 */
import { fromUtf8 } from "../../base/bytes.ts";
import { readCString } from "../memory.ts";
import { libcrypto } from "./openssl.ts";

const file = new BigUint64Array(1);
const line = new Int32Array(1);
const func = new BigUint64Array(1);
const data = new BigUint64Array(1);
const flags = new Int32Array(1);
const fileBytes = new Uint8Array(file.buffer);
const lineBytes = new Uint8Array(line.buffer);
const funcBytes = new Uint8Array(func.buffer);
const dataBytes = new Uint8Array(data.buffer);
const flagsBytes = new Uint8Array(flags.buffer);
const text = new Uint8Array(256);
const ERR_TXT_STRING = 2;

/** Forgets what earlier calls left in the queue. */
export const clearErrors: () => void = libcrypto.ERR_clear_error;

/**
 * Takes every error out of the queue, oldest first.
 *
 * Each is worded `error:0A00010B:SSL routines::wrong version number:FILE:LINE:DATA`, as Postfix's
 * tls/tls_misc.c tls_print_errors() does.
 */
export function drainErrors(): string[] {
  const errors: string[] = [];
  for (;;) {
    const code = libcrypto.ERR_get_error_all(
      fileBytes,
      lineBytes,
      funcBytes,
      dataBytes,
      flagsBytes,
    );
    if (code === 0n) return errors;
    libcrypto.ERR_error_string_n(code, text, BigInt(text.length));
    const words = fromUtf8(text.subarray(0, text.indexOf(0)));
    const where = readCString(Deno.UnsafePointer.create(file[0]));
    const more = (flags[0] & ERR_TXT_STRING) !== 0
      ? readCString(Deno.UnsafePointer.create(data[0]))
      : "";
    errors.push(`${words}:${where}:${line[0]}:${more}`);
  }
}
