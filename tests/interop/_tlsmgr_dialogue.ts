/**
 * Asking two tlsmgr services the same things, and seeing exactly what comes back.
 *
 * It shares no code with `lib/`. What a server does not answer is seen without waiting for time to pass:
 * after each step a second connection is served, by when the step has been read, and then a probe is
 * sent on the first one, whose reply cannot be mistaken. All that came before it belongs to the step.
 *
 * @module
 */

import { inTime } from "../support/wait.ts";

/** What one server told us about itself, for steps that repeat it. */
export interface Known {
  /** The ticket key that it gave out last, in base64; empty before that. */
  ticketKey: string;
}

/** One thing that is sent. */
export interface Step {
  /** Unique in the whole script. */
  readonly name: string;
  /** What is sent, in one segment or several. */
  readonly send: (known: Known) => readonly Uint8Array[];
  /** The client's direction ends with it; the connection is over then. */
  readonly ends?: boolean;
}

/** Steps on one connection. */
export interface Scene {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** What came back for a step: text with `|` for each NUL, then `closed` when the server closed. */
export type Outcome = string;

/** One server under test. */
export class Dialogue implements Disposable {
  readonly #path: string;
  readonly #known: Known = { ticketKey: "" };
  readonly #other: RawConnection;

  private constructor(path: string, other: RawConnection) {
    this.#path = path;
    this.#other = other;
  }

  /** Connects to the tlsmgr that listens at `path`. */
  static async open(path: string): Promise<Dialogue> {
    const other = await RawConnection.open(path);
    await other.readUntil(ANNOUNCEMENT);
    return new Dialogue(path, other);
  }

  /** Plays a scene: for the announcement and for each step, by name, what came back. */
  async play(scene: Scene): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    let connection: RawConnection | undefined;
    try {
      for (const step of scene.steps) {
        if (connection === undefined) {
          connection = await RawConnection.open(this.#path);
          await connection.readUntil(ANNOUNCEMENT);
        }
        const { text, isOpen } = await this.#take(connection, step);
        outcomes.set(step.name, this.#describe(text) + (isOpen ? "" : "closed"));
        if (!isOpen) {
          connection[Symbol.dispose]();
          connection = undefined;
        }
      }
    } finally {
      connection?.[Symbol.dispose]();
    }
    return outcomes;
  }

  async #take(connection: RawConnection, step: Step): Promise<{ text: string; isOpen: boolean }> {
    for (const segment of step.send(this.#known)) await connection.write(segment);
    if (step.ends) {
      await connection.closeWrite();
      return { text: await connection.readToEnd(), isOpen: false };
    }
    await this.#letTheServerRead();
    // A server that has closed does not take the probe; what it said before is there all the same.
    await connection.write(PROBE).catch((error) => {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    });
    const { text, found } = await connection.readUntil(PROBE_REPLY);
    return { text, isOpen: found };
  }

  /** Returns when the server has looked at everything that was sent before. */
  async #letTheServerRead(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await this.#other.write(PROBE);
      await this.#other.readUntil(PROBE_REPLY);
    }
  }

  /** Puts placeholders in the place of random data, and notes the ticket key. */
  #describe(text: string): Outcome {
    return text
      .replace(/(status\|0\|seed\|)([^|]*)/g, (_all, head: string, seed: string) => {
        return `${head}<${atob(seed).length} random bytes>`;
      })
      .replace(/(status\|0\|keybuf\|)([^|]*)/g, (_all, head: string, key: string) => {
        const isKnown = key === this.#known.ticketKey;
        this.#known.ticketKey = key;
        return `${head}<${isKnown ? "the same" : "another"} key of ${atob(key).length} bytes>`;
      });
  }

  [Symbol.dispose](): void {
    this.#other[Symbol.dispose]();
  }
}

const ANNOUNCEMENT = /^protocol\|tlsmgr_protocol\|\|/;
/** No step of a script asks for nine bytes. */
const PROBE = bytesOf("request\0seed\0size\x009\0\0");
const PROBE_REPLY = /status\|0\|seed\|[A-Za-z0-9+/]{12}\|\|$/;

/** Bytes of a string with one character a byte. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * A connection that is always being read: a server that waits for room to write serves nobody. What is
 * read has `|` for each NUL; no reply has one of its own.
 */
class RawConnection implements Disposable {
  readonly #connection: Deno.UnixConn;
  readonly #finished: Promise<void>;
  #unread = "";
  #ended = false;
  #wake = () => {};

  private constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
    this.#finished = this.#readAll();
  }

  static async open(path: string): Promise<RawConnection> {
    return new RawConnection(await Deno.connect({ transport: "unix", path }));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await inTime("room for a request", this.#connection.write(bytes.subarray(at)));
    }
  }

  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Takes what comes before a match of `pattern`, or before the end of the stream. */
  async readUntil(pattern: RegExp): Promise<{ text: string; found: boolean }> {
    for (;;) {
      const text = this.#unread;
      const match = pattern.exec(text);
      if (match !== null || this.#ended) this.#unread = "";
      if (match !== null) return { text: text.slice(0, match.index), found: true };
      if (this.#ended) return { text, found: false };
      const what = `more than ${JSON.stringify(text.slice(-200))}`;
      await inTime(what, new Promise<void>((resolve) => this.#wake = resolve));
    }
  }

  async readToEnd(): Promise<string> {
    await inTime("the end of the connection", this.#finished);
    return this.#unread;
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await this.#connection.read(buffer).catch(endOfStream);
      if (count === null) break;
      for (const byte of buffer.subarray(0, count)) {
        this.#unread += byte === 0 ? "|" : String.fromCharCode(byte);
      }
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** A reset comes from a server that closed before it had read everything. */
function endOfStream(error: unknown): null {
  const kinds = [Deno.errors.ConnectionReset, Deno.errors.Interrupted, Deno.errors.BadResource];
  if (kinds.some((kind) => error instanceof kind)) return null;
  throw error;
}
