/**
 * `postern reload`: has services read their settings again, waits for what comes of it, and tells.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../../base/errors.ts";
import { defineCommand } from "../command.ts";
import { askAt, DESK_OPTIONS, type DeskPlace, type DeskWish, findDesks } from "../desk/find.ts";
import { describeFatal } from "../failure.ts";
import { print, printError } from "../output.ts";

/** Files are read, keys loaded, and handshakes tried; other reloads may come first. */
const LIMIT_MS = 120_000;

/** `postern reload`. */
export const RELOAD = defineCommand({
  words: ["reload"],
  summary: "have a service read its settings and certificates again",
  about: `\
Asks the services that FILE describes, or one of them, to read their settings, keys and certificates
again, waits until that is done, and prints what they found: mistakes, and what takes a restart.
Whatever is wrong, the settings before stay in force, and nobody's session ends.

SIGHUP does the same without telling; so does \`systemctl reload\`, which asks through this command.

Exit codes: 0 the settings are in force; 78 they have errors or cannot be served, and the service
goes on as it was; 69 the service cannot be reached.`,
  options: DESK_OPTIONS,
  example: "postern reload --role tlsproxy",
  run: (options) => runReload(options),
});

async function runReload(wish: DeskWish): Promise<ExitCode> {
  const codes = new Set<ExitCode>();
  for (const place of findDesks(wish)) codes.add(await reloadAt(place));
  if (codes.has(EXIT.config)) return EXIT.config;
  return codes.has(EXIT.unavailable) ? EXIT.unavailable : EXIT.ok;
}

/** Others are asked whatever becomes of one. */
async function reloadAt(place: DeskPlace): Promise<ExitCode> {
  try {
    const answer = await askAt(place, { method: "POST", target: "/reload", limitMs: LIMIT_MS });
    const { fault, lines } = readOutcome(place.title, answer.body);
    if (lines.length > 0) printError(`${lines.join("\n")}\n`);
    if (fault === undefined) {
      print(`${place.title}: the settings are in force\n`);
      return EXIT.ok;
    }
    printError(describeFatal(
      new FatalError(`Cannot reload ${place.title}: ${fault}`, {
        hint: "The settings before stay in force; correct the file, and reload again",
      }),
    ));
    return EXIT.config;
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    printError(describeFatal(error));
    return error.exitCode;
  }
}

/** What the service says. Throws a `FatalError` (unavailable) when it is no such answer. */
export function readOutcome(
  title: string,
  body: string,
): { readonly fault: string | undefined; readonly lines: readonly string[] } {
  const said = parse(body);
  if (typeof said === "object" && said !== null && "fault" in said && "lines" in said) {
    const { fault, lines } = said;
    if ((fault === null || typeof fault === "string") && Array.isArray(lines)) {
      return { fault: fault ?? undefined, lines: lines.map(String) };
    }
  }
  throw new FatalError(`Cannot reload ${title}: it answers ${JSON.stringify(body.slice(0, 200))}`, {
    hint: "See that the service and this command are of the same version",
    exitCode: EXIT.unavailable,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text of somebody else's, which the caller shows.
    return undefined;
  }
}
