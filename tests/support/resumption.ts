/**
 * The ways in which a session can be resumed, and the proof that one was.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { runSClient, type SClientReport, type SmtpStep } from "./s_client.ts";

/** One way to resume. */
export interface ResumptionKind {
  label: string;
  version: "TLSv1.2" | "TLSv1.3";
  tickets: boolean;
}

/** The server keeps nothing; the client brings an encrypted session back. */
export const TLS12_TICKET: ResumptionKind = {
  label: "TLS 1.2 by ticket",
  version: "TLSv1.2",
  tickets: true,
};

/** The client brings an id, the server finds the session in tlsmgr's cache. */
export const TLS12_ID: ResumptionKind = {
  label: "TLS 1.2 by session id",
  version: "TLSv1.2",
  tickets: false,
};

/** The client brings a ticket as pre-shared key. */
export const TLS13_TICKET: ResumptionKind = {
  label: "TLS 1.3 by ticket",
  version: "TLSv1.3",
  tickets: true,
};

/** All kinds. */
export const RESUMPTION_KINDS: readonly ResumptionKind[] = [TLS12_TICKET, TLS12_ID, TLS13_TICKET];

/** Where a session is made or resumed. */
export interface Station {
  port: number;
  dialogue: readonly SmtpStep[];
}

/** What {@linkcode assertResumes} needs beside the kind. */
export interface ResumptionPlan {
  /** The authority's certificate file. */
  ca: string;
  /** A folder for the session file. */
  folder: string;
  /** The server that makes the session. */
  make: Station;
  /** The server that resumes it. @default the one that made it */
  resume?: Station;
}

/** Makes a session at one server and asserts that the other (or the same) resumes it. */
export async function assertResumes(
  kind: ResumptionKind,
  plan: ResumptionPlan,
): Promise<[made: SClientReport, resumed: SClientReport]> {
  const { version, tickets } = kind;
  const { ca, make } = plan;
  const file = `${plan.folder}/session-${crypto.randomUUID()}.pem`;
  const made = await runSClient({ ...make, ca, version, tickets, sessionOut: file });
  assertEquals(made.resumed, false, made.output);
  assertEquals(made.protocol, version, made.output);
  // Otherwise the session may be resumed, but not in the way that is meant.
  assertEquals(made.hasTicket, tickets, made.output);

  const target = plan.resume ?? make;
  const resumed = await runSClient({ ...target, ca, version, tickets, sessionIn: file });
  assert(resumed.resumed, `${kind.label}: the session was not resumed\n${resumed.output}`);
  assertEquals(resumed.protocol, version, resumed.output);
  assertEquals(resumed.cipher, made.cipher, resumed.output);
  return [made, resumed];
}
