/**
 * How far long work has come, for somebody who sits at a terminal; nothing where standard error is a
 * file or a pipe, or where the work is short.
 *
 * @module
 */
import { printError } from "./output.ts";

/** Work of fewer bytes ends before anybody reads a line about it. */
const WORTH_BYTES = 32 << 20;

/** Where progress is shown. */
export interface Screen {
  isTerminal(): boolean;
  print(text: string): void;
}

const STANDARD_ERROR: Screen = { isTerminal: () => Deno.stderr.isTerminal(), print: printError };

/** One line that is written over and over. */
export class Progress implements Disposable {
  readonly #what: string;
  readonly #totalBytes: number;
  readonly #screen: Screen | undefined;
  #percent = -1;

  /** `what` begins the line: `Reading /var/lib/…`. */
  constructor(what: string, totalBytes: number, screen: Screen = STANDARD_ERROR) {
    this.#what = what;
    this.#totalBytes = totalBytes;
    if (totalBytes >= WORTH_BYTES && screen.isTerminal()) this.#screen = screen;
  }

  /** Says that this much is done. */
  show(doneBytes: number): void {
    if (this.#screen === undefined) return;
    const percent = Math.min(100, Math.floor(doneBytes / this.#totalBytes * 100));
    if (percent === this.#percent) return;
    this.#percent = percent;
    this.#screen.print(`\r${this.#what}: ${percent} %`);
  }

  /** Takes the line away. */
  [Symbol.dispose](): void {
    // Back to the start of the line, and clear it.
    if (this.#percent >= 0) this.#screen?.print("\r\x1b[K");
  }
}
