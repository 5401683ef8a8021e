/**
 * The commands: what each {@linkcode Invocation} does.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../base/errors.ts";
import { ROLE_NAMES } from "../config/parameters.ts";
import { type Invocation, readCommandLine } from "./args.ts";
import { helpText } from "./help.ts";
import { print, printError } from "./output.ts";
import { runRoleCommand } from "./role_command.ts";
import { checkSettings } from "./settings_file.ts";
import { findOpenSsl, versionText } from "./version.ts";

/** Does what `args` say; the exit code. Throws {@linkcode FatalError} for what cannot be done. */
export async function runCommandLine(args: readonly string[]): Promise<ExitCode> {
  const invocation = readCommandLine(args, await findProgramName());
  switch (invocation.kind) {
    case "role":
      return await runRoleCommand(invocation);
    case "config check":
      return await runConfigCheck(invocation);
    case "demo": {
      // Asked first, because what the demonstration is made of cannot be loaded without it.
      const openSsl = await findOpenSsl();
      if ("fault" in openSsl) throw openSsl.fault;
      const { runDemo } = await import("./demo/demo.ts");
      return await runDemo({ stay: invocation.stay, versions: versionText(openSsl) });
    }
    case "help":
      print(helpText(invocation.topic));
      return EXIT.ok;
    case "version":
      print(versionText(await findOpenSsl()));
      return EXIT.ok;
  }
}

/** The name this process was started under; a link called `tlsmgr` or `tlsproxy` names the role. */
async function findProgramName(): Promise<string> {
  try {
    // Not imported above: without glibc there shall be a --help nevertheless.
    const { programName } = await import("../daemon/program_name.ts");
    return programName();
  } catch (error) {
    if (error instanceof FatalError) return "";
    throw error;
  }
}

async function runConfigCheck(
  invocation: Invocation & { kind: "config check" },
): Promise<ExitCode> {
  const { role, config, overrides } = invocation;
  const openSsl = await findOpenSsl();
  const { name, lines, failed } = checkSettings({
    config,
    overrides,
    roles: role === undefined ? ROLE_NAMES : [role],
    ...("number" in openSsl && { openSslVersionNumber: openSsl.number }),
  });
  for (const line of lines) printError(`${line}\n`);
  if (failed) {
    throw new FatalError(`Cannot use the settings in ${name}: they have errors`, {
      hint: "Correct the lines above",
    });
  }
  print(`${name}: ok\n`);
  return EXIT.ok;
}
