/**
 * One connection at a door of the desk: a question in, an answer out, and good-bye.
 *
 * Nobody is waited for beyond a limit, and nothing of a body is kept. Whatever a visitor does wrong ends
 * that visit and is no matter for the log: it may be a port scanner.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { encodeReply, type Reply, textReply } from "./reply.ts";
import {
  type BadRequest,
  findHeadEnd,
  HEAD_BYTES_MAX,
  readRequest,
  type Request,
} from "./request.ts";

/** Bytes of a body that are read before the connection is closed. */
const BODY_BYTES_MAX = 65_536;

const ENDS_OF_VISITS = [
  ...[Deno.errors.BadResource, Deno.errors.Interrupted],
  ...[Deno.errors.BrokenPipe, Deno.errors.ConnectionReset, Deno.errors.ConnectionAborted],
  ...[Deno.errors.NotConnected, Deno.errors.TimedOut, Deno.errors.UnexpectedEof],
];

/** The side of a connection that is used here; `Deno.Conn` is one. */
export interface Connection {
  read(bytes: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** Answers a question. May take its time; what it throws becomes a 500 of the door's. */
export type Answer = (request: Request) => Promise<Reply>;

/** One visit. */
export class Visitor {
  readonly #connection: Connection;
  readonly #clock: Pick<Clock, "unixSeconds">;
  readonly #limitMs: number;
  #isOpen = true;
  #isBeingAnswered = false;

  /** `limitMs`: how long the visitor may take to ask, to take the answer, and to leave. */
  constructor(
    connection: Connection,
    { clock, limitMs }: { readonly clock: Pick<Clock, "unixSeconds">; readonly limitMs: number },
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Whether the visitor waits for us; until then, and after it, we wait for the visitor. */
  get isBeingAnswered(): boolean {
    return this.#isBeingAnswered;
  }

  /** Serves the visitor to the end. Throws nothing that a visitor could bring about. */
  async serve(answer: Answer): Promise<void> {
    try {
      const request = await this.#inTime(() => this.#readHead());
      if (request === undefined) return;
      const reply = "status" in request
        ? textReply(request.status, request.reason)
        : await this.#ask(answer, request);
      const withBody = !("method" in request) || request.method !== "HEAD";
      const bytes = encodeReply(reply, { withBody, nowS: this.#clock.unixSeconds() });
      await this.#inTime(() => this.#write(bytes));
      await this.#inTime(() => this.#seeOut());
    } catch (error) {
      // The visitor has gone, or was sent away in the middle of something.
      if (!ENDS_OF_VISITS.some((end) => error instanceof end)) throw error;
    } finally {
      this.sendAway();
    }
  }

  /** Ends the visit at once. */
  sendAway(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#connection.close();
  }

  /** A head; `undefined`: the visitor has left without asking. */
  async #readHead(): Promise<Request | BadRequest | undefined> {
    const bytes = new Uint8Array(HEAD_BYTES_MAX);
    let length = 0;
    while (length < bytes.length) {
      const count = await this.#connection.read(bytes.subarray(length));
      if (count === null) return undefined;
      length += count;
      const end = findHeadEnd(bytes, length);
      if (end >= 0) return readRequest(bytes.subarray(0, end));
    }
    return { status: 431, reason: `a request has at most ${HEAD_BYTES_MAX} bytes` };
  }

  async #ask(answer: Answer, request: Request): Promise<Reply> {
    this.#isBeingAnswered = true;
    try {
      return await answer(request);
    } finally {
      this.#isBeingAnswered = false;
    }
  }

  async #write(bytes: Bytes): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
    await this.#connection.closeWrite();
  }

  /** A close with bytes unread would take the answer away from the visitor again (RFC 9112, 9.6). */
  async #seeOut(): Promise<void> {
    const rest = new Uint8Array(4096);
    for (let length = 0; length < BODY_BYTES_MAX;) {
      const count = await this.#connection.read(rest);
      if (count === null) return;
      length += count;
    }
  }

  /** What `step` comes to, unless it takes too long, which ends the visit. */
  async #inTime<T>(step: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.sendAway(), this.#limitMs);
    // It must not keep a process alive that has nothing else to do.
    Deno.unrefTimer(timer);
    try {
      return await step();
    } finally {
      clearTimeout(timer);
    }
  }
}
