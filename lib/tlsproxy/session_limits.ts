/**
 * How long a session may take, from what its request says.
 *
 * @module
 */
import type { HandOffRequest } from "../proto/tlsproxy.ts";

/** Added to the session time limit: the local client does the timing that matters (tlsproxy.c). */
const GRACE_MS = 10_000;
/** Longest time limit taken from a request: 100 days, the most that Postfix's parameters take. */
const LIMIT_S_MAX = 8_640_000;

/** For the whole handshake. */
export function handshakeLimitMs(request: HandOffRequest): number {
  return limitMs(request.handshakeTimeoutS);
}

/** Without a byte either way, after the handshake. */
export function idleLimitMs(request: HandOffRequest): number {
  return limitMs(request.sessionTimeoutS) + GRACE_MS;
}

function limitMs(seconds: number): number {
  return 1000 * Math.min(Math.max(seconds, 1), LIMIT_S_MAX);
}
