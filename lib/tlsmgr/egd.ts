/**
 * An entropy gathering daemon as a source: a client of the EGD protocol, over a UNIX-domain socket.
 *
 * Two of the protocol's five commands are used; the others (0: how much is there, 3: take these bytes,
 * 4: who are you) give no bytes.
 *
 * | sent | answer |
 * | --- | --- |
 * | 1, n | what there is at the moment: a count m of 0 to n, then m bytes |
 * | 2, n | n bytes and nothing else, as soon as there are so many |
 *
 * As Postfix does, the first question is command 1 (tls_prng_egd.c: tls_prng_egd_read). A server that
 * has too little at the moment is asked for the rest with command 2: waiting costs nobody anything here.
 * What has arrived is mixed in even when the rest never comes.
 *
 * The connection is kept between questions. A server that goes away meanwhile is connected to again; one
 * that says what it was not asked for is not believed any more, and its connection is closed.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { FatalError } from "../base/errors.ts";
import {
  AGAIN,
  closeDescriptor,
  connectUnix,
  describeFailure,
  INTERRUPTED,
  receive,
  sendWhole,
} from "../net/stream.ts";
import { type Reactor, READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import { type EntropySource, SOURCE_LIMIT_MS, type SourceFault } from "./entropy_source.ts";

const COMMAND = { readNow: 1, readAll: 2 } as const;
/** One byte more than the largest answer, count and all. */
const CHUNK_BYTES = 257;

/** What is being asked. */
interface Question {
  readonly take: (piece: Bytes) => void;
  readonly done: (fault?: SourceFault) => void;
  readonly deadline: Timer;
  /** Bytes that are still wanted. */
  missing: number;
  /** Bytes of the answer that are still to come; undefined: its count is. */
  coming: number | undefined;
  /** The server had nothing at the moment. */
  hadNothing: boolean;
}

/** One server. */
export class EgdSource implements EntropySource, ReadyHandler {
  readonly kind = "egd";
  readonly name: string;
  readonly #path: string;
  readonly #reactor: Reactor;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #connection: Registration | undefined;
  #question: Question | undefined;

  constructor(path: string, { name, reactor }: { name: string; reactor: Reactor }) {
    this.name = name;
    this.#path = path;
    this.#reactor = reactor;
  }

  ask(count: number, take: (piece: Bytes) => void, done: (fault?: SourceFault) => void): void {
    if (this.#connection === undefined) {
      const why = this.#connect();
      if (why !== undefined) {
        const text = `cannot connect to EGD server ${this.#path}: ${why}`;
        return done({ kind: "open", text });
      }
    }
    const deadline = this.#reactor.after(SOURCE_LIMIT_MS, () => this.#fail("Connection timed out"));
    this.#question = {
      take,
      done,
      deadline,
      missing: count,
      coming: undefined,
      hadNothing: false,
    };
    this.#send(COMMAND.readNow, count);
  }

  close(): void {
    this.#reactor.cancel(this.#question?.deadline);
    this.#question = undefined;
    this.#disconnect();
  }

  /** For the reactor. */
  ready(_events: number): void {
    const { fd } = this.#connection!;
    const count = receive(fd, this.#chunk, this.#chunk.length);
    if (count === AGAIN || count === INTERRUPTED) return;
    if (this.#question === undefined) this.#disconnect();
    else if (count < 0) this.#fail(describeFailure(count));
    else if (count === 0) this.#fail("it closed the connection");
    else this.#read(this.#question, count);
    this.#chunk.fill(0);
  }

  /** Takes the first `count` bytes of the chunk as a piece of the answer. */
  #read(question: Question, count: number): void {
    let at = 0;
    if (question.coming === undefined) {
      question.coming = this.#chunk[at++];
      if (question.coming === 0) question.hadNothing = true;
    }
    const data = count - at;
    const { coming, missing } = question;
    if (coming > missing || data > coming) {
      const many = Math.max(coming, data);
      return this.#failWith(
        `cannot read ${missing} bytes from EGD server ${this.#path}: it sent ${many} or more`,
      );
    }
    question.coming = coming - data;
    question.missing = missing - data;
    if (data > 0) question.take(this.#chunk.subarray(at, count));
    if (question.coming > 0) return;
    if (question.missing === 0) return this.#finish();
    question.coming = question.missing;
    this.#send(COMMAND.readAll, question.missing);
  }

  #send(command: number, count: number): void {
    const why = sendWhole(this.#connection!.fd, Uint8Array.of(command, count));
    if (why !== undefined) this.#failWith(`cannot write to EGD server ${this.#path}: ${why}`);
  }

  #fail(why: string): void {
    const { missing, coming, hadNothing } = this.#question!;
    this.#failWith(
      hadNothing && coming === missing
        ? `EGD server ${this.#path} reports zero bytes available`
        : coming === undefined
        ? `cannot read from EGD server ${this.#path}: ${why}`
        : `cannot read ${missing} bytes from EGD server ${this.#path}: ${why}`,
    );
  }

  #failWith(text: string): void {
    this.#disconnect();
    this.#finish({ kind: "read", text });
  }

  #finish(fault?: SourceFault): void {
    const { deadline, done } = this.#question!;
    this.#question = undefined;
    this.#reactor.cancel(deadline);
    done(fault);
  }

  /** Why there is no connection; undefined when there is. */
  #connect(): string | undefined {
    let fd: number;
    try {
      fd = connectUnix(this.#path);
    } catch (error) {
      if (error instanceof FatalError) return error.message.replace(/^.*": /s, "");
      throw error;
    }
    if (fd < 0) return describeFailure(fd);
    this.#connection = this.#reactor.watch(fd, READY.read, this);
    return undefined;
  }

  #disconnect(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.close();
    closeDescriptor(connection.fd);
  }
}
