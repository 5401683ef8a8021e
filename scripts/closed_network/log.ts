/**
 * Stand-in for `@std/log` where JSR cannot be reached: the logger, its levels and the base class of
 * handlers, as documented there. Nothing else of that package is offered, so nothing else is used.
 *
 * A handler that throws stops the record from reaching the handlers after it, as in the original.
 *
 * @module
 */

/** Levels by name; a record passes a logger and a handler whose level is not above its own. */
export const LogLevels = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  CRITICAL: 50,
} as const;

/** Name of a level. */
export type LevelName = keyof typeof LogLevels;

/** Number of a level. */
export type LogLevel = (typeof LogLevels)[LevelName];

/** Turns a record into the text that {@linkcode BaseHandler.log} gets. */
export type FormatterFunction = (logRecord: LogRecord) => string;

// deno-lint-ignore no-explicit-any
type GenericFunction = (...args: any[]) => any;

/** Text of a message, or a function that is only called when the record is wanted. */
type Message<T> = (T extends GenericFunction ? never : T) | (() => T);

function levelOf(name: LevelName): LogLevel {
  const level = LogLevels[name];
  if (level === undefined) throw new Error(`Cannot find log level: no level is named ${name}`);
  return level;
}

function nameOf(level: LogLevel): LevelName {
  for (const [name, number] of Object.entries(LogLevels)) {
    if (number === level) return name as LevelName;
  }
  throw new Error(`Cannot find log level: no level has the number ${level}`);
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ?? value.message;
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

// As in the original, other modules get the type only.
export type { LogRecord };

/** One message on its way to the handlers. */
class LogRecord {
  readonly msg: string;
  readonly level: number;
  readonly levelName: string;
  readonly loggerName: string;
  readonly #args: unknown[];
  readonly #datetime = new Date();

  constructor(options: { msg: string; args: unknown[]; level: LogLevel; loggerName: string }) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = nameOf(options.level);
    this.loggerName = options.loggerName;
    this.#args = [...options.args];
  }

  /** What was passed after the message; a copy each time. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When the record was made; a copy each time. */
  get datetime(): Date {
    return new Date(this.#datetime.getTime());
  }
}

/** A place that records go to. */
export abstract class BaseHandler {
  formatter: FormatterFunction;
  #level: LogLevel;

  constructor(levelName: LevelName, options: { formatter?: FormatterFunction } = {}) {
    this.#level = levelOf(levelName);
    this.formatter = options.formatter ?? ((record) => `${record.levelName} ${record.msg}`);
  }

  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    nameOf(level);
    this.#level = level;
  }

  get levelName(): LevelName {
    return nameOf(this.#level);
  }

  set levelName(name: LevelName) {
    this.#level = levelOf(name);
  }

  /** Formats and logs `logRecord`, unless its level is below the handler's. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.#level) this.log(this.format(logRecord));
  }

  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  abstract log(msg: string): void;

  setup(): void {}

  destroy(): void {}

  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** Hands each message of a sufficient level to all handlers and returns the message. */
export class Logger {
  handlers: BaseHandler[];
  readonly #loggerName: string;
  #level: LogLevel;

  constructor(
    loggerName: string,
    levelName: LevelName,
    options: { handlers?: BaseHandler[] } = {},
  ) {
    this.#loggerName = loggerName;
    this.#level = levelOf(levelName);
    this.handlers = options.handlers ?? [];
  }

  get loggerName(): string {
    return this.#loggerName;
  }

  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    nameOf(level);
    this.#level = level;
  }

  get levelName(): LevelName {
    return nameOf(this.#level);
  }

  set levelName(name: LevelName) {
    this.#level = levelOf(name);
  }

  #log<T>(level: LogLevel, message: Message<T>, args: unknown[]): T | undefined {
    const lazy = message instanceof Function;
    if (level < this.#level) return lazy ? undefined : message;
    const value: T = lazy ? message() : message;
    const { loggerName } = this;
    const record = new LogRecord({ msg: toText(value), args, level, loggerName });
    for (const handler of this.handlers) handler.handle(record);
    return value;
  }

  debug<T>(msg: () => T, ...args: unknown[]): T | undefined;
  debug<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  debug<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.DEBUG, msg, args);
  }

  info<T>(msg: () => T, ...args: unknown[]): T | undefined;
  info<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  info<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.INFO, msg, args);
  }

  warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
  warn<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  warn<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.WARN, msg, args);
  }

  error<T>(msg: () => T, ...args: unknown[]): T | undefined;
  error<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  error<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  critical<T>(msg: () => T, ...args: unknown[]): T | undefined;
  critical<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  critical<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.CRITICAL, msg, args);
  }
}
