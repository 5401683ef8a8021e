/**
 * What tlsmgr puts into OpenSSL's generator, and what it takes out.
 *
 * Everything that clients cause is mixed in: the time of each request, and of each stored session the
 * piece in which its secret stands. That is counted as known to others, and so cheap that requests do
 * not feel it: it is gathered here and mixed when the room is full, and before something is drawn unless
 * that was done a moment ago.
 *
 * @module
 */
import type { Base64Value } from "../attr/base64_value.ts";
import type { Bytes } from "../base/bytes.ts";
import { fillRandom, stirRandom, stirRandomUncounted } from "../tls/random.ts";

/** The generator; tests put another one here. */
export interface Generator {
  /** Fills `bytes`; false when they must not be used. */
  fill(bytes: Bytes): boolean;
  /** Mixes in what nobody else knows. */
  stir(bytes: Bytes): void;
  /** Mixes in what others may know. */
  stirUncounted(bytes: Bytes): void;
}

/** OpenSSL's. */
export const openSslGenerator: Generator = {
  fill: fillRandom,
  stir: stirRandom,
  stirUncounted: stirRandomUncounted,
};

/** The time, as a reactor tells it. */
export interface PoolClock {
  /** Monotonic milliseconds with a fraction. */
  readonly nowMs: number;
  /** Wall-clock seconds. */
  unixSeconds(): number;
}

/** Moments that are gathered; the first place is for the wall clock's. */
const MOMENTS = 64;
const MOMENT_BYTES = MOMENTS * Float64Array.BYTES_PER_ELEMENT;
/**
 * Where the secret of a session stands in its base64 text, for an id of 32 bytes (ssl/ssl_asn1.c): version,
 * protocol, cipher and id take 49 bytes of DER, then come up to 48 of the secret.
 */
export const SAMPLE_AT = 64;
/** Bytes of text that are taken. */
export const SAMPLE_BYTES = 64;
const SAMPLES = 64;
/** Draws within this time after a mixing are not preceded by another. */
export const MIX_INTERVAL_MS = 50;

/** The pool of one process. */
export class RandomPool {
  readonly #clock: PoolClock;
  readonly #generator: Generator;
  readonly #room = new Uint8Array(MOMENT_BYTES + SAMPLES * SAMPLE_BYTES);
  readonly #moments = new Float64Array(this.#room.buffer, 0, MOMENTS);
  #momentCount = 1;
  #sampleCount = 0;
  #mixedAtMs = -Infinity;

  constructor(clock: PoolClock, generator: Generator = openSslGenerator) {
    this.#clock = clock;
    this.#generator = generator;
  }

  /** Fills `bytes` with random bytes; false, and zeros, when the generator failed. */
  readonly fill = (bytes: Bytes): boolean => {
    const gathered = this.#momentCount > 1 || this.#sampleCount > 0;
    if (gathered && this.#clock.nowMs - this.#mixedAtMs >= MIX_INTERVAL_MS) this.#mix();
    if (this.#generator.fill(bytes)) return true;
    bytes.fill(0);
    return false;
  };

  /** Mixes in bytes from a source that nobody else reads, and overwrites them. */
  stir(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#generator.stir(bytes);
    bytes.fill(0);
  }

  /**
   * Mixes in what tells this process from others that were given the same bytes: its id, and the time of
   * its start (tlsmgr.c: tlsmgr_pre_init).
   */
  stirIdentity(processId: number): void {
    const identity = Float64Array.of(processId, this.#clock.unixSeconds(), this.#clock.nowMs);
    this.#generator.stirUncounted(new Uint8Array(identity.buffer));
  }

  /** A request is being served. */
  noteRequest(): void {
    this.#moments[this.#momentCount++] = this.#clock.nowMs;
    if (this.#momentCount === MOMENTS) this.#mix();
  }

  /** A session has been stored. */
  noteSession(session: Base64Value): void {
    const { bytes, start, end } = session;
    const from = Math.max(start, Math.min(start + SAMPLE_AT, end - SAMPLE_BYTES));
    const length = Math.min(end - from, SAMPLE_BYTES);
    const at = MOMENT_BYTES + this.#sampleCount++ * SAMPLE_BYTES;
    // A view of them would cost more than the copy.
    for (let i = 0; i < length; i++) this.#room[at + i] = bytes[from + i];
    if (this.#sampleCount === SAMPLES) this.#mix();
  }

  #mix(): void {
    this.#moments[0] = this.#clock.unixSeconds();
    const used = this.#sampleCount > 0
      ? this.#room.subarray(0, MOMENT_BYTES + this.#sampleCount * SAMPLE_BYTES)
      : this.#room.subarray(0, this.#momentCount * Float64Array.BYTES_PER_ELEMENT);
    this.#generator.stirUncounted(used);
    used.fill(0);
    this.#momentCount = 1;
    this.#sampleCount = 0;
    this.#mixedAtMs = this.#clock.nowMs;
  }
}
