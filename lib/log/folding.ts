/**
 * Lines that say the same again, folded into one that says how often.
 *
 * The first of them is written at once. What follows is counted until a line comes that differs, or the
 * time is up, or the log is flushed: then it is told by one line, or, if it was a single one, by that
 * line itself. Nothing is folded that is an event, and nothing that is about another session where
 * lines tell of sessions.
 *
 * @module
 */
import type { Line } from "./line.ts";

/** How long a line may be held back at most, milliseconds. */
export const FOLD_LIMIT_MS = 5_000;

/** Calls `act` once, after `delayMs`; the log must have been flushed before whoever calls goes away. */
export type Defer = (delayMs: number, act: () => void) => void;

/** Where lines go on to. */
export interface FoldingOptions {
  readonly defer: Defer;
  /** Lines about different sessions are different lines. */
  readonly isByAbout: boolean;
  readonly write: (line: Line) => void;
  /** `count` lines, more than one, were the same as `line`, which has been written. */
  readonly writeRepeated: (line: Line, count: number) => void;
}

/** Folds the lines of one log. */
export class Folding {
  readonly #options: FoldingOptions;
  /** The line that was written last. */
  #last: Line | undefined;
  /** The newest of those that were the same. */
  #held: Line | undefined;
  #count = 0;
  #isDeferred = false;

  constructor(options: FoldingOptions) {
    this.#options = options;
  }

  /** Takes a line. */
  take(line: Line): void {
    if (this.#last === undefined || !this.#isSame(this.#last, line)) {
      this.flush();
      this.#last = line.about?.isEvent === true ? undefined : line;
      return this.#options.write(line);
    }
    this.#held = line;
    this.#count++;
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#options.defer(FOLD_LIMIT_MS, () => {
      this.#isDeferred = false;
      this.flush();
    });
  }

  /** Tells of what has been held back. */
  flush(): void {
    const held = this.#held;
    if (held === undefined) return;
    const count = this.#count;
    this.#held = undefined;
    this.#count = 0;
    if (count === 1) this.#options.write(held);
    else this.#options.writeRepeated(held, count);
  }

  #isSame(a: Line, b: Line): boolean {
    return a.text === b.text && a.level === b.level && b.about?.isEvent !== true &&
      (!this.#options.isByAbout || a.about === b.about);
  }
}
