/**
 * What the benchmark tells its load program, and what that answers: one JSON line each way.
 *
 * @module
 */

import type { ClientKind } from "./openssl.ts";

/** How a TLS session is begun. */
export type Front =
  /** As postscreen(8) does: ask at a UNIX-domain socket, then pass the client's TCP socket over it. */
  | { readonly by: "tlsproxy"; readonly socket: string }
  /** As a client does: connect to a TCP port; the server connects to a UNIX-domain socket of ours. */
  | { readonly by: "tcp"; readonly port: number; readonly backend: string };

/** How long a piece of work goes on: until either limit. */
export interface Extent {
  readonly seconds?: number;
  readonly count?: number;
}

/** The six tlsmgr requests that are timed. */
export type AskName = "seed" | "policy" | "tktkey" | "lookup" | "update";

/** Requests to a tlsmgr, one at a time on each connection. */
export interface AskCommand extends Extent {
  readonly do: "ask";
  readonly socket: string;
  readonly name: AskName;
  readonly connections: number;
  /** lookup, update: how many different entries, one after the other. */
  readonly keys?: number;
  /** lookup, update: base64 characters of a session. */
  readonly sessionChars?: number;
  /** lookup: entries that are not there are counted, and are no failure. */
  readonly mayMiss?: boolean;
  /** The server may end in the midst of it; what it had acknowledged counts. */
  readonly mayEnd?: boolean;
}

/** Sessions: connect, handshake, one echo, close; several at a time. */
export interface SessionsCommand extends Extent {
  readonly do: "sessions";
  readonly front: Front;
  readonly kind: ClientKind;
  /** Sessions at a time. */
  readonly lanes: number;
  /** `copies`: all resume one session; `chain`: each resumes the one before it in its lane. */
  readonly resume: "no" | "copies" | "chain";
}

/** Opens sessions, echoes once on each, and keeps them. */
export interface HoldCommand {
  readonly do: "hold";
  readonly front: Front;
  readonly kind: ClientKind;
  readonly lanes: number;
  readonly count: number;
}

/** Echoes on all the sessions that are held at once, one at a time on each. */
export interface EchoCommand extends Extent {
  readonly do: "echo";
}

/** One-way bytes on the one session that is held. */
export interface BulkCommand extends Extent {
  readonly do: "bulk";
  /** `up`: from the TLS client to the plaintext end. */
  readonly direction: "up" | "down";
  /** Bytes of one write; at most, and usually, those of a record. @default {16384} */
  readonly pieceBytes?: number;
}

/** Closes the sessions that are held. */
export interface ReleaseCommand {
  readonly do: "release";
}

/** Waits until a server answers at a socket with its announcement. */
export interface AwaitCommand {
  readonly do: "await";
  readonly socket: string;
}

export type Command =
  | AskCommand
  | SessionsCommand
  | HoldCommand
  | EchoCommand
  | BulkCommand
  | ReleaseCommand
  | AwaitCommand;

/** What came of a command. */
export interface Outcome {
  /** Requests, sessions, echoes, or bytes. */
  readonly done: number;
  readonly seconds: number;
  /** Processor time of the load program in those seconds. */
  readonly loadCpuSeconds: number;
  /** Sessions: how many were resumed. lookup: how many entries were found. */
  readonly hits: number;
  /** echo: round trips, microseconds. */
  readonly latencies?: { readonly p50: number; readonly p99: number; readonly p999: number };
  /** await: when the socket took a connection, and when the announcement came; shared clock, ns. */
  readonly times?: { readonly listening: number; readonly announced: number };
}
