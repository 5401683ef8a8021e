/**
 * Other programs in tests: run one to its end, or keep one running beside the test.
 *
 * A process that was started here is ended here, by its own id, whatever becomes of the test. All
 * output is kept, because it is what a failed test needs to show.
 *
 * @module
 */

import { PATIENCE_MS, waitUntil } from "./wait.ts";

/** Options of {@linkcode runCommand} and {@linkcode startProcess}. */
export interface ProcessOptions {
  /** Bytes for standard input; without it the input is empty. */
  input?: string;
  /** Environment variables that are added or changed. */
  env?: Record<string, string>;
  /** Working directory. */
  cwd?: string;
  /** Milliseconds before the command is killed and the call throws. @default {PATIENCE_MS} */
  timeLimitMs?: number;
}

/** What a command left behind. */
export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `command` to its end. Throws when it takes too long; a non-zero code is returned. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<CommandResult> {
  await using running = startProcess(command, args, options);
  if (options.input !== undefined) await running.write(options.input);
  await running.closeInput();
  const code = await running.ended(options.timeLimitMs);
  return { code, stdout: running.stdout, stderr: running.stderr };
}

/** As {@linkcode runCommand}, but a non-zero code is thrown with all output. */
export async function runChecked(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(command, args, options);
  if (result.code !== 0) {
    throw new Error(
      `Cannot run ${command} ${args.join(" ")}: it ended with code ${result.code}\n` +
        result.stderr + result.stdout,
    );
  }
  return result;
}

/** Starts `command` with pipes on all three standard streams. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): RunningProcess {
  const child = new Deno.Command(command, {
    args: [...args],
    env: options.env,
    cwd: options.cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new RunningProcess(`${command} ${args.join(" ")}`, child);
}

/** A process that runs beside the test; disposing of it ends it. */
export class RunningProcess implements AsyncDisposable {
  /** Standard output so far. */
  stdout = "";
  /** Standard error so far. */
  stderr = "";
  /** The exit code once the process has ended; 128 + signal number for a signal. */
  code: number | undefined;
  readonly pid: number;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<void>;
  #inputOpen = true;

  constructor(name: string, child: Deno.ChildProcess) {
    this.pid = child.pid;
    this.#name = name;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    // The writer's own promise rejects when the process closes its input first; write() reports it.
    this.#input.closed.catch(() => {});
    this.#done = Promise.all([
      collect(child.stdout, (text) => this.stdout += text),
      collect(child.stderr, (text) => this.stderr += text),
      child.status.then((status) => this.code = status.code),
    ]).then(() => {});
  }

  /** Whether the process has not ended. */
  get alive(): boolean {
    return this.code === undefined;
  }

  /** Writes `text` to standard input. */
  async write(text: string): Promise<void> {
    try {
      await this.#input.write(new TextEncoder().encode(text));
    } catch (error) {
      throw new Error(`Cannot write to ${this.#name}: it reads no more\n${this.output()}`, {
        cause: error,
      });
    }
  }

  /** Closes standard input. */
  async closeInput(): Promise<void> {
    if (!this.#inputOpen) return;
    this.#inputOpen = false;
    try {
      await this.#input.close();
    } catch (error) {
      // The process was faster: its end of the pipe is gone, which is what was wanted.
      if (!(error instanceof Deno.errors.BrokenPipe) && !(error instanceof TypeError)) throw error;
    }
  }

  /** Waits until `probe` finds something in the output; throws when the process ends before that. */
  waitFor<T>(what: string, probe: () => T | undefined | false): Promise<T> {
    return waitUntil(`${what} from ${this.#name}`, () => {
      // Look at "alive" first: what came just before the end still counts.
      const { alive } = this;
      const found = probe();
      if (!alive && (found === undefined || found === false)) {
        throw new Error(`Waited for ${what}: ${this.#name} ended\n${this.output()}`);
      }
      return found;
    }, { explain: () => this.output() });
  }

  /** Waits for the end and returns the exit code. */
  async ended(timeLimitMs = PATIENCE_MS): Promise<number> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), timeLimitMs);
    });
    try {
      if (await Promise.race([this.#done, late]) === "late") {
        this.signal("SIGKILL");
        await this.#done;
        throw new Error(
          `Waited for the end of ${this.#name}: still running after ${timeLimitMs} ms\n` +
            this.output(),
        );
      }
    } finally {
      clearTimeout(timer);
    }
    return this.code as number;
  }

  /** Sends a signal; nothing happens when the process has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.alive) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended between the look and the signal.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Both outputs, for messages. */
  output(): string {
    return `--- standard output\n${this.stdout}\n--- standard error\n${this.stderr}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.#done;
    await this.closeInput();
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  take(decoder.decode());
}

/** The open descriptors of process `pid`, from `/proc`. */
export async function countDescriptorsOf(pid: number): Promise<number> {
  let count = 0;
  for await (const _entry of Deno.readDir(`/proc/${pid}/fd`)) count++;
  return count;
}

/** The resident memory of process `pid` in kilobytes, pages of files included, from `/proc`. */
export function residentKbOf(pid: number): Promise<number> {
  return readKb(pid, "VmRSS");
}

/**
 * The resident memory of process `pid` in kilobytes that is backed by no file, from `/proc`: what it has
 * asked for itself. A role drops the pages of its program's file at a moment of its own, which a test of
 * growth must not see.
 */
export function anonymousKbOf(pid: number): Promise<number> {
  return readKb(pid, "RssAnon");
}

async function readKb(pid: number, line: string): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const found = new RegExp(`^${line}:\\s+(\\d+) kB`, "m").exec(status);
  if (found === null) throw new Error(`Cannot read the memory of process ${pid}: no ${line} line`);
  return Number(found[1]);
}

/** A process in a session of its own, as {@linkcode processesOfSession} finds it. */
export interface SessionMember {
  pid: number;
  /** The kernel's short name of the program, at most 15 bytes. */
  name: string;
}

/** The living processes (no zombies) of the session that process `leader` started with setsid(2). */
export async function processesOfSession(leader: number): Promise<SessionMember[]> {
  const members: SessionMember[] = [];
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    const stat = await readIfThere(`/proc/${entry.name}/stat`);
    // pid (name) state ppid pgrp session …; the name may hold blanks and parentheses.
    const found = /^(\d+) \((.*)\) (\S) \d+ \d+ (\d+) /s.exec(stat);
    if (found === null || Number(found[4]) !== leader || found[3] === "Z") continue;
    members.push({ pid: Number(found[1]), name: found[2] });
  }
  return members;
}

/** Processor seconds (user and system) that process `pid` has used, its reaped children included. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // After the name: state is field 3; utime, stime, cutime, cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / CLOCK_TICKS_PER_SECOND;
}

/** USER_HZ: what the kernel counts in, the same on all machines that Linux shows it to. */
const CLOCK_TICKS_PER_SECOND = 100;

/**
 * The text of a file below `/proc/PID`, empty when the process or thread is gone: it has no such file, or
 * ended between the opening and the reading (ESRCH, for which Deno has no class).
 */
export async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      (error instanceof Error && /\(os error 3\)/.test(error.message));
    if (!isGone) throw error;
    return "";
  }
}

/** Whether process `pid` is gone, but for what its parent has not taken note of. */
export async function isGone(pid: number): Promise<boolean> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  return stat === "" || /^\d+ \(.*\) Z /s.test(stat);
}
