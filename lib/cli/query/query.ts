/**
 * `postern query`: one request to a running tlsmgr, ours or Postfix's.
 *
 * What would let its reader decrypt recorded connections, a session or a ticket key, is printed only
 * when it is asked for by name; whatever a terminal shows ends up in logs and tickets.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../../base/errors.ts";
import { TLSMGR_STATUS } from "../../proto/tlsmgr.ts";
import { type CommandOption, defineCommand } from "../command.ts";
import { misuse, switchOption, textOption } from "../options.ts";
import { print } from "../output.ts";
import { loadSettingsText, readSettingsText } from "../settings_file.ts";
import { findOpenSsl } from "../version.ts";
import { BASE64, type Encoding, HEX } from "./encoding.ts";
import { readRequest, REQUEST_WORDS } from "./request.ts";
import { replyJson, replyText } from "./reply_text.ts";

/** Longest time limit, seconds: a day. */
const LIMIT_MAX_S = 86_400;
const LIMIT_S = 10;

const TIME_LIMIT: CommandOption<number> = {
  flag: "--time-limit",
  argument: "SECONDS",
  help: `gives up when there is no reply after this time; ${LIMIT_S} if not given`,
  read(texts) {
    const text = texts.at(-1) ?? String(LIMIT_S);
    const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (seconds >= 1 && seconds <= LIMIT_MAX_S) return seconds;
    throw misuse(
      `--time-limit is "${text}"`,
      `Write a whole number of seconds from 1 to ${LIMIT_MAX_S}`,
    );
  },
};

/** `postern query`. */
export const QUERY = defineCommand({
  words: ["query"],
  summary: "ask a running tlsmgr",
  about: `\
Sends one request to the tlsmgr that listens at SOCKET, which may be Postfix's own, or at the socket
that FILE names, and prints the reply. A socket below queue_directory/private lets only root and
Postfix itself in. REQUEST and its ARGUMENTs are:

    seed N                   N random bytes, 1 to 255
    policy CACHE             whether a cache has a database, and how long its sessions live
    lookup CACHE ID          the session that is stored as ID
    update CACHE ID DATA     stores DATA as ID
    delete CACHE ID          removes what is stored as ID
    tktkey [NAME]            the key to encrypt session tickets with, or the one called NAME

CACHE is smtpd, smtp or lmtp. DATA, NAME and printed bytes are base64, or hexadecimal with --hex.
DATA may be "-": it is then read from standard input. For arguments that begin with a dash, write --
before SOCKET.

Of a session, only the size is printed, and of a key its name and the end of its time, unless
--show-secrets says otherwise. Both decrypt recorded connections: keep them out of logs and mails.

With --json: an object with request, status, result (ok, err, fail) and what the reply has: seed,
cachable, timeout, session_bytes, session, key_bytes, key_name, key_encrypts_until (unix seconds),
key.

Exit codes: 0 done; 1 nothing was found or done (status -1); 2 the request was refused (status -2):
an unknown cache, one without a database, or an argument that tlsmgr does not take; 69 tlsmgr cannot
be reached, or does not reply in time.`,
  options: {
    config: textOption(
      "--config",
      "FILE",
      'the settings file that names the socket, in the place of SOCKET; "-" for standard input',
    ),
    base64: switchOption("--base64", "bytes are base64, in and out, as on the wire; the default"),
    hex: switchOption("--hex", "bytes are hexadecimal, in and out"),
    json: switchOption("--json", "the reply as a line of JSON"),
    showSecrets: switchOption("--show-secrets", "print sessions and ticket keys, too"),
    timeLimitS: TIME_LIMIT,
  },
  operands: [
    { name: "SOCKET", help: "path of tlsmgr's socket; left out after --config" },
    { name: "REQUEST", help: "one of the words above", optional: true, words: () => REQUEST_WORDS },
    { name: "ARGUMENT", help: "what the request needs", optional: true, many: true },
  ],
  example: "postern query /var/spool/postfix/private/tlsmgr policy smtpd",
  run: (options, operands) => runQuery(options, operands),
});

interface QueryOptions {
  readonly config: string | undefined;
  readonly base64: boolean;
  readonly hex: boolean;
  readonly json: boolean;
  readonly showSecrets: boolean;
  readonly timeLimitS: number;
}

async function runQuery(options: QueryOptions, operands: readonly string[]): Promise<ExitCode> {
  if (options.base64 && options.hex) {
    throw misuse("--base64 does not go with --hex", "Write one of them");
  }
  const encoding: Encoding = options.hex ? HEX : BASE64;
  const words = options.config === undefined ? operands.slice(1) : operands;
  if (options.config === undefined) refuseRequest(operands[0]);
  const request = readRequest(words, encoding);
  const openSsl = await findOpenSsl();
  const socket = options.config === undefined ? operands[0] : socketFrom(options.config);
  // Asked first, because what asks cannot be loaded without it.
  if ("fault" in openSsl) throw openSsl.fault;
  const { askTlsmgr } = await import("./ask.ts");
  const reply = askTlsmgr(socket, request, { limitMs: options.timeLimitS * 1000 });
  const shown = { request, reply, encoding, showSecrets: options.showSecrets };
  print(options.json ? replyJson(shown) : replyText(shown));
  return exitCodeOf(reply.status);
}

/** A request where the socket should be is a socket that was forgotten. */
function refuseRequest(socket: string): void {
  if (!(REQUEST_WORDS as readonly string[]).includes(socket)) return;
  throw misuse(
    `There is no socket before "${socket}"`,
    `Write the path of tlsmgr's socket first, or --config FILE; a file that is called ${socket} ` +
      `is ./${socket}`,
  );
}

function socketFrom(config: string): string {
  const source = readSettingsText(config);
  const { settings } = loadSettingsText(source, { role: "tlsmgr", overrides: [] });
  if (settings !== undefined) return settings.service.socket;
  throw new FatalError(`Cannot find tlsmgr's socket: the settings in ${source.name} have errors`, {
    hint: "`postern config check` shows them; or write the path of the socket",
  });
}

function exitCodeOf(status: number): ExitCode {
  if (status === TLSMGR_STATUS.ok) return EXIT.ok;
  return status === TLSMGR_STATUS.err ? EXIT.nothing : EXIT.refused;
}
