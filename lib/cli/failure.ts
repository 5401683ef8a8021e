/**
 * The last words of the program: an error in a sentence and its exit code.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../base/errors.ts";
import { printError } from "./output.ts";

/** Says on standard error what `thrown` is; the exit code that goes with it. */
export function reportFailure(thrown: unknown): ExitCode {
  if (thrown instanceof FatalError) {
    printError(describeFatal(thrown));
    return thrown.exitCode;
  }
  const text = thrown instanceof Error ? thrown.stack ?? String(thrown) : String(thrown);
  printError(`postern: internal fault: ${text}\n`);
  return EXIT.software;
}

/** One line for what went wrong, another for what to do, if that is known. */
export function describeFatal(error: FatalError): string {
  const hint = error.hint === undefined ? "" : `postern: hint: ${error.hint}\n`;
  return `postern: error: ${error.message}\n${hint}`;
}
