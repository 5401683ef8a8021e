/**
 * Timers of one service thread: a heap whose top gives the next wait its time limit.
 *
 * Nothing here reads a clock; every call is told the time, in monotonic milliseconds. A timer that is
 * moved later costs one assignment: it stays where it is in the heap, and is put back when its old
 * moment comes. Deadlines of sessions are moved with every event and almost never reached.
 *
 * @module
 */

/** One timer. Belongs to whoever asked for it; cancelling twice, or after it fired, is allowed. */
export class Timer {
  /** The moment this timer has in the heap. */
  at: number;
  /** The moment it is wanted; never earlier than {@linkcode at}. */
  due: number;
  /** What happens then; `undefined` once it has fired or been cancelled. */
  handler: (() => void) | undefined;

  constructor(at: number, handler: () => void) {
    this.at = at;
    this.due = at;
    this.handler = handler;
  }

  /** Whether the timer is still going to fire. */
  get armed(): boolean {
    return this.handler !== undefined;
  }

  /** Moves the timer to `due` milliseconds on the monotonic clock, which must not be earlier. */
  postpone(due: number): void {
    if (due > this.due) this.due = due;
  }

  /** The timer will not fire. */
  cancel(): void {
    this.handler = undefined;
  }
}

/** All timers of a thread. */
export class Timers {
  readonly #heap: Timer[] = [];
  #cancelled = 0;

  /** How many timers the heap holds, cancelled ones that have not come up yet included. */
  get size(): number {
    return this.#heap.length;
  }

  /** Arms a timer for `at` milliseconds on the monotonic clock. */
  add(at: number, handler: () => void): Timer {
    const timer = new Timer(at, handler);
    this.#push(timer);
    return timer;
  }

  /** Cancels `timer`, and sweeps the heap once most of it is cancelled timers. */
  cancel(timer: Timer): void {
    if (!timer.armed) return;
    timer.cancel();
    this.#cancelled++;
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** Milliseconds from `now` to the next timer, rounded up; -1 when there is none. */
  nextDelayMs(now: number): number {
    this.#settleTop();
    const top = this.#heap[0];
    return top === undefined ? -1 : Math.max(0, Math.ceil(top.at - now));
  }

  /** Runs every timer that is due at `now`; timers armed meanwhile wait for the next call. */
  fire(now: number): void {
    // Nearly every call ends here.
    const next = this.#heap.at(0);
    if (next === undefined || next.at > now) return;
    const due: Timer[] = [];
    for (;;) {
      this.#settleTop();
      const top = this.#heap[0];
      if (top === undefined || top.at > now) break;
      this.#pop();
      due.push(top);
    }
    for (const timer of due) {
      const { handler } = timer;
      // A timer that fired just before may have cancelled or moved this one.
      if (handler === undefined) continue;
      if (timer.due > now) {
        timer.at = timer.due;
        this.#push(timer);
        continue;
      }
      timer.handler = undefined;
      handler();
    }
  }

  /** Removes cancelled timers from the top, and puts postponed ones where they belong. */
  #settleTop(): void {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined) return;
      if (!top.armed) {
        this.#pop();
        if (this.#cancelled > 0) this.#cancelled--;
      } else if (top.due > top.at) {
        this.#pop();
        top.at = top.due;
        this.#push(top);
      } else return;
    }
  }

  #sweep(): void {
    const armed = this.#heap.filter((timer) => timer.armed);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const timer of armed) this.#push(timer);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent].at <= timer.at) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].at < heap[child].at) child++;
      if (heap[child].at >= last.at) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}
