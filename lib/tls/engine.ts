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
import type { Ssl, SslSession, X509StoreCtx } from "../ffi/openssl/types.ts";
import { cString } from "../ffi/memory.ts";
import { type Agreed, readAgreed } from "./agreed.ts";
import { type CallbackTarget, watchBytes, watchStates, withTarget } from "./_callbacks.ts";
import { Gathering } from "./_gathering.ts";
import { ENGINE, Outcome } from "./_outcome.ts";
import type { ServerContext } from "./context.ts";
import type { FlightRecorder, Step } from "./flight_recorder.ts";
import { type HelloFacts, readHello } from "./hello.ts";
import type { Gathered, Resumption } from "./resumption.ts";
import { ServerName } from "./server_name.ts";
import { SessionLog, type SessionLogOptions } from "./session_log.ts";
import { encodeSession, freeSession, serverCacheId, sessionIdOf } from "./sessions.ts";
import { type Handshake, summarize } from "./summary.ts";
import type { TicketContexts } from "./tickets.ts";
import { Verification } from "./verification.ts";

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
  /** Only a trusted client certificate is worth anything: weak keys and algorithms are refused. */
  readonly requireCertificate: boolean;
  /** Cipher list; absent: the context's. */
  readonly cipherList?: string;
  readonly log: SessionLogOptions;
}

/**
 * Two records of 16 kB and what is around them. OpenSSL moves what is left to the front of its buffer
 * after each record, so that more than two would be copied more often than that saves calls.
 */
const BULK_READ_BYTES = 33_300n;

/** One `SSL`. */
export class ServerEngine implements CallbackTarget {
  readonly #ssl: Ssl;
  readonly #context: ServerContext;
  readonly #options: EngineOptions;
  readonly #log: SessionLog;
  readonly #verification: Verification | undefined;
  /** OpenSSL tells of what happens after the handshake too. */
  readonly #traced: boolean;
  readonly #serverName: ServerName;
  #ticketed = false;
  readonly #gathered: Gathered = { session: undefined, missed: "" };
  /** Where the ClientHello stands: not seen, being gathered for, ready to be answered. */
  #hello: "unseen" | "gathering" | "ready" = "unseen";
  readonly #outcome = new Outcome();
  /** Made with the first bytes that are more than a record. */
  #gathering: Gathering | undefined;
  #expectsBulk = false;
  #open = true;
  /** Bound once: a closure for each step would be one for each event. */
  readonly #step = () => libssl.SSL_do_handshake(this.#ssl);

  constructor(context: ServerContext, fd: number, options: EngineOptions) {
    const ssl = libssl.SSL_new(context.pointer);
    assert(ssl !== null, "SSL_new succeeds");
    this.#ssl = ssl;
    this.#context = context;
    this.#options = options;
    const log = this.#log = new SessionLog(options.log);
    this.#serverName = new ServerName(log);
    this.#traced = log.shows.sslDebug || log.shows.sessionPackets;
    const { policy } = context;
    if (policy.clientCertificates !== undefined) {
      const tell = log.shows.verbose ? (text: string) => log.verbose(text) : undefined;
      this.#verification = new Verification(tell);
    }
    if (options.requireCertificate) {
      libssl.SSL_set_security_level(ssl, 1);
      const idContext = context.sessionIdContext(true);
      libssl.SSL_set_session_id_context(ssl, idContext, idContext.length);
    }
    log.begin(options.cipherList ?? policy.cipherList);
    assert(libssl.SSL_set_fd(ssl, fd) === 1, "SSL_set_fd succeeds");
    if (log.shows.sslDebug) watchStates(ssl);
    if (log.shows.handshakePackets) watchBytes(ssl, true);
    libssl.SSL_set_accept_state(ssl);
  }

  /**
   * Takes {@linkcode EngineOptions.cipherList}, before the handshake begins. Answers whether it selects
   * a cipher.
   */
  useCipherList(): boolean {
    const { cipherList } = this.#options;
    if (cipherList === undefined || cipherList === this.#context.policy.cipherList) return true;
    clearErrors();
    const taken = libssl.SSL_set_cipher_list(this.#ssl, cString(cipherList)) === 1;
    clearErrors();
    return taken;
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
    if (result === 1) {
      const { shows } = this.#log;
      if (shows.handshakePackets && !shows.sessionPackets) watchBytes(this.#ssl, false);
      return "done";
    }
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
    const count = this.#traced
      ? this.#tracedRead(into)
      : libssl.SSL_read(this.#ssl, into, into.length);
    return count > 0 ? count : this.#outcome.explain(this.#ssl, count);
  }

  /** Encrypts the first `count` bytes of `from`: bytes taken (more than 0), or one of {@linkcode ENGINE}. */
  write(from: Bytes, count: number): number {
    clearErrors();
    const taken = this.#traced
      ? this.#tracedWrite(from, count)
      : libssl.SSL_write(this.#ssl, from, count);
    return taken > 0 ? taken : this.#outcome.explain(this.#ssl, taken);
  }

  /**
   * Lets the records of the next {@linkcode write}s leave together, in {@linkcode flush}, which must
   * follow.
   */
  gather(): void {
    if (this.#traced) return;
    this.#gathering ??= new Gathering(this.#ssl);
    this.#gathering.begin();
  }

  /**
   * Reads up to two full records at a time from here on; again is allowed.
   *
   * Only while bytes wait in it is there a buffer at all, so a session that has become idle has none.
   */
  expectBulk(): void {
    if (this.#expectsBulk) return;
    this.#expectsBulk = true;
    libssl.SSL_set_default_read_buffer_len(this.#ssl, BULK_READ_BYTES);
  }

  /** Sends what was gathered: 1 when all of it has left, or `wantWrite`, or `failed`. */
  flush(): number {
    switch (this.#gathering?.flush()) {
      case "full":
        return ENGINE.wantWrite;
      case "failed":
        return this.#outcome.broken();
      default:
        return 1;
    }
  }

  /** Whether bytes have been read from the descriptor that {@linkcode read} has not returned. */
  hasPending(): boolean {
    return libssl.SSL_has_pending(this.#ssl) === 1;
  }

  // In functions of their own, because a function that makes a closure allocates at each call.
  #tracedRead(into: Bytes): number {
    return withTarget(this, () => libssl.SSL_read(this.#ssl, into, into.length));
  }

  #tracedWrite(from: Bytes, count: number): number {
    return withTarget(this, () => libssl.SSL_write(this.#ssl, from, count));
  }

  /** Sends close_notify, if that is possible at once; the peer's is not awaited. */
  shutdown(): void {
    clearErrors();
    libssl.SSL_shutdown(this.#ssl);
    clearErrors();
  }

  /** What was negotiated; after `done`. */
  summary(): Handshake {
    return summarize(this.#ssl, {
      digest: this.#context.digest,
      serverName: this.#serverName.chosen,
      ticketed: this.#ticketed,
    });
  }

  /** What was negotiated, in numbers; after `done`. */
  agreed(into: Agreed): void {
    readAgreed(this.#ssl, into, this.#ticketed);
    into.missed = into.resumed === "full" ? this.#gathered.missed : "";
  }

  /** Notes a step in the session's record, and where OpenSSL stands. */
  noteStep(flight: FlightRecorder, step: Step, ms: number): void {
    flight.note(step, ms, this.#ssl);
  }

  /** The server name that the client asked for, if there are certificates for it; else empty. */
  get serverNameChosen(): string {
    return this.#serverName.chosen;
  }

  /** Whether {@linkcode report} has anything to say. */
  get reports(): boolean {
    const { summary, untrusted, peercert, verbose, cache } = this.#log.shows;
    return summary || untrusted || peercert || verbose || cache;
  }

  /** Says in the log what was negotiated. */
  report(handshake: Handshake): void {
    this.#log.finished(handshake, this.#verification);
  }

  /** Gives everything back, the descriptor excepted; again is allowed. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#gathered.session !== undefined) freeSession(this.#gathered.session);
    this.#gathered.session = undefined;
    this.#gathering?.abandon();
    libssl.SSL_free(this.#ssl);
  }

  /** For OpenSSL. */
  clientHello(): boolean {
    const { resumption } = this.#options;
    if (resumption === undefined || this.#hello === "ready") return true;
    if (this.#hello === "gathering") return false;
    const facts = readHello(this.#ssl, resumption.allowsTls13);
    this.#gathered.missed = resumption.missedBy(facts);
    if (resumption.hasAllFor(facts)) {
      this.#helloReady(resumption);
      return true;
    }
    return this.#gather(resumption, facts);
  }

  // In a function of its own, because a function that makes closures allocates at each call.
  #gather(resumption: Resumption, facts: HelloFacts): boolean {
    const complete = resumption.gather(facts, {
      serverId: this.#options.serverId,
      gathered: this.#gathered,
      log: this.#log,
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
    // A ticket of TLS 1.3 holds all of its session: nobody can ask for it by id.
    const { resumption, serverId } = this.#options;
    const tls13 = libssl.SSL_version(this.#ssl) === VERSION.TLSv1_3;
    if (resumption === undefined || (tls13 && resumption.ticketable)) return;
    const id = sessionIdOf(session);
    const bytes = id.length === 0 ? undefined : encodeSession(session);
    if (bytes === undefined) return;
    if (this.#log.shows.cache) {
      this.#log.cache(`save session ${serverCacheId(id, serverId)} to smtpd cache`);
    }
    resumption.store(id, serverId, bytes);
    bytes.fill(0);
  }

  /** For OpenSSL. */
  ticket(contexts: TicketContexts, issue: boolean): number {
    const { resumption } = this.#options;
    if (resumption === undefined) return 0;
    const log = this.#log;
    if (issue) return resumption.encryptTicket(contexts, log);
    const alwaysRenew = libssl.SSL_version(this.#ssl) === VERSION.TLSv1_3;
    const result = resumption.decryptTicket(contexts, alwaysRenew, log);
    this.#ticketed ||= result > 0;
    if (result <= 0) this.#gathered.missed = "unknown ticket key";
    return result;
  }

  /** For OpenSSL. */
  verified(ok: boolean, store: X509StoreCtx): void {
    this.#verification?.observe(ok, store);
  }

  /** For OpenSSL: once, or twice when the client has to send another hello. */
  serverName(ssl: Ssl): number {
    return this.#serverName.choose(ssl, this.#context.sni);
  }

  /** For OpenSSL. */
  stateChanged(ssl: Ssl, where: number, result: number): void {
    this.#log.state(ssl, where, result);
  }

  /** For OpenSSL. */
  moved(
    operation: number,
    where: { bio: bigint; data: bigint; length: number },
    moved: { result: number; bytes: Uint8Array },
  ): void {
    this.#log.packet(operation, where, moved);
  }

  #helloReady(resumption: Resumption): void {
    this.#hello = "ready";
    if (!resumption.ticketable || resumption.canIssue) return;
    // No key to issue a ticket with: better none than an empty one.
    libssl.SSL_set_options(this.#ssl, OP.NO_TICKET);
    libssl.SSL_set_num_tickets(this.#ssl, 0n);
  }
}
