/**
 * Local clients of tlsproxy and their remote peers, many of them, of all kinds: what each of them did and
 * saw is written down.
 *
 * Both ends are in the thread of the test, without blocking: the descriptor that is handed over is one end
 * of a socket pair.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../../lib/base/clock.ts";
import { type Bytes, concat, utf8 } from "../../../lib/base/bytes.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { receive, send, sendDescriptor, socketPair } from "../../../lib/ffi/libc/socket.ts";
import { OP } from "../../../lib/ffi/openssl/constants.ts";
import { AGAIN, connectUnix } from "../../../lib/net/stream.ts";
import { TlsClient, type TlsClientOptions } from "../../support/tls_client.ts";
import { PATIENCE_MS, WaitTimeout } from "../../support/wait.ts";
import { requestList } from "../tlsproxy/_peers.ts";

const TLS12 = 0x303;
const TLS13 = 0x304;

/** What all sessions came to, as their clients saw it. */
export class Tally {
  readonly counts: Record<string, number> = {};
  bytesToPeer = 0;
  bytesFromPeer = 0;

  add(key: string, count = 1): void {
    this.counts[key] = (this.counts[key] ?? 0) + count;
  }

  /** The counts whose key begins with `prefix` and a blank, without it. */
  of(prefix: string): Record<string, number> {
    const found = Object.entries(this.counts).filter(([key]) => key.startsWith(`${prefix} `));
    return Object.fromEntries(found.map(([key, count]) => [key.slice(prefix.length + 1), count]));
  }
}

/** As `waitUntil`, without its pause between two looks: there are thousands of things to wait for. */
async function until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
  const end = systemClock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== false) return found;
    if (systemClock.monotonicMs() > end) throw new WaitTimeout(`Waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** One end of a connection. */
class End {
  readonly fd: number;
  #unread: Bytes = new Uint8Array(0);
  #open = true;

  constructor(fd: number) {
    assert(fd >= 0, `a descriptor, not ${fd}`);
    this.fd = fd;
  }

  send(bytes: Bytes): void {
    assertEquals(send(this.fd, bytes, bytes.length), bytes.length);
  }

  /** Reads `count` bytes. */
  async read(count: number): Promise<Bytes> {
    await until(`${count} bytes`, () => {
      this.#fill();
      return this.#unread.length >= count;
    });
    const bytes = this.#unread.slice(0, count);
    this.#unread = this.#unread.slice(count);
    return bytes;
  }

  /** Waits until there is something to read. */
  async arrived(): Promise<void> {
    await until("the first byte", () => {
      this.#fill();
      return this.#unread.length > 0;
    });
  }

  /** What has arrived so far. */
  takeArrived(): Bytes {
    const bytes = this.#unread;
    this.#unread = new Uint8Array(0);
    return bytes;
  }

  /** Waits for the end. */
  async readEnd(): Promise<void> {
    await until("the end of a stream", () => this.#fill() === "ended");
  }

  close(): void {
    if (this.#open) closeFile(this.fd);
    this.#open = false;
  }

  #fill(): "more" | "ended" {
    const chunk = new Uint8Array(65536);
    for (;;) {
      const count = receive(this.fd, chunk, chunk.length);
      if (count === AGAIN) return "more";
      if (count <= 0) return "ended";
      this.#unread = concat(this.#unread, chunk.slice(0, count));
    }
  }
}

const ANNOUNCEMENT = "protocol\0tlsproxy_protocol\0\0";
const READY = "status\0" + "1\0\0";
const UNAVAILABLE = "status\0" + "0\0\0";
const FLAGS = { server: 1, client: 2, probe: 8 } as const;

/** What a request says that is not as usual. */
interface RequestOptions {
  readonly handshakeLimitS?: number;
  readonly serverId?: string;
}

/** A session that was kept for another one. */
export type Kept = ReturnType<TlsClient["session"]>;

/** The ClientHello that a client would begin with. */
async function helloOf(options: TlsClientOptions): Promise<Bytes> {
  const pair = socketPair();
  assert(typeof pair !== "number");
  const [near, far] = pair.map((fd) => new End(fd));
  using client = new TlsClient(near.fd, options);
  assertEquals(client.handshake(), "waiting");
  await far.arrived();
  const hello = far.takeArrived();
  near.close();
  far.close();
  return hello;
}

/** Makes sessions. */
export class Crowd {
  readonly tally = new Tally();
  readonly #socket: string;
  #last = 0;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** A session that moves bytes and comes to a good end, closed by one side or the other. */
  async complete(
    kind: string,
    options: TlsClientOptions,
    { closedBy, keep = false, serverId }: {
      closedBy: "peer" | "client";
      keep?: boolean;
      serverId?: string;
    },
  ): Promise<Kept | undefined> {
    const session = await this.open(kind, options, { serverId });
    await this.talk(session, {
      fromPeer: 1 + this.#last % 3000,
      toPeer: 1 + this.#last % 20_000,
    });
    const kept = keep ? session.client.session() : undefined;
    session.close(closedBy);
    await session.ended();
    return kept;
  }

  /** Moves so many bytes. */
  async talk(
    { client, local }: { client: TlsClient; local: End },
    bytes: { fromPeer: number; toPeer: number },
  ): Promise<void> {
    const fromPeer = utf8("x".repeat(bytes.fromPeer));
    assertEquals(client.write(fromPeer), fromPeer.length);
    assertEquals(await local.read(fromPeer.length), fromPeer);
    local.send(utf8("y".repeat(bytes.toPeer)));
    let got = 0;
    await until("bytes for the peer", () => (got += client.read().length) === bytes.toPeer);
    this.tally.bytesFromPeer += bytes.fromPeer;
    this.tally.bytesToPeer += bytes.toPeer;
  }

  /** A session whose handshake is over; it is counted, and has to be closed. */
  async open(kind: string, options: TlsClientOptions, over: RequestOptions = {}) {
    const { local, remote } = await this.#passed(over);
    const client = new TlsClient(remote.fd, options);
    await until(`the handshake (${kind})`, () => {
      const step = client.handshake();
      assert(step !== "failed", `${kind}: ${client.errors}`);
      return step === "done";
    });
    assertEquals(client.resumed, kind !== "full", kind);
    const { tally } = this;
    tally.add(`handshake ${client.protocol} ${client.cipher} ${kind}`);
    let by: "peer" | "client" = "peer";
    return {
      client,
      local,
      close: (side: "peer" | "client") => {
        by = side;
        if (side === "peer") client.shutdown();
        else local.close();
      },
      ended: async () => {
        tally.add(`end completed closed by ${by}`);
        if (by === "peer") await local.readEnd();
        else await until("close_notify", () => client.closedByPeer);
        client[Symbol.dispose]();
        remote.close();
        local.close();
      },
    };
  }

  /** A handshake that fails: the peer sends this, and nothing else, and stays until it is let go. */
  async failWith(reason: string, bytes: Bytes): Promise<void> {
    const { local, remote } = await this.#passed();
    remote.send(bytes);
    await local.readEnd();
    this.tally.add(`end failed ${reason}`);
    remote.close();
    local.close();
  }

  /** A handshake that fails because of what the peer offers. */
  async failBecauseOf(reason: string, options: TlsClientOptions): Promise<void> {
    const { local, remote } = await this.#passed();
    using client = new TlsClient(remote.fd, options);
    await until("the failure", () => client.handshake() === "failed");
    await local.readEnd();
    this.tally.add(`end failed ${reason}`);
    remote.close();
    local.close();
  }

  /** The peer answers the server's part of the handshake with an alert. */
  async alertServer(alert: Bytes): Promise<void> {
    const { local, remote } = await this.#passed();
    remote.send(await helloOf({ version: TLS12 }));
    await remote.arrived();
    remote.send(alert);
    await local.readEnd();
    this.tally.add("end failed alert from peer");
    remote.close();
    local.close();
  }

  /** The peer goes away in the middle of the handshake. */
  async leaveHandshake(): Promise<void> {
    const { local, remote } = await this.#passed();
    remote.close();
    await local.readEnd();
    this.tally.add("end failed closed by peer");
    local.close();
  }

  /** The peer says nothing for a second. */
  async stayStill(): Promise<void> {
    const { local, remote } = await this.#passed({ handshakeLimitS: 1 });
    await local.readEnd();
    this.tally.add("end failed timeout");
    remote.close();
    local.close();
  }

  /** A request that is refused. */
  async refused(reason: string, flags: number = FLAGS.server): Promise<void> {
    const local = await this.#request(flags, UNAVAILABLE);
    local.close();
    this.tally.add(`end refused ${reason}`);
  }

  async probe(): Promise<void> {
    const local = await this.#request(FLAGS.server | FLAGS.probe, READY);
    local.close();
    this.tally.add("end probed closed by client");
  }

  /** A client that goes before its request, or instead of handing over. */
  async abandon(when: "before the request" | "before the descriptor"): Promise<void> {
    const local = when === "before the request"
      ? await this.#connect()
      : await this.#request(FLAGS.server, READY);
    local.close();
    this.tally.add("end abandoned closed by client");
  }

  /** What a client of this kind speaks. */
  static offers(kind: "TLSv1.2 ticket" | "TLSv1.2 id" | "TLSv1.3"): TlsClientOptions {
    switch (kind) {
      case "TLSv1.2 ticket":
        return { version: TLS12 };
      case "TLSv1.2 id":
        return { version: TLS12, options: OP.NO_TICKET };
      case "TLSv1.3":
        return { version: TLS13 };
    }
  }

  async #connect(): Promise<End> {
    const local = new End(
      await until("a place in the queue", () => {
        const fd = connectUnix(this.#socket);
        return fd === AGAIN ? undefined : fd;
      }),
    );
    this.tally.add("connection");
    const announcement = await local.read(ANNOUNCEMENT.length);
    assertEquals(announcement, utf8(ANNOUNCEMENT));
    return local;
  }

  async #request(
    flags: number,
    answer: string,
    { handshakeLimitS = 300, serverId = "smtpd" }: RequestOptions = {},
  ): Promise<End> {
    const local = await this.#connect();
    const endpoint = `[192.0.2.${1 + this.#last % 200}]:${1 + this.#last++}`;
    const limits = { handshakeLimitS, sessionLimitS: 300 };
    local.send(requestList({ endpoint, flags, ...limits, serverId }) as Bytes);
    this.tally.add("request");
    assertEquals(await local.read(answer.length), utf8(answer));
    return local;
  }

  async #passed(over: RequestOptions = {}): Promise<{ local: End; remote: End }> {
    const local = await this.#request(FLAGS.server, READY, over);
    const pair = socketPair();
    assert(typeof pair !== "number");
    assertEquals(sendDescriptor(local.fd, pair[0]), 1);
    closeFile(pair[0]);
    this.tally.add("descriptor");
    return { local, remote: new End(pair[1]) };
  }
}
