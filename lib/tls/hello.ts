/**
 * What a ClientHello says about resumption, read while OpenSSL shows it (RFC 5246 7.4.1.2, RFC 5077,
 * RFC 8446 4.2.1 and 4.2.11).
 *
 * OpenSSL has checked the outer shape of the message; what is inside an extension is the peer's, so
 * every length is checked again here. Whatever does not fit counts as not there: OpenSSL itself will
 * refuse the message in a moment.
 *
 * Every handshake passes here. Facts are therefore one object a thread, and all bytes in them are views,
 * made once, of memory that the next hello is read into: whoever keeps some copies them.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { EXTENSION, VERSION } from "../ffi/openssl/constants.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";
import { copyFromAddress } from "../ffi/memory.ts";

/** The parts of a ClientHello that decide what must be fetched before it can be answered. */
export interface HelloFacts {
  /** TLS 1.3 is going to be spoken. */
  readonly tls13: boolean;
  /** The session id; empty, or 1 to 32 bytes. Not read for TLS 1.3, where it means nothing. */
  readonly sessionId: Bytes;
  /**
   * The first {@linkcode PIECE_BYTES_MAX} bytes of the session ticket extension; `undefined` without that
   * extension.
   */
  readonly ticket: Bytes | undefined;
  /** The same of each identity of the pre_shared_key extension, of {@linkcode IDENTITIES_MAX} at most. */
  readonly identities: readonly Bytes[];
}

/** Identities that are looked at; a client that resumes sends one. */
export const IDENTITIES_MAX = 2;
/** A session id has 32 bytes at most, the name of a ticket's key 16: one more tells what is longer. */
export const PIECE_BYTES_MAX = 33;
const SESSION_ID_BYTES_MAX = 32;
/** Extensions larger than this are not looked at. */
const EXTENSION_BYTES_MAX = 16384;

/** Room for one piece, and its beginnings by their length. */
class Piece {
  readonly #room = new Uint8Array(PIECE_BYTES_MAX);
  readonly #views = Array.from(
    { length: PIECE_BYTES_MAX + 1 },
    (_, length) => this.#room.subarray(0, length),
  );

  /** The first bytes of `from[start, end)`. */
  take(from: Uint8Array, start: number, end: number): Bytes {
    const length = Math.min(end - start, PIECE_BYTES_MAX);
    for (let i = 0; i < length; i++) this.#room[i] = from[start + i];
    return this.#views[length];
  }
}

const extensionRoom = new Uint8Array(EXTENSION_BYTES_MAX);
const sessionIdPiece = new Piece();
const ticketPiece = new Piece();
const identityPieces = Array.from({ length: IDENTITIES_MAX }, () => new Piece());
const NOTHING = new Uint8Array(0);

const pointerOut = new BigUint64Array(1);
const lengthOut = new Uint32Array(2);
const pointerBytes = new Uint8Array(pointerOut.buffer);
const lengthBytes = new Uint8Array(lengthOut.buffer);

const facts = {
  tls13: false,
  sessionId: NOTHING as Bytes,
  ticket: undefined as Bytes | undefined,
  identities: [] as Bytes[],
};

/**
 * Reads the ClientHello that `ssl` is just being shown; only inside OpenSSL's callback for it. Good until
 * the next call.
 *
 * @param allowsTls13 the server speaks TLS 1.3 to who does
 */
export function readHello(ssl: Ssl, allowsTls13: boolean): HelloFacts {
  facts.tls13 = allowsTls13 &&
    offersTls13(extensionRoom, readExtension(ssl, EXTENSION.supportedVersions));
  facts.identities.length = 0;
  facts.ticket = undefined;
  facts.sessionId = NOTHING;
  if (facts.tls13) {
    const length = readExtension(ssl, EXTENSION.preSharedKey);
    findIdentities(extensionRoom, length, facts.identities);
    // A ticket of TLS 1.2, then, if any.
    if (facts.identities.length > 0) return facts;
  }
  const length = readExtension(ssl, EXTENSION.sessionTicket);
  if (length >= 0) facts.ticket = ticketPiece.take(extensionRoom, 0, length);
  if (!facts.tls13) facts.sessionId = readSessionId(ssl);
  return facts;
}

function readSessionId(ssl: Ssl): Bytes {
  const length = libssl.SSL_client_hello_get0_session_id(ssl, pointerBytes);
  if (length === 0 || length > SESSION_ID_BYTES_MAX) return NOTHING;
  copyFromAddress(extensionRoom, pointerOut[0], length);
  return sessionIdPiece.take(extensionRoom, 0, length);
}

/** Copies an extension to the shared room: its length, or -1 when there is none to be looked at. */
function readExtension(ssl: Ssl, type: number): number {
  if (libssl.SSL_client_hello_get0_ext(ssl, type, pointerBytes, lengthBytes) !== 1) return -1;
  const length = lengthOut[0];
  if (lengthOut[1] !== 0 || length > EXTENSION_BYTES_MAX) return -1;
  if (length > 0) copyFromAddress(extensionRoom, pointerOut[0], length);
  return length;
}

/** Whether a supported_versions extension, `data[0, length)`, lists TLS 1.3. */
export function offersTls13(data: Uint8Array, length: number): boolean {
  if (length < 1 || data[0] !== length - 1) return false;
  for (let at = 1; at + 2 <= length; at += 2) {
    if ((data[at] << 8 | data[at + 1]) === VERSION.TLSv1_3) return true;
  }
  return false;
}

/** Appends the first bytes of each identity of a pre_shared_key extension, `data[0, length)`. */
export function findIdentities(data: Bytes, length: number, into: Bytes[]): void {
  if (length < 2) return;
  const end = 2 + (data[0] << 8 | data[1]);
  if (end > length) return;
  let at = 2;
  for (let i = 0; i < IDENTITIES_MAX && at + 2 <= end; i++) {
    const size = data[at] << 8 | data[at + 1];
    at += 2;
    // An identity is followed by its obfuscated age of four bytes.
    if (size === 0 || at + size + 4 > end) return;
    into.push(identityPieces[i].take(data, at, at + size));
    at += size + 4;
  }
}
