/**
 * What a command is: its words, its options and operands, its help, and what it does.
 *
 * To add a command, write a file that exports one `defineCommand({…})`, and add it to the list in
 * command_table.ts. The command line, `--help`, suggestions and completion words follow from the row.
 * A command of two words is a row like others: `words: ["cache", "stat"]`. What it needs of the rooms
 * that open libraries (FFI) is imported inside `run()`, so that `--help` works where they are missing.
 *
 * @module
 */
import type { ExitCode } from "../base/errors.ts";

/** One option of a command, and how its texts become a value. */
export interface CommandOption<Value> {
  /** As it is written: `--config`, or `-o`. */
  readonly flag: `-${string}`;
  /** What stands behind it, as in `--config FILE`; absent for a switch. */
  readonly argument?: string;
  /** What counts where the flag stands alone; absent: something must stand behind it. */
  readonly standIn?: string;
  /** Whether it may be given again; of others, the last one counts. */
  readonly many?: boolean;
  /** Half a sentence for `--help`, without a period. */
  readonly help: string;
  /** Words that may follow it, for completion. */
  readonly words?: readonly string[];
  /** What the texts mean; none if the option was not given. Throws a `FatalError` (usage). */
  read(texts: readonly string[]): Value;
}

/** Options by the name under which `run()` finds their value. */
export type CommandOptions = Readonly<Record<string, CommandOption<unknown>>>;

/** The values of options. */
export type OptionValues<Options extends CommandOptions> = {
  readonly [Name in keyof Options]: Options[Name] extends CommandOption<infer Value> ? Value
    : never;
};

/** One word that follows the options, or several. */
export interface Operand {
  /** In capitals, as `--help` shows it. */
  readonly name: string;
  /** Half a sentence for `--help`, without a period. */
  readonly help: string;
  /** May be left out; only operands at the end may. */
  readonly optional?: boolean;
  /** May be repeated; only the last operand may. */
  readonly many?: boolean;
  /** Words it may be, for completion. */
  words?(): readonly string[];
}

/** A row of the table of commands. */
export interface Command<Options extends CommandOptions = CommandOptions> {
  /** What follows `postern`; none for the command that is only options, `postern --role ROLE`. */
  readonly words: readonly string[];
  /** For the list of all commands: a verb and its object, without a period. */
  readonly summary: string;
  /** One or more paragraphs, each line of at most 100 characters. */
  readonly about: string;
  readonly options: Options;
  readonly operands: readonly Operand[];
  /** What `--help` ends with: a command line, without the prompt. */
  readonly example: string;
  /** Does it; the exit code. Throws a `FatalError` for what cannot be done. */
  run(options: OptionValues<Options>, operands: readonly string[]): ExitCode | Promise<ExitCode>;
}

/** A row; `run()` sees the values of its own options with their types. */
export function defineCommand<const Options extends CommandOptions>(
  row: Omit<Command<Options>, "operands"> & { readonly operands?: readonly Operand[] },
): Command {
  return { operands: [], ...row };
}

/** `config check`; of the command without words, what it begins with. */
export function titleOf(command: Command): string {
  return command.words.length === 0 ? "--role" : command.words.join(" ");
}
