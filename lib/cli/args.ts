/**
 * The command line: words in, one {@linkcode Invocation} out.
 *
 * Only reads and checks; commands.ts acts. Whatever is wrong is one `FatalError` with exit code 64,
 * which suggests the word that was most likely meant.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { EXIT, FatalError } from "../base/errors.ts";
import { nearestName } from "../config/near_miss.ts";
import { ROLE_NAMES, type RoleName } from "../config/parameters.ts";

/** What the words ask for. */
export type Invocation =
  | { readonly kind: "role"; readonly role: RoleName } & SettingsOptions
  | { readonly kind: "config check"; readonly role: RoleName | undefined } & SettingsOptions
  | { readonly kind: "demo"; readonly stay: boolean }
  | { readonly kind: "help"; readonly topic: HelpTopic | undefined }
  | { readonly kind: "version" };

/** Where settings come from. */
export interface SettingsOptions {
  /** Path after `--config`; `-` is standard input. */
  readonly config: string | undefined;
  /** `NAME=VALUE` of each `-o`, in order. */
  readonly overrides: readonly string[];
}

/** Words of `help`. */
export const HELP_TOPICS = ["role", "config", "demo"] as const;

/** One of {@linkcode HELP_TOPICS}. */
export type HelpTopic = (typeof HELP_TOPICS)[number];

/** The commands by their words, and the options that each of them takes. */
const COMMANDS = {
  role: ["role", "config", "o"],
  "config check": ["role", "config", "o"],
  demo: ["stay"],
  help: [],
  version: [],
} as const satisfies Record<Invocation["kind"], readonly string[]>;

const COMMAND_WORDS: readonly string[] = ["config", "demo", "help"];
const CONFIG_WORDS: readonly string[] = ["check"];
const OPTION_WORDS: readonly string[] = [
  "--role",
  "--config",
  "--stay",
  "--help",
  "--version",
  "-o",
  "-h",
];
const SEE_HELP = "`postern help` shows all commands";

/** Options that master(8) and Postfix's own daemons know (master/multi_server.c), `-o` excepted. */
const MASTER_OPTION = /^-[cdDilmnsStuvVzZ]/;

/**
 * Reads `args`, the words after the program's name.
 *
 * @param name what the program was called; `tlsmgr` or `tlsproxy` is as good as `--role`
 */
export function readCommandLine(args: readonly string[], name: string): Invocation {
  const linkedRole = ROLE_NAMES.find((role) => role === name);
  if (linkedRole !== undefined) refuseMaster(args, linkedRole);
  const found = readWords(args);
  if (found.help) return { kind: "help", topic: topicOf(found.words[0]) };
  if (found.version) return demandNoWords({ kind: "version" }, found);
  const [word, ...rest] = found.words;
  switch (word) {
    case undefined:
      return readRole(found, linkedRole);
    case "help":
      return readHelp(found, rest);
    case "config":
      return readConfig(found, rest);
    case "demo":
      if (rest.length > 0) throw unexpected(rest[0]);
      return checkOptions({ kind: "demo", stay: found.stay }, found);
    default:
      throw unknownCommand(word);
  }
}

/** What stands on the line, by the shape of the words alone. */
interface Words {
  readonly words: readonly string[];
  /** Options that were given, by name. */
  readonly given: ReadonlySet<string>;
  readonly role: string | undefined;
  readonly config: string | undefined;
  readonly overrides: readonly string[];
  readonly stay: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

function readWords(args: readonly string[]): Words {
  const unknown: string[] = [];
  const found = parseArgs(separateValues(args), {
    string: ["role", "config", "o"],
    boolean: ["stay", "help", "version"],
    collect: ["o"],
    alias: { help: "h" },
    unknown: (arg) => {
      const isOption = arg.startsWith("-") && arg.length > 1;
      if (isOption) unknown.push(arg);
      return !isOption;
    },
  });
  if (unknown.length > 0) throw unknownOption(unknown[0]);
  const { role, config, o: overrides, stay, help, version } = found;
  if (role === "") throw misuse("--role needs a value", `Write ${roleChoice()}`);
  if (config === "") throw misuse("--config needs a file", "Write --config FILE");
  if (overrides.includes("")) throw misuse("-o needs a value", "Write -o NAME=VALUE");
  const given = new Set<string>();
  if (role !== undefined) given.add("role");
  if (config !== undefined) given.add("config");
  if (overrides.length > 0) given.add("o");
  if (stay) given.add("stay");
  return { words: found._.map(String), given, role, config, overrides, stay, help, version };
}

/** Puts values where every parser of the kind finds them: `-oA=B` becomes two words, `--config -` one. */
function separateValues(args: readonly string[]): string[] {
  const separate: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") return [...separate, arg, ...rest];
    if (/^-o./s.test(arg)) separate.push("-o", arg.slice(2));
    else if (arg === "--config" && rest[0] === "-") separate.push(`${arg}=${rest.shift()}`);
    else separate.push(arg);
  }
  return separate;
}

function readRole(found: Words, linkedRole: RoleName | undefined): Invocation {
  if (found.role === undefined && linkedRole === undefined) {
    throw misuse("There is no command and no --role", SEE_HELP);
  }
  const role = found.role === undefined ? linkedRole! : roleOf(found.role);
  if (linkedRole !== undefined && role !== linkedRole) {
    throw misuse(
      `--role ${role} contradicts the name of the program, ${linkedRole}`,
      "Start postern under its own name, or leave --role out",
    );
  }
  const { config, overrides } = found;
  return checkOptions({ kind: "role", role, config, overrides }, found);
}

function readConfig(found: Words, rest: readonly string[]): Invocation {
  const [word, ...more] = rest;
  if (word === undefined) {
    throw misuse("`config` needs a second word", `Write postern config ${CONFIG_WORDS.join("|")}`);
  }
  if (!CONFIG_WORDS.includes(word)) {
    throw misuse(`Unknown command "config ${word}"`, suggestion(word, CONFIG_WORDS));
  }
  if (more.length > 0) throw unexpected(more[0]);
  const { config, overrides } = found;
  const role = found.role === undefined ? undefined : roleOf(found.role);
  return checkOptions({ kind: "config check", role, config, overrides }, found);
}

function readHelp(found: Words, rest: readonly string[]): Invocation {
  const [word, ...more] = rest;
  const topic = topicOf(word);
  if (word !== undefined && topic === undefined) {
    throw misuse(`Unknown command "${word}" after help`, suggestion(word, HELP_TOPICS));
  }
  // `help config check` is about `config`.
  if (more.length > 0 && !(topic === "config" && CONFIG_WORDS.includes(more[0]))) {
    throw unexpected(more[0]);
  }
  return checkOptions({ kind: "help", topic }, found);
}

function topicOf(word: string | undefined): HelpTopic | undefined {
  return HELP_TOPICS.find((topic) => topic === word);
}

function roleOf(word: string): RoleName {
  const role = ROLE_NAMES.find((name) => name === word);
  if (role !== undefined) return role;
  const near = nearestName(word, ROLE_NAMES);
  throw misuse(
    `Unknown role "${word}"`,
    near === undefined ? `Write ${roleChoice()}` : `Did you mean --role ${near}?`,
  );
}

function roleChoice(): string {
  return ROLE_NAMES.map((name) => `--role ${name}`).join(" or ");
}

/** The invocation, unless an option was given that its command does not take. */
function checkOptions(invocation: Invocation, found: Words): Invocation {
  const taken: readonly string[] = COMMANDS[invocation.kind];
  for (const option of found.given) {
    if (taken.includes(option)) continue;
    const written = option.length === 1 ? `-${option}` : `--${option}`;
    const command = invocation.kind === "role" ? "--role" : invocation.kind;
    throw misuse(`${written} does not go with ${command}`, SEE_HELP);
  }
  return invocation;
}

function demandNoWords(invocation: Invocation, found: Words): Invocation {
  if (found.words.length > 0) throw unexpected(found.words[0]);
  return checkOptions(invocation, found);
}

function refuseMaster(args: readonly string[], role: RoleName): void {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  if (!options.some((arg) => MASTER_OPTION.test(arg))) return;
  throw new FatalError(`Cannot run ${role} under master(8): this version does not speak to it`, {
    hint: `Take ${role} out of master.cf, and start postern --role ${role} --config FILE as a ` +
      "service of its own",
  });
}

function unknownCommand(word: string): FatalError {
  if (ROLE_NAMES.some((role) => role === word)) {
    return misuse(`Unknown command "${word}"`, `Write postern --role ${word}`);
  }
  return misuse(`Unknown command "${word}"`, suggestion(word, COMMAND_WORDS));
}

function unknownOption(arg: string): FatalError {
  const word = arg.replace(/=.*$/s, "");
  return misuse(`Unknown option ${word}`, suggestion(word, OPTION_WORDS));
}

function suggestion(word: string, known: readonly string[]): string {
  const near = nearestName(word, known) ?? known.find((name) => name.startsWith(word));
  return near === undefined ? SEE_HELP : `Did you mean ${near}? ${SEE_HELP}`;
}

function unexpected(word: string): FatalError {
  return misuse(`Unexpected word "${word}"`, SEE_HELP);
}

function misuse(message: string, hint: string): FatalError {
  return new FatalError(message, { hint, exitCode: EXIT.usage });
}
