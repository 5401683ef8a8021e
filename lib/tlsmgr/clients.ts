/**
 * All clients of the service together: how many there may be, and what they may hold.
 *
 * Clients keep their connection while they live and may be silent for ever. So the places run out not
 * because of those who ask, but because of those who do not: when a place is wanted and none is left, the
 * connection that has been silent longest is closed. Its client opens another one when it has a
 * question again; a client that is refused, on the other hand, does without TLS from then on
 * (tls_mgr.c, tls_server.c: tls_server_init).
 *
 * @module
 */

/** A connection that was used so recently is not taken from its client, milliseconds. */
export const SILENT_MIN_MS = 1000;
/** Bytes of requests without an end, of all clients together: 60 requests of the largest size. */
export const UNFINISHED_BYTES_MAX = 64 << 20;
/** When descriptors run out, so many places are made at once. */
const PLACES_AT_ONCE = 16;

/** One client's connection. */
export interface Client {
  /** When it was opened, or sent its last list; monotonic milliseconds. */
  readonly usedAtMs: number;
  /** Whether it is neither in the middle of a list nor of an answer. */
  readonly isIdle: boolean;
  /** Bytes of a list whose end has not arrived. */
  readonly unfinishedBytes: number;
  /** Closes it, and tells {@linkcode Clients.remove}. */
  close(): void;
}

/** What clients are measured with. */
export interface ClientsOptions {
  /** Most connections (`max_connections`). */
  readonly max: number;
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls `handler` once, after `delayMs`. */
  after(delayMs: number, handler: () => void): void;
  /** Takes a line about a fault of clients. */
  fault(text: string): void;
  /** Told how many there are, when that changes. */
  counted?(count: number): void;
}

/** The open connections. */
export class Clients {
  readonly #options: ClientsOptions;
  #max: number;
  readonly #connections = new Set<Client>();
  #unfinishedBytes = 0;
  #isGivingBack = false;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#max = options.max;
  }

  /** Sets how many there may be; those that are too many stay until somebody wants a place. */
  setMax(max: number): void {
    this.#max = max;
  }

  /** How many there are. */
  get count(): number {
    return this.#connections.size;
  }

  /** Finds a place for one more; false when there is none, and the new one must be refused. */
  findPlace(): boolean {
    const { fault } = this.#options;
    const max = this.#max;
    if (this.#connections.size < max) return true;
    const silentMs = this.#closeSilent(1);
    if (silentMs === undefined) {
      fault(`too many connections: closing one unread, ${max} are open (max_connections)`);
      return false;
    }
    fault(
      `too many connections: closing one that was silent for ${Math.floor(silentMs / 1000)} ` +
        `seconds, ${max} are open (max_connections)`,
    );
    return true;
  }

  /**
   * Gives descriptors back, because the process has no more of them: at once, or when somebody has been
   * silent for long enough.
   */
  giveBack(): void {
    if (this.#isGivingBack || this.#connections.size === 0) return;
    if (this.#closeSilent(PLACES_AT_ONCE) !== undefined) return;
    this.#isGivingBack = true;
    this.#options.after(SILENT_MIN_MS, () => {
      this.#isGivingBack = false;
      this.giveBack();
    });
  }

  /** Counts a connection. */
  add(connection: Client): void {
    this.#connections.add(connection);
    this.#options.counted?.(this.#connections.size);
  }

  /** A connection has closed. */
  remove(connection: Client): void {
    this.#connections.delete(connection);
    this.#options.counted?.(this.#connections.size);
  }

  /**
   * A connection holds `bytes` more (or less) of a request without an end. What is too much altogether
   * ends the one that holds most, which may be this one.
   */
  hold(bytes: number): void {
    this.#unfinishedBytes += bytes;
    if (bytes <= 0 || this.#unfinishedBytes <= UNFINISHED_BYTES_MAX) return;
    let largest: Client | undefined;
    for (const connection of this.#connections) {
      if (connection.unfinishedBytes > (largest?.unfinishedBytes ?? 0)) largest = connection;
    }
    if (largest === undefined) return;
    this.#options.fault(
      `too many unfinished requests: closing a connection with ${largest.unfinishedBytes} bytes of one`,
    );
    largest.close();
  }

  /** Closes all that are not in the middle of a request or of its answer; how many are left. */
  closeIdle(): number {
    for (const connection of this.#connections) if (connection.isIdle) connection.close();
    return this.#connections.size;
  }

  /** Closes all. */
  closeAll(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Closes the `count` connections that were silent longest; for how long, of the first of them. */
  #closeSilent(count: number): number | undefined {
    const lastMs = this.#options.nowMs() - SILENT_MIN_MS;
    const silent: Client[] = [];
    for (const connection of this.#connections) {
      if (connection.isIdle && connection.usedAtMs <= lastMs) silent.push(connection);
    }
    silent.sort((one, other) => one.usedAtMs - other.usedAtMs);
    for (const connection of silent.slice(0, count)) connection.close();
    return silent.length === 0 ? undefined : this.#options.nowMs() - silent[0].usedAtMs;
  }
}
