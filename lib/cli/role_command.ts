/**
 * `postern --role ROLE` and `postern --instance NAME`: settings in, a running daemon out.
 *
 * Everything that can be known to be wrong before a thread starts is said here.
 *
 * @module
 */
import { type ExitCode, FatalError } from "../base/errors.ts";
import type { RoleName, Settings } from "../config/settings.ts";
import { markFile } from "../daemon/file_marks.ts";
import { defineCommand } from "./command.ts";
import { STANDARD_INPUT } from "./input_file.ts";
import { type ServiceName, serviceTitle } from "../config/services.ts";
import { CONFIG, INSTANCE, misuse, OVERRIDES, ROLE } from "./options.ts";
import { printError } from "./output.ts";
import { chooseInstance, type ServiceWish } from "./service_choice.ts";
import {
  DEFAULT_SETTINGS_FILE,
  loadSettingsText,
  readSettingsText,
  type SettingsText,
} from "./settings_file.ts";
import { findOpenSsl } from "./version.ts";

/** `postern --role ROLE`. */
export const RUN_ROLE = defineCommand({
  words: [],
  summary: "run the session cache service or the TLS proxy",
  about: `\
Runs a service in the foreground; started through a link that is called tlsmgr or tlsproxy,
postern needs no --role. Clients are served on the socket private/tlsmgr or private/tlsproxy
below queue_directory, unless [service.ROLE] socket says otherwise. Log lines go to standard
error, unless [log] destination says otherwise; one of them says "ready".

With --instance NAME it is the further service that [instance.NAME] describes, on the socket
private/NAME unless [instance.NAME] socket says otherwise.

SIGTERM or SIGINT ends the service when its sessions have ended, a second one at once. SIGHUP reads
the settings, keys and certificates again: sessions that are open end under the old ones, and
whatever is wrong with the new ones leaves the old ones in force.`,
  options: { role: ROLE, instance: INSTANCE, config: CONFIG, overrides: OVERRIDES },
  example: "postern --role tlsproxy --config postern.toml -o smtpd_tls_loglevel=1",
  run({ role, instance, config, overrides }) {
    const choose = chooserOf({ role, instance });
    if (choose === undefined) {
      throw misuse("There is no command and no --role", "`postern help` shows all commands");
    }
    return runService({ choose, config, overrides });
  },
});

/** Says which of the services of a file is meant. Throws {@linkcode FatalError}. */
type Chooser = (source: SettingsText) => ServiceName;

function chooserOf({ role, instance }: ServiceWish): Chooser | undefined {
  if (instance !== undefined) return (source) => chooseInstance(source, { role, instance });
  return role === undefined ? undefined : () => ({ role });
}

interface ServiceCommand {
  readonly choose: Chooser;
  /** Path of the settings file; absent: the default one. */
  readonly config: string | undefined;
  readonly overrides: readonly string[];
}

/** The service thread of each role. */
export const WORKERS: Readonly<Record<RoleName, URL>> = {
  tlsmgr: new URL("../tlsmgr/worker.ts", import.meta.url),
  tlsproxy: new URL("../tlsproxy/worker.ts", import.meta.url),
};

/** How many service threads there are to be. */
export function threadsOf({ service }: Settings): number {
  return service.workers || navigator.hardwareConcurrency;
}

/** A path that is still right when the role has gone to queue_directory. */
function fromAnywhere(config: string | undefined): string | undefined {
  if (config === undefined || config === STANDARD_INPUT || config.startsWith("/")) return config;
  return `${Deno.cwd()}/${config}`;
}

/** Runs the service until it ends. */
async function runService({ choose, overrides, ...command }: ServiceCommand): Promise<ExitCode> {
  const config = fromAnywhere(command.config);
  // Before it is read, so that no change of it goes unnoticed.
  const settingsMark = markFile(config ?? DEFAULT_SETTINGS_FILE);
  const source = readSettingsText(config);
  const service = choose(source);
  const openSsl = await findOpenSsl();
  if ("fault" in openSsl) throw openSsl.fault;
  const request = { ...service, overrides, openSslVersionNumber: openSsl.number };
  const { settings, lines } = loadSettingsText(source, request);
  if (lines.length > 0) printError(lines.join("\n") + "\n");
  if (settings === undefined) {
    const title = serviceTitle(service);
    throw new FatalError(`Cannot start ${title}: the settings in ${source.name} have errors`, {
      hint: "Correct the lines above; `postern config check` shows them again",
    });
  }
  // Not imported above: a machine without glibc shall get a sentence, and --help anyway.
  const { runRole } = await import("../daemon/run.ts");
  return await runRole({
    ...(config !== STANDARD_INPUT && {
      reread: () => {
        const loaded = loadSettingsText(readSettingsText(config), request);
        const threads = loaded.settings === undefined ? 0 : threadsOf(loaded.settings);
        return { ...loaded, threads };
      },
    }),
    settings,
    settingsFile: source.name,
    ...(config !== STANDARD_INPUT && { settingsMark }),
    endsProcess: true,
    worker: WORKERS[settings.role],
    threads: threadsOf(settings),
  });
}
