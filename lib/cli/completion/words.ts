/**
 * What may stand where on the command line, as the scripts of all shells need it.
 *
 * @module
 */
import { type Command, titleOf } from "../command.ts";
import { COMMANDS } from "../command_table.ts";
import { nextWords } from "../command_words.ts";
import { allNames } from "../config/listing.ts";
import { topicNames } from "../manual/topics.ts";
import { PARAMETERS } from "../../config/parameters.ts";

/** What follows an option, or stands as an operand: one of some words, or the name of a file. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** One of the lists of {@linkcode LISTS}, which are long and stand in a script once. */
  | { readonly kind: "list"; readonly list: ListName }
  | { readonly kind: "file" }
  | { readonly kind: "unknown" };

/** An option. */
export interface CompletedOption {
  readonly flag: string;
  readonly help: string;
  /** Absent: nothing follows it. */
  readonly values?: Values;
}

/** A place on the command line: after the words of a command, or after some of them. */
export interface Stage {
  /** `config check`; empty after `postern` alone. */
  readonly title: string;
  /** Words that lead on, each with a line of help. */
  readonly next: readonly (readonly [word: string, help: string])[];
  readonly options: readonly CompletedOption[];
  readonly operands: Values;
}

/** Words that several stages share. */
export const LISTS = {
  /** `postern config show NAME` */
  names: allNames,
  /** `postern help TOPIC` */
  topics: topicNames,
  /** `-o NAME=VALUE`: an equals sign and a value follow. */
  parameters: () => Object.keys(PARAMETERS),
} as const;

export type ListName = keyof typeof LISTS;

/** What stands for a path in help. */
const FILE_WORDS: readonly string[] = ["FILE", "MAIN_CF", "MASTER_CF", "SOCKET"];

const HELP: CompletedOption = { flag: "--help", help: "explain the command" };

/** All stages, the first of them the one after `postern`. */
export function stages(): Stage[] {
  const titles = new Set([""]);
  for (const { words } of COMMANDS) {
    words.forEach((_, i) => titles.add(words.slice(0, i + 1).join(" ")));
  }
  const groups = [...titles].filter((title) =>
    title !== "" && nextWords(title.split(" ")).length > 0
  );
  return [...[...titles].map(stageOf), helpStage([]), ...groups.map((title) => helpStage([title]))];
}

function stageOf(title: string): Stage {
  const words = title === "" ? [] : title.split(" ");
  const row = COMMANDS.find((known) => known.words.join(" ") === title);
  const version = { flag: "--version", help: "print the versions of all parts" };
  return {
    title,
    next: nextWords(words).map((word) => [word, helpOf([...words, word])]),
    options: [...optionsOf(row), HELP, ...(title === "" ? [version] : [])],
    operands: operandsOf(row),
  };
}

/** `postern help TOPIC`, which also takes the words of commands. */
function helpStage(words: readonly string[]): Stage {
  const next = nextWords(words).filter((word) => word !== "help")
    .map((word) => [word, helpOf([...words, word])] as const);
  return {
    title: ["help", ...words].join(" "),
    next,
    options: [],
    operands: words.length === 0 ? { kind: "list", list: "topics" } : { kind: "unknown" },
  };
}

/** A line about the command, or about those that begin with these words. */
function helpOf(words: readonly string[]): string {
  if (words[0] === "help") return "explain a command, a parameter or a key";
  const rows = COMMANDS.filter((row) => words.every((word, i) => row.words[i] === word));
  if (rows.length === 1 && titleOf(rows[0]) === words.join(" ")) return rows[0].summary;
  return rows.map((row) => row.words[words.length]).join(", ");
}

function optionsOf(row: Command | undefined): CompletedOption[] {
  return Object.values(row?.options ?? {}).map(({ flag, help, argument, words }) => ({
    flag,
    help,
    ...(argument !== undefined && { values: valuesOf(argument, words) }),
  }));
}

function operandsOf(row: Command | undefined): Values {
  const [first] = row?.operands ?? [];
  return first === undefined ? { kind: "unknown" } : valuesOf(first.name, first.words?.());
}

function valuesOf(name: string, words: readonly string[] | undefined): Values {
  if (name === "NAME=VALUE") return { kind: "list", list: "parameters" };
  if (FILE_WORDS.includes(name)) return { kind: "file" };
  if (words === undefined) return { kind: "unknown" };
  return isNameList(words) ? { kind: "list", list: "names" } : { kind: "words", words };
}

function isNameList(words: readonly string[]): boolean {
  const names = LISTS.names();
  return words.length === names.length && words.every((word, i) => word === names[i]);
}
