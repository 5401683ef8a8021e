/**
 * What a cache that was killed, cut or lied to may hold afterwards: for each key, what it was when a
 * change was last promised to last, and every later state, whether promised or not.
 *
 * @module
 */

/** A value as text, or undefined where there is none. */
export type State = string | undefined;

/** A key that is not as it may be. */
export class Loss extends Error {
  override readonly name = "Loss";
}

interface History {
  /** The oldest first; the first one is the last that was promised. */
  states: State[];
  /** States that were noted, as a number that only grows. */
  noted: number;
}

/** How much had been noted of each key at some moment. */
export type Mark = ReadonlyMap<string, number>;

/** The states of all keys. */
export class Ledger {
  readonly #histories = new Map<string, History>();
  /** Changes that were promised so far. */
  promised = 0;

  /** All keys that were ever noted. */
  get keys(): Iterable<string> {
    return this.#histories.keys();
  }

  /** Notes that `key` is about to become `state`. */
  note(key: string, state: State): void {
    const history = this.#histories.get(key) ?? { states: [undefined], noted: 0 };
    history.states.push(state);
    history.noted++;
    this.#histories.set(key, history);
  }

  /** What has been noted so far. */
  mark(): Mark {
    return new Map([...this.#histories].map(([key, { noted }]) => [key, noted]));
  }

  /** What was noted of `key`, of all keys, or up to a mark is promised to last. */
  promise(what: string | Mark = this.mark()): void {
    const marks = typeof what === "string" ? [[what, this.#historyOf(what).noted] as const] : what;
    for (const [key, noted] of marks) {
      const history = this.#historyOf(key);
      const waiting = history.noted - noted;
      const done = history.states.length - 1 - waiting;
      if (done <= 0) continue;
      history.states.splice(0, done);
      this.promised += done;
    }
  }

  /** The state that was noted last. */
  latest(key: string): State {
    return this.#histories.get(key)?.states.at(-1);
  }

  /** Throws a {@linkcode Loss} unless `key` may be in `state`. `mayMiss`: it may be gone as well. */
  check(key: string, state: State, about: string, mayMiss = false): void {
    const states = this.#histories.get(key)?.states ?? [undefined];
    if (states.includes(state) || (mayMiss && state === undefined)) return;
    const allowed = states.map(show).join(", ");
    throw new Loss(`${about}: ${JSON.stringify(key)} is ${show(state)}, and may be ${allowed}`);
  }

  /** After {@linkcode check}: `state` is what there is. */
  settle(key: string, state: State): void {
    this.#historyOf(key).states = [state];
  }

  #historyOf(key: string): History {
    const history = this.#histories.get(key);
    if (history === undefined) throw new Error(`Nothing was noted of ${key}`);
    return history;
  }
}

function show(state: State): string {
  return state === undefined ? "nothing" : JSON.stringify(state.slice(0, 40));
}
