/**
 * Asks tlsmgr what an SMTP server of Postfix asks at its start.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { Reactor } from "../../reactor/reactor.ts";
import { isOk, TlsmgrClient } from "../../tls/tlsmgr_client.ts";
import { STEP_LIMIT_MS, stepFailure } from "./waiting.ts";

/** What tlsmgr answered. */
export interface TlsmgrFindings {
  randomBytes: number;
  /** Whether sessions are kept. */
  cachable: boolean;
  /** For how long, seconds. */
  timeoutS: number;
  ticketKeyBytes: number;
}

const SEED_BYTES = 32;

/** Asks the tlsmgr at `socket` for random bytes, its policy and a ticket key. */
export function askTlsmgr(socket: string): TlsmgrFindings {
  const reactor = new Reactor(systemClock);
  let trouble = "no good answer";
  const client = new TlsmgrClient(reactor, {
    path: socket,
    questionLimitMs: STEP_LIMIT_MS,
    idleLimitMs: STEP_LIMIT_MS,
    report: (text) => trouble = text,
  });
  const found = { randomBytes: 0, cachable: false, timeoutS: 0, ticketKeyBytes: 0 };
  let open = 3;
  let refused: string | undefined;
  const settle = (question: string, good: boolean) => {
    open--;
    if (!good) refused ??= question;
  };
  client.seed(SEED_BYTES, (answer) => {
    if (isOk(answer)) found.randomBytes = answer.seed.dataBytes;
    settle("seed", found.randomBytes === SEED_BYTES);
  });
  client.policy("smtpd", (answer) => {
    if (isOk(answer)) [found.cachable, found.timeoutS] = [answer.cachable === 1, answer.timeout];
    settle("policy", found.cachable);
  });
  client.ticketKey(undefined, (answer) => {
    if (isOk(answer)) found.ticketKeyBytes = answer.keyBuffer.dataBytes;
    settle("tktkey", found.ticketKeyBytes > 0);
  });
  while (open > 0) reactor.turn(STEP_LIMIT_MS);
  client.close();
  reactor.close();
  if (refused !== undefined) throw stepFailure(`ask tlsmgr a "${refused}" question`, trouble);
  return found;
}
