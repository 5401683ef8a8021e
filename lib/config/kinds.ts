/**
 * Value kinds: from the canonical text of a parameter, after expansion, to a typed value.
 *
 * The rules are Postfix's (mail_conf_bool.c, mail_conf_int.c, conv_time.c, mail_conf_str.c), with
 * three differences: what follows the unit of a time is ignored as there, but with a warning; a bad
 * word in a log level costs only that word; and bad cipher grades and exclusions are faults at start
 * instead of at the first connection.
 *
 * @module
 */

import { parseLevel } from "./comparison.ts";
import { type Problem, quote } from "./findings.ts";
import { checkProtocols } from "./protocol_list.ts";

/** Names of the kinds; what each accepts is said at its reader below. */
export type Kind =
  | "bool"
  | "int"
  | "time"
  | "str"
  | "enum"
  | "path"
  | "list"
  | "protocols"
  | "maps"
  | "loglevel"
  | "mask"
  | "database"
  | "version"
  | "unread";

/** Words of a TLS log level. Numbers and synonyms stay as they were written. */
export const LOG_WORDS = [
  ...["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const,
  "none",
  "routine",
  "summary",
  "debug",
  "ssl-expert",
  "ssl-developer",
  "untrusted",
  "peercert",
  "certmatch",
  "verbose",
  "cache",
  "ssl-debug",
  "ssl-handshake-packet-dump",
  "ssl-session-packet-dump",
  "dane",
  "trace",
] as const;

export type LogWord = (typeof LOG_WORDS)[number];

/** Table types that can be written to in Postfix, and mean our append file here; and one of ours. */
export const DATABASE_TYPES = [
  "btree",
  "cdb",
  "dbm",
  "dbz",
  "hash",
  "lmdb",
  "sdbm",
  "memory",
] as const;

/** What a kind needs to know of its row. */
export interface Bounds {
  readonly kind: Kind;
  readonly min?: number;
  readonly max?: number;
  /** An empty value is an error. */
  readonly lengthMin?: number;
  /** Words of an enum, lower case. */
  readonly values?: readonly string[];
  /** Words that are accepted with a warning, and what they count as. */
  readonly demoted?: Readonly<Record<string, string>>;
  /** Separators of a list beside comma and white space. */
  readonly separators?: string;
  /** Characters that no element of a list may begin with. */
  readonly elementForbids?: string;
}

/** A typed value and what there is to say about it; no value when one of the problems is an error. */
export interface Reading {
  readonly value?: unknown;
  readonly problems: readonly Problem[];
}

/** Separators of every list (sys_defs.h: CHARS_COMMA_SP). */
export const LIST_MARKS = ", \t\r\n";

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Reads `text`, which is canonical and expanded, as `bounds.kind` says. Never throws. */
export function readValue(text: string, bounds: Bounds): Reading {
  if (text.includes("\0")) {
    return refuse("Cannot read a value: it holds a NUL character", "remove it");
  }
  if (text.length < (bounds.lengthMin ?? 0)) {
    return refuse("Cannot read a value: it is empty", "leave the key out to have the default");
  }
  return READERS[bounds.kind](text, bounds);
}

/** Elements of a list of lookup tables: what stands in braces is one element, braces included. */
export function splitMaps(text: string): string[] {
  const elements: string[] = [];
  let element = "";
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    else if (char === "}") depth = Math.max(0, depth - 1);
    if (depth > 0 || !LIST_MARKS.includes(char)) element += char;
    else if (element !== "") {
      elements.push(element);
      element = "";
    }
  }
  return element === "" ? elements : [...elements, element];
}

/** Elements of a list as Postfix splits it; runs of separators count as one. */
export function splitList(text: string, separators = ""): string[] {
  const marks = LIST_MARKS + separators;
  const elements: string[] = [];
  let element = "";
  for (const char of text) {
    if (!marks.includes(char)) {
      element += char;
    } else if (element !== "") {
      elements.push(element);
      element = "";
    }
  }
  if (element !== "") elements.push(element);
  return elements;
}

const READERS: Readonly<Record<Kind, (text: string, bounds: Bounds) => Reading>> = {
  bool: readBool,
  int: readInt,
  time: readTime,
  str: accept,
  path: accept,
  enum: readEnum,
  list: readList,
  protocols: readProtocols,
  maps: readMaps,
  loglevel: readLogLevel,
  // Bit names belong to OpenSSL's version, so the room that knows OpenSSL reads them.
  mask: accept,
  database: readDatabase,
  version: readVersion,
  // Obsolete names: nobody looks at the value.
  unread: accept,
};

function accept(value: unknown): Reading {
  return { value, problems: [] };
}

function refuse(message: string, hint: string): Reading {
  return { problems: [{ severity: "error", message, hint }] };
}

function readBool(text: string): Reading {
  const word = text.toLowerCase();
  if (word === "yes" || word === "no") return accept(word === "yes");
  return refuse(`Cannot read a yes/no value: ${quote(text)}`, 'write true, false, "yes" or "no"');
}

function readInt(text: string, bounds: Bounds): Reading {
  // Leading zeros do not make it octal.
  if (!/^\s*[+-]?\d+$/.test(text)) {
    return refuse(`Cannot read a whole number: ${quote(text)}`, "write decimal digits only");
  }
  const value = Number(text);
  if (value < INT_MIN || value > INT_MAX) {
    const message = `Cannot read a whole number: ${quote(text)} does not fit into 32 bits`;
    return refuse(message, `the largest is ${INT_MAX}`);
  }
  return inBounds(value, text, bounds);
}

function readTime(text: string, bounds: Bounds): Reading {
  const match = /^(\d*)([smhdw]?)(.*)$/s.exec(text);
  if (text === "" || match === null || (match[2] === "" && match[3] !== "")) {
    return refuse(
      `Cannot read a time: ${quote(text)}`,
      'write seconds, or a number and one of the letters s, m, h, d, w: "90s", "1h"',
    );
  }
  const [, digits, unit, rest] = match;
  const seconds = Number(digits) * (SECONDS[unit] ?? 1);
  if (seconds > INT_MAX) {
    const message = `Cannot read a time: ${quote(text)} does not fit into 32 bits`;
    return refuse(message, `the longest is ${INT_MAX} seconds`);
  }
  const reading = inBounds(seconds, text, bounds);
  if (rest === "" || reading.value === undefined) return reading;
  const ignored: Problem = {
    severity: "warning",
    message: `Only the first part of the time counts: ${quote(text)} is ${seconds} seconds`,
    hint: `write ${seconds}, or one number with one unit`,
  };
  return { ...reading, problems: [...reading.problems, ignored] };
}

function inBounds(value: number, text: string, { kind, min, max }: Bounds): Reading {
  const unit = kind === "time" ? " seconds" : "";
  if (min !== undefined && value < min) {
    const message = `Cannot accept ${quote(text)}: less than the minimum of ${min}${unit}`;
    return refuse(message, `write ${min} or more`);
  }
  if (max !== undefined && value > max) {
    const message = `Cannot accept ${quote(text)}: more than the maximum of ${max}${unit}`;
    return refuse(message, `write ${max} or less`);
  }
  return accept(value);
}

function readEnum(text: string, { values = [], demoted = {} }: Bounds): Reading {
  const word = text.toLowerCase();
  if (values.includes(word)) return accept(word);
  const stead = Object.hasOwn(demoted, word) ? demoted[word] : undefined;
  if (stead !== undefined) {
    const message = `Cannot honour ${quote(text)} here: it counts as ${quote(stead)}`;
    return { value: stead, problems: [{ severity: "warning", message }] };
  }
  const words = values.map((value) => quote(value));
  return refuse(`Cannot read a choice: ${quote(text)}`, `one of ${words.join(", ")}`);
}

function readList(text: string, { separators, elementForbids = "" }: Bounds): Reading {
  const elements = splitList(text, separators);
  const bad = elements.find((element) => elementForbids.includes(element[0]));
  if (bad === undefined) return accept(elements);
  return refuse(
    `Cannot read a list: ${quote(bad)} begins with ${quote(bad[0])}`,
    `no element may begin with one of ${elementForbids.split("").join(" ")}`,
  );
}

function readProtocols(text: string, { separators }: Bounds): Reading {
  const elements = splitList(text, separators);
  const problems = checkProtocols(elements);
  if (problems.some(({ severity }) => severity === "error")) return { problems };
  return { value: elements, problems };
}

function readMaps(text: string): Reading {
  return accept(splitMaps(text));
}

function readLogLevel(text: string): Reading {
  const words: LogWord[] = [];
  const problems: Problem[] = [];
  for (const given of splitList(text)) {
    const word = LOG_WORDS.find((known) => known === given.toLowerCase());
    if (word !== undefined) words.push(word);
    else {
      problems.push({
        severity: "warning",
        message: `Cannot read a log level word: ${quote(given)}`,
        hint: "the other words still count",
      });
    }
  }
  return { value: words, problems };
}

function readDatabase(text: string): Reading {
  const colon = text.indexOf(":");
  if (text === "" || colon < 0) return accept(text);
  const type = text.slice(0, colon);
  if ((DATABASE_TYPES as readonly string[]).includes(type)) return accept(text);
  return refuse(
    `Cannot keep a cache in a table of type ${quote(type)}: it cannot be written to`,
    `one of ${DATABASE_TYPES.join(", ")}`,
  );
}

function readVersion(text: string): Reading {
  if (parseLevel(text) !== undefined) return accept(text);
  return refuse(`Cannot read a compatibility level: ${quote(text)}`, 'write a version: "3.11"');
}
