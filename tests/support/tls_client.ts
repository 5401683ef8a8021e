/**
 * A TLS client for tests: OpenSSL's client side on a non-blocking descriptor, in this thread.
 *
 * It trusts everybody and keeps the last session that it was given, so that tests can bring it back.
 * Whoever makes one owns the descriptor.
 *
 * @module
 */

import { assert } from "@std/assert";
import { type Bytes, concat } from "../../lib/base/bytes.ts";
import { cString, readCString } from "../../lib/ffi/memory.ts";
import { CTRL, FILETYPE_PEM, SSL_ERROR } from "../../lib/ffi/openssl/constants.ts";
import { clearErrors, drainErrors } from "../../lib/ffi/openssl/error_queue.ts";
import { libcrypto, libssl } from "../../lib/ffi/openssl/openssl.ts";
import type { EvpPkey, Ssl, SslCtx, SslSession } from "../../lib/ffi/openssl/types.ts";

/** How a client speaks. */
export interface TlsClientOptions {
  /** Both bounds; 0x303 is TLS 1.2. @default OpenSSL's own */
  version?: number;
  /** `SSL_OP_*` bits. */
  options?: bigint;
  /** OpenSSL cipher list for TLS 1.2. */
  ciphers?: string;
  /** OpenSSL groups list; the first one gets a key share. */
  groups?: string;
  /** A session of {@linkcode TlsClient.session}; still owned by the caller. */
  session?: SslSession;
  /** Paths of a certificate chain and its key, for servers that ask. */
  certificate?: { chain: string; key: string };
  /** The name to ask for (SNI). */
  serverName?: string;
}

/** What a step came to. */
export type ClientStep = "done" | "waiting" | "failed";

/** One connection. */
export class TlsClient implements Disposable {
  readonly #context: SslCtx;
  readonly #ssl: Ssl;
  /** OpenSSL's words for what went wrong. */
  errors: string[] = [];

  constructor(fd: number, options: TlsClientOptions = {}) {
    const context = libssl.SSL_CTX_new(libssl.TLS_client_method());
    assert(context !== null);
    this.#context = context;
    libssl.SSL_CTX_set_security_level(context, 0);
    const { version, ciphers, groups } = options;
    if (version !== undefined) {
      for (const command of [CTRL.SET_MIN_PROTO_VERSION, CTRL.SET_MAX_PROTO_VERSION]) {
        assert(libssl.SSL_CTX_ctrl(context, command, BigInt(version), null) === 1n);
      }
    }
    if (options.options !== undefined) libssl.SSL_CTX_set_options(context, options.options);
    if (ciphers !== undefined) {
      assert(libssl.SSL_CTX_set_cipher_list(context, cString(ciphers)) === 1);
    }
    if (groups !== undefined) {
      const list = cString(groups);
      assert(libssl.SSL_CTX_ctrl_text(context, CTRL.SET_GROUPS_LIST, 0n, list) === 1n);
    }
    const { certificate, serverName } = options;
    if (certificate !== undefined) {
      const { chain, key } = certificate;
      assert(libssl.SSL_CTX_use_certificate_chain_file(context, cString(chain)) === 1);
      assert(libssl.SSL_CTX_use_PrivateKey_file(context, cString(key), FILETYPE_PEM) === 1);
    }
    const ssl = libssl.SSL_new(context);
    assert(ssl !== null);
    this.#ssl = ssl;
    if (serverName !== undefined) {
      const name = cString(serverName);
      assert(libssl.SSL_ctrl(ssl, CTRL.SET_TLSEXT_HOSTNAME, 0n, name) === 1n);
    }
    if (options.session !== undefined) assert(libssl.SSL_set_session(ssl, options.session) === 1);
    assert(libssl.SSL_set_fd(ssl, fd) === 1);
    libssl.SSL_set_connect_state(ssl);
  }

  /** Takes the handshake as far as it goes. */
  handshake(): ClientStep {
    clearErrors();
    return this.#stepOf(libssl.SSL_do_handshake(this.#ssl));
  }

  /** All plaintext that has arrived; also takes tickets that came behind the handshake. */
  read(): Bytes {
    const parts: Bytes[] = [];
    for (;;) {
      clearErrors();
      const bytes = new Uint8Array(16384);
      const count = libssl.SSL_read(this.#ssl, bytes, bytes.length);
      if (count <= 0) {
        this.#stepOf(count);
        return concat(...parts);
      }
      parts.push(bytes.slice(0, count));
    }
  }

  /** Sends as much of `bytes` as goes; how much that was. */
  write(bytes: Bytes): number {
    clearErrors();
    const count = libssl.SSL_write(this.#ssl, bytes, bytes.length);
    if (count <= 0) this.#stepOf(count);
    return Math.max(count, 0);
  }

  /** Sends close_notify. */
  shutdown(): void {
    libssl.SSL_shutdown(this.#ssl);
    clearErrors();
  }

  /** Whether the server has sent close_notify. */
  get closedByPeer(): boolean {
    clearErrors();
    const result = libssl.SSL_read(this.#ssl, new Uint8Array(1), 1);
    return libssl.SSL_get_error(this.#ssl, result) === SSL_ERROR.ZERO_RETURN;
  }

  /** `TLSv1.3`. */
  get protocol(): string {
    return readCString(libssl.SSL_get_version(this.#ssl));
  }

  /** OpenSSL's name of the cipher. */
  get cipher(): string {
    const cipher = libssl.SSL_get_current_cipher(this.#ssl);
    return cipher === null ? "" : readCString(libssl.SSL_CIPHER_get_name(cipher));
  }

  /** Bits of the server's share of the key exchange; 0 when there was none. */
  get temporaryKeyBits(): number {
    const out = new BigUint64Array(1);
    const found = libssl.SSL_ctrl(
      this.#ssl,
      CTRL.GET_PEER_TMP_KEY,
      0n,
      new Uint8Array(out.buffer),
    );
    if (found !== 1n) return 0;
    const key = Deno.UnsafePointer.create(out[0]) as EvpPkey | null;
    const bits = libcrypto.EVP_PKEY_get_bits(key);
    libcrypto.EVP_PKEY_free(key);
    return bits;
  }

  /** Whether the session was resumed. */
  get resumed(): boolean {
    return libssl.SSL_session_reused(this.#ssl) === 1;
  }

  /** Whether the session in hand can be brought back. */
  get resumable(): boolean {
    using session = this.session();
    return libssl.SSL_SESSION_is_resumable(session.pointer) === 1;
  }

  /** Whether the session in hand has a ticket. */
  get hasTicket(): boolean {
    using session = this.session();
    return libssl.SSL_SESSION_has_ticket(session.pointer) === 1;
  }

  /** The session in hand, with a reference of its own. */
  session(): Disposable & { pointer: SslSession } {
    const pointer = libssl.SSL_get1_session(this.#ssl);
    assert(pointer !== null, "there is a session");
    return { pointer, [Symbol.dispose]: () => libssl.SSL_SESSION_free(pointer) };
  }

  #stepOf(result: number): ClientStep {
    if (result > 0) return "done";
    switch (libssl.SSL_get_error(this.#ssl, result)) {
      case SSL_ERROR.WANT_READ:
      case SSL_ERROR.WANT_WRITE:
        return "waiting";
      default:
        this.errors = drainErrors();
        return "failed";
    }
  }

  [Symbol.dispose](): void {
    // OpenSSL makes a session that was not shut down useless for resumption when it is freed.
    libssl.SSL_shutdown(this.#ssl);
    libssl.SSL_free(this.#ssl);
    libssl.SSL_CTX_free(this.#context);
    clearErrors();
  }
}
