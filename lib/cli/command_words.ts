/**
 * Which words may stand where on the command line, by the table of commands.
 *
 * For the reading of the line, for suggestions, and for whoever completes it in a shell.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { COMMANDS } from "./command_table.ts";

/** Options that every command takes. */
export const HELP_FLAGS: readonly string[] = ["--help", "-h"];

/** Words and options that are no rows of the table. */
const OTHER_WORDS: readonly string[] = ["help"];
const OTHER_FLAGS: readonly string[] = ["--version"];

/** The words before the first option. */
export function leadingWords(args: readonly string[]): readonly string[] {
  const end = args.findIndex((arg) => /^-./s.test(arg));
  return end < 0 ? args : args.slice(0, end);
}

/** As much of `words` as is the beginning of a command. */
export function knownPart(words: readonly string[]): readonly string[] {
  const known: string[] = [];
  while (known.length < words.length && nextWords(known).includes(words[known.length])) {
    known.push(words[known.length]);
  }
  return known;
}

/** The command that consists of just these words. */
export function commandOf(words: readonly string[]): Command | undefined {
  return COMMANDS.find((row) => row.words.length === words.length && startsWith(row.words, words));
}

/** Words of commands that may follow `words`. */
export function nextWords(words: readonly string[]): string[] {
  const next = COMMANDS.filter((row) => startsWith(row.words, words))
    .flatMap((row) => row.words.slice(words.length, words.length + 1));
  return [...new Set([...next, ...(words.length === 0 ? OTHER_WORDS : [])])];
}

/**
 * Everything that may be the next word after `args`, as far as it is known: further words of a command,
 * its options, the values of the option that `args` end with, operands. File names are not.
 */
export function wordsAfter(args: readonly string[]): string[] {
  const known = knownPart(leadingWords(args));
  const command = commandOf(known);
  const options = Object.values(command?.options ?? {});
  const option = options.find(({ flag }) => flag === args.at(-1));
  if (option?.argument !== undefined) return [...option.words ?? []];
  const inner = args.length === known.length ? nextWords(known) : [];
  const operands = command?.operands.flatMap((operand) => [...operand.words?.() ?? []]) ?? [];
  const others = args.length === 0 ? OTHER_FLAGS : [];
  return [...inner, ...options.map(({ flag }) => flag), ...HELP_FLAGS, ...others, ...operands];
}

function startsWith(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, i) => words[i] === word);
}
