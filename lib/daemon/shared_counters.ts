/**
 * Counters in memory that all threads of a process share.
 *
 * Limits that hold for a role as a whole are kept here, because each service thread knows only its own
 * connections. Every counter is changed atomically; a number that was read may be old at once.
 *
 * @module
 */

/** Places of the counters, 32 bits each. */
const PLACE = { connections: 0, accepted: 1, sessions: 2 } as const;

/** The counters of one process, as one thread sees them. */
export class SharedCounters {
  readonly #counters: Int32Array<SharedArrayBuffer>;

  /** @param memory made by {@linkcode SharedCounters.allocate}, once a process */
  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Int32Array(memory);
  }

  /** Memory for all counters, at zero; to be handed to each thread. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Object.keys(PLACE).length * Int32Array.BYTES_PER_ELEMENT);
  }

  /** How many local connections all threads together have open. */
  get connections(): number {
    return Atomics.load(this.#counters, PLACE.connections);
  }

  /** How many there have been so far. */
  get accepted(): number {
    return Atomics.load(this.#counters, PLACE.accepted);
  }

  /** A number that no other session of the process has had, from 1. */
  nextSession(): number {
    return Atomics.add(this.#counters, PLACE.sessions, 1) + 1;
  }

  /** Counts connections of this thread: 1 for one that opens, -1 for one that closes. */
  addConnections(count: number): void {
    Atomics.add(this.#counters, PLACE.connections, count);
    if (count > 0) Atomics.add(this.#counters, PLACE.accepted, count);
  }
}
