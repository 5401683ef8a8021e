/**
 * The last steps of one session, kept in case it fails.
 *
 * A step is two numbers in an array that was made once: noting one allocates nothing, and costs one
 * question to OpenSSL. Words are made only when somebody wants to read the record. What is noted are
 * states and times, no bytes: there is nothing secret in it.
 *
 * @module
 */
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";
import { readCString } from "../ffi/memory.ts";

/** What is noted; the words are those of the log. */
export const STEPS = [
  "handed over",
  // What a step of the handshake comes to; suspended: it waits for tlsmgr.
  "want read",
  "want write",
  "suspended",
  "failed",
  "done",
  "peer gone",
  "time is up",
] as const;
export type Step = typeof STEPS[number];

/** Steps that are kept; of a longer session the last ones. */
export const STEPS_MAX = 32;
/** Records that are kept for other sessions. */
const SPARE_MAX = 256;
/** No state of OpenSSL's. */
const NO_STATE = 0xffff;

const numberOf = Object.fromEntries(STEPS.map((step, i) => [step, i])) as Record<Step, number>;
/** OpenSSL's words for its states; each is read when its number is met for the first time. */
const states = new Map<number, string>();
const spare: FlightRecorder[] = [];

/** One session's record. */
export class FlightRecorder {
  readonly #notes = new Int32Array(2 * STEPS_MAX);
  #count = 0;

  private constructor() {}

  /** An empty record, one that another session has given back if there is any. */
  static take(): FlightRecorder {
    return spare.pop() ?? new FlightRecorder();
  }

  /** For the next session; not to be used any more. */
  giveBack(): void {
    this.#count = 0;
    if (spare.length < SPARE_MAX) spare.push(this);
  }

  /**
   * Notes a step.
   *
   * @param ssl whose state is noted too
   * @param ms since the session began
   */
  note(step: Step, ms: number, ssl?: Ssl): void {
    const at = 2 * (this.#count++ % STEPS_MAX);
    const state = ssl === undefined ? NO_STATE : libssl.SSL_get_state(ssl);
    if (ssl !== undefined && !states.has(state)) {
      states.set(state, readCString(libssl.SSL_state_string_long(ssl)));
    }
    this.#notes[at] = numberOf[step] << 16 | state;
    this.#notes[at + 1] = Math.round(ms * 10);
  }

  /** All steps with their times in milliseconds: `0.2 want read (SSLv3/TLS read client hello)`. */
  describe(): string {
    const steps: string[] = [];
    const first = Math.max(0, this.#count - STEPS_MAX);
    if (first > 0) steps.push(`${first} steps before`);
    for (let i = first; i < this.#count; i++) {
      const at = 2 * (i % STEPS_MAX);
      const state = this.#notes[at] & 0xffff;
      const words = state === NO_STATE ? "" : ` (${states.get(state)})`;
      const ms = (this.#notes[at + 1] / 10).toFixed(1);
      steps.push(`${ms} ${STEPS[this.#notes[at] >> 16]}${words}`);
    }
    return steps.join(", ");
  }
}
