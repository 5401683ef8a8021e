/**
 * What passes between the control thread and a service thread.
 *
 * Up (`postMessage`): {@linkcode Report}. Down: one {@linkcode StartMessage} before the loop begins,
 * then lines of JSON through a pipe, because a thread inside its loop receives no messages.
 * Everything is plain data.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import type { ExitCode } from "../base/errors.ts";
import type { SlowTransfer } from "../ffi/libc/slow_file.ts";
import type { FileMark } from "./file_marks.ts";
import type { LogTarget } from "./log_target.ts";
import type { Series } from "./numbers/numbers.ts";

/** What a service thread needs to begin. */
export interface StartMessage {
  /** The settings of the role, checked. */
  readonly settings: Settings;
  /** Listening descriptor, shared by all service threads of the process. */
  readonly listenFd: number;
  /** Read end of this thread's command pipe. */
  readonly commandFd: number;
  /** Where log lines go. */
  readonly log: LogTarget;
  /** User id that the process serves with: who owns the files that are made. */
  readonly ownerId: number;
  /** A channel whose end means that whoever started the process lets it go; one thread watches it. */
  readonly channelFd: number | undefined;
  /** This thread's number, from 0. */
  readonly index: number;
  /** Memory of the gate at which threads wait until the process has given its rights away. */
  readonly gate: SharedArrayBuffer;
  /** Memory in which this thread says what it is doing. */
  readonly progress: SharedArrayBuffer;
  /** A file of kept_memory.ts, for what is to outlive the process; absent: nothing is. */
  readonly keptFd: number | undefined;
  /** Memory of the counters that all threads of the process share. */
  readonly shared: SharedArrayBuffer;
  /** Memory of the numbers that this thread shows. */
  readonly numbers: SharedArrayBuffer;
}

/** From control to service, as a line of JSON. */
export type Command =
  /** Stop accepting, let what is open come to its end, then report `stopped`. */
  | { readonly kind: "drain" }
  /** Close everything and report `stopped`. */
  | { readonly kind: "stop" }
  /** Take other settings, JSON in `bytes` bytes of C memory at `at`, and report `adopted`. */
  | { readonly kind: "settings"; readonly at: string; readonly bytes: number }
  /** What came of the slow call `id`: a count of bytes, 0 for a sync, -1 for a failure. */
  | { readonly kind: "slow"; readonly id: number; readonly result: number };

/** A call that the control thread makes for a service thread; `id` is the service thread's. */
export type SlowRequest =
  & { readonly id: number; readonly fd: number }
  & (
    | { readonly call: "fdatasync" | "fsync" | "close" }
    | { readonly call: "read" | "write"; readonly at: SlowTransfer }
  );

/** What a thread says to settings that it was given while it serves. */
export interface Adoption {
  /** Why all stays as it was; `undefined`: they are in force. */
  readonly fault: string | undefined;
  /** Names of settings that stay as they were until the next start. */
  readonly fixed: readonly string[];
}

/** From service to control. */
export type Report =
  /** Everything is open that takes the rights of whoever started the process; waits at the gate. */
  | { readonly kind: "opened" }
  /** What came of the last `settings` command. */
  | { readonly kind: "adopted"; readonly adoption: Adoption }
  /** Connections are being served. */
  | { readonly kind: "ready" }
  /** The channel to whoever started the process has ended. */
  | { readonly kind: "dismissed" }
  /** Nothing is accepted any more; what is open comes to its end. */
  | { readonly kind: "draining" }
  /** A series of numbers has its place in this thread's memory. */
  | { readonly kind: "series"; readonly series: Series }
  /** These files are about to be read; the service is made of them. */
  | { readonly kind: "files"; readonly files: readonly FileMark[] }
  /** The loop has ended in good order. */
  | { readonly kind: "stopped" }
  /** A call that may wait for a disk is to be made; the answer is a `slow` command. */
  | { readonly kind: "slow"; readonly request: SlowRequest }
  /** The thread cannot go on. */
  | {
    readonly kind: "failed";
    readonly message: string;
    readonly hint: string | undefined;
    readonly exitCode: ExitCode;
    readonly stack: string | undefined;
  };

/** A command as it travels. */
export function encodeCommand(command: Command): string {
  return JSON.stringify(command) + "\n";
}

/** The command of one line; `undefined` for anything that is not one. */
export function decodeCommand(line: string): Command | undefined {
  switch (line) {
    case '{"kind":"drain"}':
      return { kind: "drain" };
    case '{"kind":"stop"}':
      return { kind: "stop" };
  }
  const settings = SETTINGS_LINE.exec(line);
  if (settings !== null) return { kind: "settings", at: settings[1], bytes: Number(settings[2]) };
  const slow = SLOW_LINE.exec(line);
  if (slow === null) return undefined;
  return { kind: "slow", id: Number(slow[1]), result: Number(slow[2]) };
}

const SETTINGS_LINE = /^\{"kind":"settings","at":"(\d{1,20})","bytes":(\d{1,10})\}$/;
const SLOW_LINE = /^\{"kind":"slow","id":(\d{1,15}),"result":(-1|\d{1,10})\}$/;
