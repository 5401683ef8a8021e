/**
 * Reading a file that the command line names, or standard input: all of it, or a sentence why not.
 *
 * @module
 */
import { concat } from "../base/bytes.ts";
import { EXIT, FatalError } from "../base/errors.ts";
import { describeFileFault } from "./file_fault.ts";

/** The word for standard input in place of a path. */
export const STANDARD_INPUT = "-";

/** More than any settings file needs; a device or a wrong file ends here. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** What was read. */
export interface InputFile {
  /** Absolute path, or `standard input`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** How to speak of the file when it cannot be read. */
export interface InputWords {
  /** `settings file`. */
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
  /** What to do if there is no such file. @default {hint} */
  readonly hintIfMissing?: string;
}

/** Reads the file at `path`, `-` for standard input. Throws {@linkcode FatalError} (no input). */
export function readInputFile(path: string, words: InputWords): InputFile {
  // The run time does not open the other name of standard input.
  const isStandardInput = path === STANDARD_INPUT || path === "/dev/stdin";
  const name = isStandardInput ? "standard input" : absolute(path);
  try {
    if (isStandardInput) return { name, bytes: readAll(Deno.stdin) };
    refuseBlocking(name);
    using file = Deno.openSync(name);
    return { name, bytes: readAll(file) };
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const shown = isStandardInput ? name : `"${name}"`;
    throw new FatalError(`Cannot read ${words.what} ${shown}: ${describeFileFault(cause)}`, {
      hint: (missing ? words.hintIfMissing : undefined) ?? words.hint,
      exitCode: EXIT.noInput,
      cause,
    });
  }
}

/** Opening a named pipe waits until somebody writes; a shell's `<(command)` has a writer already. */
function refuseBlocking(path: string): void {
  const { isDirectory, isFifo } = Deno.statSync(path);
  if (isDirectory) throw new Error("it is a folder");
  const ofShell = /^\/(?:dev\/fd|proc)\//.test(path);
  if (isFifo && !ofShell) throw new Error("it is a named pipe, and nobody may ever write to it");
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

function readAll(from: { readSync(into: Uint8Array): number | null }): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk = new Uint8Array(65_536);
    const count = from.readSync(chunk);
    if (count === null) return concat(...chunks);
    size += count;
    if (size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes`);
    chunks.push(chunk.slice(0, count));
  }
}
