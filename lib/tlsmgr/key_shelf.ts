/**
 * Where ticket keys wait while tlsmgr is started again: a record in memory that the service manager keeps.
 *
 * | offset | size | field |
 * | --- | --- | --- |
 * | 0 | 8 | `PTKTKEYS` |
 * | 8 | 4 | version, 1 |
 * | 12 | 4 | number of keys, 0 to 2 |
 * | 16 | 96 each | keys, the newest first, and room that is zero |
 * | 208 | 4 | zero |
 * | 212 | 4 | CRC-32C of all before it |
 *
 * A key is the C structure that clients get, and the moment at which it ceases to encrypt, in microseconds
 * of the clock that all runs share (8 bytes): so a wall clock that is set in between makes no key live
 * longer. Numbers are little-endian. The record is written whole whenever a key comes or goes, so that a
 * key that nobody may use any more is nowhere. It lies in pages that stay out of core dumps on its way.
 *
 * Whatever is wrong with a record, keys in it are not used, and that is told; a record of zeros is the one
 * of a first run.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { latin1 } from "../base/bytes.ts";
import type { KeptMemory } from "../daemon/kept_memory.ts";
import { TICKET_KEY_RANDOM_BYTES } from "../proto/ticket_key.ts";
import { CRC32C_START, finishCrc32c, updateCrc32c } from "../store/crc32c.ts";
import { SecretMemory } from "../tls/secret_memory.ts";

const MAGIC = latin1("PTKTKEYS");
const VERSION = 1;
const KEYS_MAX = 2;
const STRUCTURE_BYTES = TICKET_KEY_RANDOM_BYTES + 8;
const KEY_BYTES = STRUCTURE_BYTES + 8;
const PLACE = { version: 8, count: 12, keys: 16, checksum: 212 } as const;
const RECORD_BYTES = 216;
/** No key encrypts for longer: half of Postfix's longest session lifetime, 100 days. */
const LEFT_MAX_MS = 50 * 86_400 * 1000;

/** A key as it waits. */
export interface ShelvedKey {
  /** The C structure; of a key that was found, good until the next call. */
  readonly structure: Bytes;
  /** Until it ceases to encrypt, milliseconds; may be below zero. */
  readonly leftMs: number;
}

/** The record of one run. */
export class KeyShelf {
  readonly #kept: Pick<KeptMemory, "nowUs" | "read" | "write">;
  readonly #memory = new SecretMemory(RECORD_BYTES);
  readonly #words = new Int32Array(this.#memory.bytes.buffer, 0, RECORD_BYTES / 4);

  constructor(kept: Pick<KeptMemory, "nowUs" | "read" | "write">) {
    this.#kept = kept;
  }

  /**
   * Hands the keys of the run before to `take`, the newest first, if there are any.
   *
   * @returns Why they cannot be used.
   */
  recall(take: (key: ShelvedKey) => void): string | undefined {
    const { bytes } = this.#memory;
    try {
      if (!this.#kept.read(bytes)) return "it cannot be read";
      if (bytes.every((byte) => byte === 0)) return undefined;
      const keys = this.#check();
      if (typeof keys === "string") return keys;
      for (const key of keys) take(key);
    } finally {
      bytes.fill(0);
    }
    return undefined;
  }

  /** These are the keys from here on; answers whether they will outlive this run. */
  keep(keys: readonly ShelvedKey[]): boolean {
    const { bytes, view } = this.#memory;
    bytes.set(MAGIC);
    view.setUint32(PLACE.version, VERSION, true);
    view.setUint32(PLACE.count, keys.length, true);
    const nowUs = this.#kept.nowUs();
    for (const [index, { structure, leftMs }] of keys.entries()) {
      const at = PLACE.keys + index * KEY_BYTES;
      bytes.set(structure, at);
      const untilUs = nowUs + BigInt(Math.round(leftMs * 1000));
      view.setBigInt64(at + STRUCTURE_BYTES, untilUs, true);
    }
    view.setInt32(PLACE.checksum, this.#checksum(), true);
    const isKept = this.#kept.write(bytes);
    bytes.fill(0);
    return isKept;
  }

  /** Gives the memory on the way back; the record stays. */
  close(): void {
    this.#memory.free();
  }

  #check(): ShelvedKey[] | string {
    const { bytes, view } = this.#memory;
    if (!MAGIC.every((byte, index) => bytes[index] === byte)) return "it holds something else";
    const version = view.getUint32(PLACE.version, true);
    if (version !== VERSION) return `it is of version ${version}`;
    if (view.getInt32(PLACE.checksum, true) !== this.#checksum()) return "it is damaged";
    const count = view.getUint32(PLACE.count, true);
    if (count > KEYS_MAX) return "it is damaged";
    const nowUs = this.#kept.nowUs();
    const keys = Array.from({ length: count }, (_, index) => {
      const at = PLACE.keys + index * KEY_BYTES;
      const untilUs = view.getBigInt64(at + STRUCTURE_BYTES, true);
      const leftMs = Number(untilUs - nowUs) / 1000;
      return { structure: bytes.subarray(at, at + STRUCTURE_BYTES), leftMs };
    });
    const isSane = keys.every(({ leftMs }) => Math.abs(leftMs) <= LEFT_MAX_MS) &&
      (count < 2 || keys[0].leftMs >= keys[1].leftMs);
    return isSane ? keys : "its times are impossible";
  }

  #checksum(): number {
    const data = { bytes: this.#memory.bytes, words: this.#words };
    return finishCrc32c(updateCrc32c(CRC32C_START, data, 0, PLACE.checksum));
  }
}
