/**
 * Options that several commands take, and makers of options.
 *
 * @module
 */
import { EXIT, FatalError } from "../base/errors.ts";
import { nearestName } from "../config/near_miss.ts";
import { ROLE_NAMES, type RoleName } from "../config/parameters.ts";
import type { CommandOption } from "./command.ts";

type Flag = CommandOption<unknown>["flag"];

/** A wrong command line: exit code 64. */
export function misuse(message: string, hint: string): FatalError {
  return new FatalError(message, { hint, exitCode: EXIT.usage });
}

/** An option that is given or not. */
export function switchOption(flag: Flag, help: string): CommandOption<boolean> {
  return { flag, help, read: (texts) => texts.length > 0 };
}

/** An option with a text behind it. */
export function textOption(
  flag: Flag,
  argument: string,
  help: string,
): CommandOption<string | undefined> {
  return { flag, argument, help, read: (texts) => texts.at(-1) };
}

/** An option with one of a few words behind it. */
export function choiceOption<const Word extends string>(
  flag: Flag,
  argument: string,
  choice: { readonly words: readonly Word[]; readonly help: string },
): CommandOption<Word | undefined> {
  const { words, help } = choice;
  const read = (texts: readonly string[]): Word | undefined => {
    const text = texts.at(-1);
    if (text === undefined) return undefined;
    const word = words.find((known) => known === text);
    if (word !== undefined) return word;
    const near = nearestName(text, words);
    throw misuse(
      `Unknown ${argument.toLowerCase()} "${text}"`,
      near !== undefined
        ? `Did you mean ${flag} ${near}?`
        : `Write ${words.map((known) => `${flag} ${known}`).join(" or ")}`,
    );
  };
  return { flag, argument, help, words, read };
}

/** `--config FILE`: path of the settings file; `-` is standard input. */
export const CONFIG: CommandOption<string | undefined> = textOption(
  "--config",
  "FILE",
  'the settings file, "-" for standard input; /etc/postern/postern.toml if not given',
);

/** `--role ROLE`. */
export const ROLE: CommandOption<RoleName | undefined> = choiceOption("--role", "ROLE", {
  words: ROLE_NAMES,
  help: "tlsmgr or tlsproxy",
});

/** `--instance NAME`. */
export const INSTANCE: CommandOption<string | undefined> = textOption(
  "--instance",
  "NAME",
  "a further service, described by [instance.NAME] in FILE; its role need not be given",
);

/** `-o NAME=VALUE`, in order. */
export const OVERRIDES: CommandOption<readonly string[]> = {
  flag: "-o",
  argument: "NAME=VALUE",
  many: true,
  help: "overrules one parameter of FILE, as -o does in master.cf; may be repeated",
  read: (texts) => texts,
};
