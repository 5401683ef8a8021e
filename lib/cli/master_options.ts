/**
 * The command line that master(8) gives a daemon: generic options in getopt(3)'s shape.
 *
 * Letters and their meaning are those of Postfix's server skeletons (master/multi_server.c,
 * master/event_server.c). What has no counterpart here is taken and does nothing.
 *
 * @module
 */
import type { RoleName } from "../config/parameters.ts";
import { misuse } from "./options.ts";

/** What master.cf says about the service. */
export interface MasterOptions {
  /** `name=value` of each -o, and of -i and -m, in order. */
  readonly overrides: readonly string[];
  /** -n: what the entry is called; absent where that is the program's own name. */
  readonly serviceName?: string;
  /** -u: become mail_owner. */
  readonly unprivileged: boolean;
  /** -v, as often as it is given. */
  readonly verbose: number;
  /** -c: be shut into queue_directory. */
  readonly chroot: boolean;
}

/** Whether `args` of a program that is called after a role are master's: -t is always there. */
export function areMasterArguments(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((arg) => /^-[cdDilmnrsStuvVzZ]/.test(arg));
}

const WITH_VALUE = "imnorst";
const SWITCHES = "cdDluvVz";
/** Letters that stand for a parameter. */
const SHORTCUTS: Readonly<Record<string, string>> = { i: "max_idle", m: "max_use" };

const HINT = "See master(5) about the columns and options of an entry in master.cf";

/** Reads `args` for `role`. Throws {@linkcode FatalError} for what the role cannot be started with. */
export function readMasterOptions(args: readonly string[], role: RoleName): MasterOptions {
  const letters = new Map<string, string[]>();
  const overrides: string[] = [];
  for (const [letter, value] of readLetters(args)) {
    letters.set(letter, [...letters.get(letter) ?? [], value]);
    if (letter === "o") overrides.push(withoutBlanks(value));
    if (SHORTCUTS[letter] !== undefined) overrides.push(`${SHORTCUTS[letter]}=${value}`);
  }
  const limit = role === "tlsmgr" ? ["l", "1"] : ["z", "0"];
  if (!letters.has(limit[0])) {
    throw misuse(`Service ${role} requires a process limit of ${limit[1]}`, HINT);
  }
  const type = letters.get("t")?.at(-1);
  if (type !== "unix") {
    throw misuse(
      type === undefined ? "No transport type is given (-t)" : `Cannot serve transport ${type}`,
      "The type of the service in master.cf is unix",
    );
  }
  const sockets = letters.get("s")?.at(-1) ?? "1";
  if (sockets !== "1") throw misuse(`Cannot serve ${sockets} sockets: one is served`, HINT);
  const serviceName = letters.get("n")?.at(-1);
  return {
    overrides,
    ...(serviceName !== undefined && { serviceName }),
    verbose: letters.get("v")?.length ?? 0,
    unprivileged: letters.has("u"),
    chroot: letters.has("c"),
  };
}

/** Letters and values in the order of the line; a switch has an empty value. */
function* readLetters(args: readonly string[]): Generator<readonly [string, string]> {
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined && arg !== "--"; arg = rest.shift()) {
    if (!/^-./s.test(arg)) throw misuse(`Unexpected word "${arg}" from master.cf`, HINT);
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at];
      if (WITH_VALUE.includes(letter)) {
        const value = arg.slice(at + 1) || rest.shift();
        if (value === undefined) throw misuse(`Option -${letter} needs a value`, HINT);
        yield [letter, value];
        break;
      }
      if (!SWITCHES.includes(letter)) throw misuse(`Unknown option -${letter}`, HINT);
      yield [letter, ""];
    }
  }
}

/** master(8) takes the braces from `{ name = value }` and leaves the blanks. */
function withoutBlanks(text: string): string {
  const equals = text.indexOf("=");
  if (equals < 0) return text;
  return `${text.slice(0, equals).trim()}=${text.slice(equals + 1).trim()}`;
}
