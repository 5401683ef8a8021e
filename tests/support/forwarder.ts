/**
 * A TCP forwarder between clients and a server of 127.0.0.1 that knows the PROXY protocol.
 *
 * Each connection gets a client address of its own: postscreen(8) tests every one of them anew, and what
 * the log says of a client that is another program can be told from the rest. The forwarder can speak
 * SMTP up to the start of TLS for clients that only speak TLS. What is forwarded is not changed.
 *
 * @module
 */

import { inTime } from "./wait.ts";

/** Options of {@linkcode Forwarder.listen}. */
export interface ForwarderOptions {
  /** Whether the forwarder itself says EHLO and STARTTLS, so that its client begins with TLS. */
  startTls?: boolean;
}

/** Client addresses that were announced so far; each is used once. */
let announced = 0;

/** A forwarder; it listens until it is disposed of. */
export class Forwarder implements AsyncDisposable {
  /** The port of 127.0.0.1 for clients. */
  readonly port: number;
  /** What the server's log calls the clients, in the order of the connections: `[198.18.0.1]:25000`. */
  readonly endpoints: string[] = [];
  /** What went wrong with a connection, apart from its being cut off. */
  readonly faults: string[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #startTls: boolean;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];

  private constructor(listener: Deno.TcpListener, target: number, options: ForwarderOptions) {
    this.#listener = listener;
    this.port = listener.addr.port;
    this.#target = target;
    this.#startTls = options.startTls ?? false;
    this.#running.push(this.#acceptAll());
  }

  /** Forwards to port `target` of 127.0.0.1. */
  static listen(target: number, options: ForwarderOptions = {}): Forwarder {
    return new Forwarder(Deno.listen({ hostname: "127.0.0.1", port: 0 }), target, options);
  }

  async #acceptAll(): Promise<void> {
    for await (const client of this.#listener) {
      this.#open.add(client);
      this.#running.push(this.#forward(client));
    }
  }

  async #forward(client: Deno.TcpConn): Promise<void> {
    const ends = [client];
    try {
      const server = await this.#connect();
      ends.push(server);
      if (this.#startTls) await startTls(server);
      await Promise.all([copy(client, server), copy(server, client)]);
    } catch (error) {
      if (!wasCut(error)) this.faults.push(String(error));
    } finally {
      for (const end of ends) this.#close(end);
    }
  }

  /** Connects to the server and tells it who comes, as HAProxy does (its "proxy-protocol.txt"). */
  async #connect(): Promise<Deno.TcpConn> {
    const number = ++announced;
    // The network for benchmarks (RFC 2544).
    const address = `198.18.${number >> 8}.${number & 0xff}`;
    const port = 25_000;
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    this.#open.add(server);
    this.endpoints.push(`[${address}]:${port}`);
    await send(server, `PROXY TCP4 ${address} 127.0.0.1 ${port} ${this.#target}\r\n`);
    return server;
  }

  #close(end: Deno.TcpConn): void {
    if (this.#open.delete(end)) end.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const end of [...this.#open]) this.#close(end);
    await Promise.all(this.#running);
  }
}

/** A client that leaves, or a server that refuses, is what tests are about. */
function wasCut(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource;
}

/** Moves bytes until `from` ends, and passes the end on. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) break;
    await writeAll(to, buffer.subarray(0, count));
  }
  await to.closeWrite();
}

async function send(to: Deno.TcpConn, text: string): Promise<void> {
  await writeAll(to, new TextEncoder().encode(text));
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Speaks SMTP up to the reply after which TLS begins. */
async function startTls(server: Deno.TcpConn): Promise<void> {
  await expect(server, "220 ");
  await send(server, "EHLO forwarder.example.test\r\n");
  await expect(server, "250 ");
  await send(server, "STARTTLS\r\n");
  await expect(server, "220 ");
}

/** Reads lines, a byte at a time so that nothing of TLS is taken, to the last one of a reply. */
async function expect(server: Deno.TcpConn, wanted: string): Promise<void> {
  const byte = new Uint8Array(1);
  for (let line = "";;) {
    const count = await inTime(`"${wanted}" of the server`, server.read(byte));
    if (count === null) throw new Error(`Wanted a reply like "${wanted}": the server has left`);
    line += String.fromCharCode(byte[0]);
    if (!line.endsWith("\n")) continue;
    if (line.startsWith(wanted)) return;
    if (line.charAt(3) !== "-") {
      throw new Error(`Wanted a reply like "${wanted}": ${JSON.stringify(line)}`);
    }
    line = "";
  }
}
