/**
 * Log lines in Postfix's shapes: `postfix/tlsproxy[1234]: warning: text`.
 *
 * The five severities are those of Postfix's util/msg.c; the text of everything above information
 * begins with its severity, as people's log watchers expect. Text of peers may stand in a line as it
 * is: control characters are replaced here, in one place, so that nobody can forge a line.
 *
 * @module
 */
import { BaseHandler, Logger, LogLevels, type LogRecord } from "@std/log";
import type { Bytes } from "../base/bytes.ts";
import { LineWriter } from "./writer.ts";

/** What the rest of the house logs through. */
export interface Log {
  /** Normal operation. */
  info(text: string): void;
  /** Something is wrong, and the service goes on. */
  warn(text: string): void;
  /** A request or a part of the service failed, and the service goes on. */
  error(text: string): void;
  /** The process cannot go on. */
  fatal(text: string): void;
}

/** Where lines go and what they begin with. */
export interface LogOptions {
  /** Identity, for example `postfix/tlsmgr`. */
  name: string;
  /** Process id shown with it. */
  pid: number;
  /** Descriptor of stderr or of a log file; not owned. */
  fd: number;
  /** Host name and time of day precede the identity, as in Postfix's `maillog_file`. */
  stamped: boolean;
  /** Host shown then. @default the machine's name up to its first dot */
  host?: string;
  /** Lines begin with the priority that systemd's journal reads, `<6>` for information. */
  priorities?: boolean;
  /** Number of a syslog facility: lines begin as those of syslog(3) do, with priority and time. */
  facility?: number;
  /** Address of the socket that `fd` is connected to: lines are datagrams, without an end of line. */
  datagramTo?: Bytes;
}

/** Severity words by `@std/log` level. */
const PREFIX: Readonly<Record<number, string>> = {
  [LogLevels.DEBUG]: "",
  [LogLevels.INFO]: "",
  [LogLevels.WARN]: "warning: ",
  [LogLevels.ERROR]: "error: ",
  [LogLevels.CRITICAL]: "fatal: ",
};

/** Priorities of syslog(3) by `@std/log` level. */
const PRIORITY: Readonly<Record<number, number>> = {
  [LogLevels.DEBUG]: 7,
  [LogLevels.INFO]: 6,
  [LogLevels.WARN]: 4,
  [LogLevels.ERROR]: 3,
  [LogLevels.CRITICAL]: 2,
};

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Replaces what could end a line or drive a terminal by `?` (Postfix's util/printable.c). */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "?");
}

/** A handler of `@std/log` that words records as Postfix does. */
export class PostfixHandler extends BaseHandler {
  readonly #writer: LineWriter;
  readonly #identity: string;
  readonly #host: string | undefined;
  readonly #facility: number | undefined;
  readonly #isTimed: boolean;
  /** When the record was made that is being logged. */
  #time = new Date(0);

  constructor(options: LogOptions) {
    super("DEBUG");
    this.#writer = new LineWriter(options.fd, options.datagramTo);
    this.#identity = `${options.name}[${options.pid}]: `;
    // The journal knows the facility, and reads a number without it.
    this.#facility = options.facility ?? (options.priorities === true ? 0 : undefined);
    this.#isTimed = options.stamped || options.facility !== undefined;
    this.#host = options.stamped ? options.host ?? Deno.hostname().split(".")[0] : undefined;
  }

  override format(record: LogRecord): string {
    this.#time = record.datetime;
    return this.#head(record.level) + (PREFIX[record.level] ?? "") + printable(record.msg);
  }

  override log(line: string): void {
    this.#writer.write(line, (count) => {
      return `${this.#head(LogLevels.WARN)}warning: ${count} log lines were lost`;
    });
  }

  /** What stands before the text. */
  #head(level: number): string {
    const priority = this.#facility === undefined
      ? ""
      : `<${this.#facility * 8 + (PRIORITY[level] ?? 0)}>`;
    const stamp = this.#isTimed ? `${stampOf(this.#time)} ` : "";
    const host = this.#host === undefined ? "" : `${this.#host} `;
    return priority + stamp + host + this.#identity;
  }
}

/** The time of day as syslog writes it: `Nov  1 09:05:03`, local time. */
export function stampOf(time: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = String(time.getDate()).padStart(2, " ");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${MONTHS[time.getMonth()]} ${day} ${clock}`;
}

/** Opens a log. */
export function openLog(options: LogOptions): Log {
  const logger = new Logger(options.name, "DEBUG", { handlers: [new PostfixHandler(options)] });
  return {
    info: (text) => void logger.info(text),
    warn: (text) => void logger.warn(text),
    error: (text) => void logger.error(text),
    fatal: (text) => void logger.critical(text),
  };
}
