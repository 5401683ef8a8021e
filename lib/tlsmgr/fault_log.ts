/**
 * Warnings about clients, of which a hostile one can cause any number: a bound on what reaches the log.
 *
 * The bound holds for all connections together, because a new connection costs a client nothing. What
 * was left out is counted, and said in one line.
 *
 * @module
 */

/** Lines in one window. */
export const LINES_PER_WINDOW = 100;
/** Length of a window. */
export const WINDOW_MS = 10_000;

/** Where lines go, and who tells that time has passed. */
export interface FaultLogOptions {
  warn(text: string): void;
  /** Calls `handler` once, after `delayMs`. */
  after(delayMs: number, handler: () => void): void;
}

/** A log of warnings that cannot be flooded. */
export class FaultLog {
  readonly #options: FaultLogOptions;
  #lines = 0;

  constructor(options: FaultLogOptions) {
    this.#options = options;
  }

  /** Logs a warning, unless there were too many of late. */
  warn(text: string): void {
    if (this.#lines === 0) this.#options.after(WINDOW_MS, () => this.#endWindow());
    this.#lines++;
    if (this.#lines <= LINES_PER_WINDOW) this.#options.warn(text);
  }

  #endWindow(): void {
    const leftOut = this.#lines - LINES_PER_WINDOW;
    this.#lines = 0;
    if (leftOut > 0) {
      this.#options.warn(
        `left out ${leftOut} more warnings about clients in ${WINDOW_MS / 1000} seconds`,
      );
    }
  }
}
