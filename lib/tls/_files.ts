/**
 * Files of keys, certificates and parameters: what is said when one cannot be used.
 *
 * @module
 */
import { EXIT, FatalError } from "../base/errors.ts";
import { describeErrno } from "../ffi/errno.ts";
import { closeFile, OPEN, openFile } from "../ffi/libc/file.ts";
import { drainErrors } from "../ffi/openssl/error_queue.ts";

/**
 * Throws {@linkcode FatalError} unless `file` can be opened for reading.
 *
 * @param what the kind of file, for the message: `certificate`
 * @param parameter the setting that names it
 */
export function demandReadable(file: string, what: string, parameter: string): void {
  const fd = openFile(file, OPEN.readOnly | OPEN.closeOnExec);
  if (fd >= 0) return closeFile(fd);
  throw new FatalError(`Cannot read ${what} file "${file}": ${describeErrno(-fd)}`, {
    hint: `Check ${parameter}, and the permissions of the file and its folders`,
    exitCode: EXIT.config,
  });
}

/** `what`, and the reason that OpenSSL gives; its error queue is empty afterwards. */
export function refusal(what: string, options: { hint: string }): FatalError {
  return new FatalError(`${what}: ${reasonOf(drainErrors())}`, options);
}

/** The reason that says most, without OpenSSL's numbers and file names. */
export function reasonOf(errors: readonly string[]): string {
  // error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA; the function is empty since OpenSSL 3.
  const reasons = errors.map((error) => error.split(":")[4] ?? error);
  // "PEM lib" and its like only say through which parts of OpenSSL the error went.
  return reasons.findLast((reason) => !/ lib$/.test(reason)) ?? reasons.at(-1) ??
    "OpenSSL gives no reason";
}
