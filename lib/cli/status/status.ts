/**
 * `postern status`: what services are doing, as they say themselves.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import { type CommandOption, defineCommand } from "../command.ts";
import { DESK_OPTIONS, type DeskWish, findDesks } from "../desk/find.ts";
import { misuse, switchOption } from "../options.ts";
import { print, printError } from "../output.ts";
import { Looker } from "./look.ts";
import { watch } from "./watch.ts";

const INTERVAL_S = 2;
const INTERVAL_MAX_S = 86_400;

const WATCH: CommandOption<number | undefined> = {
  flag: "--watch",
  argument: "[SECONDS]",
  standIn: String(INTERVAL_S),
  help: `look again after this time, ${INTERVAL_S} seconds if not given, until interrupted`,
  read(texts) {
    const text = texts.at(-1);
    if (text === undefined) return undefined;
    const seconds = /^\d{1,5}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
    if (seconds >= 0.1 && seconds <= INTERVAL_MAX_S) return seconds;
    throw misuse(`--watch is "${text}"`, `Write seconds, from 0.1 to ${INTERVAL_MAX_S}`);
  },
};

/** `postern status`. */
export const STATUS = defineCommand({
  words: ["status"],
  summary: "show what a running service is doing",
  about: `\
Asks the services that FILE describes, or one of them, what they are doing, and prints it: state,
threads, sessions or clients, handshakes and resumption, requests, caches, certificates, the last
reload, memory. Only root and the account of a service may ask.

With --watch it looks again and again, and shows how much came in between; on a terminal the screen
is written anew each time. Control-C ends it.

With --json: a line with an object for each service: role, instance, state (starting, serving,
draining), well, version, pid, started, socket, settings, crews, reload and numbers, which are the
metrics by their names. Times are unix seconds.

Exit codes: 0 every service that was asked serves; 69 one cannot be reached, or does not accept
connections at the moment.`,
  options: {
    ...DESK_OPTIONS,
    json: switchOption("--json", "a line of JSON for each service"),
    watch: WATCH,
  },
  example: "postern status --role tlsproxy --watch",
  run: (options) => runStatus(options),
});

interface StatusOptions extends DeskWish {
  readonly json: boolean;
  /** Seconds; absent: one look. */
  readonly watch: number | undefined;
}

async function runStatus(options: StatusOptions): Promise<ExitCode> {
  const { json } = options;
  const looker = new Looker(findDesks(options), { json });
  if (options.watch !== undefined) return await watch(looker, { json, intervalS: options.watch });
  const { text, faults, code } = await looker.look();
  print(text);
  printError(faults);
  return code;
}
