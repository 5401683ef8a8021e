/**
 * One TLS session through tlsproxy, with this program at both ends: handshake, some bytes to and fro.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { AGAIN, describeFailure, INTERRUPTED, receive, send } from "../../net/stream.ts";
import { type ClientContext, ClientEngine, type ClientSession, ENGINE } from "../../tls/client.ts";
import type { Handshake } from "../../tls/summary.ts";
import { beginSession, type Ends, endSession } from "./hand_over.ts";
import { awaitAny, stepFailure } from "./waiting.ts";

/** What came of a session. */
export interface SessionFindings {
  readonly handshake: Handshake;
  /** From the ClientHello to the end of the handshake, at the client. */
  readonly handshakeMs: number;
  /** Bytes that went through and came back unchanged. */
  readonly echoedBytes: number;
  /** For the next session; owned by the caller. */
  readonly session: ClientSession;
}

/** Bytes that go through and back, unless told otherwise. */
const ECHO_BYTES = 65_536;
const PIECE_BYTES = 16_384;

/** Makes a session through the tlsproxy at `socket`, resuming `resume` if it is given. */
export function makeSession(socket: string, options: {
  readonly context: ClientContext;
  readonly resume: ClientSession | undefined;
  /** @default {65536} */
  readonly echoBytes?: number;
}): SessionFindings {
  const ends = beginSession(socket);
  const engine = new ClientEngine(options.context, ends.remote, options.resume);
  const start = systemClock.monotonicMs();
  handshake(engine, ends.remote);
  const handshakeMs = systemClock.monotonicMs() - start;
  const echoedBytes = new Echo(engine, ends, options.echoBytes ?? ECHO_BYTES).run();
  const summary = engine.summary();
  const session = engine.takeSession();
  engine.shutdown();
  engine.close();
  endSession(ends);
  if (session === undefined) throw stepFailure("keep a session", "it cannot be resumed");
  return { handshake: summary, handshakeMs, echoedBytes, session };
}

function handshake(engine: ClientEngine, fd: number): void {
  for (;;) {
    switch (engine.handshake()) {
      case 1:
        return;
      case ENGINE.wantRead:
        awaitAny("the TLS handshake", [{ fd }]);
        break;
      case ENGINE.wantWrite:
        awaitAny("the TLS handshake", [{ fd, writable: true }]);
        break;
      default:
        throw stepFailure("make a TLS session", reasonOf(engine));
    }
  }
}

function reasonOf(engine: ClientEngine): string {
  return engine.errors[0] ?? "tlsproxy closed the connection";
}

/** Random bytes on their way: into TLS, out as plaintext, back as plaintext, out of TLS. */
class Echo {
  readonly #engine: ClientEngine;
  readonly #ends: Ends;
  readonly #payload: Bytes;
  readonly #plaintext: Bytes;
  readonly #back: Bytes;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  /** How far each leg has come, bytes. */
  #encrypted = 0;
  #arrived = 0;
  #returned = 0;
  #decrypted = 0;

  constructor(engine: ClientEngine, ends: Ends, bytes: number) {
    this.#engine = engine;
    this.#ends = ends;
    this.#payload = crypto.getRandomValues(new Uint8Array(bytes));
    this.#plaintext = new Uint8Array(bytes);
    this.#back = new Uint8Array(bytes);
  }

  /** Moves all bytes; how many came back as they went. */
  run(): number {
    const { local, remote } = this.#ends;
    while (this.#decrypted < this.#payload.length) {
      // All of them, each turn: any of them may be what the others wait for.
      const moved = [this.#encrypt(), this.#receive(), this.#return(), this.#decrypt()];
      if (moved.some((count) => count > 0)) continue;
      awaitAny("bytes from tlsproxy", [
        { fd: remote, writable: this.#encrypted < this.#payload.length },
        { fd: local, writable: this.#returned < this.#arrived },
      ]);
    }
    if (this.#back.some((byte, at) => byte !== this.#payload[at])) {
      throw stepFailure("send bytes through tlsproxy", "other bytes came back");
    }
    return this.#decrypted;
  }

  #encrypt(): number {
    if (this.#encrypted === this.#payload.length) return 0;
    const count = this.#throughTls(this.#engine.write(this.#payload.subarray(this.#encrypted)));
    this.#encrypted += count;
    return count;
  }

  #receive(): number {
    const count = this.#asPlaintext(receive(this.#ends.local, this.#piece, PIECE_BYTES));
    this.#keep(this.#plaintext, this.#arrived, count);
    this.#arrived += count;
    return count;
  }

  #return(): number {
    const rest = this.#plaintext.subarray(this.#returned, this.#arrived);
    if (rest.length === 0) return 0;
    const count = this.#asPlaintext(send(this.#ends.local, rest, rest.length));
    this.#returned += count;
    return count;
  }

  #decrypt(): number {
    const count = this.#throughTls(this.#engine.read(this.#piece));
    this.#keep(this.#back, this.#decrypted, count);
    this.#decrypted += count;
    return count;
  }

  #keep(into: Bytes, at: number, count: number): void {
    if (at + count > this.#payload.length) {
      throw stepFailure("send bytes through tlsproxy", "more came than were sent");
    }
    into.set(this.#piece.subarray(0, count), at);
  }

  /** Bytes moved, 0 for none at the moment. */
  #throughTls(answer: number): number {
    if (answer > 0) return answer;
    if (answer === ENGINE.wantRead || answer === ENGINE.wantWrite) return 0;
    throw stepFailure("send bytes through TLS", reasonOf(this.#engine));
  }

  /** Bytes moved, 0 for none at the moment. */
  #asPlaintext(answer: number): number {
    if (answer > 0) return answer;
    if (answer === AGAIN || answer === INTERRUPTED) return 0;
    const why = answer === 0 ? "tlsproxy closed the connection" : describeFailure(answer);
    throw stepFailure("send plaintext to and fro", why);
  }
}
