/**
 * What a relaying session waits for: decided in one place, after every event.
 *
 * @module
 */
import { READY } from "../reactor/reactor.ts";

/** Where the bytes of a session are stuck. */
export interface RelayFacts {
  /** Plaintext waits for room in TLS. */
  readonly toNet: boolean;
  /** Decrypted bytes wait for room in the plaintext socket. */
  readonly toPlain: boolean;
  /** TLS has something of its own to send before it can go on reading. */
  readonly readWantsWrite: boolean;
  /** The plaintext side has ended; nothing more is read from it. */
  readonly plainEnded: boolean;
  /** The plaintext side takes nothing any more; what it has sent may still be unread. */
  readonly plainDeaf: boolean;
  /** The remote side has ended; nothing more is read from it or sent to it. */
  readonly netEnded: boolean;
}

/** {@linkcode READY} bits for both descriptors. */
export interface Wants {
  net: number;
  plain: number;
}

/**
 * Fills `wants`.
 *
 * A direction whose output is stuck does not read more input: back-pressure reaches the sender
 * through its own socket, and what is kept here is bounded.
 */
export function decideWants(facts: RelayFacts, wants: Wants): void {
  const readNet = !facts.toPlain && !facts.netEnded && !facts.plainDeaf;
  const readPlain = !facts.toNet && !facts.plainEnded && !facts.netEnded;
  wants.net = (readNet ? READY.read : READY.none) |
    (facts.toNet || facts.readWantsWrite ? READY.write : READY.none);
  wants.plain = (readPlain ? READY.read : READY.none) |
    (facts.toPlain ? READY.write : READY.none);
}
