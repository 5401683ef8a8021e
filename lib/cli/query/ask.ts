/**
 * Sends a request to tlsmgr and waits for the reply.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT, FatalError } from "../../base/errors.ts";
import type { TlsmgrAnswer } from "../../proto/tlsmgr.ts";
import { Reactor } from "../../reactor/reactor.ts";
import { type AnswerHandler, TlsmgrClient } from "../../tls/tlsmgr_client.ts";
import type { Reply } from "./reply_text.ts";
import type { Request } from "./request.ts";

/** What the client says for the log of a service, whose reader does not know whom it asked. */
const REPORT_PREFIX = /^problem talking to server \S+: /;

/** Asks the tlsmgr at `socket`. Throws a `FatalError` (unavailable) when there is no reply. */
export function askTlsmgr(socket: string, request: Request, options: { limitMs: number }): Reply {
  const reactor = new Reactor(systemClock);
  let trouble: string | undefined;
  let reply: Reply | undefined;
  let open = true;
  const client = new TlsmgrClient(reactor, {
    path: socket,
    questionLimitMs: options.limitMs,
    idleLimitMs: options.limitMs,
    report: (text) => trouble ??= text.replace(REPORT_PREFIX, ""),
  });
  try {
    send(client, request, (answer) => {
      open = false;
      if (answer !== undefined) reply = replyOf(answer);
    });
    while (open) reactor.turn(-1);
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    trouble = error.message;
  } finally {
    client.close();
    reactor.close();
  }
  if (reply !== undefined) return reply;
  throw new FatalError(`Cannot ask the tlsmgr at "${socket}": ${trouble ?? "there is no reply"}`, {
    hint: "See that it runs, that this is its socket, and that you may open it",
    exitCode: EXIT.unavailable,
  });
}

function send(client: TlsmgrClient, request: Request, handler: AnswerHandler): void {
  switch (request.name) {
    case "seed":
      return client.seed(request.size, handler);
    case "policy":
      return client.policy(request.cacheType, handler);
    case "lookup":
      return client.lookup(request.cacheType, request.cacheId, handler);
    case "update":
      return client.update(request.cacheType, request.cacheId, request.session, handler);
    case "delete":
      return client.delete(request.cacheType, request.cacheId, handler);
    case "tktkey":
      return client.ticketKey(request.keyName, handler);
  }
}

/** The answer is good for the call of the handler only. */
function replyOf(answer: TlsmgrAnswer): Reply {
  const { status, cachable, timeout } = answer;
  return {
    status,
    cachable,
    timeout,
    seed: answer.seed.data(),
    session: answer.session.data(),
    key: answer.keyBuffer.data(),
  };
}
