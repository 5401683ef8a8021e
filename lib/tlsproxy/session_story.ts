/**
 * What is known of one session, gathered while it lives and told twice: when its handshake is over and
 * when it has ended.
 *
 * There is one story for every connection that was accepted, those included that were refused, never
 * finished their request, or were closed unread; it has one outcome and one reason, both out of short
 * lists. Sessions come and go by the thousand: a story is one object of numbers and of constants, and
 * words that have to be made are made when somebody asks for them.
 *
 * @module
 */
import {
  type Agreed,
  cipherName,
  groupName,
  type Missed,
  protocolName,
  type Resumed,
} from "../tls/agreed.ts";
import type { LogFields, LogSubject } from "../log/log.ts";
import type { HandOffRequest } from "../proto/tlsproxy.ts";
import type { Handshake } from "../tls/summary.ts";

/** How far a session came. */
export type Stage =
  /** The local client was to say what it wants. */
  | "hand-off"
  | "handshake"
  /** Bytes could move. */
  | "relay";

/** What became of a session. */
export const OUTCOMES = [
  /** The handshake succeeded, and one side or the other ended the session. */
  "completed",
  /** The handshake succeeded, and something broke the session off. */
  "broken",
  /** The handshake did not succeed. */
  "failed",
  /** The handshake succeeded, and the peer's certificate did not. */
  "rejected",
  /** The local client was told that the service is not available, or was not heard. */
  "refused",
  /** The local client wanted to know whether the service is available. */
  "probed",
  /** The local client did not finish its request. */
  "abandoned",
] as const;
export type Outcome = typeof OUTCOMES[number];

/** Why a session ended, with the outcomes that a reason may come with. */
export const END_REASONS = {
  /** The remote peer ended its stream, or in the handshake its connection. */
  "closed by peer": ["completed", "broken", "failed"],
  /** The local client closed its connection; an open session ends so in good order. */
  "closed by client": ["completed", "probed", "abandoned"],
  /** The connection to the remote peer broke. */
  "connection lost": ["broken", "failed"],
  /** A time limit: of the request, the handshake, or a side that moved nothing. */
  "timeout": ["broken", "failed", "probed", "abandoned"],
  /** The role was told to stop at once. */
  "stopped": ["broken", "failed", "probed", "abandoned"],
  /** The local client's socket failed. */
  "client fault": ["broken", "probed", "abandoned"],
  /** What came from the remote peer was no TLS, or broken TLS. */
  "protocol error": ["broken", "failed"],
  /** The remote peer ended the handshake, or the session, with an alert. */
  "alert from peer": ["broken", "failed"],
  "not TLS": ["failed"],
  "unsupported protocol": ["failed"],
  "no shared cipher": ["failed"],
  "no shared group": ["failed"],
  "no shared signature": ["failed"],
  /** The peer's certificate, or what it signed, could not be used at all. */
  "bad certificate": ["failed"],
  /** The cipher list for this session selects nothing. */
  "bad cipher list": ["failed"],
  "no client certificate": ["rejected"],
  "untrusted certificate": ["rejected"],
  /** What came is no request, or not the descriptor that was to come. */
  "bad request": ["refused", "probed", "abandoned"],
  "client role": ["refused"],
  /** `max_sessions` are open. */
  "too many sessions": ["refused"],
  /** So many are open that the connection was closed without a word. */
  "too many connections": ["refused"],
  /** There is no server role at the moment: tlsmgr does not answer, or settings cannot be used. */
  "not available": ["refused"],
} as const satisfies Record<string, readonly Outcome[]>;
export type EndReason = keyof typeof END_REASONS;

/** One session, as those see it who count or report. Times are those of the reactor, milliseconds. */
export interface SessionStory {
  /** Unique in the process. */
  readonly number: number;
  /** The number as text, as it stands in the log. */
  readonly id: string;
  /** `[192.0.2.1]:25`, as the local client says; empty before its request. */
  readonly peer: string;
  /** The local client's service, `smtpd`; empty before its request. */
  readonly service: string;
  /** Accepted. */
  readonly beganMs: number;
  /** The descriptor has come; -1: it has not. */
  readonly handedOverMs: number;
  /** The handshake succeeded; -1: it has not. */
  readonly shakenMs: number;
  /** -1: it has not. */
  readonly endedMs: number;
  /** Protocol, cipher and group in numbers; these are 0 before the handshake is over. */
  readonly version: number;
  readonly cipherId: number;
  readonly groupId: number;
  /** `TLSv1.3`; these are empty before the handshake is over. */
  readonly protocol: string;
  readonly cipher: string;
  readonly group: string;
  /** How the session was resumed; `full` when it was not, and before the handshake is over. */
  readonly resumed: Resumed;
  /** Why the session that the peer offered was not resumed, where that is known; else empty. */
  readonly missed: Missed;
  /** The name asked for and found; else empty. */
  readonly serverName: string;
  /** Names and certificate; absent unless somebody had to know them: the log or the local client. */
  readonly handshake: Handshake | undefined;
  /** Plaintext bytes that came from, and went to, the remote peer, so far. */
  readonly bytesFromPeer: number;
  readonly bytesToPeer: number;
  readonly stage: Stage;
  /** Of no meaning before the end. */
  readonly outcome: Outcome;
  readonly reason: EndReason;
  /** What OpenSSL or the system had to say about the end; empty when nothing. */
  readonly error: string;
}

/** Who is told; nothing is kept of a story when the call is over. */
export interface StoryListener {
  /** The descriptor of the remote peer has come. */
  sessionHandedOver(story: SessionStory): void;
  /** A handshake has succeeded. */
  sessionShaken(story: SessionStory): void;
  /** A session has ended, whatever became of it; the last that is heard of it. */
  sessionEnded(story: SessionStory): void;
}

/** Plaintext bytes that TLS has given, and taken. */
export interface MovedBytes {
  readonly bytesFromNet: number;
  readonly bytesToNet: number;
}

/** A story that is being written. */
export class Story implements SessionStory, Agreed, LogSubject {
  version = 0;
  cipherId = 0;
  groupId = 0;
  resumed: Resumed = "full";
  missed: Missed = "";
  /** The request has come, and its CONNECT line is in the log. */
  isHeard = false;
  peer = "";
  service = "";
  handedOverMs = -1;
  shakenMs = -1;
  endedMs = -1;
  serverName = "";
  handshake: Handshake | undefined = undefined;
  /** Who counts the bytes, from the end of the handshake on. */
  moved: MovedBytes | undefined = undefined;
  stage: Stage = "hand-off";
  outcome: Outcome = "abandoned";
  reason: EndReason = "closed by client";
  error = "";

  constructor(readonly number: number, readonly beganMs: number) {}

  /** The request has come. */
  request({ remoteEndpoint, serverId }: HandOffRequest): void {
    this.isHeard = true;
    this.peer = remoteEndpoint;
    this.service = serverId;
  }

  /** The client is told that it cannot be served; when it has gone, the story ends. */
  refuse(reason: EndReason, error = ""): void {
    this.outcome = "refused";
    this.reason = reason;
    this.error = error;
  }

  /** There will be no session; a refusal stays what it is. */
  abandon(reason: EndReason, error = ""): void {
    if (this.outcome === "refused") return;
    this.reason = reason;
    this.error = error;
  }

  /** The session ends, if it has not been told already why it does. */
  end(outcome: Outcome, reason: EndReason, error = ""): void {
    this.outcome = outcome;
    this.reason = reason;
    this.error = error;
  }

  /** For lines of the log about this session. */
  describe(fields: LogFields): void {
    fields.session = this.id;
    if (this.peer !== "") fields.peer = this.peer;
  }

  get id(): string {
    return String(this.number);
  }

  get bytesFromPeer(): number {
    return this.moved?.bytesFromNet ?? 0;
  }

  get bytesToPeer(): number {
    return this.moved?.bytesToNet ?? 0;
  }

  get protocol(): string {
    return protocolName(this.version);
  }

  get cipher(): string {
    return cipherName(this.cipherId);
  }

  get group(): string {
    return groupName(this.groupId);
  }
}

/** The story of a connection that was closed without a byte of it being read. */
export function unreadStory(number: number, nowMs: number): Story {
  const story = new Story(number, nowMs);
  story.endedMs = nowMs;
  story.outcome = "refused";
  story.reason = "too many connections";
  return story;
}
