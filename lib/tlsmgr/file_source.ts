/**
 * A device, a FIFO or a plain file as a source of random bytes.
 *
 * A plain file is read through the slow calls, because it may be on a disk; one that never comes back is
 * given up, and not asked again before it has. Devices and FIFOs are read without waiting: again and again
 * at short intervals until they have something to give. (epoll(7) cannot watch all devices.)
 *
 * One read is enough from a device, however little it gives (tls_prng_dev.c); a file is read until there
 * is enough or the file ends, in pieces of at most 8192 bytes (tls_prng_file.c), and closed. A device stays
 * open. In a FIFO, an end before the first byte only says that nobody has opened it for writing yet.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { openByteSource, readByteSource } from "../net/byte_source.ts";
import { AGAIN, closeDescriptor, describeFailure, INTERRUPTED } from "../net/stream.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { SlowCalls } from "../reactor/slow_calls.ts";
import type { Timer } from "../reactor/timers.ts";
import {
  type EntropySource,
  SOURCE_LIMIT_MS,
  type SourceFault,
  type SourceName,
} from "./entropy_source.ts";

const PIECE_BYTES_MAX = 8192;
/** How often a source that has nothing at the moment is looked at. */
const LOOK_INTERVAL_MS = 100;
/** Pieces that are read in one turn from what is not a plain file: 128 kB. */
const PIECES_PER_TURN = 16;

/** What the source works with. */
export interface FileSourceOptions {
  readonly name: string;
  readonly reactor: Pick<Reactor, "after" | "cancel">;
  readonly slowCalls: Pick<SlowCalls, "read">;
}

interface Question {
  readonly take: (piece: Bytes) => void;
  readonly done: (fault?: SourceFault) => void;
  readonly deadline: Timer;
  missing: number;
  /** Bytes that have been read. */
  got: number;
  look: Timer | undefined;
}

/** One file. */
export class FileSource implements EntropySource {
  readonly kind: "device" | "file";
  readonly name: string;
  readonly #path: string;
  readonly #options: FileSourceOptions;
  #fd = -1;
  #isRegular = false;
  /** Nobody need have opened it for writing. */
  #isFifo = false;
  #question: Question | undefined;
  /** A slow call that has not come back uses the descriptor. */
  #inUse = false;

  constructor({ kind, path }: SourceName, options: FileSourceOptions) {
    this.kind = kind === "device" ? "device" : "file";
    this.name = options.name;
    this.#path = path;
    this.#options = options;
  }

  ask(count: number, take: (piece: Bytes) => void, done: (fault?: SourceFault) => void): void {
    if (this.#inUse) return done(this.#fault("read", TIMED_OUT));
    if (this.#fd < 0) {
      const opened = openByteSource(this.#path);
      if (typeof opened === "number") return done(this.#fault("open", describeFailure(opened)));
      this.#fd = opened.fd;
      this.#isRegular = opened.kind === "regular";
      this.#isFifo = opened.kind === "fifo";
    }
    const deadline = this.#options.reactor.after(SOURCE_LIMIT_MS, () => this.#end(TIMED_OUT));
    this.#question = { take, done, deadline, missing: count, got: 0, look: undefined };
    if (this.#isRegular) this.#readSlowly(this.#question);
    else this.#readSome(this.#question);
  }

  close(): void {
    this.#forgetQuestion();
    this.#closeFile();
  }

  #readSlowly(question: Question): void {
    const length = Math.min(question.missing, PIECE_BYTES_MAX);
    this.#inUse = true;
    this.#options.slowCalls.read(this.#fd, { length, offset: question.got }, (bytes) => {
      this.#inUse = false;
      if (question !== this.#question) {
        bytes?.fill(0);
        this.#closeFile();
      } else if (bytes === undefined) this.#end("the read failed");
      else if (this.#isEnough(question, bytes as Bytes)) this.#end();
      else this.#readSlowly(question);
    });
  }

  #readSome(question: Question): void {
    for (let i = 0; i < PIECES_PER_TURN; i++) {
      const bytes = new Uint8Array(Math.min(question.missing, PIECE_BYTES_MAX));
      const count = readByteSource(this.#fd, bytes);
      if (count === INTERRUPTED) continue;
      const isEmpty = count === AGAIN || (count === 0 && this.#isFifo && question.got === 0);
      if (isEmpty) return this.#lookLater(question, LOOK_INTERVAL_MS);
      if (count < 0) return this.#end(describeFailure(count));
      if (this.#isEnough(question, bytes.subarray(0, count))) return this.#end();
    }
    this.#lookLater(question, 0);
  }

  #lookLater(question: Question, delayMs: number): void {
    question.look = this.#options.reactor.after(delayMs, () => this.#readSome(question));
  }

  /** Takes a piece; whether it was the last one. */
  #isEnough(question: Question, bytes: Bytes): boolean {
    if (bytes.length === 0) return true;
    question.got += bytes.length;
    question.missing -= bytes.length;
    question.take(bytes);
    return this.kind === "device" || question.missing === 0;
  }

  /** Ends the question: with what was read, or because of `why` if that was nothing. */
  #end(why = END_OF_FILE): void {
    const { done, got } = this.#question!;
    this.#forgetQuestion();
    const failed = got === 0 || why === TIMED_OUT;
    if (failed || this.kind === "file") this.#closeFile();
    done(failed ? this.#fault("read", why) : undefined);
  }

  #forgetQuestion(): void {
    const { reactor } = this.#options;
    reactor.cancel(this.#question?.deadline);
    reactor.cancel(this.#question?.look);
    this.#question = undefined;
  }

  /** Closes at once, or when the slow call has come back. */
  #closeFile(): void {
    if (this.#inUse || this.#fd < 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  #fault(kind: SourceFault["kind"], why: string): SourceFault {
    const verb = kind === "open" ? "open" : "read from";
    return { kind, text: `cannot ${verb} entropy ${this.kind} ${this.#path}: ${why}` };
  }
}

const TIMED_OUT = "Connection timed out";
const END_OF_FILE = "end of file";
