/**
 * What a handshake has agreed on, in numbers: cheap enough to be asked for after every handshake.
 *
 * The names behind the numbers are OpenSSL's. Each is read once, when its number is met for the first
 * time, and kept: there are a few dozen of them.
 *
 * @module
 */
import { CTRL, VERSION } from "../ffi/openssl/constants.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl, SslCipher } from "../ffi/openssl/types.ts";
import { readCString } from "../ffi/memory.ts";

/** How a session was resumed; by its id or a ticket in TLS 1.2, by a pre-shared key in TLS 1.3. */
export const RESUMED = ["full", "session id", "ticket", "psk"] as const;
export type Resumed = typeof RESUMED[number];

/** Why a session that was offered was not resumed. */
export const MISSED = [
  /** None was offered, or the reason is not known. */
  "",
  /** tlsmgr does not have the session. */
  "not in cache",
  /** The key of the ticket is not known, or not any more. */
  "unknown ticket key",
  /** tlsmgr did not answer in time. */
  "no answer",
  /** The session is there, and OpenSSL did not take it: too old, or of another context. */
  "not usable",
] as const;
export type Missed = typeof MISSED[number];

/** A handshake in numbers. */
export interface Agreed {
  /** `0x304` for TLS 1.3. */
  version: number;
  /** The cipher's number in the protocol, 16 bits; 0: unknown. */
  cipherId: number;
  /** OpenSSL's number of the key exchange group; 0: none. */
  groupId: number;
  resumed: Resumed;
  missed: Missed;
}

interface CipherWords {
  readonly name: string;
  readonly usedBits: number;
  readonly algorithmBits: number;
}

const ciphers = new Map<number, CipherWords>();
const groups = new Map<number, string>();

const bitsOut = new Int32Array(1);
const bitsBytes = new Uint8Array(bitsOut.buffer);

/**
 * Reads what `ssl` has agreed on, how it was resumed included.
 *
 * @param ticketed the session was resumed with a ticket
 */
export function readAgreed(ssl: Ssl, into: Agreed, ticketed: boolean): void {
  into.version = libssl.SSL_version(ssl);
  const cipher = libssl.SSL_get_current_cipher(ssl);
  into.cipherId = cipher === null ? 0 : libssl.SSL_CIPHER_get_protocol_id(cipher);
  if (cipher !== null && !ciphers.has(into.cipherId)) learnCipher(into.cipherId, cipher);
  into.groupId = libssl.SSL_ctrl_number(ssl, CTRL.GET_NEGOTIATED_GROUP, 0, null);
  if (into.groupId !== 0 && !groups.has(into.groupId)) {
    groups.set(into.groupId, readCString(libssl.SSL_group_to_name(ssl, into.groupId)));
  }
  into.resumed = libssl.SSL_session_reused(ssl) === 0
    ? "full"
    : into.version === VERSION.TLSv1_3
    ? "psk"
    : ticketed
    ? "ticket"
    : "session id";
}

function learnCipher(id: number, cipher: SslCipher): void {
  const usedBits = libssl.SSL_CIPHER_get_bits(cipher, bitsBytes);
  const name = readCString(libssl.SSL_CIPHER_get_name(cipher));
  ciphers.set(id, { name, usedBits, algorithmBits: bitsOut[0] });
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  [VERSION.SSLv3]: "SSLv3",
  [VERSION.TLSv1]: "TLSv1",
  [VERSION.TLSv1_1]: "TLSv1.1",
  [VERSION.TLSv1_2]: "TLSv1.2",
  [VERSION.TLSv1_3]: "TLSv1.3",
};

/** `TLSv1.3`; empty for a number that {@linkcode readAgreed} has not met. */
export function protocolName(version: number): string {
  return PROTOCOLS[version] ?? "";
}

/** OpenSSL's name of a cipher; empty for a number that {@linkcode readAgreed} has not met. */
export function cipherName(id: number): string {
  return ciphers.get(id)?.name ?? "";
}

/** The group's name in TLS: `x25519`, `secp256r1`; empty for none. */
export function groupName(nid: number): string {
  return groups.get(nid) ?? "";
}
