/**
 * Records of one connection gathered, so that several leave with one system call.
 *
 * OpenSSL writes each record as soon as it is sealed. While a connection gathers, its records go into a
 * buffer (BIO_f_buffer) in front of the socket, and leave together in {@linkcode Gathering.flush}. A
 * thread keeps one such buffer for all its connections; a connection whose socket did not take
 * everything keeps the buffer until it has, and whatever OpenSSL sends meanwhile goes behind. So
 * the order never changes, and idle connections have no buffer.
 *
 * A buffer that still holds bytes is never given to another connection.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { BIO, BIO_WRITE_BUFFER } from "../ffi/openssl/constants.ts";
import { libcrypto, libssl } from "../ffi/openssl/openssl.ts";
import type { Bio, Ssl } from "../ffi/openssl/types.ts";

/** Room for what one step seals: 64 kB of plaintext, and 512 bytes around each record. */
const BUFFER_BYTES = 65536 + 4 * 512;

/** The buffer that no connection has. */
let spare: Bio | undefined;

function takeBuffer(): Bio {
  const kept = spare;
  spare = undefined;
  if (kept !== undefined) return kept;
  const buffer = libcrypto.BIO_new(libcrypto.BIO_f_buffer());
  assert(buffer !== null, "BIO_new succeeds");
  const sized = libcrypto.BIO_int_ctrl(
    buffer,
    BIO.SET_BUFFER_SIZE,
    BigInt(BUFFER_BYTES),
    BIO_WRITE_BUFFER,
  );
  assert(sized === 1n, "BIO_set_write_buffer_size succeeds");
  return buffer;
}

/** The output of one connection. */
export class Gathering {
  readonly #ssl: Ssl;
  readonly #socket: Bio;
  #buffer: Bio | undefined;

  constructor(ssl: Ssl) {
    const socket = libssl.SSL_get_rbio(ssl);
    assert(socket !== null, "a connection has a socket");
    this.#ssl = ssl;
    this.#socket = socket;
  }

  /** Whether output goes into a buffer at the moment. */
  get open(): boolean {
    return this.#buffer !== undefined;
  }

  /** Gathers from here on; again is allowed. */
  begin(): void {
    if (this.#buffer !== undefined) return;
    const buffer = this.#buffer = takeBuffer();
    // A chain owns a reference to each of its members, and so does the connection to its first.
    libcrypto.BIO_up_ref(this.#socket);
    libcrypto.BIO_push(buffer, this.#socket);
    libcrypto.BIO_up_ref(buffer);
    libssl.SSL_set0_wbio(this.#ssl, buffer);
  }

  /**
   * Sends what was gathered, and gathers no more: "done"; "full" when the socket takes no more at the
   * moment, and gathering goes on; "failed", with the reason in errno.
   */
  flush(): "done" | "full" | "failed" {
    const buffer = this.#buffer;
    if (buffer === undefined) return "done";
    if (libcrypto.BIO_ctrl_number(buffer, BIO.FLUSH, 0, null) > 0) {
      this.#detach(buffer);
      if (spare === undefined) spare = buffer;
      else libcrypto.BIO_free(buffer);
      return "done";
    }
    return libcrypto.BIO_test_flags(buffer, BIO.SHOULD_RETRY) !== 0 ? "full" : "failed";
  }

  /** Throws away what was not sent. */
  abandon(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#detach(buffer);
    libcrypto.BIO_free(buffer);
  }

  #detach(buffer: Bio): void {
    this.#buffer = undefined;
    libcrypto.BIO_pop(buffer);
    // Gives the connection's reference to the buffer back, and takes that to the socket over.
    libssl.SSL_set0_wbio(this.#ssl, this.#socket);
  }
}
