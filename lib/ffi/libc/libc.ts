/**
 * glibc, opened. Other rooms use the typed calls beside this file, never these functions.
 *
 * @module
 */
import { openLibrary } from "../library.ts";
import { LIBC } from "./libc.h.ts";

/** The bound functions. */
export const libc = openLibrary("libc.so.6", LIBC, {
  hint: "postern needs glibc; musl-based systems such as Alpine are not supported",
});
