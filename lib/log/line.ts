/**
 * One line before it has a form: how bad it is, what it says, what it is about.
 *
 * @module
 */
import { LogLevels } from "@std/log";

/** A value in a line that is an object. */
export type LogValue = string | number | boolean;

/** What a line says over and above its text; a field without a value is left out. */
export type LogFields = Record<string, LogValue | undefined>;

/** What a line is about; asked only where lines are objects. */
export interface LogSubject {
  /** Adds its fields, names of the frozen schema. The values may be a peer's. */
  describe(fields: LogFields): void;
  /** The line tells of something that happened, once: it is never folded. */
  readonly isEvent?: boolean;
}

/** How bad it is; the words of the frozen schema. */
export type Severity = "debug" | "info" | "warning" | "error" | "fatal";

/** A line. */
export interface Line {
  /** Level of `@std/log`. */
  readonly level: number;
  readonly text: string;
  readonly time: Date;
  readonly about: LogSubject | undefined;
}

/** What a level of `@std/log` stands for. */
export interface LevelWords {
  readonly severity: Severity;
  /** What a line of Postfix's begins with (util/msg.c). */
  readonly prefix: string;
  /** Priority of syslog(3). What `-v` tells has that of information, or nobody would see it. */
  readonly priority: number;
}

const LEVELS: Readonly<Record<number, LevelWords>> = {
  [LogLevels.DEBUG]: { severity: "debug", prefix: "", priority: 6 },
  [LogLevels.INFO]: { severity: "info", prefix: "", priority: 6 },
  [LogLevels.WARN]: { severity: "warning", prefix: "warning: ", priority: 4 },
  [LogLevels.ERROR]: { severity: "error", prefix: "error: ", priority: 3 },
  [LogLevels.CRITICAL]: { severity: "fatal", prefix: "fatal: ", priority: 2 },
};

/** Words and numbers of a level. */
export function wordsOf(level: number): LevelWords {
  return LEVELS[level] ?? LEVELS[LogLevels.INFO];
}
