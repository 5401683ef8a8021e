/**
 * The session ticket keys that all TLS servers of one mail system share.
 *
 * At most two keys exist, the newest and the one before, in memory only. With H half the smtpd cache's
 * lifetime a key encrypts for H - 1 seconds and decrypts for H more (tls_scache.c: tls_scache_key,
 * tls_scache_key_rotate). A key is made when somebody asks and none is valid; nothing here has a timer,
 * reads a clock or knows where random bytes come from. A key that nobody may use any more is overwritten.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { encodeTicketKey, TICKET_KEY_RANDOM_BYTES, ticketKeyFrom } from "../proto/ticket_key.ts";
import { TICKET_KEY_NAME_BYTES } from "../proto/tlsmgr.ts";

/** Fills `bytes` with random bytes; false when they must not be used. */
export type FillRandom = (bytes: Bytes) => boolean;

interface Slot {
  /** The C structure as it goes to clients. */
  readonly structure: Bytes;
  /** Unix seconds; the key encrypts before that moment. */
  readonly encryptUntilS: number;
}

/** The two keys. Times are unix seconds. */
export class TicketKeys {
  readonly #periodS: number;
  readonly #fillRandom: FillRandom;
  #newest: Slot | undefined;
  #previous: Slot | undefined;

  /** @param lifetimeS Lifetime of a session in the smtpd cache, sanitised; 0: there are no keys. */
  constructor(lifetimeS: number, fillRandom: FillRandom) {
    this.#periodS = Math.floor(lifetimeS / 2);
    this.#fillRandom = fillRandom;
  }

  /**
   * The structure of the key to encrypt with, a fresh one if need be.
   *
   * `undefined` when there are no keys, or when the generator failed. Not to be written to, and good
   * until the next call.
   */
  current(nowS: number): Bytes | undefined {
    if (this.#periodS <= 0) return undefined;
    this.#forgetUseless(nowS);
    if (this.#newest !== undefined && this.#newest.encryptUntilS > nowS) {
      return this.#newest.structure;
    }
    const made = this.#make(nowS + this.#periodS - 1);
    if (made === undefined) return undefined;
    wipe(this.#previous);
    this.#previous = this.#newest;
    this.#newest = made;
    return made.structure;
  }

  /** The structure of the key called `name`, 16 bytes, while it may decrypt. As with `current`. */
  find(name: Uint8Array, nowS: number): Bytes | undefined {
    this.#forgetUseless(nowS);
    for (const slot of [this.#newest, this.#previous]) {
      if (slot !== undefined && hasName(slot, name)) return slot.structure;
    }
    return undefined;
  }

  /** Overwrites and forgets all keys. */
  wipe(): void {
    wipe(this.#newest);
    wipe(this.#previous);
    this.#newest = undefined;
    this.#previous = undefined;
  }

  #make(encryptUntilS: number): Slot | undefined {
    const random = new Uint8Array(TICKET_KEY_RANDOM_BYTES);
    if (!this.#fillRandom(random)) return undefined;
    const key = ticketKeyFrom(random, encryptUntilS);
    const slot = { structure: encodeTicketKey(key), encryptUntilS };
    for (const bytes of [random, key.cipherKey, key.hmacKey]) bytes.fill(0);
    return slot;
  }

  #forgetUseless(nowS: number): void {
    const useless = (slot: Slot | undefined) =>
      slot !== undefined && slot.encryptUntilS + this.#periodS <= nowS;
    if (useless(this.#previous)) {
      wipe(this.#previous);
      this.#previous = undefined;
    }
    if (useless(this.#newest)) {
      wipe(this.#newest);
      this.#newest = undefined;
    }
  }
}

function hasName(slot: Slot, name: Uint8Array): boolean {
  if (name.length !== TICKET_KEY_NAME_BYTES) return false;
  return name.every((byte, index) => byte === slot.structure[index]);
}

function wipe(slot: Slot | undefined): void {
  slot?.structure.fill(0);
}
