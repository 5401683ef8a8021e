/**
 * The session ticket keys that all TLS servers of one mail system share.
 *
 * At most two keys exist, the newest and the one before. With H half the smtpd cache's lifetime a key
 * encrypts for H - 1 seconds and decrypts for H more (tls_scache.c: tls_scache_key,
 * tls_scache_key_rotate). A key is made when somebody asks and none is valid.
 *
 * The moment that clients are told is one of the wall clock, but how long a key lives here is measured on
 * the monotonic one: a clock that is set back makes no key live longer, and one that is set forward ends
 * no key that tickets were made with. A clock that is set by more than H only has the next key made, with
 * a moment that is right.
 *
 * Keys exist in memory only, in pages that stay out of core dumps, and are overwritten the moment that
 * nobody may use them any more, whether or not somebody asks. They outlive a change of the lifetime
 * ({@linkcode TicketKeys.setLifetime}); what was promised to clients stays as it was. They outlive the
 * process where somebody keeps them for the next run (key_shelf.ts).
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import {
  encodeTicketKey,
  TICKET_KEY_RANDOM_BYTES,
  type TicketKey,
  ticketKeyFrom,
} from "../proto/ticket_key.ts";
import { TICKET_KEY_NAME_BYTES } from "../proto/tlsmgr.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import type { KeyShelf } from "./key_shelf.ts";
import { SecretMemory } from "../tls/secret_memory.ts";

/** Fills `bytes` with random bytes; false when they must not be used. */
export type FillRandom = (bytes: Bytes) => boolean;

/** What keys are made with. */
export interface TicketKeysOptions {
  readonly fillRandom: FillRandom;
  readonly reactor: Pick<Reactor, "nowMs" | "unixSeconds" | "after" | "cancel">;
  /** Where keys wait for the next run; absent: they end with this one. */
  readonly shelf?: Pick<KeyShelf, "recall" | "keep" | "close"> | undefined;
  /** Told that the keys could not be put there. */
  readonly unshelved?: () => void;
  /** Told of each key that is made. */
  readonly made?: () => void;
}

/** Bytes of a structure, `time_t` and all. */
const STRUCTURE_BYTES = TICKET_KEY_RANDOM_BYTES + 8;
const KEYS_MAX = 2;

interface Slot {
  /** The C structure as it goes to clients. */
  readonly structure: Bytes;
  /** Unix seconds; clients encrypt before that moment. */
  readonly encryptUntilS: number;
  /** The same on the monotonic clock, milliseconds. */
  readonly encryptUntilMs: number;
  /** Fires when the key may not decrypt any more. */
  end: Timer | undefined;
}

/** The two keys. */
export class TicketKeys {
  readonly #options: TicketKeysOptions;
  readonly #memory = new SecretMemory(KEYS_MAX * STRUCTURE_BYTES);
  /** Room for structures that no key uses. */
  readonly #rooms: Bytes[] = [];
  /** The newest first. */
  readonly #slots: Slot[] = [];
  #periodS = 0;

  /** There are no keys until a lifetime is set. */
  constructor(options: TicketKeysOptions) {
    this.#options = options;
    for (let i = 0; i < KEYS_MAX; i++) {
      const start = i * STRUCTURE_BYTES;
      this.#rooms.push(this.#memory.bytes.subarray(start, start + STRUCTURE_BYTES));
    }
  }

  /**
   * Sets how long keys live from here on; those there are decrypt for the half of it after their own time.
   *
   * @param lifetimeS Lifetime of a session in the smtpd cache, sanitised; 0: there are no keys.
   */
  setLifetime(lifetimeS: number): void {
    this.#periodS = Math.floor(lifetimeS / 2);
    if (this.#periodS <= 0) this.wipe();
    for (const slot of [...this.#slots]) {
      this.#options.reactor.cancel(slot.end);
      slot.end = this.#endOf(slot);
    }
  }

  /**
   * Goes on with the keys of the run before that may still be used; once, when the lifetime is set.
   *
   * @returns Why there are none, if something is wrong with them.
   */
  recall(): string | undefined {
    const { shelf, reactor } = this.#options;
    if (shelf === undefined) return undefined;
    const fault = shelf.recall(({ structure, leftMs }) => {
      const encryptUntilMs = reactor.nowMs + leftMs;
      if (this.#periodS <= 0 || leftMs + this.#periodS * 1000 <= 0) return;
      const room = this.#rooms.pop()!;
      room.set(structure);
      const slot: Slot = {
        ...{ structure: room, encryptUntilMs, end: undefined },
        encryptUntilS: endIn(room),
      };
      slot.end = this.#endOf(slot);
      this.#slots.push(slot);
    });
    this.#shelve();
    return fault;
  }

  /**
   * The structure of the key to encrypt with, a fresh one if need be.
   *
   * `undefined` when there are no keys, or when the generator failed. Not to be written to, and good
   * until the next call.
   */
  current(): Bytes | undefined {
    if (this.#periodS <= 0) return undefined;
    const { nowMs } = this.#options.reactor;
    const nowS = this.#options.reactor.unixSeconds();
    const newest = this.#slots.at(0);
    if (newest === undefined || newest.encryptUntilMs <= nowMs) return this.#make(nowS, nowMs);
    const leftS = newest.encryptUntilS - nowS;
    const isTimeRight = leftS > 0 && leftS <= 2 * this.#periodS;
    return isTimeRight ? newest.structure : this.#make(nowS, nowMs);
  }

  /** The structure of the key called `name`, 16 bytes, while it may decrypt. As with `current`. */
  find(name: Uint8Array): Bytes | undefined {
    const { nowMs } = this.#options.reactor;
    for (const slot of this.#slots) {
      if (hasName(slot, name)) return this.#isOver(slot, nowMs) ? undefined : slot.structure;
    }
    return undefined;
  }

  /** Overwrites and forgets all keys, those that wait for the next run included. */
  wipe(): void {
    this.#drop();
    this.#shelve();
  }

  /**
   * Overwrites all keys and gives their memory back; there are no keys any more but those that wait for the
   * next run.
   */
  close(): void {
    this.#drop();
    this.#periodS = 0;
    this.#memory.free();
    this.#options.shelf?.close();
  }

  #drop(): void {
    for (const slot of [...this.#slots]) this.#overwrite(slot);
  }

  #make(nowS: number, nowMs: number): Bytes | undefined {
    const random = new Uint8Array(TICKET_KEY_RANDOM_BYTES);
    if (!this.#options.fillRandom(random)) return undefined;
    const forS = this.#periodS - 1;
    const key = ticketKeyFrom(random, nowS + forS);
    random.fill(0);
    const pushedOut = this.#slots.at(KEYS_MAX - 1);
    if (pushedOut !== undefined) this.#overwrite(pushedOut);
    const structure = this.#rooms.pop()!;
    write(structure, key);
    const times = { encryptUntilS: key.encryptUntil, encryptUntilMs: nowMs + forS * 1000 };
    const slot: Slot = { structure, ...times, end: undefined };
    slot.end = this.#endOf(slot);
    this.#slots.unshift(slot);
    this.#shelve();
    this.#options.made?.();
    return structure;
  }

  #isOver(slot: Slot, nowMs: number): boolean {
    return slot.encryptUntilMs + this.#periodS * 1000 <= nowMs;
  }

  #endOf(slot: Slot): Timer {
    const { nowMs } = this.#options.reactor;
    const leftMs = slot.encryptUntilMs + this.#periodS * 1000 - nowMs;
    return this.#options.reactor.after(Math.max(leftMs, 0), () => this.#forget(slot));
  }

  #forget(slot: Slot): void {
    this.#overwrite(slot);
    this.#shelve();
  }

  /** Those that are here are those that the next run may have. */
  #shelve(): void {
    const { shelf, unshelved, reactor } = this.#options;
    if (shelf === undefined) return;
    const isKept = shelf.keep(this.#slots.map(({ structure, encryptUntilMs }) => ({
      structure,
      leftMs: encryptUntilMs - reactor.nowMs,
    })));
    if (!isKept) unshelved?.();
  }

  #overwrite(slot: Slot): void {
    this.#options.reactor.cancel(slot.end);
    slot.structure.fill(0);
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    this.#rooms.push(slot.structure);
  }
}

/** Lays a key out, and overwrites all that it was made of. */
function write(structure: Bytes, key: TicketKey): void {
  const made = encodeTicketKey(key);
  structure.set(made);
  for (const bytes of [made, key.name, key.cipherKey, key.hmacKey]) bytes.fill(0);
}

/** When the key of a structure ceases to encrypt, unix seconds; the rest of it is not touched. */
function endIn(structure: Bytes): number {
  const { buffer, byteOffset } = structure;
  return Number(new DataView(buffer, byteOffset).getBigInt64(TICKET_KEY_RANDOM_BYTES, true));
}

function hasName(slot: Slot, name: Uint8Array): boolean {
  if (name.length !== TICKET_KEY_NAME_BYTES) return false;
  return name.every((byte, index) => byte === slot.structure[index]);
}
