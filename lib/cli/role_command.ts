/**
 * `postern --role ROLE`: settings in, a running daemon out.
 *
 * Everything that can be known to be wrong before a thread starts is said here.
 *
 * @module
 */
import { type ExitCode, FatalError } from "../base/errors.ts";
import type { RoleName } from "../config/settings.ts";
import { printError } from "./output.ts";
import { loadSettingsText, readSettingsText } from "./settings_file.ts";
import { findOpenSsl } from "./version.ts";

/** Options of the command. */
export interface RoleCommand {
  readonly role: RoleName;
  /** Path of the settings file; absent: the default one. */
  readonly config: string | undefined;
  readonly overrides: readonly string[];
}

/** The service thread of each role. */
const WORKERS: Readonly<Record<RoleName, URL>> = {
  tlsmgr: new URL("../tlsmgr/worker.ts", import.meta.url),
  tlsproxy: new URL("../tlsproxy/worker.ts", import.meta.url),
};

/** Runs the role until it ends. */
export async function runRoleCommand(command: RoleCommand): Promise<ExitCode> {
  const { role, overrides } = command;
  const source = readSettingsText(command.config);
  const openSsl = await findOpenSsl();
  if ("fault" in openSsl) throw openSsl.fault;
  const { settings, lines } = loadSettingsText(source, {
    role,
    overrides,
    openSslVersionNumber: openSsl.number,
  });
  if (lines.length > 0) printError(lines.join("\n") + "\n");
  if (settings === undefined) {
    throw new FatalError(`Cannot start ${role}: the settings in ${source.name} have errors`, {
      hint: "Correct the lines above; `postern config check` shows them again",
    });
  }
  // Not imported above: a machine without glibc shall get a sentence, and --help anyway.
  const { runRole } = await import("../daemon/run.ts");
  return await runRole({
    settings,
    worker: WORKERS[role],
    threads: settings.service.workers || navigator.hardwareConcurrency,
  });
}
