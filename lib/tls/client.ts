/**
 * A small TLS client over OpenSSL on a non-blocking descriptor: what it takes to try a server of our
 * own.
 *
 * It verifies no certificate and must never be used to talk to anybody else. The engine makes steps
 * and says what it waits for, as the server's does; the descriptor belongs to the caller. After a
 * failure nothing but `close()` may follow.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { cString } from "../ffi/memory.ts";
import { CTRL, MODE, OP, VERSION } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl, SslCtx, SslSession } from "../ffi/openssl/types.ts";
import { initializeLibrary } from "./library.ts";
import { Outcome } from "./_outcome.ts";
import { freeSession } from "./sessions.ts";
import { type Handshake, summarize } from "./summary.ts";

export { ENGINE } from "./_outcome.ts";
export { freeSession } from "./sessions.ts";
/** A session that may be resumed; whoever holds it must give it to `freeSession()`. */
export type ClientSession = SslSession;

/** What a client offers. */
export interface ClientPolicy {
  /** The only version offered. */
  readonly version: "TLSv1.2" | "TLSv1.3";
  /** Whether tickets are asked for and kept. */
  readonly tickets: boolean;
  /** OpenSSL cipher list for TLS 1.2; empty leaves OpenSSL's own. */
  readonly cipherList: string;
}

const VERSIONS = { "TLSv1.2": VERSION.TLSv1_2, "TLSv1.3": VERSION.TLSv1_3 } as const;

/** What several connections of one client share. */
export class ClientContext {
  /** For the engine. */
  readonly pointer: SslCtx;

  constructor(policy: ClientPolicy) {
    initializeLibrary();
    clearErrors();
    const pointer = libssl.SSL_CTX_new(libssl.TLS_client_method());
    assert(pointer !== null, "SSL_CTX_new succeeds");
    this.pointer = pointer;
    this.#control(CTRL.SET_MIN_PROTO_VERSION, VERSIONS[policy.version]);
    this.#control(CTRL.SET_MAX_PROTO_VERSION, VERSIONS[policy.version]);
    this.#control(CTRL.MODE, MODE.ENABLE_PARTIAL_WRITE | MODE.ACCEPT_MOVING_WRITE_BUFFER);
    if (!policy.tickets) libssl.SSL_CTX_set_options(pointer, OP.NO_TICKET);
    libssl.SSL_CTX_set_verify(pointer, 0, null);
    if (policy.cipherList === "") return;
    const taken = libssl.SSL_CTX_set_cipher_list(pointer, cString(policy.cipherList));
    assert(taken === 1, "a client's cipher list selects a cipher");
  }

  /** Gives the context up; connections that use it keep it alive. */
  close(): void {
    libssl.SSL_CTX_free(this.pointer);
  }

  #control(command: number, value: number): void {
    libssl.SSL_CTX_ctrl(this.pointer, command, BigInt(value), null);
  }
}

/** One connection. */
export class ClientEngine {
  readonly #ssl: Ssl;
  readonly #outcome = new Outcome();

  /** @param session the session to resume; stays the caller's */
  constructor(context: ClientContext, fd: number, session?: ClientSession) {
    const ssl = libssl.SSL_new(context.pointer);
    assert(ssl !== null, "SSL_new succeeds");
    this.#ssl = ssl;
    assert(libssl.SSL_set_fd(ssl, fd) === 1, "SSL_set_fd succeeds");
    libssl.SSL_set_connect_state(ssl);
    if (session === undefined) return;
    assert(libssl.SSL_set_session(ssl, session) === 1, "SSL_set_session succeeds");
  }

  /** What went wrong, in OpenSSL's words or the system's; empty when the peer just ended. */
  get errors(): readonly string[] {
    const { errors, lost } = this.#outcome;
    return lost === "" ? errors : [...errors, lost];
  }

  /** Takes the handshake as far as it goes: 1 when it is done, or one of {@linkcode ENGINE}. */
  handshake(): number {
    clearErrors();
    const result = libssl.SSL_do_handshake(this.#ssl);
    return result === 1 ? result : this.#outcome.explain(this.#ssl, result);
  }

  /** Decrypts into the front of `into`: bytes (more than 0), or one of {@linkcode ENGINE}. */
  read(into: Bytes): number {
    clearErrors();
    const count = libssl.SSL_read(this.#ssl, into, into.length);
    return count > 0 ? count : this.#outcome.explain(this.#ssl, count);
  }

  /** Encrypts from the front of `from`: bytes taken (more than 0), or one of {@linkcode ENGINE}. */
  write(from: Bytes): number {
    clearErrors();
    const taken = libssl.SSL_write(this.#ssl, from, from.length);
    return taken > 0 ? taken : this.#outcome.explain(this.#ssl, taken);
  }

  /**
   * The session as it stands, for another connection; `undefined` when it cannot be resumed.
   *
   * A TLS 1.3 server sends its ticket after the handshake: read something first.
   */
  takeSession(): ClientSession | undefined {
    const session = libssl.SSL_get1_session(this.#ssl);
    if (session === null) return undefined;
    if (libssl.SSL_SESSION_is_resumable(session) === 1) return session;
    freeSession(session);
    return undefined;
  }

  /** Sends close_notify, if that is possible at once; the peer's is not awaited. */
  shutdown(): void {
    clearErrors();
    libssl.SSL_shutdown(this.#ssl);
    clearErrors();
  }

  /** What was negotiated; after the handshake. */
  summary(): Handshake {
    return summarize(this.#ssl);
  }

  /** Gives everything back, the descriptor excepted. */
  close(): void {
    libssl.SSL_free(this.#ssl);
  }
}
