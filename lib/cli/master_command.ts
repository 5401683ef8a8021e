/**
 * A role that Postfix's master(8) has started, through a link that is called after it.
 *
 * The settings are those of postern.toml in Postfix's configuration directory, if there is such a file,
 * and otherwise main.cf as it is. An entry of master.cf with a name of its own is the instance of that
 * name, if postern.toml has one of the role, and otherwise the role's plain service.
 *
 * Nobody reads standard error then: whatever there is to say goes where Postfix's daemons log. Ends as
 * they do: with code 0, or after a fatal line and a second with code 1.
 *
 * @module
 */
import { type ExitCode, FatalError, messageOf } from "../base/errors.ts";
import { formatFinding } from "../config/findings.ts";
import { importSettings } from "../config/import/import_settings.ts";
import { listServices, type ServiceName, serviceTitle } from "../config/services.ts";
import type { RoleName, Settings } from "../config/settings.ts";
import { readInputFile } from "./input_file.ts";
import { type MasterOptions, readMasterOptions } from "./master_options.ts";
import { misuse } from "./options.ts";
import { threadsOf, WORKERS } from "./role_command.ts";
import { loadSettingsText, readSettingsText, type SettingsText } from "./settings_file.ts";
import { findOpenSsl } from "./version.ts";

const CONFIG_DIRECTORY = "/etc/postfix";
/** What makes master(8) wait before it starts the service again. */
const FAILED: ExitCode = 1;
/** Keeps a start that fails at once from being tried in a tight loop (util/msg.c: msg_fatal). */
const FATAL_PAUSE_MS = 1_000;

/** Takes a line. */
type Say = (text: string) => void;

/** Runs `role` as `args` from master(8) say; the exit code. */
export async function runUnderMaster(role: RoleName, args: readonly string[]): Promise<ExitCode> {
  if (Deno.stdin.isTerminal()) {
    throw misuse(
      `Options of master(8) do not go with ${role} at a terminal`,
      "Let master(8) start it, or give --role and --config",
    );
  }
  const { openEarlyLog } = await import("../daemon/early_log.ts");
  const log = openEarlyLog(role);
  try {
    const options = readMasterOptions(args, role);
    const settings = await loadSettings(role, options, (text) => log.warn(text));
    const { runRole } = await import("../daemon/run.ts");
    const code = await runRole({
      settings,
      worker: WORKERS[role],
      threads: threadsOf(settings),
      underMaster: true,
      endsProcess: true,
    });
    if (code === 0) return code;
  } catch (error) {
    const hint = error instanceof FatalError && error.hint !== undefined ? `; ${error.hint}` : "";
    log.fatal(messageOf(error) + hint);
  }
  await new Promise((resolve) => setTimeout(resolve, FATAL_PAUSE_MS));
  return FAILED;
}

async function loadSettings(role: RoleName, options: MasterOptions, warn: Say): Promise<Settings> {
  const openSsl = await findOpenSsl();
  if ("fault" in openSsl) throw openSsl.fault;
  const source = readSource(openSsl.number, warn);
  const { overrides, serviceName } = options;
  const service = serviceOf(source, role, serviceName);
  const loaded = loadSettingsText(source, {
    ...service,
    ...(serviceName !== undefined && { serviceName }),
    overrides,
    openSslVersionNumber: openSsl.number,
  });
  if (source.isToml || loaded.settings === undefined) {
    for (const line of loaded.lines) warn(line);
  }
  if (loaded.settings === undefined) {
    const title = serviceTitle(service);
    throw new FatalError(`Cannot start ${title}: the settings in ${source.name} have errors`, {
      hint: "Correct the lines above",
    });
  }
  return {
    ...loaded.settings,
    log: withVerbose(loaded.settings.log, options.verbose),
    // master.cf decides about rights; an account of postern.toml takes the place of mail_owner.
    service: {
      ...loaded.settings.service,
      mode: "master",
      user: options.unprivileged ? loaded.settings.service.user : "",
      chroot: options.chroot,
    },
  };
}

/** The instance that is called as the entry of master.cf is, or the plain service. */
function serviceOf(
  { text }: SettingsText,
  role: RoleName,
  name: string | undefined,
): ServiceName {
  const isIt = (service: ServiceName) => service.instance === name && service.role === role;
  return (name === undefined ? undefined : listServices(text).find(isIt)) ?? { role };
}

/** -v asks for no less than the settings do. */
function withVerbose(log: Settings["log"], verbose: number): Settings["log"] {
  return { ...log, verbose: Math.max(log.verbose, verbose) };
}

/** The settings as TOML text: a file, or main.cf converted in memory. */
function readSource(openSslVersionNumber: number, warn: Say): SettingsText & { isToml: boolean } {
  const folder = Deno.env.get("MAIL_CONFIG") ?? CONFIG_DIRECTORY;
  const path = `${folder}/postern.toml`;
  if (isThere(path)) return { ...readSettingsText(path), isToml: true };
  const main = readInputFile(`${folder}/main.cf`, {
    what: "settings file",
    hint: "Check MAIL_CONFIG, and the permissions of the file and its folders",
  });
  const { text, findings, differences } = importSettings({
    main,
    configDirectory: folder,
    style: "strings",
    oursOnly: false,
    openSslVersionNumber,
  });
  // Its warnings are for `postern config import`: every process would repeat them.
  for (const finding of findings) {
    if (finding.severity === "error") warn(formatFinding(finding));
  }
  if (text !== undefined) return { name: main.name, text, isToml: false };
  throw new FatalError(
    differences.length > 0
      ? `Cannot read ${main.name}: it reads differently as TOML, ${differences.join("; ")}`
      : `Cannot read ${main.name}: there are errors`,
    { hint: "Correct the lines above; each begins with its place" },
  );
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
