/**
 * epoll(7): typed calls. A result below zero is `-errno`.
 *
 * The 64 bits that the kernel gives back with each event are two 32-bit numbers of the caller's.
 *
 * @module
 */
import { ABI } from "../abi.ts";
import { errno } from "../errno.ts";
import { libc } from "./libc.ts";

/** Event bits (sys/epoll.h). */
export const EPOLL = {
  in: 0x1,
  out: 0x4,
  error: 0x8,
  hangup: 0x10,
  readHangup: 0x2000,
  /** Tell of a change once, not for as long as it lasts (EPOLLET). */
  edge: 1 << 31,
  /** Wake one of several threads that watch the same descriptor. */
  exclusive: 1 << 28,
} as const;

const CLOSE_ON_EXEC = 0o2000000;
const OPERATION = { add: 1, remove: 2, change: 3 } as const;

const eventBytes = new Uint8Array(ABI.epollEvent.bytes);
const eventView = new DataView(eventBytes.buffer);

/** An epoll instance and the array that receives its events. */
export class Epoll {
  readonly #fd: number;
  readonly #events: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #eventsMax: number;

  /** @param eventsMax most events taken by one {@linkcode wait} */
  constructor(eventsMax: number) {
    this.#fd = libc.epoll_create1(CLOSE_ON_EXEC);
    if (this.#fd < 0) throw new Error(`Cannot create an epoll instance: errno ${errno()}`);
    this.#eventsMax = eventsMax;
    this.#events = new Uint8Array(ABI.epollEvent.bytes * eventsMax);
    this.#view = new DataView(this.#events.buffer);
  }

  /** Starts to watch `fd`. */
  add(fd: number, events: number, low: number, high: number): number {
    return this.#control(OPERATION.add, fd, events, low, high);
  }

  /** Changes what a watched `fd` is watched for. */
  change(fd: number, events: number, low: number, high: number): number {
    return this.#control(OPERATION.change, fd, events, low, high);
  }

  /** Stops watching `fd`, which must still be open. */
  remove(fd: number): number {
    return this.#control(OPERATION.remove, fd, 0, 0, 0);
  }

  #control(operation: number, fd: number, events: number, low: number, high: number): number {
    eventView.setUint32(ABI.epollEvent.events, events, true);
    eventView.setInt32(ABI.epollEvent.data, low, true);
    eventView.setInt32(ABI.epollEvent.data + 4, high, true);
    return libc.epoll_ctl(this.#fd, operation, fd, eventBytes) < 0 ? -errno() : 0;
  }

  /** Waits up to `timeoutMs` (-1: for ever, 0: not at all); the number of events, or `-errno`. */
  wait(timeoutMs: number): number {
    const count = libc.epoll_wait(this.#fd, this.#events, this.#eventsMax, timeoutMs);
    return count < 0 ? -errno() : count;
  }

  /** Event bits of event `index` of the last {@linkcode wait}. */
  events(index: number): number {
    return this.#view.getUint32(index * ABI.epollEvent.bytes + ABI.epollEvent.events, true);
  }

  /** First number given with event `index`. */
  low(index: number): number {
    return this.#view.getInt32(index * ABI.epollEvent.bytes + ABI.epollEvent.data, true);
  }

  /** Second number given with event `index`. */
  high(index: number): number {
    return this.#view.getInt32(index * ABI.epollEvent.bytes + ABI.epollEvent.data + 4, true);
  }

  /** Closes the instance. */
  close(): void {
    libc.close(this.#fd);
  }
}
