/**
 * The way out of the program.
 *
 * @module
 */
import { type ExitCode, FatalError } from "../base/errors.ts";

/** Ends the process with `code`. */
export async function leave(code: ExitCode): Promise<never> {
  try {
    // Not imported above: without glibc there shall be a --help nevertheless.
    const { endProcess } = await import("../daemon/end_process.ts");
    return endProcess(code);
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    Deno.exit(code);
  }
}
