/**
 * Moves bytes between TLS and a plaintext socket, both ways, until one side ends.
 *
 * All relays of a thread share two buffers; a relay keeps bytes of its own only while the other side
 * does not take them: at most {@linkcode CHUNK_BYTES} each way. Hardly anything is allocated for a
 * record that gets through. Records that have come together are delivered with one send(2), and what is
 * more than a record leaves in one piece: per byte, system calls are what a relay pays most for. A turn
 * moves a bounded amount each way, so that neither a direction nor a session can starve another; what is
 * left over is moved in the next turn. A side is read when it has been reported readable, or had more
 * than was taken; never just to see whether there is something.
 *
 * How sides end (Postfix's tlsproxy/tlsproxy.c tlsp_strategy()): when the plaintext side ends, what it
 * has sent goes out, then close_notify; when the remote side ends, what it has sent is delivered, and
 * nothing is sent back. A half-close is a close. A plaintext side that has gone is not written to any
 * more, but what it has sent before still goes out.
 *
 * The relay owns neither descriptors nor engine.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { AGAIN, describeFailure, GONE, INTERRUPTED, receive, send } from "../net/stream.ts";
import { ENGINE, type ServerEngine } from "../tls/engine.ts";
import { decideWants, type Wants } from "./wants.ts";

/** Bytes moved in one step, and kept at most in each direction. */
export const CHUNK_BYTES = 65536;
/** Largest plaintext of a TLS record. */
const RECORD_BYTES = 16384;
/** Steps of each direction in one turn: 256 kB. */
const STEPS = 4;
/** Records that come together before more than one is read at a time. */
const BULK_RECORDS = 3;
/** Records decrypted in one step: small ones take as long as large ones, but for their bytes. */
const RECORDS_MAX = 16;

const fromPlain = new Uint8Array(CHUNK_BYTES);
/** The same bytes from each record's beginning, so that going on after a record makes no object. */
const fromPlainAt: readonly Bytes[] = Array.from(
  { length: CHUNK_BYTES / RECORD_BYTES },
  (_, i) => fromPlain.subarray(i * RECORD_BYTES),
);
const fromNet = new Uint8Array(CHUNK_BYTES);
/** The same buffer from each place where a record after full ones begins. */
const fromNetAt: readonly Bytes[] = Array.from(
  { length: CHUNK_BYTES / RECORD_BYTES },
  (_, i) => fromNet.subarray(i * RECORD_BYTES),
);

/** What a relay needs of an engine. */
export type RelayEngine = Pick<
  ServerEngine,
  "read" | "write" | "gather" | "flush" | "shutdown" | "hasPending" | "expectBulk"
>;

/** What a relay answers. */
export type RelayState =
  /** Wait for the descriptors. */
  | "waiting"
  /** Come back in the next turn. */
  | "more"
  /** Over. The engine tells what the remote side did, {@linkcode Relay.plainFault} the other one. */
  | "ended";

/** One session's data phase. */
export class Relay {
  readonly #engine: RelayEngine;
  readonly #plainFd: number;
  /** What is to be waited for after the last step. */
  readonly wants: Wants = { net: 0, plain: 0 };
  /** Plaintext that TLS has not taken; what it has taken may still be {@linkcode toNet}. */
  toNetBytes: Bytes | undefined;
  /** Decrypted bytes that the plaintext side has not taken. */
  toPlainBytes: Bytes | undefined;
  readWantsWrite = false;
  plainEnded = false;
  plainDeaf = false;
  netEnded = false;
  /** Plaintext bytes that TLS has taken, and given. */
  bytesToNet = 0;
  bytesFromNet = 0;
  /** A side that has been emptied is reported by epoll when there is more. */
  #plainMayHave = true;
  #netMayHave = true;
  /** Records wait for room in the socket. */
  #gathered = false;
  #plainFault = "";
  #failed = false;

  constructor(engine: RelayEngine, plainFd: number) {
    this.#engine = engine;
    this.#plainFd = plainFd;
  }

  /** What went wrong with the plaintext side, in the system's words; empty when nothing did. */
  get plainFault(): string {
    return this.#plainFault;
  }

  get toNet(): boolean {
    return this.toNetBytes !== undefined || this.#gathered;
  }

  get toPlain(): boolean {
    return this.toPlainBytes !== undefined;
  }

  /**
   * Moves what can be moved.
   *
   * @param readable the sides that were reported readable, or gone, since the last step
   */
  step(readable: { plain: boolean; net: boolean }): RelayState {
    this.#plainMayHave ||= readable.plain;
    this.#netMayHave ||= readable.net;
    // Writing to TLS comes first: it may be what the remote side waits for before it sends.
    const moreFromPlain = !this.netEnded && this.#moveToNet();
    const moreFromNet = !this.#failed && this.#moveToPlain();
    if (this.#failed) return "ended";
    if (this.plainEnded && !this.toNet) {
      if (!this.netEnded) this.#engine.shutdown();
      return "ended";
    }
    if (this.netEnded && !this.toPlain) return "ended";
    decideWants(this, this.wants);
    return moreFromPlain || moreFromNet ? "more" : "waiting";
  }

  /** Plaintext side to TLS; answers whether there may be more at once. */
  #moveToNet(): boolean {
    if (!this.#flushToNet()) return false;
    if (this.plainEnded || !this.#plainMayHave) return false;
    for (let i = 0; i < STEPS; i++) {
      const count = receive(this.#plainFd, fromPlain, CHUNK_BYTES);
      // A short read has emptied the socket.
      this.#plainMayHave = count === CHUNK_BYTES || count === INTERRUPTED;
      if (count > 0) {
        // A single record leaves at once, without the buffer in between.
        const several = count > RECORD_BYTES;
        if (several) this.#engine.gather();
        const taken = this.#encrypt(count);
        if (this.#failed || (several && !this.#flush()) || !taken) return false;
        if (!this.#plainMayHave) return false;
      } else if (count === 0 || GONE.includes(count)) {
        this.plainEnded = true;
        return false;
      } else {
        if (count !== AGAIN && count !== INTERRUPTED) this.#failPlain(count);
        return false;
      }
    }
    return true;
  }

  /** Encrypts the first `count` bytes of the shared buffer; answers whether all of them were taken. */
  #encrypt(count: number): boolean {
    let at = 0;
    while (at < count) {
      const aligned = at % RECORD_BYTES === 0;
      const bytes = aligned ? fromPlainAt[at / RECORD_BYTES] : fromPlain.subarray(at);
      const taken = this.#engine.write(bytes, count - at);
      if (taken > 0) {
        at += taken;
        this.bytesToNet += taken;
        continue;
      }
      this.#afterWrite(taken);
      if (!this.#failed) this.toNetBytes = fromPlain.slice(at, count);
      return false;
    }
    return true;
  }

  /** Sends what was gathered; answers whether all of it has left. */
  #flush(): boolean {
    const result = this.#engine.flush();
    this.#gathered = result === ENGINE.wantWrite;
    if (result === ENGINE.failed) this.#failed = true;
    return result > 0;
  }

  /** Encrypts what was kept; answers whether nothing is kept any more. */
  #flushToNet(): boolean {
    if (this.#gathered && !this.#flush()) return false;
    let kept = this.toNetBytes;
    while (kept !== undefined) {
      const taken = this.#engine.write(kept, kept.length);
      if (taken <= 0) {
        this.#afterWrite(taken);
        this.toNetBytes = kept;
        return false;
      }
      this.bytesToNet += taken;
      kept = taken < kept.length ? kept.subarray(taken) : undefined;
    }
    this.toNetBytes = undefined;
    return true;
  }

  #afterWrite(result: number): void {
    // wantRead: TLS 1.2 renegotiation, which is off; the next event tries again either way.
    if (result === ENGINE.wantWrite || result === ENGINE.wantRead) return;
    this.#failed = true;
  }

  /** TLS to plaintext side; answers whether there may be more at once. */
  #moveToPlain(): boolean {
    if (!this.#flushToPlain()) return false;
    if (this.netEnded || this.plainDeaf || !this.#netMayHave) return false;
    for (let i = 0; i < STEPS; i++) {
      const count = this.#decrypt();
      if (count > 0 && !this.#deliver(count)) return false;
      if (this.netEnded || !this.#netMayHave || this.readWantsWrite) return false;
    }
    return true;
  }

  /** Fills the shared buffer with what TLS has; answers how much that is. */
  #decrypt(): number {
    let filled = 0;
    this.readWantsWrite = false;
    for (let records = 1; records <= RECORDS_MAX; records++) {
      if (filled > CHUNK_BYTES - RECORD_BYTES) break;
      const aligned = filled % RECORD_BYTES === 0;
      const into = aligned ? fromNetAt[filled / RECORD_BYTES] : fromNet.subarray(filled);
      const count = this.#engine.read(into);
      if (count <= 0) {
        this.#afterRead(count);
        break;
      }
      filled += count;
      if (records === BULK_RECORDS) this.#engine.expectBulk();
      if (!this.#engine.hasPending()) {
        // After a record that was not full there is rarely more, and asking costs a system call.
        this.#netMayHave = count === RECORD_BYTES;
        break;
      }
    }
    this.bytesFromNet += filled;
    return filled;
  }

  /** Sends the first `count` bytes of the shared buffer; answers whether all of them were taken. */
  #deliver(count: number): boolean {
    const sent = send(this.#plainFd, fromNet, count);
    if (sent === count) return true;
    if (sent < 0 && sent !== AGAIN && sent !== INTERRUPTED) this.#failPlain(sent);
    else this.toPlainBytes = fromNet.slice(Math.max(sent, 0), count);
    return false;
  }

  #flushToPlain(): boolean {
    const kept = this.toPlainBytes;
    if (kept === undefined) return true;
    const sent = send(this.#plainFd, kept, kept.length);
    if (sent === kept.length) {
      this.toPlainBytes = undefined;
      return true;
    }
    if (sent >= 0) this.toPlainBytes = kept.subarray(sent);
    else if (sent !== AGAIN && sent !== INTERRUPTED) this.#failPlain(sent);
    return false;
  }

  #afterRead(result: number): void {
    this.#netMayHave = result !== ENGINE.wantRead;
    this.readWantsWrite = result === ENGINE.wantWrite;
    if (result !== ENGINE.closed && result !== ENGINE.failed) return;
    // What was decrypted before the end has been delivered or is still on its way.
    this.netEnded = true;
    this.toNetBytes = undefined;
    this.#gathered = false;
  }

  /** The plaintext side cannot be used any more, or at least not be written to. */
  #failPlain(result: number): void {
    if (GONE.includes(result)) {
      this.plainDeaf = true;
      this.toPlainBytes = undefined;
      this.readWantsWrite = false;
      return;
    }
    this.#plainFault = describeFailure(result);
    this.#failed = true;
    if (!this.netEnded) this.#engine.shutdown();
  }
}
