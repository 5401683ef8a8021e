/**
 * The error that ends a role or a command: what was attempted, what was found, what to do.
 *
 * Only `main.ts`, `cli` and `daemon/run.ts` catch a {@linkcode FatalError}. A fault of one peer or one
 * session is a returned value instead, and a plain "no" is `undefined` or a status.
 *
 * @module
 */

/** Exit codes of the executable, as in sysexits.h; master(8) has a contract of its own. */
export const EXIT = {
  ok: 0,
  /** A service answered that nothing was found or done. */
  nothing: 1,
  /** There is something to attend to, and nothing that keeps a service from working. */
  warned: 1,
  /** A service answered that it does not do what it was asked. */
  refused: 2,
  /** Wrong command line (EX_USAGE). */
  usage: 64,
  /** An input file is missing or unreadable (EX_NOINPUT). */
  noInput: 66,
  /** A service cannot be reached (EX_UNAVAILABLE). */
  unavailable: 69,
  /** A fault of postern itself (EX_SOFTWARE). */
  software: 70,
  /** Bad settings, keys, certificates or libraries (EX_CONFIG). */
  config: 78,
} as const;

/** One of the values of {@linkcode EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Options of {@linkcode FatalError}. */
export interface FatalErrorOptions extends ErrorOptions {
  /** What the operator can do about it; one sentence, without a final period. */
  hint?: string;
  /** Exit code of the process. @default {EXIT.config} */
  exitCode?: ExitCode;
}

/**
 * The program or role cannot go on.
 *
 * The message says what was attempted, a colon, and what was found, without a final period:
 * `Cannot read settings file "/etc/postern.toml": no such file or directory`.
 */
export class FatalError extends Error {
  override readonly name = "FatalError";
  /** What the operator can do about it. */
  readonly hint: string | undefined;
  /** Exit code of the process. */
  readonly exitCode: ExitCode;

  constructor(message: string, options: FatalErrorOptions = {}) {
    super(message, options);
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.config;
  }
}

/** The text of anything that was thrown; used where a foreign error becomes part of a sentence. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
