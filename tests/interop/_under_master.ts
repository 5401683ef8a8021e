/**
 * A private Postfix instance whose own master(8) starts postern for both TLS services.
 *
 * daemon_directory is a folder of links to Postfix's daemons, except tlsmgr and tlsproxy, which are links
 * to the executable under test.
 *
 * @module
 */

import { posternBinary, type Role } from "../support/postern.ts";
import { type PostfixInstance, preparePostfix } from "../support/postfix.ts";
import type { PostfixOptions } from "../support/postfix_config.ts";
import { type CommandResult, isGone, runCommand } from "../support/process.ts";
import { waitUntil } from "../support/wait.ts";

const POSTFIX_DAEMONS = "/usr/lib/postfix/sbin";
const ROLES: readonly Role[] = ["tlsmgr", "tlsproxy"];

/** Such an instance; not started yet. */
export async function prepareUnderMaster(options: PostfixOptions): Promise<PostfixInstance> {
  const postfix = await preparePostfix(options);
  try {
    const daemons = `${postfix.folders.root}/sbin`;
    await Deno.mkdir(daemons);
    for await (const { name } of Deno.readDir(POSTFIX_DAEMONS)) {
      const isOurs = ROLES.some((role) => role === name);
      await Deno.symlink(
        isOurs ? posternBinary() : `${POSTFIX_DAEMONS}/${name}`,
        `${daemons}/${name}`,
      );
    }
    await setInMainCf(postfix, { daemon_directory: daemons });
    return postfix;
  } catch (error) {
    await postfix[Symbol.asyncDispose]();
    throw error;
  }
}

/** Sets parameters in main.cf, in the past, as Postfix wants it. */
export async function setInMainCf(
  { folders }: PostfixInstance,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `${folders.config}/main.cf`;
  const { mtime } = await Deno.stat(path);
  const names = Object.keys(settings);
  const kept = (await Deno.readTextFile(path)).split("\n").filter((line) =>
    line !== "" && !names.some((name) => line.startsWith(`${name} =`))
  );
  const lines = [...kept, ...names.map((name) => `${name} = ${settings[name]}`)];
  await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
  await Deno.utime(path, mtime!, mtime!);
}

/** Runs postfix(1) with `command` for the instance. */
export function postfixCommand(
  { folders }: PostfixInstance,
  command: string,
): Promise<CommandResult> {
  return runCommand("/usr/sbin/postfix", ["-c", folders.config, command]);
}

/** The only process of the instance that is called `role`, which must be the executable under test. */
export async function pidOf(postfix: PostfixInstance, role: Role): Promise<number> {
  const pids = await waitUntil(`a ${role} of master's`, async () => {
    const found = await postfix.pidsOf(role);
    return found.length > 0 && found;
  }, { explain: () => postfix.maillog.text() });
  if (pids.length !== 1) throw new Error(`Wanted one ${role}, found ${pids}`);
  const executable = await Deno.readLink(`/proc/${pids[0]}/exe`);
  if (executable !== await Deno.realPath(posternBinary())) throw new Error(`It is ${executable}`);
  return pids[0];
}

/** Waits until process `pid` is gone. */
export async function gone(pid: number): Promise<void> {
  await waitUntil(`the end of process ${pid}`, () => isGone(pid));
}
