/**
 * The only place that reads a clock. Everything else is handed a {@linkcode Clock}.
 *
 * @module
 */

/** Two clocks: one for deadlines, one for what is written into files and onto the wire. */
export interface Clock {
  /** Monotonic milliseconds since some moment in the past; never goes back. */
  monotonicMs(): number;
  /** Wall-clock seconds since 1970, whole (what C calls `time_t`). */
  unixSeconds(): number;
}

/** The wall clock, for the times in a log. */
export function wallTime(): Date {
  return new Date();
}

/** The clocks of the machine. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  unixSeconds: () => Math.floor(Date.now() / 1000),
};

/** A clock that stands still until told otherwise; for tests. */
export class ManualClock implements Clock {
  #ms: number;
  #unix: number;

  constructor(unixSeconds = 1_700_000_000) {
    this.#ms = 0;
    this.#unix = unixSeconds * 1000;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  unixSeconds(): number {
    return Math.floor(this.#unix / 1000);
  }

  /** Moves both clocks forward by `ms` milliseconds. */
  advance(ms: number): void {
    this.#ms += ms;
    this.#unix += ms;
  }

  /** Sets the wall clock only, as an administrator or NTP would. */
  setUnixSeconds(seconds: number): void {
    this.#unix = seconds * 1000;
  }
}
