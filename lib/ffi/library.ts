/**
 * The one place that opens shared libraries.
 *
 * A library is opened when the module that declares its functions is loaded, once per thread (a
 * worker has an isolate of its own; the dynamic linker hands out the same mapping). Nothing is ever
 * closed: callbacks and cached pointers live as long as the process.
 *
 * A library or function that is missing ends the program with one sentence, never with a stack trace
 * of Deno's.
 *
 * @module
 */
import { FatalError, messageOf } from "../base/errors.ts";

/** What to say when a library cannot be used. */
export interface LibraryAdvice {
  /** What the operator can do about it. */
  hint: string;
}

/**
 * Opens the shared library `soname` and binds `symbols`.
 *
 * Throws {@linkcode FatalError} (exit code EX_CONFIG) when the library or one of its functions that
 * is not marked `optional` cannot be found.
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  soname: string,
  symbols: S,
  advice: LibraryAdvice,
): Deno.DynamicLibrary<S>["symbols"] {
  try {
    return Deno.dlopen(soname, symbols).symbols;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new FatalError(`Cannot load ${soname}: permission to use foreign functions is denied`, {
        hint: "Run the compiled executable, or give --allow-ffi",
        cause,
      });
    }
    const reason = messageOf(cause).replace(/^(Could not open library: )+/, "");
    throw new FatalError(`Cannot load ${soname}: ${reason}`, { ...advice, cause });
  }
}
