/**
 * libssl and libcrypto of OpenSSL 3, opened.
 *
 * Loading this module opens both libraries and proves their version; a machine without them gets a
 * {@linkcode FatalError} at that moment. The command line must therefore not load it unless a
 * command needs TLS.
 *
 * @module
 */
import { FatalError } from "../../base/errors.ts";
import { openLibrary } from "../library.ts";
import { readCString } from "../memory.ts";
import { VERSION_TEXT } from "./constants.ts";
import { LIBCRYPTO } from "./crypto.h.ts";
import { LIBSSL } from "./ssl.h.ts";

const ADVICE = {
  hint: "Install OpenSSL 3.0 or later; Debian and Ubuntu have it in the package libssl3",
};

/** The bound functions of libcrypto. */
export const libcrypto = openLibrary("libcrypto.so.3", LIBCRYPTO, ADVICE);
/** The bound functions of libssl. */
export const libssl = openLibrary("libssl.so.3", LIBSSL, ADVICE);

/** Answer of `OpenSSL_version_num()`: 0xMNN00PP0 since OpenSSL 3. */
export const opensslVersionNumber: number = Number(libcrypto.OpenSSL_version_num());

/** Text of `OpenSSL_version()`, for example `OpenSSL 3.0.19 27 Jan 2026`. */
export const opensslVersionText: string = readCString(libcrypto.OpenSSL_version(VERSION_TEXT));

if (opensslVersionNumber < 0x30000000) {
  throw new FatalError(`Cannot use ${opensslVersionText}: OpenSSL 3.0 or later is needed`, ADVICE);
}
