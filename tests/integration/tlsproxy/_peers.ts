/**
 * Local clients and remote TLS peers of tlsproxy, driven step by step from a test.
 *
 * Deno can neither pass descriptors nor take a TLS handshake apart, so the work is done by the Python
 * script beside this file (python3 with its ssl module); it shares no code with `lib/`. This module is
 * the script's remote control: each method is one order to it.
 *
 * @module
 */

import { type Attribute, encodeList } from "../../support/attr_client.ts";
import { supportPath } from "../../support/paths.ts";
import { type RunningProcess, startProcess } from "../../support/process.ts";
import { keyLogPath } from "../../support/secrets.ts";
import { inTime } from "../../support/wait.ts";

/** How a stream ended, and all that came before it. */
export interface StreamEnd {
  data: string;
  /** `close_notify` only where TLS was read; `closed` is the end of the connection without it. */
  how: "closed" | "reset" | "close_notify";
}

/** A number of bytes and their SHA-256. */
export interface Amount {
  count: number;
  hash: string;
}

/** What a TLS client saw. */
export interface HandshakeReport {
  version: string;
  cipher: string;
  resumed: boolean;
  /** Names in the server's certificate, which was verified. */
  names: string[];
}

/** What a TLS client offers. */
export interface TlsOffer {
  /** PEM text of the authority that it trusts. */
  ca: string;
  /** The only version that it speaks. */
  version?: "TLSv1_2" | "TLSv1_3";
  /** OpenSSL cipher list, for TLS 1.2. */
  ciphers?: string;
  /** `false`: no ticket extension. */
  tickets?: boolean;
  /** Paths of a certificate chain and its key, for a server that asks. */
  certificate?: { chain: string; key: string };
  /** The name asked for and expected. @default {"localhost"} */
  serverName?: string;
  /** An earlier connection, with the same offer, whose session is to be resumed. */
  sessionOf?: Peer;
}

/** The attributes of list A. */
export interface Request {
  endpoint: string;
  flags: number;
  handshakeLimitS: number;
  sessionLimitS: number;
  serverId: string;
}

/** List A as postscreen(8) sends it. */
export function requestList(request: Request): Uint8Array {
  const attributes: Attribute[] = [
    ["remote_endpoint", request.endpoint],
    ["flags", String(request.flags)],
    ["timeout", String(request.handshakeLimitS)],
    ["timeout", String(request.sessionLimitS)],
    ["serverid", request.serverId],
  ];
  return encodeList(attributes);
}

/** A string with one character a byte. */
export function latin1Text(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The running script. */
export class Peers implements AsyncDisposable {
  readonly #process: RunningProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #nextId = 1;
  #readTo = 0;
  #polling = true;
  readonly #poll: Promise<void>;

  constructor() {
    this.#process = startProcess("python3", [supportPath("../integration/tlsproxy/_peers.py")], {
      env: { SSLKEYLOGFILE: keyLogPath() },
    });
    this.#poll = this.#takeReplies();
  }

  /** Connects to the UNIX-domain socket `path`. */
  async connect(path: string): Promise<Peer> {
    return new Peer(this, await this.order("connect", { path }) as number);
  }

  /**
   * A TCP connection over loopback: the end to be passed, and the remote peer's. `bufferBytes` is about
   * what fits into it on its way to the remote peer.
   */
  async pair(options: { bufferBytes?: number } = {}): Promise<{ passed: Peer; remote: Peer }> {
    const ids = await this.order("pair", options) as { passed: number; remote: number };
    return { passed: new Peer(this, ids.passed), remote: new Peer(this, ids.remote) };
  }

  /** A listening TCP socket on loopback. */
  async listen(): Promise<{ listener: Peer; port: number }> {
    const { id, port } = await this.order("listen") as { id: number; port: number };
    return { listener: new Peer(this, id), port };
  }

  /** A descriptor that is of no use to tlsproxy. */
  async thing(kind: "file" | "pipe" | "datagram" | "unconnected"): Promise<Peer> {
    return new Peer(this, await this.order("thing", { kind }) as number);
  }

  /** Carries out `op`; throws what the script says went wrong. */
  async order(op: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const id = this.#nextId++;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    await this.#process.write(JSON.stringify({ id, op, ...args }) + "\n");
    const { result, error } = await inTime(`"${op}" of a peer`, reply);
    if (error !== undefined) throw new Error(`Cannot carry out "${op}": ${error}`);
    return result;
  }

  async #takeReplies(): Promise<void> {
    while (this.#polling) {
      const { stdout } = this.#process;
      for (;;) {
        const end = stdout.indexOf("\n", this.#readTo);
        if (end < 0) break;
        const reply = JSON.parse(stdout.slice(this.#readTo, end)) as Reply;
        this.#readTo = end + 1;
        this.#waiting.get(reply.id)?.(reply);
        this.#waiting.delete(reply.id);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#polling = false;
    await this.#poll;
    await this.#process[Symbol.asyncDispose]();
  }
}

interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

/** One end of a connection, held by the script. */
export class Peer {
  readonly #peers: Peers;
  readonly #id: number;

  constructor(peers: Peers, id: number) {
    this.#peers = peers;
    this.#id = id;
  }

  /** Sends bytes as they are; with `piece` in pieces of that size. */
  async send(data: string | Uint8Array, piece?: number): Promise<void> {
    const text = typeof data === "string" ? data : latin1Text(data);
    await this.#order("send", { data: text, piece });
  }

  /** Sends one null byte (or `data`) with descriptors attached. */
  async pass(descriptors: readonly Peer[], data = "\0"): Promise<void> {
    await this.#order("pass", { descriptors: descriptors.map((peer) => peer.#id), data });
  }

  /** Accepts a connection on a listening socket. */
  async accept(): Promise<Peer> {
    return new Peer(this.#peers, await this.#order("accept") as number);
  }

  /** Reads exactly `count` bytes. */
  async read(count: number): Promise<string> {
    return await this.#order("read", { count }) as string;
  }

  /** Reads one list: names and values in turn. */
  async readList(): Promise<string[]> {
    return await this.#order("readList") as string[];
  }

  /** Reads up to the end. */
  async readEnd(): Promise<StreamEnd> {
    return await this.#order("readEnd") as StreamEnd;
  }

  /** Ends the sending direction. */
  async halfClose(): Promise<void> {
    await this.#order("halfClose");
  }

  /** Closes it; with `reset` the other end sees a TCP reset. */
  async close(options: { reset?: boolean } = {}): Promise<void> {
    await this.#order("close", options);
  }

  /** From here on this end is a TLS client. */
  async tlsBegin(offer: TlsOffer): Promise<void> {
    const { sessionOf } = offer;
    const from = sessionOf === undefined ? undefined : sessionOf.#id;
    await this.#order("tlsBegin", { ...offer, sessionOf: from });
  }

  /** The ClientHello, which is not sent. */
  async tlsHello(): Promise<string> {
    return await this.#order("tlsHello") as string;
  }

  /** Completes the handshake. */
  async tlsHandshake(): Promise<HandshakeReport> {
    return await this.#order("tlsHandshake") as HandshakeReport;
  }

  /** {@linkcode Peer.tlsBegin} and {@linkcode Peer.tlsHandshake}. */
  async tls(offer: TlsOffer): Promise<HandshakeReport> {
    await this.tlsBegin(offer);
    return await this.tlsHandshake();
  }

  /** Waits for something of the server's part of the handshake, without answering it. */
  async tlsReadWire(): Promise<number> {
    return await this.#order("tlsReadWire") as number;
  }

  /** Sends bytes inside TLS. */
  async tlsWrite(data: string): Promise<void> {
    await this.#order("tlsWrite", { data });
  }

  /** Sends close_notify; the connection stays open. */
  async tlsCloseNotify(): Promise<void> {
    await this.#order("tlsCloseNotify");
  }

  /** Sends `count` bytes made from `seed`, inside TLS where it has begun: their SHA-256. */
  async pump(count: number, seed: number): Promise<string> {
    return await this.#order("pump", { count, seed }) as string;
  }

  /** How much of it the other side has taken so far. */
  async pumped(): Promise<number> {
    return await this.#order("pumped") as number;
  }

  /** Sends bytes made from `seed`, without TLS, until the other side takes no more. */
  async fill(seed: number): Promise<Amount> {
    return await this.#order("fill", { seed }) as Amount;
  }

  /** Reads to the end. */
  async sinkEnd(): Promise<Amount & Pick<StreamEnd, "how">> {
    return await this.#order("sinkEnd") as Amount & Pick<StreamEnd, "how">;
  }

  /** Reads `count` bytes: their SHA-256. */
  async sink(count: number): Promise<string> {
    return await this.#order("sink", { count }) as string;
  }

  #order(op: string, args: object = {}): Promise<unknown> {
    return this.#peers.order(op, { on: this.#id, ...args });
  }
}
