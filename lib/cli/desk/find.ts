/**
 * Where the services are that a command line means, and what to say when one cannot be reached.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import { loadSettings } from "../../config/settings.ts";
import { serviceTitle } from "../../config/services.ts";
import { controlPaths } from "../../daemon/desk/place.ts";
import type { CommandOption } from "../command.ts";
import { CONFIG, INSTANCE, misuse, ROLE, textOption } from "../options.ts";
import { chooseServices, type ServiceWish } from "../service_choice.ts";
import { readSettingsText } from "../settings_file.ts";
import { askDesk, type DeskAnswer, type Question } from "./ask.ts";

/** What a command line says. */
export interface DeskWish extends ServiceWish {
  readonly config: string | undefined;
  /** Path of a control socket; the settings are not read then. */
  readonly control: string | undefined;
}

/** Options of the commands that ask a service. */
export const DESK_OPTIONS = {
  role: ROLE,
  instance: INSTANCE,
  config: CONFIG,
  control: textOption(
    "--control",
    "PATH",
    "the control socket to ask; the settings file is not read then",
  ),
} as const satisfies Record<string, CommandOption<unknown>>;

/** A service, and where it may be reached. */
export interface DeskPlace {
  /** For people: `tlsproxy`, `instance edge of tlsproxy`; a path where nothing else is known. */
  readonly title: string;
  /** To be tried in this order. */
  readonly paths: readonly string[];
}

/** The services that are meant. Throws {@linkcode FatalError}. */
export function findDesks(wish: DeskWish): readonly DeskPlace[] {
  const { role, instance, config, control } = wish;
  if (control !== undefined) {
    if (role !== undefined || instance !== undefined || config !== undefined) {
      throw misuse(
        "--control names a service, and so does another option",
        "Write --control alone, or leave it out",
      );
    }
    return [{ title: control, paths: [control] }];
  }
  const source = readSettingsText(config);
  return chooseServices(source, { role, instance }).map((service) => {
    const { text, name: file } = source;
    // With errors in the file the service goes on as it was, and is where it was.
    const { whereabouts } = loadSettings({ text, file, ...service, overrides: [] });
    const paths = whereabouts === undefined ? [] : controlPaths(whereabouts);
    return { title: serviceTitle(service), paths };
  });
}

/** Asks the first of the places that answers. Throws a `FatalError` (unavailable) when none does. */
export async function askAt({ title, paths }: DeskPlace, question: Question): Promise<DeskAnswer> {
  const tried: string[] = [];
  for (const path of paths) {
    const answer = await askDesk(path, question);
    if ("status" in answer) return answer;
    tried.push(`${path}: ${answer.why}`);
  }
  if (tried.length === 0) {
    throw new FatalError(`Cannot ask ${title}: its settings say that it has no control socket`, {
      hint: "Set control below [service.ROLE], and restart it",
      exitCode: EXIT.unavailable,
    });
  }
  throw new FatalError(`Cannot ask ${title}: ${tried.join("; ")}`, {
    hint: tried.some((text) => text.endsWith("permission denied"))
      ? "Ask as root, or as the account of the service"
      : "See that it runs, with this settings file; under master(8) there is no such socket unless " +
        "[service.ROLE] control names one",
    exitCode: EXIT.unavailable,
  });
}
