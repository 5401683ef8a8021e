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

/** What a service thread needs to begin. */
export interface StartMessage {
  /** The settings of the role, checked. */
  readonly settings: Settings;
  /** Listening descriptor, shared by all service threads of the process. */
  readonly listenFd: number;
  /** Read end of this thread's command pipe. */
  readonly commandFd: number;
  /** Descriptor for log lines. */
  readonly logFd: number;
  /** Whether log lines carry time and host. */
  readonly logStamped: boolean;
  /** Identity in log lines. */
  readonly logName: string;
  /** This thread's number, from 0. */
  readonly index: number;
  /** Memory of the counters that all threads of the process share. */
  readonly shared: SharedArrayBuffer;
}

/** From control to service, as a line of JSON. */
export type Command =
  /** Stop accepting, let what is open come to its end, then report `stopped`. */
  | { readonly kind: "drain" }
  /** Close everything and report `stopped`. */
  | { readonly kind: "stop" };

/** From service to control. */
export type Report =
  /** Connections are being served. */
  | { readonly kind: "ready" }
  /** Nothing is accepted any more; what is open comes to its end. */
  | { readonly kind: "draining" }
  /** The loop has ended in good order. */
  | { readonly kind: "stopped" }
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
    default:
      return undefined;
  }
}
