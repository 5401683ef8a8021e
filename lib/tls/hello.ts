/**
 * What a ClientHello says about resumption, read while OpenSSL shows it (RFC 5246 7.4.1.2, RFC 5077,
 * RFC 8446 4.2.1 and 4.2.11).
 *
 * OpenSSL has checked the outer shape of the message; what is inside an extension is the peer's, so
 * every length is checked again here. Whatever does not fit counts as not there: OpenSSL itself will
 * refuse the message in a moment.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { EXTENSION, VERSION } from "../ffi/openssl/constants.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";
import { copyFromC } from "../ffi/memory.ts";

/** The parts of a ClientHello that decide what must be fetched before it can be answered. */
export interface HelloFacts {
  /** The session id; empty, or 1 to 32 bytes. A TLS 1.3 client sends a meaningless one. */
  readonly sessionId: Bytes;
  /** The client speaks TLS 1.3. */
  readonly tls13: boolean;
  /** Content of the session ticket extension; `undefined` without that extension. */
  readonly ticket: Bytes | undefined;
  /** Identities of the pre_shared_key extension, at most {@linkcode IDENTITIES_MAX} of them. */
  readonly identities: readonly Bytes[];
}

/** Identities that are looked at; a client that resumes sends one. */
export const IDENTITIES_MAX = 2;
/** The longest piece of a ticket that matters here: its key's name, or a whole session id. */
const PIECE_BYTES_MAX = 32;
/** Extensions larger than this are not looked at. */
const EXTENSION_BYTES_MAX = 16384;

const NOTHING = new Uint8Array(0);
const pointerOut = new BigUint64Array(1);
const lengthOut = new BigUint64Array(1);
const pointerBytes = new Uint8Array(pointerOut.buffer);
const lengthBytes = new Uint8Array(lengthOut.buffer);

/** Reads the ClientHello that `ssl` is just being shown; only inside OpenSSL's callback for it. */
export function readHello(ssl: Ssl): HelloFacts {
  const tls13 = offersTls13(extension(ssl, EXTENSION.supportedVersions));
  return {
    sessionId: sessionIdOf(ssl),
    tls13,
    ticket: extension(ssl, EXTENSION.sessionTicket),
    identities: tls13 ? identitiesOf(extension(ssl, EXTENSION.preSharedKey)) : [],
  };
}

function sessionIdOf(ssl: Ssl): Bytes {
  const length = Number(libssl.SSL_client_hello_get0_session_id(ssl, pointerBytes));
  return length === 0 || length > PIECE_BYTES_MAX ? NOTHING : copyOut(length);
}

function extension(ssl: Ssl, type: number): Bytes | undefined {
  if (libssl.SSL_client_hello_get0_ext(ssl, type, pointerBytes, lengthBytes) !== 1) {
    return undefined;
  }
  const length = Number(lengthOut[0]);
  if (length === 0) return NOTHING;
  return length > EXTENSION_BYTES_MAX ? undefined : copyOut(length);
}

function copyOut(length: number): Bytes {
  const pointer = Deno.UnsafePointer.create(pointerOut[0]);
  if (pointer === null) return NOTHING;
  const bytes = new Uint8Array(length);
  copyFromC(bytes, pointer, length);
  return bytes;
}

/** Whether a supported_versions extension lists TLS 1.3. */
export function offersTls13(data: Uint8Array | undefined): boolean {
  if (data === undefined || data.length < 1 || data[0] !== data.length - 1) return false;
  for (let at = 1; at + 2 <= data.length; at += 2) {
    if ((data[at] << 8 | data[at + 1]) === VERSION.TLSv1_3) return true;
  }
  return false;
}

/** The first bytes of each identity of a pre_shared_key extension. */
export function identitiesOf(data: Bytes | undefined): Bytes[] {
  const identities: Bytes[] = [];
  if (data === undefined || data.length < 2) return identities;
  const end = 2 + (data[0] << 8 | data[1]);
  if (end > data.length) return identities;
  let at = 2;
  while (at + 2 <= end && identities.length < IDENTITIES_MAX) {
    const length = data[at] << 8 | data[at + 1];
    at += 2;
    // An identity is followed by its obfuscated age of four bytes.
    if (length === 0 || at + length + 4 > end) break;
    identities.push(data.subarray(at, at + length));
    at += length + 4;
  }
  return identities;
}
