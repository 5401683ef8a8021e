/**
 * Ticket keys as a TLS server holds them: those it has received from tlsmgr, at most two.
 *
 * The newest key encrypts until its own time is up; both decrypt. How long a key decrypts here is the
 * whole cache timeout after that, as in Postfix's tls/tls_mgr.c tls_mgr_key(). Each key has its
 * parameters laid out once, in C memory that stays out of core dumps, so that using it costs two calls of
 * OpenSSL's.
 *
 * Callers pass `now`; nothing here asks tlsmgr. Keys are overwritten when they are dropped.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { CBC_MODE } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libcrypto } from "../ffi/openssl/openssl.ts";
import type { EvpCipher, EvpCipherCtx, EvpMacCtx } from "../ffi/openssl/types.ts";
import { copyFromC, copyToC, cString, Memory } from "../ffi/memory.ts";
import type { TicketKey } from "../proto/ticket_key.ts";
import { SecretMemory } from "./secret_memory.ts";

const NAME_BYTES = 16;
const IV_BYTES = 16;
const PARAM_BYTES = 40;
const OSSL_PARAM_OCTET_STRING = 5;
const OSSL_PARAM_UTF8_STRING = 4;
const UNMODIFIED = 0xffff_ffff_ffff_ffffn;

/** What became of a presented ticket; OpenSSL's numbers for its callback. */
export const TICKET = {
  /** No key, no ticket; a full handshake. */
  none: 0,
  /** Usable. */
  usable: 1,
  /** Usable, and to be replaced by a fresh one. */
  renew: 2,
} as const;

/** The cipher that protects tickets. */
export class TicketCipher {
  private constructor(readonly pointer: EvpCipher) {}

  /**
   * Looks `name` up; a text that says why it cannot be used, otherwise.
   *
   * It must be a CBC cipher with an IV of 16 bytes and a key of 16 to 32 (tls_server.c).
   */
  static find(name: string): TicketCipher | string {
    const pointer = libcrypto.EVP_CIPHER_fetch(null, cString(name), null);
    if (pointer === null) {
      clearErrors();
      return "OpenSSL does not know it";
    }
    const key = libcrypto.EVP_CIPHER_get_key_length(pointer);
    const fits = libcrypto.EVP_CIPHER_get_mode(pointer) === CBC_MODE &&
      libcrypto.EVP_CIPHER_get_iv_length(pointer) === IV_BYTES && key >= 16 && key <= 32;
    if (fits) return new TicketCipher(pointer);
    libcrypto.EVP_CIPHER_free(pointer);
    return "it is not a CBC cipher with an IV of 16 bytes and a key of 16 to 32";
  }
}

/** One key, ready for use. */
class LoadedKey {
  readonly name: Bytes;
  readonly encryptUntil: number;
  readonly #memory: SecretMemory;
  readonly #cipherKey: Deno.PointerObject;
  readonly #macParameters: Deno.PointerObject;

  constructor(key: TicketKey) {
    this.name = key.name;
    this.encryptUntil = key.encryptUntil;
    // Cipher key (32), HMAC key (32), digest name (8), then OSSL_PARAM[3].
    const memory = new SecretMemory(72 + 3 * PARAM_BYTES);
    memory.bytes.set(key.cipherKey, 0);
    memory.bytes.set(key.hmacKey, 32);
    memory.bytes.set(DIGEST_NAME, 64);
    const { address } = memory;
    setParam(memory, 72, {
      key: PARAM_NAMES.address,
      type: OSSL_PARAM_OCTET_STRING,
      data: address + 32n,
      size: 32n,
    });
    setParam(memory, 72 + PARAM_BYTES, {
      key: PARAM_NAMES.address + 4n,
      type: OSSL_PARAM_UTF8_STRING,
      data: address + 64n,
      size: 6n,
    });
    setParam(memory, 72 + 2 * PARAM_BYTES, { key: 0n, type: 0, data: 0n, size: 0n });
    this.#memory = memory;
    this.#cipherKey = memory.pointer;
    this.#macParameters = Deno.UnsafePointer.create(address + 72n)!;
  }

  /** Sets both contexts up to issue a ticket; answers whether OpenSSL took it. */
  startEncrypting({ cipherContext, mac, iv }: TicketContexts, cipher: TicketCipher): boolean {
    const { pointer } = cipher;
    return libcrypto.EVP_MAC_CTX_set_params(mac, this.#macParameters) === 1 &&
      libcrypto.EVP_EncryptInit_ex(cipherContext, pointer, null, this.#cipherKey, iv) === 1;
  }

  /** As {@linkcode startEncrypting}, for the other direction. */
  startDecrypting({ cipherContext, mac, iv }: TicketContexts, cipher: TicketCipher): boolean {
    const { pointer } = cipher;
    return libcrypto.EVP_MAC_CTX_set_params(mac, this.#macParameters) === 1 &&
      libcrypto.EVP_DecryptInit_ex(cipherContext, pointer, null, this.#cipherKey, iv) === 1;
  }

  wipe(): void {
    this.#memory.free();
    this.name.fill(0);
  }
}

/** `key` and `digest`, the names of the two MAC parameters, for the life of the process. */
const PARAM_NAMES = new Memory(16);
PARAM_NAMES.bytes.set(cString("key"), 0);
PARAM_NAMES.bytes.set(cString("digest"), 4);
const DIGEST_NAME = cString("SHA256");

/** Lays an `OSSL_PARAM` out: key, data_type, data, data_size, return_size. */
function setParam(
  memory: SecretMemory,
  at: number,
  param: { key: bigint; type: number; data: bigint; size: bigint },
): void {
  const { view } = memory;
  view.setBigUint64(at, param.key, true);
  view.setUint32(at + 8, param.type, true);
  view.setBigUint64(at + 16, param.data, true);
  view.setBigUint64(at + 24, param.size, true);
  view.setBigUint64(at + 32, UNMODIFIED, true);
}

/** What OpenSSL hands to its ticket key callback. */
export interface TicketContexts {
  keyName: Deno.PointerObject;
  iv: Deno.PointerObject;
  cipherContext: EvpCipherCtx;
  mac: EvpMacCtx;
}

const wantedName = new Uint8Array(NAME_BYTES);

/** The keys of one thread, newest first. */
export class TicketKeys {
  readonly #timeoutS: number;
  readonly #keys: LoadedKey[] = [];
  #used = 0;

  /** @param timeoutS the smtpd cache's timeout, seconds */
  constructor(timeoutS: number) {
    this.#timeoutS = timeoutS;
  }

  /** Until when the key that was used last encrypts, in seconds since 1970. */
  get used(): number {
    return this.#used;
  }

  /** Whether a ticket can be issued at `now` (seconds since 1970) without asking tlsmgr. */
  canEncrypt(now: number): boolean {
    return this.#keys.length > 0 && this.#keys[0].encryptUntil > now;
  }

  /**
   * Whether a ticket can be read at `now` without asking tlsmgr.
   *
   * @param ticket its beginning, which names the key
   */
  canDecrypt(ticket: Uint8Array, now: number): boolean {
    return ticket.length >= NAME_BYTES && this.#find(ticket, now) !== undefined;
  }

  /** Takes a key from tlsmgr; whether it was not known. */
  add(key: TicketKey): boolean {
    const known = this.#keys.find((held) => hasName(held.name, key.name));
    if (known !== undefined) return false;
    const loaded = new LoadedKey(key);
    // A key that was asked for by name may be older than the one that is here.
    const newest = this.#keys.length === 0 || this.#keys[0].encryptUntil <= key.encryptUntil;
    if (newest) this.#keys.unshift(loaded);
    else this.#keys.splice(1, 0, loaded);
    for (const dropped of this.#keys.splice(2)) dropped.wipe();
    return true;
  }

  /**
   * OpenSSL wants to issue a ticket: sets name, IV and contexts.
   *
   * A key that was good when the handshake began is good for its ticket. It may have had its time
   * since, but whoever has it decrypts for at least half the timeout longer.
   */
  encrypt(ticket: TicketContexts, cipher: TicketCipher, now: number): number {
    const key = this.#keys.at(0);
    if (key === undefined || key.encryptUntil + this.#timeoutS / 2 <= now) return TICKET.none;
    this.#used = key.encryptUntil;
    copyToC(ticket.keyName, key.name, NAME_BYTES);
    if (libcrypto.RAND_bytes_at(ticket.iv, IV_BYTES) !== 1) return TICKET.none;
    return key.startEncrypting(ticket, cipher) ? TICKET.usable : TICKET.none;
  }

  /** OpenSSL has received a ticket: sets the contexts for its key. */
  decrypt(ticket: TicketContexts, cipher: TicketCipher, now: number): number {
    copyFromC(wantedName, ticket.keyName, NAME_BYTES);
    const key = this.#find(wantedName, now);
    if (key === undefined || !key.startDecrypting(ticket, cipher)) return TICKET.none;
    this.#used = key.encryptUntil;
    return key.encryptUntil <= now ? TICKET.renew : TICKET.usable;
  }

  /** Overwrites all keys. */
  wipe(): void {
    for (const key of this.#keys.splice(0)) key.wipe();
  }

  /** The key that `ticket` begins with the name of. */
  #find(ticket: Uint8Array, now: number): LoadedKey | undefined {
    for (const key of this.#keys) {
      if (hasName(ticket, key.name) && key.encryptUntil + this.#timeoutS > now) return key;
    }
    return undefined;
  }
}

function hasName(ticket: Uint8Array, name: Uint8Array): boolean {
  for (let i = 0; i < NAME_BYTES; i++) if (ticket[i] !== name[i]) return false;
  return true;
}
