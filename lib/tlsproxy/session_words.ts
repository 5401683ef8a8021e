/**
 * What a session tells the log: Postfix's lines, and the two events of the JSON schema.
 *
 * Text of the peer's goes into lines and fields as it is; the log replaces what could forge one.
 *
 * @module
 */
import type { Log, LogFields, LogSubject } from "../log/log.ts";
import type { HandOffRequest } from "../proto/tlsproxy.ts";
import { alertOf } from "../tls/failure_class.ts";
import type { FlightRecorder } from "../tls/flight_recorder.ts";
import type { Handshake, Signature } from "../tls/summary.ts";
import type { SessionStory, Story } from "./session_story.ts";

/** What an engine has to say about its end. */
interface EngineFaults {
  readonly errors: readonly string[];
  readonly lost: string;
}

/** What was wrong with either side, a line each. A peer that just went away is no news. */
export function logFaults(
  log: Log,
  story: Story,
  { errors, lost, plainFault = "" }: EngineFaults & { plainFault?: string },
): void {
  const { peer } = story;
  for (const error of errors) log.warn(`TLS library problem: ${error}`, story);
  if (lost !== "") log.info(`lost connection with ${peer}: ${lost}`, story);
  if (plainFault !== "") log.warn(`plaintext read/write error for ${peer}: ${plainFault}`, story);
}

/** A change of a session's state, for those who want to know all. */
export function logStep(log: Log, story: Story, step: string): void {
  log.debug(`session ${story.id} with ${story.peer}: ${step}`, story);
}

/** The attributes of a request, for those who want to know all. */
export function logRequest(log: Log, story: Story, request: HandOffRequest): void {
  const words = Object.entries(request).map(([name, value]) => `${name}=${value}`);
  log.debug(`session ${story.id}: hand-off: ${words.join(" ")}`, story);
}

/** The end of a session, and how it went if it failed and somebody wants to know. */
export function logEnd(
  log: Log,
  story: Story,
  flight: FlightRecorder | undefined,
): void {
  const { peer, service } = story;
  if (log.verbose > 0) logStep(log, story, endWords(story));
  const hasFailed = story.outcome === "failed" || story.outcome === "broken";
  const steps = hasFailed ? flight?.describe() : undefined;
  if (story.stage === "handshake") {
    log.info(`TLS handshake failed for service=${service} peer=${peer}`, story);
  }
  if (steps !== undefined && !log.isStructured) {
    log.info(`session ${story.id} with ${peer} (${endWords(story)}): ${steps}`);
  }
  const about = log.isStructured ? new SessionEnd(story, steps) : undefined;
  if (story.isHeard) log.info(`DISCONNECT ${peer}`, about);
  else if (about !== undefined) log.info(`session ended: ${story.reason}`, about);
}

/** Why a session failed, an alert of the peer's with its number. */
function endWords({ outcome, reason, error }: SessionStory): string {
  const alert = reason === "alert from peer" ? ` ${alertOf([error])}` : "";
  return `${outcome}: ${reason}${alert}`;
}

/** The event `handshake`: a handshake has succeeded. */
export class HandshakeDone implements LogSubject {
  readonly isEvent = true;
  readonly #story: Story;

  constructor(story: Story) {
    this.#story = story;
  }

  describe(fields: LogFields): void {
    const story = this.#story;
    story.describe(fields);
    fields.event = "handshake";
    fields.service = story.service;
    describeAgreed(story, fields);
    describeTimes(story, fields);
  }
}

/** The event `session`: a session has ended, whatever became of it. */
export class SessionEnd implements LogSubject {
  readonly isEvent = true;
  readonly #story: Story;
  readonly #steps: string | undefined;

  constructor(story: Story, steps?: string) {
    this.#story = story;
    this.#steps = steps;
  }

  describe(fields: LogFields): void {
    const story = this.#story;
    story.describe(fields);
    fields.event = "session";
    fields.service = filled(story.service);
    fields.stage = story.stage;
    fields.outcome = story.outcome;
    fields.reason = story.reason;
    fields.error = filled(story.error);
    if (story.reason === "alert from peer") fields.alert = alertOf([story.error]);
    describeAgreed(story, fields);
    describeTimes(story, fields);
    fields.duration_ms = tenths(story.endedMs - story.beganMs);
    fields.bytes_from_peer = story.bytesFromPeer;
    fields.bytes_to_peer = story.bytesToPeer;
    fields.flight = this.#steps;
  }
}

/** What the handshake has agreed on; nothing without one. */
function describeAgreed(story: SessionStory, fields: LogFields): void {
  if (story.shakenMs < 0) return;
  fields.protocol = story.protocol;
  fields.cipher = story.cipher;
  const { handshake } = story;
  fields.cipher_bits = handshake?.usedBits;
  fields.cipher_algorithm_bits = handshake?.algorithmBits;
  fields.group = filled(story.group);
  fields.signature = signatureOf(handshake?.serverSignature);
  fields.resumed = story.resumed;
  fields.not_resumed_because = filled(story.missed);
  fields.sni = filled(story.serverName);
  if (handshake !== undefined) describeClient(handshake, fields);
}

function describeClient({ peerCertificate, clientSignature }: Handshake, fields: LogFields): void {
  fields.client_certificate = peerCertificate === undefined
    ? "none"
    : peerCertificate.trusted
    ? "trusted"
    : "untrusted";
  if (peerCertificate === undefined) return;
  fields.client_subject_cn = peerCertificate.commonName;
  fields.client_issuer_cn = peerCertificate.issuerCommonName;
  fields.client_fingerprint = peerCertificate.fingerprint;
  fields.client_signature = signatureOf(clientSignature);
}

function describeTimes(story: SessionStory, fields: LogFields): void {
  const { beganMs, handedOverMs, shakenMs } = story;
  if (handedOverMs < 0) return;
  fields.handoff_ms = tenths(handedOverMs - beganMs);
  if (shakenMs >= 0) fields.handshake_ms = tenths(shakenMs - handedOverMs);
}

/** `ECDSA-SHA256`, `ED25519`. */
function signatureOf(signature: Signature | undefined): string | undefined {
  if (signature === undefined) return undefined;
  const { name, digest } = signature;
  return digest === "" ? name : `${name}-${digest}`;
}

function filled(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
