/**
 * The load program's event loop: epoll, level-triggered, one handler a descriptor.
 *
 * @module
 */

import { close, epoll_create1, epoll_ctl, epoll_wait, must } from "./c_library.ts";

/** `struct epoll_event` is packed on x86-64 only. */
const [EVENT_BYTES, DATA_AT] = Deno.build.arch === "x86_64" ? [12, 4] : [16, 8];
const EVENTS_MAX = 256;
const [ADD, REMOVE, CHANGE] = [1, 2, 3];
const [IN, OUT] = [1, 4];
/** Nothing that a server does takes so long; milliseconds. */
const PATIENCE_MS = 20_000;

/** Told when a descriptor is ready. */
export interface Ready {
  ready(fd: number): void;
}

/** One epoll instance. */
export class Poller {
  readonly #fd = must("make an epoll instance", epoll_create1(0));
  readonly #events = new Uint8Array(EVENTS_MAX * EVENT_BYTES);
  readonly #view = new DataView(this.#events.buffer);
  readonly #one = new Uint8Array(EVENT_BYTES);
  readonly #handlers: (Ready | undefined)[] = [];

  /** Watches `fd` until {@linkcode remove}. */
  add(fd: number, handler: Ready): void {
    this.#handlers[fd] = handler;
    this.#control(ADD, fd, IN);
  }

  /** Says what is waited for on a watched descriptor. */
  want(fd: number, options: { read: boolean; write: boolean }): void {
    this.#control(CHANGE, fd, (options.read ? IN : 0) | (options.write ? OUT : 0));
  }

  /** Ends the watch; before `fd` is closed or used otherwise. */
  remove(fd: number): void {
    this.#handlers[fd] = undefined;
    this.#control(REMOVE, fd, 0);
  }

  /** Waits for events and tells the handlers; throws when nothing happens for long. */
  turn(): void {
    const count = epoll_wait(this.#fd, this.#events, EVENTS_MAX, PATIENCE_MS);
    if (count === 0) throw new Error(`Waited for a server: nothing came in ${PATIENCE_MS} ms`);
    for (let i = 0; i < count; i++) {
      const fd = this.#view.getInt32(i * EVENT_BYTES + DATA_AT, true);
      // A handler may have closed another one's descriptor in this turn.
      this.#handlers[fd]?.ready(fd);
    }
  }

  close(): void {
    close(this.#fd);
  }

  #control(what: number, fd: number, events: number): void {
    const view = new DataView(this.#one.buffer);
    view.setUint32(0, events, true);
    view.setInt32(DATA_AT, fd, true);
    must("change an epoll instance", epoll_ctl(this.#fd, what, fd, this.#one));
  }
}
