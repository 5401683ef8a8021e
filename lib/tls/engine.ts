/**
 * One TLS connection, server side: OpenSSL on a non-blocking descriptor.
 *
 * The engine makes steps and says what it waits for; who waits, and for how long, is not known here.
 * Its descriptor belongs to the caller. After `failed` nothing but {@linkcode ServerEngine.close} may
 * follow.
 *
 * OpenSSL's error queue is cleared before each call and drained after a failed one, so that a
 * session's errors are its own.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { OP, VERSION } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl, SslSession } from "../ffi/openssl/types.ts";
import { type CallbackTarget, withTarget } from "./_callbacks.ts";
import { ENGINE, Outcome } from "./_outcome.ts";
import type { ServerContext } from "./context.ts";
import { readHello } from "./hello.ts";
import type { Gathered, Resumption } from "./resumption.ts";
import { encodeSession, freeSession, sessionIdOf } from "./sessions.ts";
import { type Handshake, summarize } from "./summary.ts";
import type { TicketContexts } from "./tickets.ts";

/** Answers of {@linkcode ServerEngine.handshake}. */
export type HandshakeStep = "done" | "want read" | "want write" | "suspended" | "failed";

export { ENGINE } from "./_outcome.ts";

/** How an engine is made. */
export interface EngineOptions {
  /** Absent: every handshake is a full one. */
  readonly resumption: Resumption | undefined;
  /** Goes into the key of cached sessions. */
  readonly serverId: string;
  /** Called, from the loop, when a suspended handshake can go on. */
  readonly resume: () => void;
}

/** One `SSL`. */
export class ServerEngine implements CallbackTarget {
  readonly #ssl: Ssl;
  readonly #options: EngineOptions;
  readonly #gathered: Gathered = { session: undefined };
  /** Where the ClientHello stands: not seen, being gathered for, ready to be answered. */
  #hello: "unseen" | "gathering" | "ready" = "unseen";
  readonly #outcome = new Outcome();
  #open = true;
  /** Bound once: a closure for each step would be one for each event. */
  readonly #step = () => libssl.SSL_do_handshake(this.#ssl);

  constructor(context: ServerContext, fd: number, options: EngineOptions) {
    const ssl = libssl.SSL_new(context.pointer);
    assert(ssl !== null, "SSL_new succeeds");
    this.#ssl = ssl;
    this.#options = options;
    assert(libssl.SSL_set_fd(ssl, fd) === 1, "SSL_set_fd succeeds");
    libssl.SSL_set_accept_state(ssl);
  }

  /** What OpenSSL found wrong, in its words; empty when the peer just went away. */
  get errors(): readonly string[] {
    return this.#outcome.errors;
  }

  /** Why the connection broke, in the system's words; empty when it did not. */
  get lost(): string {
    return this.#outcome.lost;
  }

  /** Takes the handshake as far as it goes. */
  handshake(): HandshakeStep {
    clearErrors();
    const result = withTarget(this, this.#step);
    if (result === 1) return "done";
    switch (this.#outcome.explain(this.#ssl, result)) {
      case ENGINE.wantRead:
        return this.#hello === "gathering" ? "suspended" : "want read";
      case ENGINE.wantWrite:
        return "want write";
      default:
        return "failed";
    }
  }

  /**
   * Decrypts into the front of `into`: bytes (more than 0), or one of {@linkcode ENGINE}.
   *
   * OpenSSL may have read further than the record that it returns. Whoever stops before `wantRead` must
   * come back without waiting for the descriptor, which need not become readable again.
   */
  read(into: Bytes): number {
    clearErrors();
    const count = libssl.SSL_read(this.#ssl, into, into.length);
    return count > 0 ? count : this.#outcome.explain(this.#ssl, count);
  }

  /** Encrypts the first `count` bytes of `from`: bytes taken (more than 0), or one of {@linkcode ENGINE}. */
  write(from: Bytes, count: number): number {
    clearErrors();
    const taken = libssl.SSL_write(this.#ssl, from, count);
    return taken > 0 ? taken : this.#outcome.explain(this.#ssl, taken);
  }

  /** Sends close_notify, if that is possible at once; the peer's is not awaited. */
  shutdown(): void {
    clearErrors();
    libssl.SSL_shutdown(this.#ssl);
    clearErrors();
  }

  /** What was negotiated; after `done`. */
  summary(): Handshake {
    return summarize(this.#ssl);
  }

  /** Gives everything back, the descriptor excepted; again is allowed. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#gathered.session !== undefined) freeSession(this.#gathered.session);
    this.#gathered.session = undefined;
    libssl.SSL_free(this.#ssl);
  }

  /** For OpenSSL. */
  clientHello(ssl: Ssl): boolean {
    const { resumption, serverId } = this.#options;
    if (resumption === undefined || this.#hello === "ready") return true;
    if (this.#hello === "gathering") return false;
    const complete = resumption.gather(readHello(ssl), {
      serverId,
      gathered: this.#gathered,
      abandoned: () => !this.#open,
      done: () => {
        if (!this.#open) return;
        this.#helloReady(resumption);
        this.#options.resume();
      },
    });
    this.#hello = complete ? "unseen" : "gathering";
    if (complete) this.#helloReady(resumption);
    return complete;
  }

  /** For OpenSSL. */
  takeOfferedSession(): SslSession | null {
    const { session } = this.#gathered;
    this.#gathered.session = undefined;
    return session ?? null;
  }

  /** For OpenSSL. */
  newSession(session: SslSession): void {
    const id = sessionIdOf(session);
    const bytes = id.length === 0 ? undefined : encodeSession(session);
    if (bytes === undefined) return;
    this.#options.resumption?.store(id, this.#options.serverId, bytes);
    bytes.fill(0);
  }

  /** For OpenSSL. */
  ticket(contexts: Omit<TicketContexts, "cipher">, issue: boolean): number {
    const { resumption } = this.#options;
    if (resumption === undefined) return 0;
    if (issue) return resumption.encryptTicket(contexts);
    return resumption.decryptTicket(contexts, libssl.SSL_version(this.#ssl) === VERSION.TLSv1_3);
  }

  #helloReady(resumption: Resumption): void {
    this.#hello = "ready";
    if (!resumption.ticketable || resumption.canIssue) return;
    // No key to issue a ticket with: better none than an empty one.
    libssl.SSL_set_options(this.#ssl, OP.NO_TICKET);
    libssl.SSL_set_num_tickets(this.#ssl, 0n);
  }
}
