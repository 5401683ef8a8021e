/**
 * Running the compiled executable for one command, and what must hold of every refusal.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { posternBinary, type Role, type TomlValue, toToml } from "../../support/postern.ts";
import { type CommandResult, type ProcessOptions, runCommand } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";

/** Runs the executable to its end. */
export function postern(args: readonly string[], options?: ProcessOptions): Promise<CommandResult> {
  return runCommand(posternBinary(), args, options);
}

/** A refusal says one sentence and what to do about it, prints nothing else, and shows no stack. */
export function assertRefusal(result: CommandResult, code: number, message: RegExp): void {
  const { stdout, stderr } = result;
  assertEquals([result.code, stdout], [code, ""], stderr);
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 2, stderr);
  assert(lines[0].startsWith("postern: error: ") && message.test(lines[0]), stderr);
  assert(/^postern: hint: \S/.test(lines[1]), stderr);
}

/** A folder with settings for a role whose socket is `tlsproxy` or `tlsmgr` inside it. */
export class Bench implements AsyncDisposable {
  readonly folder: TempFolder;

  private constructor(folder: TempFolder) {
    this.folder = folder;
  }

  static async make(): Promise<Bench> {
    return new Bench(await TempFolder.make("cli"));
  }

  /** Where `role` listens. */
  socket(role: Role): string {
    return this.folder.file(role);
  }

  /** Writes settings and returns the arguments that start `role` with them. */
  async prepare(role: Role, options: {
    parameters?: Record<string, TomlValue>;
    socket?: string;
  } = {}): Promise<string[]> {
    const service = {
      socket: options.socket ?? this.socket(role),
      ...(role === "tlsproxy" && { workers: 1 }),
    };
    const text = toToml({
      queue_directory: this.folder.path,
      data_directory: this.folder.path,
      ...options.parameters,
      service: { user: "", [role]: service },
    });
    const config = await this.folder.write(`${role}.toml`, text);
    return ["--role", role, "--config", config];
  }

  /** Asserts that no socket has been left in the folder. */
  async assertNoSocket(): Promise<void> {
    for await (const { name } of Deno.readDir(this.folder.path)) {
      const { isSocket } = await Deno.lstat(this.folder.file(name));
      assert(!isSocket, `${name} has been left behind`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}
