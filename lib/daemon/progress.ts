/**
 * What a service thread is doing, in memory that the control thread reads: the watchdog's view.
 *
 * Waiting is no lack of progress, however long it lasts. Whoever does something else in the turn in which
 * they did it the last time that somebody looked has made none.
 *
 * @module
 */
import type { LoopObserver } from "../reactor/reactor.ts";

const PLACE = { turn: 0, activity: 1, fd: 2 } as const;
const ACTIVITY = { waiting: 0, opening: 1, handling: 2, firing: 3, tidying: 4 } as const;

/**
 * One thread's memory; written by that thread, read by the control thread.
 *
 * With one writer a plain store does: 32 bits are written whole, and seen in time, because a thread that is
 * busy or waits has left JavaScript for it or will. An atomic one costs several times as much, in each turn.
 */
export class Progress implements LoopObserver {
  readonly #cells: Int32Array<SharedArrayBuffer>;

  /** @param memory made by {@linkcode Progress.allocate}, once a thread */
  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  /** Memory of a thread that waits. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(Object.keys(PLACE).length * Int32Array.BYTES_PER_ELEMENT);
  }

  /** The service is being made. */
  opening(): void {
    this.#set(ACTIVITY.opening);
  }

  waiting(): void {
    this.#cells[PLACE.turn]++;
    this.#set(ACTIVITY.waiting);
  }

  handling(fd: number): void {
    this.#cells[PLACE.fd] = fd;
    this.#set(ACTIVITY.handling);
  }

  firing(): void {
    this.#set(ACTIVITY.firing);
  }

  tidying(): void {
    this.#set(ACTIVITY.tidying);
  }

  /** Counts turns of the loop; wraps around. */
  get turn(): number {
    return Atomics.load(this.#cells, PLACE.turn);
  }

  /** What the thread is busy with, for people; `undefined` while it waits. */
  get work(): string | undefined {
    switch (Atomics.load(this.#cells, PLACE.activity)) {
      case ACTIVITY.opening:
        return "opening files";
      case ACTIVITY.handling:
        return `handling descriptor ${Atomics.load(this.#cells, PLACE.fd)}`;
      case ACTIVITY.firing:
        return "running timers";
      case ACTIVITY.tidying:
        return "tidying up at the end of a turn";
      default:
        return undefined;
    }
  }

  #set(activity: number): void {
    this.#cells[PLACE.activity] = activity;
  }
}
