/**
 * One client of tlsmgr: announcement, then requests and answers one after the other.
 *
 * Two bytes that end in a NUL, where a list might begin, are master(8)'s trigger or nothing (tlsmgr.c:
 * tlsmgr_request_receive). What arrives behind a complete request is dropped, as Postfix's streams do
 * when they turn from reading to writing; clients wait for each answer.
 *
 * A fault ends the connection only when it leaves unclear where the next list begins. The connection
 * owns its descriptor, through its channel, until {@linkcode Connection.close}.
 *
 * @module
 */
import type { ListScanner } from "../attr/scan.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  AttrChannel,
  type AttrChannelHandler,
  type AttrChannelOptions,
  type ChannelEnd,
} from "../net/attr_channel.ts";
import { describeErrno, GONE } from "../net/stream.ts";
import { TLSMGR_ANNOUNCEMENT, triggerIn } from "../proto/tlsmgr.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { Client, Clients } from "./clients.ts";
import { STREAM } from "./requests.ts";

/** Bytes that are taken for a string and not for a list, when no more than these have arrived. */
const STRING_BYTES_MAX = 2;

/** What connections share. */
export interface ConnectionHall {
  readonly reactor: Reactor;
  readonly channelOptions: AttrChannelOptions;
  readonly clients: Clients;
  /** Answers one list. */
  serve(connection: Connection, list: ReceivedList): void;
  /** Takes a line about a fault of the client. */
  fault(text: string): void;
}

/** A complete list in the receive buffer; reused, and good for one call. */
export interface ReceivedList {
  scanner: ListScanner;
  bytes: Bytes;
  start: number;
}

/** One connection. */
export class Connection implements AttrChannelHandler, Client {
  readonly #hall: ConnectionHall;
  readonly #channel: AttrChannel;
  #unfinishedBytes = 0;
  #usedAtMs: number;

  /** Takes the descriptor and announces the protocol. */
  constructor(hall: ConnectionHall, fd: number) {
    this.#hall = hall;
    this.#usedAtMs = hall.reactor.nowMs;
    this.#channel = new AttrChannel(hall.reactor, fd, this, hall.channelOptions);
    hall.clients.add(this);
    this.#channel.send(TLSMGR_ANNOUNCEMENT);
  }

  get unfinishedBytes(): number {
    return this.#unfinishedBytes;
  }

  get isIdle(): boolean {
    return this.#unfinishedBytes === 0 && !this.#channel.hasUnsent;
  }

  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  /** Sends an answer; the bytes may be overwritten after the call. */
  send(bytes: Bytes): void {
    this.#channel.send(bytes);
  }

  /** Closes; again is allowed. */
  close(): void {
    if (!this.#channel.open) return;
    this.#channel.close();
    this.#hold(0);
    this.#hall.clients.remove(this);
  }

  /** For the channel. */
  list(scanner: ListScanner, bytes: Bytes, start: number, behind: number): "drop" {
    this.#usedAtMs = this.#hall.reactor.nowMs;
    this.#hold(0);
    // A list of nothing is one NUL; alone or with one more byte it is an empty string.
    if (scanner.count > 0 || 1 + behind > STRING_BYTES_MAX) {
      this.#hall.serve(this, { scanner, bytes, start });
    }
    return "drop";
  }

  /** For the channel. */
  partial(bytes: Bytes, start: number, end: number): "keep" | "drop" {
    const isString = end - start === STRING_BYTES_MAX && bytes[end - 1] === 0;
    this.#hold(isString ? 0 : end - start);
    if (!isString) return "keep";
    if (triggerIn(bytes, start, end) === "yes") this.close();
    return "drop";
  }

  /** For the channel. */
  ended(end: ChannelEnd): void {
    const fault = describeEnd(end);
    if (fault !== undefined) this.#hall.fault(fault);
    this.close();
  }

  /** Notes how much of an unfinished list there is. May close this connection, or another one. */
  #hold(bytes: number): void {
    const more = bytes - this.#unfinishedBytes;
    if (more === 0) return;
    this.#unfinishedBytes = bytes;
    this.#hall.clients.hold(more);
  }
}

/** The log line for an end that is somebody's fault. */
function describeEnd(end: ChannelEnd): string | undefined {
  switch (end.kind) {
    case "closed":
      return undefined;
    case "cut off":
      return `premature end-of-input on ${STREAM} while reading input attribute ${end.pending}`;
    case "too slow":
      return end.sending
        ? `timeout on ${STREAM} while sending: not taken after ${end.limitMs / 1000} seconds`
        : `timeout on ${STREAM} while reading input attributes: ` +
          `no complete list after ${end.limitMs / 1000} seconds`;
    case "too large":
      return `unreasonable input from ${STREAM}: ${end.fault}`;
    case "error":
      return GONE.includes(-end.errno) ? undefined : `${STREAM}: ${describeErrno(end.errno)}`;
  }
}
