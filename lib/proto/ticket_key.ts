/**
 * The session ticket key as tlsmgr hands it out: one raw C structure (tls_scache.h,
 * TLS_TICKET_KEY).
 *
 * | offset | size | field |
 * | --- | --- | --- |
 * | 0 | 16 | name |
 * | 16 | 32 | cipher key |
 * | 48 | 32 | HMAC key |
 * | 80 | 8 or 4 | end of the encryption period, a `time_t` in host byte order |
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { TICKET_KEY_NAME_BYTES } from "./tlsmgr.ts";

/** Bytes of the cipher key; a cipher with a shorter key uses the first ones. */
export const TICKET_CIPHER_KEY_BYTES = 32;

/** Bytes of the HMAC-SHA256 key. */
export const TICKET_HMAC_KEY_BYTES = 32;

/** Random bytes that make a key: name, cipher key and HMAC key in this order. */
export const TICKET_KEY_RANDOM_BYTES = TICKET_KEY_NAME_BYTES + TICKET_CIPHER_KEY_BYTES +
  TICKET_HMAC_KEY_BYTES;

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A session ticket key. */
export interface TicketKey {
  /** 16 bytes; goes into the ticket. */
  readonly name: Bytes;
  /** 32 bytes. */
  readonly cipherKey: Bytes;
  /** 32 bytes. */
  readonly hmacKey: Bytes;
  /** End of the encryption period, whole seconds since 1970. */
  readonly encryptUntil: number;
}

/** How a C compiler lays the structure out. */
export interface TicketKeyLayout {
  /** Bytes of a `time_t`. @default {8} */
  timeBytes?: 4 | 8;
  /** Byte order. @default the machine's own */
  littleEndian?: boolean;
}

/** The key made of 80 random bytes. */
export function ticketKeyFrom(random: Uint8Array, encryptUntil: number): TicketKey {
  assert(random.length === TICKET_KEY_RANDOM_BYTES, "a ticket key is made of 80 random bytes");
  const cipherAt = TICKET_KEY_NAME_BYTES;
  const hmacAt = cipherAt + TICKET_CIPHER_KEY_BYTES;
  return {
    name: random.slice(0, cipherAt),
    cipherKey: random.slice(cipherAt, hmacAt),
    hmacKey: random.slice(hmacAt),
    encryptUntil,
  };
}

/** The structure's bytes: 88, or 84 with a `time_t` of 4. */
export function encodeTicketKey(key: TicketKey, layout: TicketKeyLayout = {}): Bytes {
  const { timeBytes = 8, littleEndian = HOST_IS_LITTLE_ENDIAN } = layout;
  const bytes = new Uint8Array(TICKET_KEY_RANDOM_BYTES + timeBytes);
  bytes.set(key.name, 0);
  bytes.set(key.cipherKey, TICKET_KEY_NAME_BYTES);
  bytes.set(key.hmacKey, TICKET_KEY_NAME_BYTES + TICKET_CIPHER_KEY_BYTES);
  const view = new DataView(bytes.buffer);
  if (timeBytes === 8) {
    view.setBigInt64(TICKET_KEY_RANDOM_BYTES, BigInt(key.encryptUntil), littleEndian);
  } else {
    view.setInt32(TICKET_KEY_RANDOM_BYTES, key.encryptUntil, littleEndian);
  }
  return bytes;
}

/** The key in a structure of 88 or 84 bytes; `undefined` when it has another size. */
export function decodeTicketKey(
  bytes: Uint8Array,
  littleEndian: boolean = HOST_IS_LITTLE_ENDIAN,
): TicketKey | undefined {
  const timeBytes = bytes.length - TICKET_KEY_RANDOM_BYTES;
  if (timeBytes !== 8 && timeBytes !== 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const encryptUntil = timeBytes === 8
    ? Number(view.getBigInt64(TICKET_KEY_RANDOM_BYTES, littleEndian))
    : view.getInt32(TICKET_KEY_RANDOM_BYTES, littleEndian);
  return ticketKeyFrom(bytes.subarray(0, TICKET_KEY_RANDOM_BYTES), encryptUntil);
}
