/**
 * The functions that OpenSSL calls, and how they find the engine whose handshake is running.
 *
 * A thread runs one OpenSSL call at a time, so "the engine in hand" is one variable, set around each
 * call that can call back. The callbacks live as long as the thread. None of them lets an exception
 * out: one that crossed a C frame would be undefined behaviour; it is kept and thrown when the C call
 * has returned.
 *
 * @module
 */
import { CLIENT_HELLO } from "../ffi/openssl/constants.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { EvpCipherCtx, EvpMacCtx, Ssl, SslCtx, SslSession } from "../ffi/openssl/types.ts";
import { T } from "../ffi/openssl/types.ts";
import { copyToC } from "../ffi/memory.ts";
import { TICKET } from "./tickets.ts";

/** What an engine answers to OpenSSL's questions. */
export interface CallbackTarget {
  /** The ClientHello is there; `false` suspends the handshake. */
  clientHello(ssl: Ssl): boolean;
  /** Gives the cached session that the client asked for, and the ownership of it. */
  takeOfferedSession(): SslSession | null;
  /** A session that may be resumed later was made. */
  newSession(session: SslSession): void;
  /** A ticket is to be issued (`issue`) or read; one of {@linkcode TICKET}. */
  ticket(
    contexts: {
      keyName: Deno.PointerObject;
      iv: Deno.PointerObject;
      cipherContext: EvpCipherCtx;
      mac: EvpMacCtx;
    },
    issue: boolean,
  ): number;
}

let inHand: CallbackTarget | undefined;
let thrown: { error: unknown } | undefined;

/** Runs `call` with `target` answering OpenSSL; rethrows what a callback threw. */
export function withTarget(target: CallbackTarget, call: () => number): number {
  // One engine's callback may let another one go on.
  const before = inHand;
  inHand = target;
  const result = call();
  inHand = before;
  if (thrown !== undefined) {
    const { error } = thrown;
    thrown = undefined;
    throw error;
  }
  return result;
}

/** Answers from the engine in hand, or `otherwise` when there is none or it fails. */
function answer<A>(ask: (target: CallbackTarget) => A, otherwise: A): A {
  if (inHand === undefined) return otherwise;
  try {
    return ask(inHand);
  } catch (error) {
    thrown ??= { error };
    return otherwise;
  }
}

const clientHello = new Deno.UnsafeCallback(
  { parameters: [T.ssl, "pointer", /* int *al */ "pointer" /* arg */], result: "i32" },
  (ssl) => {
    const go = answer((target) => ssl !== null && target.clientHello(ssl), undefined);
    if (go === undefined) return CLIENT_HELLO.ERROR;
    return go ? CLIENT_HELLO.SUCCESS : CLIENT_HELLO.RETRY;
  },
);

const ZERO = new Uint8Array(4);

const getSession = new Deno.UnsafeCallback(
  {
    parameters: [T.ssl, "pointer", /* id */ "i32", /* len */ "pointer" /* int *copy */],
    result: "pointer",
  },
  (_ssl, _id, _length, copy) => {
    // The session is given away: OpenSSL shall not count another reference.
    if (copy !== null) copyToC(copy, ZERO, 4);
    return answer((target) => target.takeOfferedSession() as Deno.PointerValue, null);
  },
);

const newSession = new Deno.UnsafeCallback(
  { parameters: [T.ssl, T.sslSession], result: "i32" },
  (_ssl, session) => {
    if (session !== null) answer((target) => target.newSession(session), undefined);
    // No reference is kept.
    return 0;
  },
);

const ticketKey = new Deno.UnsafeCallback(
  {
    parameters: [T.ssl, "pointer", "pointer", T.evpCipherCtx, T.evpMacCtx, "i32"],
    // …, key_name, iv, ctx, hctx, enc
    result: "i32",
  },
  (_ssl, keyName, iv, cipherContext, mac, enc) => {
    if (keyName === null || iv === null || cipherContext === null || mac === null) {
      return TICKET.none;
    }
    return answer(
      (target) => target.ticket({ keyName, iv, cipherContext, mac }, enc === 1),
      TICKET.none,
    );
  },
);

/** Lets OpenSSL call what the rules need; each callback costs time, so no other. */
export function installCallbacks(
  context: SslCtx,
  rules: { cachable: boolean; ticketable: boolean },
): void {
  if (!rules.cachable && !rules.ticketable) return;
  libssl.SSL_CTX_set_client_hello_cb(context, clientHello.pointer, null);
  if (rules.ticketable) libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketKey.pointer);
  if (!rules.cachable) return;
  libssl.SSL_CTX_sess_set_get_cb(context, getSession.pointer);
  libssl.SSL_CTX_sess_set_new_cb(context, newSession.pointer);
}
