/**
 * A tlsmgr(8) made for tests of its clients: it answers well, late, wrongly or not at all.
 *
 * Written from the description of the protocol alone; it shares no code with `lib/`. Sessions live in
 * a map; there is one ticket key, made at the start. It counts and keeps every request, and how it
 * behaves can be changed at any time.
 *
 * @module
 */

import { type Attribute, encodeList } from "./attr_client.ts";

/** The name of a request, e.g. `lookup`. */
export type RequestName = string;

/** What becomes of a request. */
export type Behaviour =
  /** A good answer. */
  | "answer"
  /** A good answer after {@linkcode FakeTlsmgr.release}. */
  | "hold"
  /** The connection is closed instead. */
  | "close"
  /** These bytes are the answer. */
  | Uint8Array;

/** How a {@linkcode FakeTlsmgr} is set up. */
export interface FakeTlsmgrOptions {
  /** The lifetime that it tells for each cache, seconds. @default {3600} */
  timeoutS?: number;
  /** Whether it keeps sessions. @default {true} */
  cachable?: boolean;
}

const FAILED = String(2 ** 32 - 1);

/** A listening service. */
export class FakeTlsmgr implements AsyncDisposable {
  /** Decides about each request. */
  behave: (name: RequestName) => Behaviour = () => "answer";
  /** The first bytes on each connection. */
  announcement: Uint8Array = encodeList([["protocol", "tlsmgr_protocol"]]);
  /** Names of all requests so far, in order. */
  readonly requests: RequestName[] = [];
  /** Stored sessions in base64, by cache type, a blank and the id. */
  readonly sessions: Map<string, string> = new Map();
  readonly #path: string;
  readonly #timeoutS: number;
  readonly #cachable: boolean;
  readonly #listener: Deno.UnixListener;
  readonly #connections = new Set<Deno.UnixConn>();
  readonly #work: Promise<void>[] = [];
  readonly #ticketKey: string;
  readonly #ticketKeyName: string;
  #held: (() => void)[] = [];
  #listening = true;

  private constructor(path: string, options: FakeTlsmgrOptions) {
    this.#path = path;
    this.#timeoutS = options.timeoutS ?? 3600;
    this.#cachable = options.cachable ?? true;
    const key = new Uint8Array(88);
    crypto.getRandomValues(key.subarray(0, 80));
    // The last field is a time_t in host byte order.
    new BigInt64Array(key.buffer, 80, 1)[0] = BigInt(Math.floor(Date.now() / 1000) + 1799);
    this.#ticketKey = base64(key);
    this.#ticketKeyName = base64(key.subarray(0, 16));
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#work.push(this.#accept());
  }

  /** Begins to listen at `path`. */
  static start(path: string, options: FakeTlsmgrOptions = {}): FakeTlsmgr {
    return new FakeTlsmgr(path, options);
  }

  /** Connections that are open at the moment. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many requests of this name are waiting for {@linkcode FakeTlsmgr.release}. */
  get held(): number {
    return this.#held.length;
  }

  /** Answers everything that is held. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  /** Is gone from one moment to the next: closes everything and removes its name. */
  async stop(): Promise<void> {
    const wasListening = this.#listening;
    this.#listening = false;
    if (wasListening) this.#listener.close();
    for (const connection of [...this.#connections]) this.#close(connection);
    this.release();
    await Promise.all(this.#work.splice(0));
    if (!wasListening) return;
    try {
      await Deno.remove(this.#path);
    } catch (error) {
      // Later releases of Deno remove the name with the listener.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #accept(): Promise<void> {
    for (;;) {
      let connection: Deno.UnixConn;
      try {
        connection = await this.#listener.accept();
      } catch (error) {
        if (!this.#listening) return;
        throw error;
      }
      this.#connections.add(connection);
      this.#work.push(this.#serve(connection));
    }
  }

  async #serve(connection: Deno.UnixConn): Promise<void> {
    try {
      await writeAll(connection, this.announcement);
      let unread = "";
      const buffer = new Uint8Array(65_536);
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) break;
        for (const byte of buffer.subarray(0, count)) unread += String.fromCharCode(byte);
        for (let end = listEnd(unread); end > 0; end = listEnd(unread)) {
          const request = attributesOf(unread.slice(0, end));
          unread = unread.slice(end);
          if (!await this.#reply(connection, request)) return;
        }
      }
    } catch (error) {
      // The client has gone, or stop() has closed the connection under a read or a write.
      if (!isGone(error)) throw error;
    } finally {
      this.#close(connection);
    }
  }

  async #reply(connection: Deno.UnixConn, request: Map<string, string>): Promise<boolean> {
    const name = request.get("request") ?? "";
    this.requests.push(name);
    const behaviour = this.behave(name);
    if (behaviour === "close") return false;
    if (behaviour === "hold") await new Promise<void>((go) => this.#held.push(go));
    const bytes = typeof behaviour === "string" ? encodeList(this.#answer(request)) : behaviour;
    await writeAll(connection, bytes);
    return true;
  }

  #answer(request: Map<string, string>): Attribute[] {
    const key = `${request.get("cache_type")} ${request.get("cache_id")}`;
    switch (request.get("request")) {
      case "seed": {
        const random = crypto.getRandomValues(new Uint8Array(Number(request.get("size"))));
        return [["status", "0"], ["seed", base64(random)]];
      }
      case "policy":
        return [
          ["status", "0"],
          ["cachable", this.#cachable ? "1" : "0"],
          ["timeout", String(this.#timeoutS)],
        ];
      case "tktkey": {
        const wanted = request.get("keyname") ?? "";
        const known = wanted === "" || wanted === this.#ticketKeyName;
        return [["status", known ? "0" : FAILED], ["keybuf", known ? this.#ticketKey : ""]];
      }
      case "lookup": {
        const session = this.sessions.get(key);
        return [["status", session === undefined ? FAILED : "0"], ["session", session ?? ""]];
      }
      case "update":
        this.sessions.set(key, request.get("session") ?? "");
        return [["status", "0"]];
      case "delete":
        return [["status", this.sessions.delete(key) ? "0" : FAILED]];
      default:
        return [["status", FAILED]];
    }
  }

  #close(connection: Deno.UnixConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}

/** Just behind the first whole list in `text`; 0 when there is none. */
function listEnd(text: string): number {
  let at = 0;
  for (;;) {
    const nameEnd = text.indexOf("\0", at);
    if (nameEnd < 0) return 0;
    if (nameEnd === at) return at + 1;
    const valueEnd = text.indexOf("\0", nameEnd + 1);
    if (valueEnd < 0) return 0;
    at = valueEnd + 1;
  }
}

function attributesOf(list: string): Map<string, string> {
  const words = list.split("\0");
  const attributes = new Map<string, string>();
  for (let i = 0; i + 1 < words.length && words[i] !== ""; i += 2) {
    attributes.set(words[i], words[i + 1]);
  }
  return attributes;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

async function writeAll(connection: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.Interrupted;
}
