/**
 * The entries of master.cf whose command is tlsmgr or tlsproxy.
 *
 * An entry is a logical line of eight or more fields (master(5), master_ent.c). Fields are split at
 * blanks, arguments at blanks outside of braces; an argument in braces loses them and its outer
 * blanks. What the daemons' own option reader would make of the arguments is found out here too.
 *
 * Entries of other programs are passed over without a word. An entry of ours that Postfix refuses is
 * an error with its line; all of them are found in one run.
 *
 * @module
 */

import { trimSpace } from "../blanks.ts";
import { type FindingList, type Place, quote } from "../findings.ts";
import { ROLE_NAMES, type RoleName } from "../parameters.ts";
import { readLogicalLines } from "./logical_lines.ts";
import { splitParameter } from "./main_cf.ts";

/** One entry of ours. */
export interface MasterEntry {
  /** Service name, first column. */
  readonly name: string;
  readonly type: ServiceType;
  readonly isPrivate: boolean;
  readonly unprivileged: boolean;
  /** What a dash means depends on compatibility_level. */
  readonly chroot: boolean | "default";
  /** As written. */
  readonly wakeup: string;
  /** As written; a dash is default_process_limit. */
  readonly processLimit: string;
  readonly role: RoleName;
  readonly options: readonly DaemonOption[];
  readonly line: number;
  /** The whole logical line. */
  readonly text: string;
}

/** One option of a daemon. */
export type DaemonOption =
  /** `-o name=value`, or one of the letters that stand for a parameter. */
  | { readonly kind: "parameter"; readonly name: string; readonly value: string }
  | { readonly kind: "verbose" }
  /** Not ours to obey; `text` is as written. */
  | { readonly kind: "dropped"; readonly text: string };

const TYPES = ["inet", "unix", "fifo", "pass", "unix-dgram"] as const;
type ServiceType = (typeof TYPES)[number];

const BLANKS = " \t\r\n";
/** Fields before the arguments. */
const FIELDS = 8;
/** Option letters with an argument (multi_server.c, event_server.c). */
const WITH_ARGUMENT = "imnorst";
/** Letters that stand for a parameter. */
const SHORTCUTS: Readonly<Record<string, string>> = { i: "max_idle", m: "max_use" };
const OPTION_LETTERS = "cdDilmnorsStuvVzZ";

/** Reads our entries. Of entries with the same name and type the last one counts, as in Postfix. */
export function readMasterCf(bytes: Uint8Array, findings: FindingList): MasterEntry[] {
  const entries = new Map<string, MasterEntry>();
  for (const { kind, text, line } of readLogicalLines(bytes, findings)) {
    const place = { line, column: 1 };
    if (kind === "stray") {
      const message = `Skipped: ${quote(text)} continues no line, and Postfix skips it too`;
      findings.add({ severity: "warning", message }, { place });
    }
    if (kind !== "text") continue;
    const entry = readEntry(text, place, findings);
    if (entry === undefined) continue;
    const key = `${entry.name}/${entry.type}`;
    const earlier = entries.get(key);
    if (earlier !== undefined) {
      const message = `The entry of line ${earlier.line} does not count: this one has the same ` +
        "name and type";
      findings.add({ severity: "warning", message }, { place, key });
      entries.delete(key);
    }
    entries.set(key, entry);
  }
  return [...entries.values()];
}

function readEntry(text: string, place: Place, findings: FindingList): MasterEntry | undefined {
  const fail = (message: string, hint: string) => {
    findings.add({ severity: "error", message, hint }, { place });
    return undefined;
  };
  const { fields, rest } = splitFields(text);
  if (fields.length < FIELDS) {
    return fail(
      `Cannot read an entry: ${fields.length} columns in ${quote(text)}, not ${FIELDS}`,
      "service, type, private, unpriv, chroot, wakeup, maxproc, command; a line that continues " +
        "the one above it begins with a blank",
    );
  }
  const [name, type, isPrivate, unprivileged, chroot, wakeup, processLimit, command] = fields;
  // A command is a path below daemon_directory.
  const base = command.slice(command.lastIndexOf("/") + 1);
  const role = ROLE_NAMES.find((known) => known === base);
  if (role === undefined) return undefined;
  const serviceType = TYPES.find((known) => known === type);
  if (serviceType === undefined) {
    return fail(`Cannot read an entry: unknown type ${quote(type)}`, `one of ${TYPES.join(", ")}`);
  }
  for (
    const [column, value] of Object.entries({ private: isPrivate, unpriv: unprivileged, chroot })
  ) {
    if (!/^[yn-]$/.test(value)) {
      return fail(`Cannot read an entry: ${quote(value)} in the column ${column}`, "y, n or -");
    }
  }
  if (!/^(?:-|\d*\??)$/.test(wakeup)) {
    return fail(`Cannot read an entry: ${quote(wakeup)} in the column wakeup`, "seconds, or -");
  }
  if (!/^(?:-|\d+)$/.test(processLimit)) {
    return fail(
      `Cannot read an entry: ${quote(processLimit)} in the column maxproc`,
      "a number, or -",
    );
  }
  const words = splitArguments(rest);
  if ("fault" in words) return fail(words.fault, 'a "{" ends with its "}" and a blank');
  const options = readOptions(words.words);
  if ("fault" in options) return fail(options.fault, options.hint);
  return {
    name,
    type: serviceType,
    isPrivate: isPrivate !== "n",
    unprivileged: unprivileged !== "n",
    chroot: chroot === "-" ? "default" : chroot === "y",
    wakeup,
    processLimit,
    role,
    options: options.options,
    line: place.line,
    text,
  };
}

/** The first eight fields, and what follows them. */
function splitFields(text: string): { fields: string[]; rest: string } {
  const fields: string[] = [];
  let at = 0;
  while (fields.length < FIELDS) {
    while (at < text.length && BLANKS.includes(text[at])) at++;
    const start = at;
    while (at < text.length && !BLANKS.includes(text[at])) at++;
    if (at === start) break;
    fields.push(text.slice(start, at));
  }
  return { fields, rest: text.slice(at) };
}

/** Splits at blanks outside of braces; strips the braces around a word (mystrtokq, extpar). */
function splitArguments(text: string): { words: string[] } | { fault: string } {
  const words: string[] = [];
  for (let at = 0; at < text.length;) {
    if (BLANKS.includes(text[at])) {
      at++;
      continue;
    }
    const start = at;
    let depth = 0;
    let closed = -1;
    for (; at < text.length; at++) {
      const char = text[at];
      if (char === "{") depth++;
      else if (char === "}") {
        if (--depth === 0 && closed < 0) closed = at;
      } else if (depth <= 0 && BLANKS.includes(char)) break;
    }
    const word = text.slice(start, at);
    if (!word.startsWith("{")) words.push(word);
    else if (closed < 0) return { fault: `Cannot read an argument: no "}" ends ${quote(word)}` };
    else if (closed < at - 1) {
      return { fault: `Cannot read an argument: text follows the "}" in ${quote(word)}` };
    } else words.push(trimSpace(word.slice(1, -1)));
  }
  return { words };
}

/** Reads options as getopt(3) does, bundles like `-vo name=value` included. */
function readOptions(
  words: readonly string[],
): { options: DaemonOption[] } | { fault: string; hint: string } {
  const options: DaemonOption[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === "--" || !/^-./s.test(word)) {
      const others = words.slice(word === "--" ? i + 1 : i);
      return {
        options: [...options, ...others.map((text) => ({ kind: "dropped", text }) as const)],
      };
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at];
      if (!OPTION_LETTERS.includes(letter)) {
        return {
          fault: `Cannot read an argument: unknown option -${letter} in ${quote(word)}`,
          hint: "Postfix's daemon refuses it too",
        };
      }
      if (!WITH_ARGUMENT.includes(letter)) {
        options.push(
          letter === "v" ? { kind: "verbose" } : { kind: "dropped", text: `-${letter}` },
        );
        continue;
      }
      const attached = at + 1 < word.length;
      const argument = attached ? word.slice(at + 1) : words[++i];
      const option = withArgument(letter, argument);
      if ("fault" in option) return option;
      options.push(option);
      break;
    }
  }
  return { options };
}

function withArgument(
  letter: string,
  argument: string | undefined,
): DaemonOption | { fault: string; hint: string } {
  if (argument === undefined) {
    return {
      fault: `Cannot read an argument: nothing follows -${letter}`,
      hint: letter === "o" ? "write -o name=value" : `write -${letter} and its value`,
    };
  }
  if (Object.hasOwn(SHORTCUTS, letter)) {
    return { kind: "parameter", name: SHORTCUTS[letter], value: trimSpace(argument) };
  }
  if (letter !== "o") return { kind: "dropped", text: `-${letter} ${argument}` };
  const split = splitParameter(argument);
  if ("fault" in split) {
    const fault = `Cannot read the option -o ${quote(argument)}: it is not name=value`;
    return { fault, hint: "write -o name=value, or -o { name = value } if there are blanks in it" };
  }
  return { kind: "parameter", ...split };
}
