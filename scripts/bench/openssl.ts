/**
 * The client side of OpenSSL, as far as the load program speaks it.
 *
 * It verifies nobody. Objects are freed by whoever made them; `undefined` stands for "not at the
 * moment", and anything else that goes wrong is an error, because a server under test must not fail.
 *
 * @module
 */

const { symbols: libssl } = Deno.dlopen("libssl.so.3", {
  TLS_client_method: { parameters: [], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "buffer"], result: "i64" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_free: { parameters: ["pointer"], result: "void" },
  SSL_set_fd: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_set_session: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_get1_session: { parameters: ["pointer"], result: "pointer" },
  SSL_session_reused: { parameters: ["pointer"], result: "i32" },
  SSL_SESSION_dup: { parameters: ["pointer"], result: "pointer" },
  SSL_SESSION_free: { parameters: ["pointer"], result: "void" },
  SSL_SESSION_is_resumable: { parameters: ["pointer"], result: "i32" },
});
const { symbols: libcrypto } = Deno.dlopen("libcrypto.so.3", {
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_peek_error: { parameters: [], result: "u64" },
  OpenSSL_version_num: { parameters: [], result: "u64" },
});

export const { SSL_SESSION_dup: copySession, SSL_SESSION_free: freeSession } = libssl;

/** What ends the keys of sessions in a cache: those of another OpenSSL are of no use. */
export const opensslVersionNumber: string = libcrypto.OpenSSL_version_num().toString();

/** A session that may be resumed; to be given to {@linkcode freeSession}. */
export type TlsSession = Deno.PointerValue;

/** What a client offers. */
export interface ClientKind {
  readonly version: "1.2" | "1.3";
  /** The only key of the server that is good enough. */
  readonly key: "ECDSA" | "RSA";
}

const SSL_CTRL_MODE = 33;
const SSL_CTRL_SET_SIGALGS_LIST = 98;
const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
/** Partial writes, moving buffers. */
const MODES = 1n | 2n;
const VERSIONS = { "1.2": 0x303n, "1.3": 0x304n } as const;
const SIGNATURES = { ECDSA: "ECDSA+SHA256", RSA: "RSA-PSS+SHA256:RSA+SHA256" } as const;
const WANT_READ = 2;
const WANT_WRITE = 3;
const ZERO_RETURN = 6;

/** What connections of one kind share. */
export class ClientContext {
  readonly pointer: Deno.PointerValue;

  constructor(kind: ClientKind) {
    this.pointer = libssl.SSL_CTX_new(libssl.TLS_client_method());
    if (this.pointer === null) throw new Error("Cannot make a TLS context");
    this.#control(SSL_CTRL_SET_MIN_PROTO_VERSION, VERSIONS[kind.version]);
    this.#control(SSL_CTRL_SET_MAX_PROTO_VERSION, VERSIONS[kind.version]);
    this.#control(SSL_CTRL_MODE, MODES);
    const names = new TextEncoder().encode(SIGNATURES[kind.key] + "\0");
    if (libssl.SSL_CTX_ctrl(this.pointer, SSL_CTRL_SET_SIGALGS_LIST, 0n, names) !== 1n) {
      throw new Error(`Cannot choose the signatures ${SIGNATURES[kind.key]}`);
    }
  }

  close(): void {
    libssl.SSL_CTX_free(this.pointer);
  }

  #control(command: number, value: bigint): void {
    libssl.SSL_CTX_ctrl(this.pointer, command, value, null);
  }
}

/** One connection; the descriptor is the caller's. */
export class ClientConnection {
  readonly #ssl: Deno.PointerValue;
  readonly #offered: TlsSession | undefined;

  /** @param session is resumed if given; stays the caller's */
  constructor(context: ClientContext, fd: number, session: TlsSession | undefined) {
    this.#ssl = libssl.SSL_new(context.pointer);
    if (this.#ssl === null) throw new Error("Cannot make a TLS connection");
    libssl.SSL_set_fd(this.#ssl, fd);
    libssl.SSL_set_connect_state(this.#ssl);
    this.#offered = session;
    if (session !== undefined && libssl.SSL_set_session(this.#ssl, session) !== 1) {
      throw new Error("Cannot resume a TLS session");
    }
  }

  /** Takes the handshake as far as it goes; whether it is done. */
  shake(): boolean {
    const result = libssl.SSL_do_handshake(this.#ssl);
    return result === 1 || this.#pause("make a TLS session", result);
  }

  /** Bytes read into the front of `into`; 0 when none are there. */
  read(into: Uint8Array<ArrayBuffer>): number {
    const count = libssl.SSL_read(this.#ssl, into, into.length);
    if (count <= 0) this.#pause("read from TLS", count);
    return Math.max(count, 0);
  }

  /** Bytes taken from the front of `from`; 0 when there is no room. */
  write(from: Uint8Array<ArrayBuffer>): number {
    const count = libssl.SSL_write(this.#ssl, from, from.length);
    if (count <= 0) this.#pause("write into TLS", count);
    return Math.max(count, 0);
  }

  get resumed(): boolean {
    return libssl.SSL_session_reused(this.#ssl) === 1;
  }

  /**
   * The session that the server has given, or `undefined` when it gave none that can be resumed; the
   * caller frees it. A session that was offered and stayed as it was does not count: OpenSSL makes
   * another object of it when a ticket comes.
   */
  takeSession(): TlsSession | undefined {
    const session = libssl.SSL_get1_session(this.#ssl);
    const given = session !== null &&
      (this.#offered === undefined || !Deno.UnsafePointer.equals(session, this.#offered));
    if (given && libssl.SSL_SESSION_is_resumable(session) === 1) return session;
    freeSession(session);
    return undefined;
  }

  /** Sends close_notify and frees the connection. */
  close(): void {
    libssl.SSL_shutdown(this.#ssl);
    libssl.SSL_free(this.#ssl);
    libcrypto.ERR_clear_error();
  }

  /** False when the call may be made again later; an error otherwise. */
  #pause(what: string, result: number): false {
    const why = libssl.SSL_get_error(this.#ssl, result);
    if (why === WANT_READ || why === WANT_WRITE) return false;
    const detail = why === ZERO_RETURN ? "the server closed the session" : `SSL error ${why}`;
    throw new Error(`Cannot ${what}: ${detail}, ${libcrypto.ERR_peek_error().toString(16)}`);
  }
}
