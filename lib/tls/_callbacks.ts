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
import { ALERT, CLIENT_HELLO, CTRL, SERVER_NAME } from "../ffi/openssl/constants.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type {
  EvpCipherCtx,
  EvpMacCtx,
  Ssl,
  SslCtx,
  SslSession,
  X509StoreCtx,
} from "../ffi/openssl/types.ts";
import { T } from "../ffi/openssl/types.ts";
import { copyFromC, copyToC } from "../ffi/memory.ts";
import { TICKET } from "./tickets.ts";

/** What an engine answers to OpenSSL's questions. */
export interface CallbackTarget {
  /** The ClientHello is there; `false` suspends the handshake. */
  clientHello(): boolean;
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
  /** One certificate of the peer's chain was looked at. */
  verified(ok: boolean, store: X509StoreCtx): void;
  /** The client may have asked for a server by name; one of {@linkcode SERVER_NAME}. */
  serverName(ssl: Ssl): number;
  /** The handshake has got further, or an alert came or went; only when asked to log. */
  stateChanged(ssl: Ssl, where: number, result: number): void;
  /** Bytes came or went; only when asked to log. */
  moved(operation: number, where: { bio: bigint; data: bigint; length: number }, moved: {
    result: number;
    bytes: Uint8Array;
  }): void;
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

/**
 * A pointer that is not looked at. As a number it is half of one, and no object is made for it at each call.
 */
const IGNORED = "u32";

const clientHello = new Deno.UnsafeCallback(
  { parameters: [IGNORED, /* s */ IGNORED, /* int *al */ IGNORED /* arg */], result: "i32" },
  () => {
    const go = answer((target) => target.clientHello(), undefined);
    if (go === undefined) return CLIENT_HELLO.ERROR;
    return go ? CLIENT_HELLO.SUCCESS : CLIENT_HELLO.RETRY;
  },
);

const ZERO = new Uint8Array(4);

const getSession = new Deno.UnsafeCallback(
  {
    parameters: [IGNORED, /* s */ IGNORED, /* id */ "i32", /* len */ "pointer" /* int *copy */],
    result: "pointer",
  },
  (_ssl, _id, _length, copy) => {
    // The session is given away: OpenSSL shall not count another reference.
    if (copy !== null) copyToC(copy, ZERO, 4);
    return answer((target) => target.takeOfferedSession() as Deno.PointerValue, null);
  },
);

const newSession = new Deno.UnsafeCallback(
  { parameters: [IGNORED, /* s */ T.sslSession], result: "i32" },
  (_ssl, session) => {
    if (session !== null) answer((target) => target.newSession(session), undefined);
    // No reference is kept.
    return 0;
  },
);

const ticketKey = new Deno.UnsafeCallback(
  {
    parameters: [IGNORED, "pointer", "pointer", T.evpCipherCtx, T.evpMacCtx, "i32"],
    // s, key_name, iv, ctx, hctx, enc
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

const verify = new Deno.UnsafeCallback(
  { parameters: ["i32", /* preverify_ok */ T.x509StoreCtx], result: "i32" },
  (ok, store) => {
    if (store !== null) answer((target) => target.verified(ok === 1, store), undefined);
    // No certificate ends a handshake; the local client decides.
    return 1;
  },
);

/** For `SSL_CTX_set_verify`. */
export const verifyCallback = verify.pointer;

const INTERNAL_ERROR = new Uint8Array(Int32Array.of(ALERT.INTERNAL_ERROR).buffer);

const serverName = new Deno.UnsafeCallback(
  { parameters: [T.ssl, "pointer", /* int *al */ "pointer" /* arg */], result: "i32" },
  (ssl, alert) => {
    const result = answer(
      (target) => ssl === null ? SERVER_NAME.NOACK : target.serverName(ssl),
      SERVER_NAME.ALERT_FATAL,
    );
    if (result === SERVER_NAME.ALERT_FATAL && alert !== null) copyToC(alert, INTERNAL_ERROR, 4);
    return result;
  },
);

/** Lets OpenSSL ask for the certificates of a name. */
export function installServerName(context: SslCtx): void {
  libssl.SSL_CTX_callback_ctrl(context, CTRL.SET_TLSEXT_SERVERNAME_CB, serverName.pointer);
}

const info = new Deno.UnsafeCallback(
  { parameters: [T.ssl, "i32", /* where */ "i32" /* ret */], result: "void" },
  (ssl, where, result) => {
    if (ssl !== null) answer((target) => target.stateChanged(ssl, where, result), undefined);
  },
);

/** Lets OpenSSL tell of each state of one connection's handshake. */
export function watchStates(ssl: Ssl): void {
  libssl.SSL_set_info_callback(ssl, info.pointer);
}

const processedOut = new BigUint64Array(1);
const processedBytes = new Uint8Array(processedOut.buffer);

const bytesMoved = new Deno.UnsafeCallback(
  {
    parameters: [T.bio, "i32", "pointer", "usize", "i32", "isize", "i32", "pointer"],
    // …, oper, argp, len, argi, argl, ret, size_t *processed
    result: "isize",
  },
  (bio, operation, data, length, _argi, _argl, result, processed) => {
    answer((target) => {
      let bytes = new Uint8Array(0);
      if (result > 0 && data !== null && processed !== null) {
        copyFromC(processedBytes, processed, 8);
        bytes = new Uint8Array(Number(processedOut[0]));
        copyFromC(bytes, data, bytes.length);
      }
      const where = {
        bio: BigInt(Deno.UnsafePointer.value(bio)),
        data: BigInt(Deno.UnsafePointer.value(data)),
        length: Number(length),
      };
      target.moved(operation, where, { result, bytes });
    }, undefined);
    return BigInt(result);
  },
);

/** Lets OpenSSL tell of each byte that comes or goes, or of none any more. */
export function watchBytes(ssl: Ssl, on: boolean): void {
  libcrypto.BIO_set_callback_ex(libssl.SSL_get_rbio(ssl), on ? bytesMoved.pointer : null);
}

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
