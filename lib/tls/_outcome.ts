/**
 * What a call of OpenSSL's has come to, the same for both ends of TLS.
 *
 * @module
 */
import { describeErrno, errno } from "../ffi/errno.ts";
import { SSL_ERROR } from "../ffi/openssl/constants.ts";
import { drainErrors } from "../ffi/openssl/error_queue.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";

/** Answers of `read` and `write` that are not a number of bytes. */
export const ENGINE = {
  /** The peer has ended its stream. */
  closed: 0,
  /** It cannot go on; the engine says why. */
  failed: -1,
  wantRead: -2,
  wantWrite: -3,
} as const;

/** Why an engine failed; reused by all its calls. */
export class Outcome {
  /** What OpenSSL found wrong, in its words. */
  errors: readonly string[] = [];
  /** Why the connection broke, in the system's words; empty when it did not, or just ended. */
  lost = "";

  /** A write without OpenSSL's TLS has failed; right after the call. */
  broken(): number {
    this.lost = describeErrno(errno());
    return ENGINE.failed;
  }

  /** Turns a result that is not success into one of {@linkcode ENGINE}; right after the call. */
  explain(ssl: Ssl, result: number): number {
    // errno first: everything else may change it.
    const number = errno();
    switch (libssl.SSL_get_error(ssl, result)) {
      case SSL_ERROR.WANT_READ:
      case SSL_ERROR.WANT_CLIENT_HELLO_CB:
        return ENGINE.wantRead;
      case SSL_ERROR.WANT_WRITE:
        return ENGINE.wantWrite;
      case SSL_ERROR.ZERO_RETURN:
        return ENGINE.closed;
      case SSL_ERROR.SYSCALL:
        this.errors = drainErrors();
        if (this.errors.length === 0 && number !== 0) this.lost = describeErrno(number);
        return ENGINE.failed;
      default:
        this.errors = drainErrors();
        return ENGINE.failed;
    }
  }
}
