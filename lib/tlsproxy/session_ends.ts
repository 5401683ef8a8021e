/**
 * Why a session ends, when its engine or its relay says that it does.
 *
 * @module
 */
import { failureClassOf } from "../tls/failure_class.ts";
import type { ServerEngine } from "../tls/engine.ts";
import type { Relay } from "./relay.ts";
import { END_REASONS, type EndReason, type Outcome } from "./session_story.ts";

/** An end: what became of the session, why, and what OpenSSL or the system said; empty for nothing. */
export type End = readonly [Outcome, EndReason, string];

/** The end of a session whose handshake has failed. */
export function handshakeEnd(engine: ServerEngine): End {
  return ["failed", ...whyEnded(engine)];
}

/** The end of a session whose relay is over. */
export function relayEnd(engine: ServerEngine, relay: Relay): End {
  if (relay.plainFault !== "") return ["broken", "client fault", relay.plainFault];
  if (engine.errors.length === 0 && engine.lost === "") {
    return ["completed", relay.netEnded ? "closed by peer" : "closed by client", ""];
  }
  const [reason, words] = whyEnded(engine);
  // What may be said of a handshake only is a fault of the protocol here.
  const isKnown = (END_REASONS[reason] as readonly Outcome[]).includes("broken");
  return ["broken", isKnown ? reason : "protocol error", words];
}

/** Why an engine cannot go on, and its words for it. */
function whyEnded({ errors, lost }: ServerEngine): [EndReason, string] {
  const reason = failureClassOf(errors);
  if (reason !== undefined) return [reason, errors[0]];
  return lost === "" ? ["closed by peer", ""] : ["connection lost", lost];
}
