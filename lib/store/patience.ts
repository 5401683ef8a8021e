/**
 * How often something that fails is tried again: at the 1st, 3rd, 7th opportunity and so on, then at
 * every 16th.
 *
 * @module
 */

const SKIPPED_MAX = 15;

/** Counts opportunities. */
export class Patience {
  /** Failures in a row. */
  failures = 0;
  #toSkip = 0;

  /** Whether this opportunity is one to try; to be asked at each. */
  isTime(): boolean {
    if (this.#toSkip === 0) return true;
    this.#toSkip--;
    return false;
  }

  /** The try failed. */
  fail(): void {
    this.#toSkip = Math.min(2 ** this.failures - 1, SKIPPED_MAX);
    this.failures++;
  }

  /** The next opportunity is one to try. */
  hurry(): void {
    this.#toSkip = 0;
  }

  /** The try succeeded. */
  succeed(): void {
    this.failures = 0;
    this.#toSkip = 0;
  }
}
