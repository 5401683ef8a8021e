/**
 * Accepts connections on a listening descriptor and hands them on.
 *
 * The listening descriptor may be shared with other threads and processes: that there is nothing to
 * accept after all is normal. When descriptors or memory run out, accepting pauses, so that the loop
 * does not spin on a descriptor that stays readable, and the trouble is reported once until it ends.
 *
 * @module
 */
import { ERRNO } from "../ffi/errno.ts";
import { accept } from "../ffi/libc/socket.ts";
import { type Reactor, READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";

/** Connections taken in one turn before other descriptors get theirs. */
const ACCEPTS_PER_TURN = 64;
/** What the first of several turns in a row takes; each one after it takes twice as many. */
const ACCEPTS_FIRST = 1;
const PAUSE_MS = 250;

/** Who takes the connections. */
export interface AcceptHandler {
  /** A connection; the handler owns the non-blocking descriptor. */
  accepted(fd: number): void;
  /** accept(2) failed with `errno` for lack of resources; told once until it works again. */
  acceptFailed(errno: number): void;
}

/** Watches one listening descriptor, which it does not own. */
export class AcceptLoop implements ReadyHandler {
  readonly #reactor: Reactor;
  readonly #fd: number;
  readonly #handler: AcceptHandler;
  #registration: Registration | undefined;
  #pause: Timer | undefined;
  #inTrouble = false;
  /** Connections to take; one that comes alone costs one call, a crowd few. */
  #batch = ACCEPTS_FIRST;
  #lastTurn = -1;

  constructor(reactor: Reactor, fd: number, handler: AcceptHandler) {
    this.#reactor = reactor;
    this.#fd = fd;
    this.#handler = handler;
  }

  /** Begins, or begins again, to accept. */
  start(): void {
    this.#reactor.cancel(this.#pause);
    this.#pause = undefined;
    this.#registration ??= this.#reactor.watch(this.#fd, READY.read | READY.exclusive, this);
  }

  /** Stops accepting; the descriptor stays open. */
  stop(): void {
    this.#reactor.cancel(this.#pause);
    this.#pause = undefined;
    this.#registration?.close();
    this.#registration = undefined;
  }

  /** For the reactor. */
  ready(_events: number): void {
    const { turnNumber } = this.#reactor;
    this.#batch = turnNumber === this.#lastTurn + 1
      ? Math.min(2 * this.#batch, ACCEPTS_PER_TURN)
      : ACCEPTS_FIRST;
    this.#lastTurn = turnNumber;
    for (let i = 0; i < this.#batch; i++) {
      const fd = accept(this.#fd);
      if (fd >= 0) {
        this.#inTrouble = false;
        this.#handler.accepted(fd);
        // The handler may have stopped this loop.
        if (this.#registration === undefined) return;
        continue;
      }
      switch (-fd) {
        case ERRNO.EAGAIN:
          return;
        case ERRNO.EINTR:
        case ERRNO.ECONNABORTED:
          continue;
        default:
          this.#rest(-fd);
          return;
      }
    }
  }

  #rest(errno: number): void {
    const first = !this.#inTrouble;
    this.#inTrouble = true;
    this.stop();
    this.#pause = this.#reactor.after(PAUSE_MS, () => this.start());
    // Told last: the handler may stop this loop for good.
    if (first) this.#handler.acceptFailed(errno);
  }
}
