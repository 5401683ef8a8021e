/**
 * An entropy gathering daemon for tests: all five commands of the EGD protocol, and ten ways to
 * misbehave.
 *
 * | sent | answer |
 * | --- | --- |
 * | 0 | the bits that are there, 4 bytes, the largest first |
 * | 1, n | a count m of 0 to n, then m bytes |
 * | 2, n | n bytes, as soon as there are so many |
 * | 3, bits (2 bytes), n, n bytes | nothing; the bits are there from then on |
 * | 4 | a count m, then m bytes: the id of the process in decimal |
 *
 * Written from the protocol's description (egd(1p) of EGD 0.9, prngd(8)); shares no code with `lib/`.
 *
 * @module
 */

/** What a server does wrong. */
export const MISBEHAVIOURS = [
  /** Closes each connection as soon as it is made. */
  "hangs up",
  /** Reads and says nothing. */
  "silent",
  /** Never has anything, and lets those wait who want to. */
  "empty",
  /** Closes the connection instead of answering. */
  "closes on a question",
  /** Announces n bytes, sends one less and closes. */
  "cuts short",
  /** Announces n bytes, sends half of them and no more. */
  "stalls in the middle",
  /** Announces and sends more than it was asked for. */
  "gives too much",
  /** Sends bytes behind the answer that nobody asked for. */
  "babbles",
  /** Says something before it is asked. */
  "greets",
  /** Closes the connection after each answer. */
  "restarts",
] as const;

/** One of the ways. */
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

/** Options of {@linkcode EgdServer.start}. */
export interface EgdOptions {
  misbehaviour?: Misbehaviour;
  /** Bytes that are there at the beginning. @default {1_000_000} */
  available?: number;
  /** Sends answers byte by byte. */
  bytewise?: boolean;
}

/** A running server. */
export class EgdServer implements AsyncDisposable {
  /** Every byte that clients have sent, by connection in the order of accepting. */
  readonly received: number[][] = [];
  /** All bytes that were given away as random, in order. */
  readonly given: number[] = [];
  /** Bytes that are there. */
  available: number;
  readonly #listener: Deno.UnixListener;
  readonly #options: EgdOptions;
  readonly #open = new Set<Deno.UnixConn>();
  readonly #waiting: (() => void)[] = [];
  readonly #accepting: Promise<void>;
  #next = 0;
  #ending = false;

  private constructor(path: string, options: EgdOptions) {
    this.#options = options;
    this.available = options.available ?? 1_000_000;
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#accepting = this.#accept();
  }

  /** Starts to listen at `path`. */
  static start(path: string, options: EgdOptions = {}): EgdServer {
    return new EgdServer(path, options);
  }

  /** Connections so far. */
  get connections(): number {
    return this.received.length;
  }

  /** Adds bytes, for those who wait for some. */
  fill(count: number): void {
    this.available += count;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #accept(): Promise<void> {
    const serving: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      serving.push(this.#serve(connection as Deno.UnixConn));
    }
    await Promise.all(serving);
  }

  async #serve(connection: Deno.UnixConn): Promise<void> {
    const received: number[] = [];
    this.received.push(received);
    this.#open.add(connection);
    try {
      await this.#converse(new ByteReader(connection, received), connection);
    } catch (error) {
      // The client has gone, or the server is being ended: either way nobody listens.
      const ends = [Deno.errors.BrokenPipe, Deno.errors.ConnectionReset, Deno.errors.BadResource];
      const isEnd = ends.some((kind) => error instanceof kind) ||
        error instanceof Deno.errors.Interrupted || error instanceof EndOfInput;
      if (!isEnd) throw error;
    } finally {
      if (this.#open.delete(connection)) connection.close();
    }
  }

  async #converse(input: ByteReader, connection: Deno.UnixConn): Promise<void> {
    const { misbehaviour } = this.#options;
    if (misbehaviour === "hangs up") return;
    if (misbehaviour === "greets") await this.#send(connection, [1, 2, 3]);
    for (;;) {
      const command = await input.next();
      if (misbehaviour === "silent") continue;
      if (misbehaviour === "closes on a question") return;
      const answer = await this.#answer(command, input);
      if (await this.#sendAnswer(connection, command, answer) === "close") return;
    }
  }

  /** The honest answer. */
  async #answer(command: number, input: ByteReader): Promise<number[]> {
    switch (command) {
      case 0: {
        const bits = 8 * this.available;
        return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255];
      }
      case 1: {
        const wanted = await input.next();
        const count = Math.min(wanted, this.#there);
        return [count, ...this.#take(count)];
      }
      case 2: {
        const wanted = await input.next();
        while (this.#there < wanted) {
          if (this.#ending) throw new EndOfInput();
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
        return this.#take(wanted);
      }
      case 3: {
        const bits = 256 * await input.next() + await input.next();
        for (let count = await input.next(); count > 0; count--) await input.next();
        this.fill(bits >> 3);
        return [];
      }
      case 4: {
        const id = [...String(Deno.pid)].map((digit) => digit.charCodeAt(0));
        return [id.length, ...id];
      }
      default:
        throw new EndOfInput();
    }
  }

  async #sendAnswer(
    connection: Deno.UnixConn,
    command: number,
    answer: number[],
  ): Promise<"close" | "go on"> {
    const { misbehaviour } = this.#options;
    const isRead = command === 1;
    switch (isRead ? misbehaviour : undefined) {
      case "cuts short":
        await this.#send(connection, answer.slice(0, -1));
        return "close";
      case "stalls in the middle":
        await this.#send(connection, answer.slice(0, 1 + Math.ceil(answer.length / 2)));
        return "go on";
      case "gives too much":
        await this.#send(connection, [answer[0] + 1, ...answer.slice(1), 0]);
        return "go on";
      case "babbles":
        await this.#send(connection, [...answer, 9, 9, 9]);
        return "go on";
      default:
        await this.#send(connection, answer);
        return misbehaviour === "restarts" ? "close" : "go on";
    }
  }

  get #there(): number {
    return this.#options.misbehaviour === "empty" ? 0 : this.available;
  }

  #take(count: number): number[] {
    this.available -= count;
    const bytes = Array.from({ length: count }, () => this.#next++ & 255);
    this.given.push(...bytes);
    return bytes;
  }

  async #send(connection: Deno.UnixConn, bytes: number[]): Promise<void> {
    const size = this.#options.bytewise === true ? 1 : Math.max(bytes.length, 1);
    for (let at = 0; at < bytes.length; at += size) {
      await connection.write(Uint8Array.from(bytes.slice(at, at + size)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) {
      this.#open.delete(connection);
      connection.close();
    }
    // Nobody may go on waiting for bytes.
    this.#ending = true;
    this.fill(0);
    await this.#accepting;
  }
}

class EndOfInput extends Error {}

/** Reads a connection byte by byte. */
class ByteReader {
  readonly #connection: Deno.UnixConn;
  readonly #received: number[];
  #chunk: Uint8Array = new Uint8Array();

  constructor(connection: Deno.UnixConn, received: number[]) {
    this.#connection = connection;
    this.#received = received;
  }

  /** The next byte; throws at the end of the stream. */
  async next(): Promise<number> {
    if (this.#chunk.length === 0) {
      const buffer = new Uint8Array(512);
      const count = await this.#connection.read(buffer);
      if (count === null) throw new EndOfInput();
      this.#chunk = buffer.subarray(0, count);
    }
    const [byte] = this.#chunk;
    this.#chunk = this.#chunk.subarray(1);
    this.#received.push(byte);
    return byte;
  }
}
