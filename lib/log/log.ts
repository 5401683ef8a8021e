/**
 * What the rest of the house logs through: lines of text in Postfix's shapes, or objects.
 *
 * The five severities are those of Postfix's util/msg.c, and `debug` for what `-v` tells. Whoever logs
 * gives a text and, where there is one, what the line is about; a line of text does not ask about that.
 *
 * @module
 */
import { BaseHandler, Logger, LogLevels, type LogRecord } from "@std/log";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { wallTime } from "../base/clock.ts";
import { type Defer, Folding } from "./folding.ts";
import { jsonForm, type JsonOptions } from "./json_form.ts";
import type { Line, LogSubject, Severity } from "./line.ts";
import { wordsOf } from "./line.ts";
import { Head, type HeadOptions, textForm } from "./text_form.ts";
import { LineWriter, TEXT_BYTES_MAX } from "./writer.ts";

export type { LogFields, LogSubject, Severity } from "./line.ts";

/** Longest line with an object in it, in bytes; postlogd(8) takes no longer datagram. */
const JSON_BYTES_MAX = 4000;
/** What log readers know an object by in a line of syslog's (Common Event Expression). */
const COOKIE = "@cee: ";

/** What the rest of the house logs through. */
export interface Log {
  /** Lines are objects: who has more to tell than a text may take the trouble. */
  readonly isStructured: boolean;
  /** How much more than usual is told, as often as `-v` was given; 0: nothing. */
  readonly verbose: number;
  /** For whoever wants to know all; only with {@linkcode Log.verbose}, which the caller looks at. */
  debug(text: string, about?: LogSubject): void;
  /** Normal operation. */
  info(text: string, about?: LogSubject): void;
  /** Something is wrong, and the service goes on. */
  warn(text: string, about?: LogSubject): void;
  /** A request or a part of the service failed, and the service goes on. */
  error(text: string, about?: LogSubject): void;
  /** The process cannot go on. */
  fatal(text: string, about?: LogSubject): void;
}

/** Told of each line: what became of it. */
export interface LogWitness {
  /** A line was written. */
  written(severity: Severity): void;
  /** A line could not be written. */
  lost(): void;
  /** `count` lines were told by one that says how often. */
  folded(count: number): void;
}

/** A log that was opened, for whoever opened it; at its end it tells of what is held back. */
export interface OpenLog extends Log, Disposable {
  /** From here on `witness` is told of each line; there is one witness. */
  watch(witness: LogWitness): void;
}

/** Where lines go and what they look like. */
export interface LogOptions extends HeadOptions, JsonOptions {
  /** Descriptor of stderr or of a log file; not owned. */
  readonly fd: number;
  /** Address of the socket that `fd` is connected to: lines are datagrams, without an end of line. */
  readonly datagramTo?: Bytes;
  /** @default "postfix" */
  readonly format?: "postfix" | "json";
  /** How often `-v` was given. @default {0} */
  readonly verbose?: number;
  /** Makes sure that lines are not held back too long; absent: none is held back. */
  readonly defer?: Defer;
}

/** A handler of `@std/log` for one descriptor. */
class LineHandler extends BaseHandler {
  readonly #writer: LineWriter;
  readonly #head: Head;
  readonly #json: JsonOptions | undefined;
  readonly #isDatagrams: boolean;
  readonly #folding: Folding | undefined;
  /** When the line was logged that is being written, and whether it is written. */
  #time = new Date(0);
  #isWritten = false;
  witness: LogWitness | undefined;

  constructor(options: LogOptions) {
    super("DEBUG");
    const { fd, datagramTo, format, defer } = options;
    const isJson = format === "json";
    this.#json = isJson ? options : undefined;
    this.#isDatagrams = datagramTo !== undefined;
    this.#head = new Head(options);
    this.#writer = new LineWriter(fd, datagramTo, isJson ? JSON_BYTES_MAX : TEXT_BYTES_MAX);
    this.#folding = defer === undefined ? undefined : new Folding({
      defer,
      isByAbout: isJson,
      write: (line) => this.#write(line),
      writeRepeated: (line, count) => this.#writeRepeated(line, count),
    });
  }

  override handle(record: LogRecord): void {
    const about = record.args[0] as LogSubject | undefined;
    this.take({ level: record.level, text: record.msg, time: record.datetime, about });
  }

  /** Takes a line. */
  take(line: Line): void {
    if (this.#folding === undefined) this.#write(line);
    else this.#folding.take(line);
  }

  /** Writes a line in its form. */
  override log(form: string): void {
    this.#isWritten = this.#writer.write(form, (count) => this.#lossForm(count));
  }

  flush(): void {
    this.#folding?.flush();
  }

  #write(line: Line): void {
    if (this.#writeForm(line)) this.witness?.written(wordsOf(line.level).severity);
    else this.witness?.lost();
  }

  #writeRepeated(line: Line, count: number): void {
    this.#writeForm({
      ...line,
      text: `last message repeated ${count} times`,
      about: {
        describe(fields) {
          line.about?.describe(fields);
          fields.repeated = count;
        },
      },
    });
    this.witness?.folded(count);
  }

  #writeForm(line: Line): boolean {
    this.#time = line.time;
    this.log(this.#form(line));
    return this.#isWritten;
  }

  #lossForm(count: number): string {
    const about: LogSubject = { describe: (fields) => void (fields.lost = count) };
    const text = `${count} log lines were lost`;
    return this.#form({ level: LogLevels.WARN, text, time: this.#time, about });
  }

  #form(line: Line): string {
    if (this.#json === undefined) return textForm(line, this.#head);
    // Whoever takes datagrams wants to see at their beginning what they are.
    const head = this.#isDatagrams ? this.#head.of(line) + COOKIE : this.#head.priority(line);
    return head + jsonForm(line, this.#json, JSON_BYTES_MAX - 1 - utf8(head).length);
  }
}

/** Opens a log. */
export function openLog(options: LogOptions): OpenLog {
  const handler = new LineHandler(options);
  const logger = new Logger(options.name, "DEBUG", { handlers: [handler] });
  return {
    isStructured: options.format === "json",
    verbose: options.verbose ?? 0,
    debug: (text, about) => void logger.debug(text, about),
    // Each session has lines of normal operation, and a record costs more than all else that is done for one.
    info: (text, about) => {
      handler.take({ level: LogLevels.INFO, text, time: wallTime(), about });
    },
    warn: (text, about) => void logger.warn(text, about),
    error: (text, about) => void logger.error(text, about),
    fatal: (text, about) => void logger.critical(text, about),
    watch: (witness) => void (handler.witness = witness),
    [Symbol.dispose]: () => handler.flush(),
  };
}
