/**
 * The entrance to the commands: reads the line, does what it says.
 *
 * @module
 */
import { EXIT, type ExitCode, FatalError } from "../base/errors.ts";
import { readCommandLine } from "./args.ts";
import { helpText } from "./help.ts";
import { runUnderMaster } from "./master_command.ts";
import { isStyledOutput, renderText } from "./manual/terminal.ts";
import { topicBlocks } from "./manual/topics.ts";
import { print } from "./output.ts";
import { findOpenSsl, versionText } from "./version.ts";

/** Does what `args` say; the exit code. Throws {@linkcode FatalError} for what cannot be done. */
export async function runCommandLine(args: readonly string[]): Promise<ExitCode> {
  const invocation = readCommandLine(args, await findProgramName());
  switch (invocation.kind) {
    case "run":
      return await invocation.command.run(invocation.options, invocation.operands);
    case "help":
      print(helpText(invocation.topic));
      return EXIT.ok;
    case "manual":
      print(renderText(topicBlocks(invocation.topic) ?? [], { styled: isStyledOutput() }));
      return EXIT.ok;
    case "master":
      return await runUnderMaster(invocation.role, invocation.args);
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
