/**
 * The loop of a service thread: the only thing in it that ever waits.
 *
 * `run()` waits for descriptors and timers with one synchronous epoll_wait(2) a turn and never gives
 * control back to Deno's own event loop, so no promise is ever settled in a service thread. A turn is:
 * wait, handle each ready descriptor, handle each due timer, run the housekeeping steps once.
 *
 * Descriptors are numbers that the kernel uses again. Each registration therefore has a slot and a
 * generation, both of which travel through the kernel with the event: an event that was fetched
 * before its registration was closed finds another generation and is dropped.
 *
 * The reactor owns no descriptor. Whoever registered one must close the registration first and the
 * descriptor after it. An exception out of a handler is a bug: it leaves `run()` and ends the thread.
 *
 * @module
 */
import { panic } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { EPOLL, Epoll } from "../ffi/libc/epoll.ts";
import { describeErrno, ERRNO } from "../ffi/errno.ts";
import { type Timer, Timers } from "./timers.ts";

/** What a descriptor is watched for, and what it was found ready for: bits. */
export const READY = {
  none: 0,
  read: EPOLL.in,
  write: EPOLL.out,
  /** The peer has gone, or the descriptor has an error; reported whether asked for or not. */
  gone: EPOLL.hangup | EPOLL.error,
  /** Watched by several threads: one of them is woken. Only for {@linkcode Reactor.watch}. */
  exclusive: EPOLL.exclusive,
  /**
   * Nothing, and that the peer has gone or the descriptor has an error is told once, not in each turn. To
   * be given alone.
   */
  hushed: EPOLL.edge,
} as const;

/** Whoever watches a descriptor, or several. */
export interface ReadyHandler {
  /** The descriptor of `registration` is ready for `events` ({@linkcode READY} bits). */
  ready(events: number, registration: Registration): void;
}

/** One watched descriptor. */
export class Registration {
  /** The descriptor; not owned. */
  readonly fd: number;
  /** Who is told. */
  handler: ReadyHandler;
  /** Index into the reactor's table. */
  readonly slot: number;
  /** Tells this registration from earlier ones in the same slot. */
  readonly generation: number;
  readonly #reactor: Reactor;
  #interest: number;
  #open = true;

  /** Made by {@linkcode Reactor.watch}. */
  constructor(reactor: Reactor, fd: number, options: {
    handler: ReadyHandler;
    slot: number;
    generation: number;
    interest: number;
  }) {
    this.#reactor = reactor;
    this.fd = fd;
    this.handler = options.handler;
    this.slot = options.slot;
    this.generation = options.generation;
    this.#interest = options.interest;
  }

  /** What the descriptor is watched for. */
  get interest(): number {
    return this.#interest;
  }

  /** Watches for `interest` from here on; costs a system call only when it differs. */
  change(interest: number): void {
    if (interest === this.#interest || !this.#open) return;
    this.#interest = interest;
    this.#reactor.changeInterest(this, interest);
  }

  /** Stops watching. To be called before the descriptor is closed; again is allowed. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.forget(this);
  }

  /**
   * Stops watching a descriptor that is closed at once and that no other process has: the kernel forgets
   * it with its last copy, which saves a system call. Again is allowed.
   */
  closeWithDescriptor(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.forgetSlot(this);
  }
}

/** A step of housekeeping; answers whether it has more to do at once. */
export type Step = () => "more" | "idle";

/** Who is told what the loop is about to do; a watchdog reads it in another thread. */
export interface LoopObserver {
  /** A turn has begun, and nothing keeps it from waiting; the one before took `turnMs`, without its wait. */
  waiting(turnMs: number): void;
  /** The handler of `fd` is being called. */
  handling(fd: number): void;
  /** Timers that are due are being called. */
  firing(): void;
  /** The steps at the end of the turn are being taken. */
  tidying(): void;
}

const EVENTS_PER_TURN = 256;

/** One loop. Everything in it belongs to one thread. */
export class Reactor {
  readonly #epoll = new Epoll(EVENTS_PER_TURN);
  readonly #timers = new Timers();
  readonly #clock: Clock;
  readonly #observer: LoopObserver | undefined;
  readonly #slots: (Registration | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #steps: Step[] = [];
  #generation = 0;
  #turnNumber = 0;
  #nowMs: number;
  #stopped = false;

  constructor(clock: Clock, observer?: LoopObserver) {
    this.#clock = clock;
    this.#observer = observer;
    this.#nowMs = clock.monotonicMs();
  }

  /** Monotonic milliseconds, read once a turn. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Counts turns, so that whoever is called can tell turns in a row from others. */
  get turnNumber(): number {
    return this.#turnNumber;
  }

  /** Wall-clock seconds since 1970, read at each call. */
  unixSeconds(): number {
    return this.#clock.unixSeconds();
  }

  /** How many descriptors are watched. */
  get watched(): number {
    return this.#slots.length - this.#freeSlots.length;
  }

  /** Watches `fd`, which must not be watched already. */
  watch(fd: number, interest: number, handler: ReadyHandler): Registration {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    const generation = this.#generation = (this.#generation + 1) | 0;
    const registration = new Registration(this, fd, { handler, slot, generation, interest });
    this.#slots[slot] = registration;
    const result = this.#epoll.add(fd, interest, slot, generation);
    if (result < 0) panic(`descriptor ${fd} can be watched: ${describeErrno(-result)}`);
    return registration;
  }

  /** For {@linkcode Registration.change}. */
  changeInterest(registration: Registration, interest: number): void {
    const { fd, slot, generation } = registration;
    const result = this.#epoll.change(fd, interest, slot, generation);
    if (result < 0) panic(`watched descriptor ${fd} can be changed: ${describeErrno(-result)}`);
  }

  /** For {@linkcode Registration.close}. */
  forget(registration: Registration): void {
    this.forgetSlot(registration);
    const result = this.#epoll.remove(registration.fd);
    if (result < 0) {
      panic(`watched descriptor ${registration.fd} is open: ${describeErrno(-result)}`);
    }
  }

  /** For {@linkcode Registration.closeWithDescriptor}. */
  forgetSlot(registration: Registration): void {
    this.#slots[registration.slot] = undefined;
    this.#freeSlots.push(registration.slot);
  }

  /** Runs `handler` once, `delayMs` from the beginning of this turn. */
  after(delayMs: number, handler: () => void): Timer {
    return this.#timers.add(this.#nowMs + delayMs, handler);
  }

  /** Cancels `timer`; again, or after it fired, is allowed. */
  cancel(timer: Timer | undefined): void {
    if (timer !== undefined) this.#timers.cancel(timer);
  }

  /** Adds a step that runs at the end of every turn, in the order of adding. */
  atTurnEnd(step: Step): void {
    this.#steps.push(step);
  }

  /** Lets {@linkcode run} return at the end of this turn. */
  stop(): void {
    this.#stopped = true;
  }

  /** Turns until {@linkcode stop} is called. */
  run(): void {
    this.#stopped = false;
    let busy = false;
    while (!this.#stopped) busy = this.turn(busy ? 0 : -1);
  }

  /**
   * One turn, waiting for at most `limitMs` (-1: as long as it takes).
   *
   * Answers whether a step has more to do.
   */
  turn(limitMs: number): boolean {
    this.#turnNumber++;
    const beganMs = this.#clock.monotonicMs();
    const delayMs = this.#timers.nextDelayMs(beganMs);
    const timeoutMs = limitMs < 0 ? delayMs : delayMs < 0 ? limitMs : Math.min(limitMs, delayMs);
    this.#observer?.waiting(beganMs - this.#nowMs);
    // 2^31 ms are 24 days: wait in pieces.
    const count = this.#epoll.wait(Math.min(timeoutMs, 0x7fffffff));
    this.#nowMs = this.#clock.monotonicMs();
    if (count < 0 && count !== -ERRNO.EINTR) panic(`epoll_wait works: ${describeErrno(-count)}`);
    for (let i = 0; i < count; i++) {
      const registration = this.#slots[this.#epoll.low(i)];
      if (registration === undefined) continue;
      if (registration.generation !== this.#epoll.high(i)) continue;
      this.#observer?.handling(registration.fd);
      registration.handler.ready(this.#epoll.events(i), registration);
    }
    this.#observer?.firing();
    this.#timers.fire(this.#nowMs);
    this.#observer?.tidying();
    let busy = false;
    for (const step of this.#steps) if (step() === "more") busy = true;
    return busy;
  }

  /** Closes the epoll instance; nothing may be watched any more through this reactor. */
  close(): void {
    this.#epoll.close();
  }
}
