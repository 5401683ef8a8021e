/**
 * Running the compiled executable as one role beside a test.
 *
 * The executable is `dist/postern` of this tree, or the file that `POSTERN_BINARY` names. It gets a
 * settings file, must say that it is ready, and is ended with SIGTERM, on which it must leave with
 * code 0.
 *
 * @module
 */

import { supportPath } from "./paths.ts";
import { anonymousKbOf, countDescriptorsOf, type RunningProcess, startProcess } from "./process.ts";
import { assertKeepsSecrets } from "./secrets.ts";
import { waitUntil } from "./wait.ts";

/** A role of the executable. */
export type Role = "tlsmgr" | "tlsproxy";

/** Values that {@linkcode toToml} can write. */
export type TomlValue = string | number | boolean | { [key: string]: TomlValue };

/** Options of {@linkcode startPostern}. */
export interface PosternOptions {
  role: Role;
  /** The listening socket. */
  socket: string;
  /** Where the settings file is written. */
  settingsPath: string;
  /** Postfix-named parameters and tables of our own; `[service.ROLE]` is filled in. */
  settings: Record<string, TomlValue>;
  /**
   * The account that the role becomes when the tests run as root; without one it stays root, whose
   * folders most tests work in.
   */
  user?: string;
  /** More of `[service.ROLE]`. */
  service?: Record<string, TomlValue>;
}

/** The path of the executable under test. */
export function posternBinary(): string {
  return Deno.env.get("POSTERN_BINARY") ?? supportPath("../../dist/postern");
}

/** A running role. */
export class Postern implements AsyncDisposable {
  readonly role: Role;
  readonly #process: RunningProcess;
  readonly #logPath: string;

  constructor(role: Role, process: RunningProcess, logPath: string) {
    this.role = role;
    this.#process = process;
    this.#logPath = logPath;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get alive(): boolean {
    return this.#process.alive;
  }

  /** Everything it has logged so far. */
  get log(): string {
    return this.#process.stderr;
  }

  /** Logged lines with a severity above info. */
  problems(): string[] {
    return this.log.split("\n").filter((line) => /\b(?:warning|error|fatal|panic): /.test(line));
  }

  /** As {@linkcode Postern.problems}, without what was said about the settings before the start. */
  faults(): string[] {
    return this.problems().filter((line) => line.startsWith(`postfix/${this.role}[`));
  }

  /** Waits until a logged line matches. */
  waitForLog(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#process.waitFor(
      `a log line like ${pattern}`,
      () => pattern.exec(this.log) ?? undefined,
    );
  }

  /** Open descriptors of the process. */
  countDescriptors(): Promise<number> {
    return countDescriptorsOf(this.pid);
  }

  /** Resident memory in kilobytes, without pages of files. */
  anonymousKb(): Promise<number> {
    return anonymousKbOf(this.pid);
  }

  /** Sends a signal, e.g. SIGKILL to see what survives. */
  signal(signal: Deno.Signal): void {
    this.#process.signal(signal);
  }

  /** Ends the role with SIGTERM and returns its exit code. */
  stop(): Promise<number> {
    this.#process.signal("SIGTERM");
    return this.#process.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using process = this.#process;
    const code = process.alive ? await this.stop() : 0;
    // For those who keep the folder to see what went wrong.
    await Deno.writeTextFile(this.#logPath, this.log);
    assertKeepsSecrets(this.log);
    if (code !== 0) {
      throw new Error(`postern --role ${this.role} ended with code ${code}\n${process.output()}`);
    }
  }
}

/** Starts a role and waits until it says that it is ready and its socket listens. */
export async function startPostern(options: PosternOptions): Promise<Postern> {
  const { role, socket, settingsPath, user = "" } = options;
  const service = { socket, socket_mode: "0666", ...options.service };
  // Whoever is not root may count the descriptors of a process only if it lets debuggers attach.
  const core_dumps = Deno.uid() !== 0;
  const text = toToml({ ...options.settings, service: { core_dumps, user, [role]: service } });
  await Deno.writeTextFile(settingsPath, text);
  const process = startProcess(posternBinary(), ["--role", role, "--config", settingsPath]);
  try {
    await process.waitFor("readiness", () => /\bready\b/.test(process.stderr));
    await waitUntil(`${socket} to listen`, () => isListeningAt(socket));
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
  return new Postern(role, process, `${settingsPath}.log`);
}

/**
 * Whether a UNIX-domain stream socket listens at `path`; asks the kernel's table, because a connection
 * that is closed at once is a fault that a service reports.
 */
async function isListeningAt(path: string): Promise<boolean> {
  const table = await Deno.readTextFile("/proc/net/unix");
  // Columns: address, count, protocol, flags (00010000 for a listener), type, state, inode, path.
  return table.split("\n").some((line) => {
    const columns = line.trim().split(/\s+/);
    return columns[3] === "00010000" && columns[7] === path;
  });
}

/** TOML text of a table: plain values first, then tables with their full names. */
export function toToml(table: Record<string, TomlValue>, path: string[] = []): string {
  const plain: string[] = [];
  const tables: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (typeof value === "object") {
      tables.push(toToml(value, [...path, key]));
    } else {
      // A JSON string is a TOML basic string for all texts that tests use.
      plain.push(`${key} = ${JSON.stringify(value)}\n`);
    }
  }
  const header = path.length > 0 && plain.length > 0 ? `[${path.join(".")}]\n` : "";
  return header + plain.join("") + tables.join("");
}
