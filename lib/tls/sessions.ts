/**
 * TLS sessions as bytes: the DER form that tlsmgr keeps for all of Postfix's programs.
 *
 * @module
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libssl, opensslVersionNumber } from "../ffi/openssl/openssl.ts";
import type { SslSession } from "../ffi/openssl/types.ts";
import { copyFromC, Memory } from "../ffi/memory.ts";

/** Sessions larger than this are neither stored nor taken; one with a chain of certificates has a few kB. */
export const SESSION_BYTES_MAX = 65536;

const room = new Memory(SESSION_BYTES_MAX);
const roomAddress = room.address;
const cursor = new BigUint64Array(1);
const cursorBytes = new Uint8Array(cursor.buffer);
const idLength = new Uint8Array(4);

/**
 * The key of a server's session in tlsmgr's cache (Postfix's tls/tls_server.c GEN_CACHE_ID): the id in
 * hexadecimal, the service, and OpenSSL's version, so that no other build has to read it.
 */
export function serverCacheId(sessionId: Uint8Array, serverId: string): string {
  return `${toHex(sessionId)}&s=${serverId}&l=${opensslVersionNumber}`;
}

/** The id of a session. */
export function sessionIdOf(session: SslSession): Bytes {
  const pointer = libssl.SSL_SESSION_get_id(session, idLength);
  const length = idLength[0];
  const id = new Uint8Array(length);
  if (pointer !== null && length > 0) copyFromC(id, pointer, length);
  return id;
}

/** The DER form of a session; `undefined` when it is too large. */
export function encodeSession(session: SslSession): Bytes | undefined {
  const length = libssl.i2d_SSL_SESSION_length(session, null);
  if (length <= 0 || length > SESSION_BYTES_MAX) return undefined;
  cursor[0] = roomAddress;
  libssl.i2d_SSL_SESSION(session, cursorBytes);
  const bytes = room.bytes.slice(0, length);
  // The master secret stays nowhere longer than it must.
  room.bytes.fill(0, 0, length);
  return bytes;
}

/** The session of a DER form, owned by the caller; `undefined` when it is not one. */
export function decodeSession(bytes: Bytes): SslSession | undefined {
  if (bytes.length === 0 || bytes.length > SESSION_BYTES_MAX) return undefined;
  room.bytes.set(bytes);
  cursor[0] = roomAddress;
  const session = libssl.d2i_SSL_SESSION(null, cursorBytes, BigInt(bytes.length));
  room.bytes.fill(0, 0, bytes.length);
  if (session === null) {
    clearErrors();
    return undefined;
  }
  return session;
}

/** Gives a session back. */
export function freeSession(session: SslSession): void {
  libssl.SSL_SESSION_free(session);
}
