/**
 * Questions to tlsmgr, asked without waiting: one connection, one question at a time, in order.
 *
 * As Postfix's own client (tls/tls_mgr.c) it keeps one long-lived connection, sends a request only
 * when the reply to the one before has come, and closes a connection that is idle for `ipc_idle` or
 * old. Unlike that client it never blocks: questions queue up, and each of them has a time limit.
 *
 * A question that fails gets `undefined`, once; nothing is thrown and nothing is logged here except
 * through `report`. A reply that comes after its question was given up is read and dropped, so that
 * question and reply never come out of step. A reply that does not fit is a fault of the server: the
 * connection is closed.
 *
 * @module
 */
import { ListPrinter } from "../attr/print.ts";
import { ListReader, READ } from "../attr/read.ts";
import type { ListScanner } from "../attr/scan.ts";
import { describeAttrFault } from "../attr/faults.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  AttrChannel,
  type AttrChannelHandler,
  type AttrChannelOptions,
  type ChannelEnd,
} from "../net/attr_channel.ts";
import { connectUnix, describeErrno, describeFailure } from "../net/stream.ts";
import {
  type AskName,
  decodeAnswer,
  decodeTlsmgrAnnouncement,
  printAsk,
  TLSMGR_STATUS,
  TlsmgrAnswer,
  TlsmgrAsk,
} from "../proto/tlsmgr.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";

/** How a client behaves. */
export interface TlsmgrClientOptions {
  /** The socket, `$queue_directory/private/tlsmgr`. */
  path: string;
  /** Limit of one question, from asking to answer, milliseconds. */
  questionLimitMs: number;
  /** An idle connection is closed after this (Postfix: `ipc_idle`), milliseconds. */
  idleLimitMs: number;
  /** Told, in one line each, what went wrong with the server. */
  report(text: string): void;
  /** Told what came of each question: the status answered; nothing when there is no answer. */
  counted?(name: AskName, status: number | undefined): void;
}

/** Takes the answer, which is good for this call only; `undefined`: there is none. */
export type AnswerHandler = (answer: TlsmgrAnswer | undefined) => void;

interface Question {
  readonly name: AskName;
  readonly bytes: Bytes;
  /** Cleared when the question is given up or answered. */
  handler: AnswerHandler | undefined;
  deadline: Timer | undefined;
  /** Connections on which it has been sent. */
  tries: number;
}

/** Longest reply: a session of the largest size, in base64, and its attributes. */
const CHANNEL_OPTIONS: AttrChannelOptions = {
  limits: { bytesMax: 2 * 1024 * 1024, attributesMax: 32 },
  listLimitMs: 10_000,
};
const STREAM = "private/tlsmgr";
/** Questions that may wait; beyond it the server is too slow to be of use. */
const QUEUE_MAX = 10_000;
/** After the server could not be reached, questions fail at once for this long. */
const PENALTY_MS = 250;
/**
 * After a question was given up, the others fail at once for this long, or until a reply comes: a server
 * that is stuck costs a few sessions their time limit, and not every one.
 */
const STUCK_PENALTY_MS = 5_000;

/** One thread's connection to tlsmgr. */
export class TlsmgrClient implements AttrChannelHandler {
  readonly #reactor: Reactor;
  readonly #options: TlsmgrClientOptions;
  readonly #printer = new ListPrinter();
  readonly #reader = new ListReader();
  readonly #answer = new TlsmgrAnswer();
  readonly #queue: Question[] = [];
  #channel: AttrChannel | undefined;
  #announced = false;
  /** The question that is on the wire. */
  #asked: Question | undefined;
  #idle: Timer | undefined;
  #unreachableUntilMs = -1;
  #inTrouble = false;
  #closed = false;

  constructor(reactor: Reactor, options: TlsmgrClientOptions) {
    this.#reactor = reactor;
    this.#options = options;
  }

  /** Asks for `size` random bytes (1 to 255). */
  seed(size: number, handler: AnswerHandler): void {
    this.#ask("seed", handler, (ask) => ask.size = size);
  }

  /** Asks how the cache `cacheType` is set up. */
  policy(cacheType: string, handler: AnswerHandler): void {
    this.#ask("policy", handler, (ask) => ask.cacheType = cacheType);
  }

  /** Asks for the session stored as `cacheId`. */
  lookup(cacheType: string, cacheId: string, handler: AnswerHandler): void {
    this.#ask("lookup", handler, (ask) => {
      ask.cacheType = cacheType;
      ask.cacheId = cacheId;
    });
  }

  /** Stores `session` as `cacheId`; a caller without a handler does not wait for the answer. */
  update(
    cacheType: string,
    cacheId: string,
    session: Bytes,
    handler: AnswerHandler = ignore,
  ): void {
    this.#ask("update", handler, (ask) => {
      ask.cacheType = cacheType;
      ask.cacheId = cacheId;
      ask.session.set(session);
    });
  }

  /** Removes what is stored as `cacheId`. */
  delete(cacheType: string, cacheId: string, handler: AnswerHandler): void {
    this.#ask("delete", handler, (ask) => {
      ask.cacheType = cacheType;
      ask.cacheId = cacheId;
    });
  }

  /** Asks for the ticket key of that name, or with no name for the one to encrypt with. */
  ticketKey(name: Bytes | undefined, handler: AnswerHandler): void {
    this.#ask("tktkey", handler, (ask) => {
      if (name !== undefined) ask.keyName.set(name);
    });
  }

  /** Closes the connection; questions that are open get no answer. */
  close(): void {
    this.#closed = true;
    this.#disconnect();
    for (const question of [this.#asked, ...this.#queue]) {
      if (question !== undefined) this.#settle(question, undefined);
    }
    this.#asked = undefined;
    this.#queue.length = 0;
  }

  #ask(name: AskName, handler: AnswerHandler, fill: (ask: TlsmgrAsk) => void): void {
    if (
      this.#closed || this.#reactor.nowMs < this.#unreachableUntilMs ||
      this.#queue.length >= QUEUE_MAX
    ) {
      this.#options.counted?.(name, undefined);
      handler(undefined);
      return;
    }
    const ask = new TlsmgrAsk();
    fill(ask);
    const bytes = printAsk(this.#printer, name, ask).slice();
    const question: Question = { name, bytes, handler, deadline: undefined, tries: 0 };
    question.deadline = this.#reactor.after(this.#options.questionLimitMs, () => {
      this.#report(`no reply to a "${name}" request in time`);
      this.#giveUp(question);
    });
    this.#queue.push(question);
    this.#next();
  }

  /** Sends the next question, if none is on the wire. */
  #next(): void {
    if (this.#asked !== undefined) return;
    if (this.#queue.length === 0) {
      this.#restIfIdle();
      return;
    }
    if (this.#channel === undefined && !this.#connect()) return;
    if (!this.#announced) return;
    const question = this.#queue.shift()!;
    this.#reactor.cancel(this.#idle);
    this.#idle = undefined;
    this.#asked = question;
    question.tries++;
    this.#channel!.send(question.bytes);
  }

  #connect(): boolean {
    const fd = connectUnix(this.#options.path);
    if (fd >= 0) {
      this.#announced = false;
      this.#channel = new AttrChannel(this.#reactor, fd, this, CHANNEL_OPTIONS);
      return true;
    }
    this.#report(`connect to ${this.#options.path}: ${describeFailure(fd)}`);
    this.#unreachableUntilMs = this.#reactor.nowMs + PENALTY_MS;
    this.#failAll();
    return false;
  }

  /** For the channel. */
  list(scanner: ListScanner, bytes: Bytes, start: number): "next" {
    if (!this.#announced) {
      this.#reader.open(bytes, scanner, READ.strict, start);
      if (!decodeTlsmgrAnnouncement(this.#reader)) {
        this.#fail(`this is not a tlsmgr: ${this.#faultText()}`);
        return "next";
      }
      this.#announced = true;
      this.#next();
      return "next";
    }
    const question = this.#asked;
    if (question === undefined) {
      this.#fail("it sent something that nobody asked for");
      return "next";
    }
    this.#reader.open(bytes, scanner, READ.missing, start);
    if (!decodeAnswer(this.#reader, question.name, this.#answer)) {
      this.#fail(this.#faultText());
      return "next";
    }
    this.#inTrouble = false;
    this.#unreachableUntilMs = -1;
    this.#asked = undefined;
    this.#settle(question, this.#answer);
    this.#next();
    return "next";
  }

  /** For the channel. */
  ended(end: ChannelEnd): void {
    const asked = this.#asked;
    this.#disconnect();
    this.#asked = undefined;
    // An idle connection may be closed by the server at any time; a request that met such an end is
    // sent once more. All requests may be carried out twice.
    if (asked?.handler !== undefined && asked.tries < 2) {
      this.#queue.unshift(asked);
    } else if (asked !== undefined) {
      this.#report(`lost the connection: ${describeEnd(end)}`);
      this.#settle(asked, undefined);
    } else if (this.#queue.length > 0) {
      this.#report(`lost the connection: ${describeEnd(end)}`);
      this.#failAll();
    }
    this.#next();
  }

  /** The server broke the protocol: nothing on this connection can be believed any more. */
  #fail(why: string): void {
    this.#report(why);
    this.#disconnect();
    // First of all: whoever is told may ask again at once.
    this.#unreachableUntilMs = this.#reactor.nowMs + PENALTY_MS;
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked !== undefined) this.#settle(asked, undefined);
    this.#failAll();
  }

  /** The time of `question` is up. */
  #giveUp(question: Question): void {
    const at = this.#queue.indexOf(question);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#unreachableUntilMs = this.#reactor.nowMs + STUCK_PENALTY_MS;
    // The one on the wire stays there without a handler: its reply may still come.
    this.#settle(question, undefined);
  }

  #settle(question: Question, answer: TlsmgrAnswer | undefined): void {
    const { handler } = question;
    this.#reactor.cancel(question.deadline);
    question.handler = undefined;
    // One that was given up has been counted.
    if (handler !== undefined) this.#options.counted?.(question.name, answer?.status);
    handler?.(answer);
  }

  #failAll(): void {
    for (const question of this.#queue.splice(0)) this.#settle(question, undefined);
  }

  #restIfIdle(): void {
    if (this.#channel === undefined) return;
    this.#idle ??= this.#reactor.after(this.#options.idleLimitMs, () => {
      this.#idle = undefined;
      if (this.#asked === undefined && this.#queue.length === 0) this.#disconnect();
    });
  }

  #disconnect(): void {
    this.#reactor.cancel(this.#idle);
    this.#idle = undefined;
    this.#channel?.close();
    this.#channel = undefined;
    this.#announced = false;
  }

  #faultText(): string {
    const { fault } = this.#reader;
    return fault === undefined ? "unexpected reply" : describeAttrFault(fault, STREAM);
  }

  /** One line for each spell of trouble, not one for each question. */
  #report(text: string): void {
    if (!this.#inTrouble) this.#options.report(`problem talking to server ${STREAM}: ${text}`);
    this.#inTrouble = true;
  }
}

/** Whether an answer says that the thing asked for is there. */
export function isOk(answer: TlsmgrAnswer | undefined): answer is TlsmgrAnswer {
  return answer !== undefined && answer.status === TLSMGR_STATUS.ok;
}

function describeEnd(end: ChannelEnd): string {
  switch (end.kind) {
    case "closed":
      return "closed by the server";
    case "cut off":
      return "closed by the server in the middle of a reply";
    case "too slow":
      return end.sending ? "it takes no requests" : "a reply took too long";
    case "too large":
      return `${end.fault} in a reply`;
    case "error":
      return describeErrno(end.errno);
  }
}

function ignore(): void {}
