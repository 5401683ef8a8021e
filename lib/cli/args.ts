/**
 * The command line: words in, one {@linkcode Invocation} out.
 *
 * Only reads and checks; what a command does is in its row. Whatever is wrong is one `FatalError` with
 * exit code 64, which suggests the word that was most likely meant.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import type { FatalError } from "../base/errors.ts";
import { nearestName } from "../config/near_miss.ts";
import { ROLE_NAMES, type RoleName } from "../config/parameters.ts";
import { type Command, type CommandOption, titleOf } from "./command.ts";
import { COMMANDS } from "./command_table.ts";
import {
  commandOf,
  HELP_FLAGS,
  knownPart,
  leadingWords,
  nextWords,
  wordsAfter,
} from "./command_words.ts";
import { areMasterArguments } from "./master_options.ts";
import { isTopic, suggestTopic } from "./manual/topics.ts";
import { misuse } from "./options.ts";

/** What the words ask for. */
export type Invocation =
  | {
    readonly kind: "run";
    readonly command: Command;
    /** Values of the command's options, by their names in the row. */
    readonly options: Readonly<Record<string, unknown>>;
    readonly operands: readonly string[];
  }
  /** Help about the commands whose titles begin with `topic`; about everything, if it is empty. */
  | { readonly kind: "help"; readonly topic: readonly string[] }
  /** A page of the manual, a parameter, one of our own keys, or a table of them. */
  | { readonly kind: "manual"; readonly topic: string }
  /** A role, started by master(8) with options of its own. */
  | { readonly kind: "master"; readonly role: RoleName; readonly args: readonly string[] }
  | { readonly kind: "version" };

const SEE_HELP = "`postern help` shows all commands";

/** What help calls the command that has no words. */
const ROLE_TOPIC = "--role";

/**
 * Reads `args`, the words after the program's name.
 *
 * @param name what the program was called; `tlsmgr` or `tlsproxy` is as good as `--role`
 */
export function readCommandLine(args: readonly string[], name: string): Invocation {
  const linkedRole = ROLE_NAMES.find((role) => role === name);
  if (linkedRole !== undefined && areMasterArguments(args)) {
    return { kind: "master", role: linkedRole, args };
  }
  const words = leadingWords(args);
  if (words[0] === "help") return readHelp(words, args);
  if (beforeOperands(args).some((arg) => HELP_FLAGS.includes(arg))) {
    const onlyOptions = words.length === 0 && args.some((arg) => !HELP_FLAGS.includes(arg));
    return { kind: "help", topic: onlyOptions ? [ROLE_TOPIC] : knownPart(words) };
  }
  if (args[0] === "--version") {
    if (args.length > 1) throw unexpected(args[1]);
    return { kind: "version" };
  }
  const command = findCommand(words);
  const rest = args.slice(command.words.length);
  return readOptions(command, command.words.length === 0 ? linked(rest, linkedRole) : rest);
}

function beforeOperands(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** The command with the most words that `words` begin with. */
function findCommand(words: readonly string[]): Command {
  const known = knownPart(words);
  const command = commandOf(known);
  const next = words[known.length];
  if (command !== undefined && (known.length > 0 || next === undefined)) return command;
  if (next !== undefined) throw unknownCommand(next, known);
  throw misuse(
    `\`${known.join(" ")}\` needs another word`,
    `Write postern ${known.join(" ")} ${nextWords(known).join("|")}`,
  );
}

function readHelp(words: readonly string[], args: readonly string[]): Invocation {
  const topic = words.slice(1);
  if (topic.length === 0 && args[1] === ROLE_TOPIC) return { kind: "help", topic: [ROLE_TOPIC] };
  const known = knownPart(topic);
  const [word, after] = topic.slice(known.length);
  const isManual = known.length === 0 && word !== undefined && isTopic(word);
  const extra = isManual ? after : nextWords(known).length === 0 ? word : undefined;
  if (extra !== undefined) throw unexpected(extra);
  if (word !== undefined && !isManual) throw unknownTopic(word, known);
  const option = args.slice(words.length).find((arg) => !HELP_FLAGS.includes(arg));
  if (option !== undefined) throw misuse(`${option} does not go with help`, SEE_HELP);
  return isManual ? { kind: "manual", topic: word } : { kind: "help", topic };
}

/** `args` with the role that the program's name says. */
function linked(args: readonly string[], role: RoleName | undefined): readonly string[] {
  return role === undefined ? args : [`--role=${role}`, ...args];
}

function readOptions(command: Command, args: readonly string[]): Invocation {
  const rows = Object.entries(command.options);
  const texts = separate(command, args);
  // In the order that all parsers of the kind read alike: options, each with its value, then operands.
  const found: Record<string, unknown> = parseArgs([...texts.options, "--", ...texts.operands], {
    string: [...rows.filter(([, row]) => row.argument).map(([, row]) => bare(row)), "_"],
    boolean: rows.filter(([, row]) => !row.argument).map(([, row]) => bare(row)),
    collect: rows.filter(([, row]) => row.argument).map(([, row]) => bare(row)),
  });
  const options = rows.map(([name, row]) => {
    const value = found[bare(row)];
    const given = Array.isArray(value) ? value.map(String) : value === true ? [""] : [];
    if (given.length > 1 && command.words.length === 0) refuseContradiction(row, given);
    return [name, row.read(given)] as const;
  });
  const operands = Array.isArray(found._) ? found._.map(String) : [];
  checkOperands(command, operands);
  return { kind: "run", command, options: Object.fromEntries(options), operands };
}

/** The name of an option without its dashes. */
function bare(row: CommandOption<unknown>): string {
  return row.flag.replace(/^-+/, "");
}

/** Tells options from operands; `--name VALUE` becomes `--name=VALUE`, `-nx` becomes `-n -x`. */
function separate(
  command: Command,
  args: readonly string[],
): { options: string[]; operands: string[] } {
  const options: string[] = [];
  const operands: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") return { options, operands: [...operands, ...rest] };
    if (!/^-./s.test(arg)) {
      operands.push(arg);
      continue;
    }
    const long = arg.startsWith("--");
    const [, flag, equals, tail] = long ? /^(--[^=]*)(=?)(.*)$/s.exec(arg)! : shortParts(arg);
    const row = findOption(command, flag);
    if (row.argument === undefined) {
      if (equals !== "") throw misuse(`${flag} takes no value`, `Write ${flag} alone`);
      options.push(flag);
      if (tail !== "") rest.unshift(`-${tail}`);
      continue;
    }
    const attached = equals !== "" || tail !== "";
    const given = attached ? tail : takeValue(rest);
    const value = given === "" ? row.standIn ?? "" : given;
    if (value === "") throw misuse(`${flag} needs a value`, `Write ${flag} ${row.argument}`);
    if (long) options.push(`${flag}=${value}`);
    else options.push(flag, value);
  }
  return { options, operands };
}

function shortParts(arg: string): readonly [string, string, string, string] {
  return [arg, arg.slice(0, 2), "", arg.slice(2)];
}

/** The word after an option, unless it is an option too; a lone dash is none. */
function takeValue(rest: string[]): string {
  return rest.length === 0 || /^-./s.test(rest[0]) ? "" : rest.shift()!;
}

function findOption(command: Command, flag: string): CommandOption<unknown> {
  const rows = Object.values(command.options);
  const row = rows.find((known) => known.flag === flag);
  if (row !== undefined) return row;
  const everywhere = COMMANDS.flatMap(({ options }) => Object.values(options));
  if (everywhere.some((known) => known.flag === flag)) {
    throw misuse(`${flag} does not go with ${titleOf(command)}`, seeHelp(command));
  }
  const known = wordsAfter(command.words).filter((word) => word.startsWith("-"));
  throw misuse(`Unknown option ${flag}`, suggestion(flag, known, seeHelp(command)));
}

function seeHelp({ words }: Command): string {
  return words.length === 0 ? SEE_HELP : `\`postern ${words.join(" ")} --help\` shows its options`;
}

function refuseContradiction(row: CommandOption<unknown>, given: readonly string[]): void {
  if (row.flag !== "--role" || given.every((role) => role === given[0])) return;
  throw misuse(
    `--role ${given.at(-1)} contradicts the name of the program, ${given[0]}`,
    "Start postern under its own name, or leave --role out",
  );
}

function checkOperands(command: Command, given: readonly string[]): void {
  const { operands } = command;
  const last = operands.at(-1);
  if (given.length > operands.length && last?.many !== true) {
    throw unexpected(given[operands.length], seeHelp(command));
  }
  const missing = operands.slice(given.length).find(({ optional }) => optional !== true);
  if (missing === undefined) return;
  throw misuse(
    `\`postern ${titleOf(command)}\` needs ${missing.name}: ${missing.help}`,
    seeHelp(command),
  );
}

function unknownCommand(word: string, before: readonly string[]): FatalError {
  const message = `Unknown command "${[...before, word].join(" ")}"`;
  if (before.length === 0 && ROLE_NAMES.some((role) => role === word)) {
    return misuse(message, `Write postern --role ${word}`);
  }
  return misuse(message, suggestion(word, nextWords(before), SEE_HELP));
}

function unknownTopic(word: string, before: readonly string[]): FatalError {
  if (before.length > 0) return unknownCommand(word, before);
  const hint = suggestTopic(word, nextWords([])) ?? "`postern help postern` begins the manual";
  return misuse(`Unknown topic "${word}"`, hint);
}

function suggestion(word: string, known: readonly string[], otherwise: string): string {
  const near = nearestName(word, known) ?? known.find((name) => name.startsWith(word));
  return near === undefined ? otherwise : `Did you mean ${near}? ${otherwise}`;
}

function unexpected(word: string, hint = SEE_HELP): FatalError {
  return misuse(`Unexpected word "${word}"`, hint);
}
