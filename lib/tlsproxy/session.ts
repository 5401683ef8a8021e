/**
 * One session, from the local client's connection to its end.
 *
 * The states and their order are those of the protocol (Postfix's tlsproxy/tlsproxy.c): announce,
 * read the request, answer with a status, receive the descriptor, shake hands, move bytes. During the
 * handshake the local client's socket is left alone: no plaintext may precede TLS, and what the client
 * sends early belongs into the TLS stream. A client that has gone by then is noticed when the
 * handshake is over.
 *
 * The session owns both descriptors and the engine. Every way to end leads through
 * {@linkcode Session.close}, which logs once and releases everything once. Whatever goes wrong is this
 * session's affair alone.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ListReader, READ } from "../attr/read.ts";
import { describeAttrFault } from "../attr/faults.ts";
import type { ListScanner } from "../attr/scan.ts";
import {
  AttrChannel,
  type AttrChannelHandler,
  type AttrChannelOptions,
  type ChannelEnd,
} from "../net/attr_channel.ts";
import {
  AGAIN,
  closeDescriptor,
  describeErrno,
  describeFailure,
  INTERRUPTED,
  isStreamSocket,
  receiveDescriptors,
  sendWhole,
  setNoDelay,
  setNonBlocking,
} from "../net/stream.ts";
import { ListPrinter } from "../attr/print.ts";
import {
  type ContextAttributes,
  emptySummary,
  PEER_STATUS,
  printTlsContext,
} from "../proto/tls_context.ts";
import { decodeServerSettings } from "../proto/tls_params.ts";
import {
  decodeHandOff,
  type HandOffRequest,
  roleIn,
  settingsFollow,
  TLSPROXY_ANNOUNCEMENT,
  TLSPROXY_FLAG,
  TLSPROXY_READY,
  TLSPROXY_UNAVAILABLE,
} from "../proto/tlsproxy.ts";
import { type Reactor, READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import type { Log } from "../log/log.ts";
import type { ServerContext } from "../tls/context.ts";
import { ServerEngine } from "../tls/engine.ts";
import type { Resumption } from "../tls/resumption.ts";
import { describeHandshake, type Handshake } from "../tls/summary.ts";
import { Relay } from "./relay.ts";

/** How long the local client may take for its request, and again for the descriptor (tlsproxy.c). */
const CLIENT_LIMIT_MS = 100_000;
/** How long a list may take once it has begun. */
const LIST_LIMIT_MS = 5_000;
/** Added to the session time limit: the local client does the timing that matters (tlsproxy.c). */
const GRACE_MS = 10_000;
/** Longest time limit taken from a request: 100 days, as the largest that Postfix's parameters take. */
const LIMIT_S_MAX = 8_640_000;
const CHANNEL_OPTIONS: AttrChannelOptions = {
  // List B may hold trust anchors: certificates, in base64.
  limits: { bytesMax: 1024 * 1024, attributesMax: 8192 },
  listLimitMs: LIST_LIMIT_MS,
};
const STREAM = "plaintext";

const reader = new ListReader();
const printer = new ListPrinter();

/** What a TLS server needs for a session. */
export interface ServerHall {
  readonly context: ServerContext;
  readonly resumption: Resumption | undefined;
}

/** What sessions share. */
export interface SessionHall {
  readonly reactor: Reactor;
  readonly log: Log;
  /** One line is logged for each finished handshake. */
  readonly logSummary: boolean;
  /** Answers, now or later, what a server session needs; `undefined`: the role is not available. */
  serverReady(answer: (hall: ServerHall | undefined) => void): void;
  /** A client of 3.12 has sent settings of its own; told for each request. */
  settingsReceived(): void;
  /** Call {@linkcode Session.goOn} in the next turn. */
  again(session: Session): void;
  /** The session has released everything. */
  closed(session: Session): void;
}

/** Where a session stands. A field exists only in the states that may use it. */
type State =
  /** Connected; waits for the request. */
  | { readonly at: "awaiting request"; readonly channel: AttrChannel }
  /** Has the request; its settings may still come, or the role is being made ready. */
  | { readonly at: "preparing"; readonly channel: AttrChannel; readonly request: HandOffRequest }
  /** Has answered "not available", or a probe; waits for the client to go. */
  | { readonly at: "answered"; readonly channel: AttrChannel }
  /** Has answered "ready"; waits for the descriptor. */
  | {
    readonly at: "awaiting descriptor";
    readonly request: HandOffRequest;
    readonly hall: ServerHall;
    readonly plain: Registration;
  }
  /** Owns the remote peer's descriptor. No plaintext moves yet. */
  | {
    readonly at: "handshaking";
    readonly request: HandOffRequest;
    readonly engine: ServerEngine;
    readonly net: Registration;
  }
  /** Moves bytes both ways. */
  | {
    readonly at: "relaying";
    readonly request: HandOffRequest;
    readonly engine: ServerEngine;
    readonly relay: Relay;
    net: Registration | undefined;
    plain: Registration | undefined;
  }
  /** Released everything. */
  | { readonly at: "closed" };

/** One session. */
export class Session implements AttrChannelHandler, ReadyHandler {
  readonly #hall: SessionHall;
  readonly #plainFd: number;
  /** The answer to the request is "not available", whatever it is. */
  readonly #refused: string | undefined;
  #netFd = -1;
  #state: State;
  #deadline: Timer | undefined;
  /** CONNECT was logged with this name. */
  #endpoint: string | undefined;
  #handshaken = false;
  #contextAttributes: ContextAttributes = 22;
  #toContinue = false;

  /**
   * Takes a connection.
   *
   * @param refused why every request is answered with "not available"; `undefined` in normal operation
   */
  constructor(hall: SessionHall, fd: number, refused?: string) {
    this.#hall = hall;
    this.#plainFd = fd;
    this.#refused = refused;
    const channel = new AttrChannel(hall.reactor, fd, this, CHANNEL_OPTIONS);
    this.#state = { at: "awaiting request", channel };
    this.#limit(CLIENT_LIMIT_MS);
    channel.send(TLSPROXY_ANNOUNCEMENT);
  }

  /** For the channel. */
  list(scanner: ListScanner, bytes: Bytes, start: number, behind: number): "next" | "drop" {
    reader.open(bytes, scanner, READ.strict, start);
    switch (this.#state.at) {
      case "awaiting request":
        this.#takeRequest(this.#state.channel, behind);
        return "next";
      case "preparing":
        this.#takeSettings(this.#state.request);
        return "next";
      default:
        return "drop";
    }
  }

  /** For the channel. */
  ended(end: ChannelEnd): void {
    if (end.kind === "closed" && this.#state.at !== "awaiting request") return this.close();
    const what = this.#state.at === "preparing"
      ? "receive server TLS settings"
      : "receive request attributes";
    if (this.#state.at !== "answered") {
      this.#hall.log.warn(`tlsp_get_request_event: ${what}: ${describeEnd(end)}`);
    }
    this.close();
  }

  /** For the reactor: the plaintext side, or after the handshake either side. */
  ready(events: number): void {
    if (this.#state.at === "awaiting descriptor") this.#takeDescriptor(this.#state);
    else if (this.#state.at === "relaying") this.#relay(events, "plain");
  }

  /** Goes on with what was left over in the last turn. */
  goOn(): void {
    this.#toContinue = false;
    if (this.#state.at === "relaying") this.#relay(READY.none, "plain");
  }

  /** Ends the session; again is allowed. */
  close(): void {
    const state = this.#state;
    if (state.at === "closed") return;
    this.#state = { at: "closed" };
    const { reactor, log } = this.#hall;
    reactor.cancel(this.#deadline);
    if ("channel" in state) state.channel.release();
    if ("plain" in state) state.plain?.close();
    if ("net" in state) state.net?.close();
    if ("engine" in state) state.engine.close();
    closeDescriptor(this.#plainFd);
    if (this.#netFd >= 0) closeDescriptor(this.#netFd);
    if (this.#endpoint !== undefined) {
      if (this.#netFd >= 0 && !this.#handshaken && "request" in state) {
        const { serverId } = state.request;
        log.info(`TLS handshake failed for service=${serverId} peer=${this.#endpoint}`);
      }
      log.info(`DISCONNECT ${this.#endpoint}`);
    }
    this.#hall.closed(this);
  }

  #takeRequest(channel: AttrChannel, behind: number): void {
    const { log } = this.#hall;
    const request = decodeHandOff(reader);
    if (reader.fault !== undefined) log.warn(describeAttrFault(reader.fault, STREAM));
    if (request === undefined) {
      log.warn("tlsp_get_request_event: receive request attributes: unexpected content");
      return this.close();
    }
    this.#endpoint = request.remoteEndpoint;
    const role = roleIn(request.flags);
    const words = role === "server" ? "from" : role === "client" ? "to" : "(bogus_direction)";
    log.info(`CONNECT ${words} ${request.remoteEndpoint}`);
    this.#state = { at: "preparing", channel, request };
    if (role === undefined) {
      const flags = (request.flags >>> 0).toString(16);
      log.warn(`tlsp_get_request_event: bad request flags: 0x${flags}`);
      return this.#refuse(channel);
    }
    if (role === "client") {
      log.warn("TLS client role is disabled by configuration");
      return this.#refuse(channel);
    }
    if (this.#refused !== undefined) {
      log.warn(`${this.#refused}: refusing ${request.remoteEndpoint}`);
      return this.#refuse(channel);
    }
    if (!settingsFollow(request.flags, behind)) this.#prepare(channel, request);
  }

  /** List B of a 3.12 client, server role. */
  #takeSettings(request: HandOffRequest): void {
    const { log } = this.#hall;
    if (this.#state.at !== "preparing") return;
    const settings = decodeServerSettings(reader);
    if (reader.fault !== undefined) log.warn(describeAttrFault(reader.fault, STREAM));
    if (settings === undefined) {
      log.warn("tlsp_get_request_event: receive server TLS settings: unexpected content");
      return this.close();
    }
    this.#hall.settingsReceived();
    this.#contextAttributes = 26;
    this.#prepare(this.#state.channel, request);
  }

  /** Finds out whether there is a server role at the moment, and answers. */
  #prepare(channel: AttrChannel, request: HandOffRequest): void {
    this.#hall.serverReady((hall) => {
      if (this.#state.at !== "preparing") return;
      if (hall === undefined) return this.#refuse(channel);
      if ((request.flags & TLSPROXY_FLAG.probeOnly) !== 0) {
        this.#state = { at: "answered", channel };
        this.#limit(CLIENT_LIMIT_MS);
        return channel.send(TLSPROXY_READY);
      }
      // Registered anew: from here on one byte at a time is read, with what is attached to it.
      channel.send(TLSPROXY_READY);
      channel.release();
      const plain = this.#hall.reactor.watch(this.#plainFd, READY.read, this);
      this.#state = { at: "awaiting descriptor", request, hall, plain };
      this.#limit(CLIENT_LIMIT_MS);
    });
  }

  #refuse(channel: AttrChannel): void {
    this.#state = { at: "answered", channel };
    this.#limit(CLIENT_LIMIT_MS);
    channel.send(TLSPROXY_UNAVAILABLE);
  }

  #takeDescriptor(state: Extract<State, { at: "awaiting descriptor" }>): void {
    const { result, descriptors } = receiveDescriptors(this.#plainFd);
    if (result === AGAIN || result === INTERRUPTED) return;
    const [fd] = descriptors;
    const fault = result < 0
      ? describeFailure(result)
      : result === 0
      ? "the connection was closed"
      : descriptors.length !== 1
      ? `${descriptors.length} descriptors came instead of one`
      : isStreamSocket(fd)
      ? undefined
      : "it is not a connected stream socket";
    if (fault !== undefined) {
      for (const extra of descriptors) closeDescriptor(extra);
      this.#hall.log.warn(
        `tlsp_get_fd_event: receive remote SMTP peer file descriptor: ${fault}`,
      );
      return this.close();
    }
    // The local client may be gone before the handshake is over; nobody asks until then.
    state.plain.close();
    this.#netFd = fd;
    setNonBlocking(fd);
    setNoDelay(fd);
    this.#beginHandshake(state.request, state.hall);
  }

  #beginHandshake(request: HandOffRequest, hall: ServerHall): void {
    const engine = new ServerEngine(hall.context, this.#netFd, {
      resumption: hall.resumption,
      serverId: request.serverId,
      resume: () => this.#shakeHands(),
    });
    const net = this.#hall.reactor.watch(this.#netFd, READY.read, {
      ready: (events) => this.#netReady(events),
    });
    this.#state = { at: "handshaking", request, engine, net };
    // An overall limit: a peer that sends a byte now and then does not hold on for ever.
    this.#limit(limitMs(request.handshakeTimeoutS));
  }

  #netReady(events: number): void {
    switch (this.#state.at) {
      case "handshaking":
        // A suspended handshake waits for tlsmgr; a peer that has gone meanwhile is let go.
        if (this.#state.net.interest === READY.none) return this.close();
        return this.#shakeHands();
      case "relaying":
        return this.#relay(events, "net");
    }
  }

  #shakeHands(): void {
    if (this.#state.at !== "handshaking") return;
    const { engine, net } = this.#state;
    switch (engine.handshake()) {
      case "want read":
        return net.change(READY.read);
      case "want write":
        return net.change(READY.write);
      case "suspended":
        return net.change(READY.none);
      case "failed":
        this.#logErrors(engine.errors);
        return this.close();
      case "done":
        return this.#beginRelay();
    }
  }

  #beginRelay(): void {
    assert(this.#state.at === "handshaking", "the relay follows the handshake");
    const { engine, net, request } = this.#state;
    this.#handshaken = true;
    const wantsContext = (request.flags & TLSPROXY_FLAG.sendContext) !== 0;
    if (this.#hall.logSummary || wantsContext) {
      const handshake = engine.summary();
      if (this.#hall.logSummary) {
        this.#hall.log.info(describeHandshake(handshake, request.remoteEndpoint));
      }
      if (wantsContext && !this.#sendContext(handshake, request)) return this.close();
    }
    const plain = this.#hall.reactor.watch(this.#plainFd, READY.read, this);
    const relay = new Relay(engine, this.#plainFd);
    this.#state = { at: "relaying", request, engine, relay, net, plain };
    this.#limit(limitMs(request.sessionTimeoutS) + GRACE_MS);
    // The peer's first bytes may have come with its last handshake message.
    this.#relay(READY.none, "net");
  }

  /** Tells the local client what was agreed on, before any byte of the remote peer's. */
  #sendContext(handshake: Handshake, request: HandOffRequest): boolean {
    const summary = emptySummary();
    summary.peerStatus = handshake.peerCertificate ? PEER_STATUS.certificate : 0;
    summary.protocol = handshake.protocol;
    summary.cipherName = handshake.cipher;
    summary.cipherUsedBits = handshake.usedBits;
    summary.cipherAlgorithmBits = handshake.algorithmBits;
    summary.keyExchange = handshake.keyExchange;
    summary.keyExchangeCurve = handshake.keyExchangeCurve;
    summary.keyExchangeBits = handshake.keyExchangeBits;
    if (handshake.serverSignature !== undefined) {
      summary.serverSignature = { ...handshake.serverSignature };
    }
    summary.namaddr = request.remoteEndpoint;
    const bytes = printTlsContext(printer, summary, this.#contextAttributes);
    const sent = sendWhole(this.#plainFd, bytes);
    if (sent === undefined) return true;
    this.#hall.log.warn(`cannot send TLS context: ${sent}`);
    return false;
  }

  #relay(events: number, side: "net" | "plain"): void {
    assert(this.#state.at === "relaying", "bytes move in the relay only");
    const state = this.#state;
    switch (state.relay.step()) {
      case "ended":
        this.#logErrors(state.relay.errors);
        return this.close();
      case "more":
        if (!this.#toContinue) {
          this.#toContinue = true;
          this.#hall.again(this);
        }
        break;
      case "waiting":
        break;
    }
    this.#deadline?.postpone(
      this.#hall.reactor.nowMs + limitMs(state.request.sessionTimeoutS) + GRACE_MS,
    );
    const { net, plain } = state.relay.wants;
    state.net?.change(net);
    state.plain?.change(plain);
    // A side that has gone is reported for ever; where nothing is wanted of it at the moment, it is
    // looked at again when the other side has made room.
    if ((events & READY.gone) === 0) return;
    if (side === "net" && net === READY.none) {
      state.net?.close();
      state.net = undefined;
    } else if (side === "plain" && plain === READY.none) {
      state.plain?.close();
      state.plain = undefined;
    }
  }

  #limit(limit: number): void {
    const { reactor } = this.#hall;
    reactor.cancel(this.#deadline);
    this.#deadline = reactor.after(limit, () => this.#timedOut());
  }

  #timedOut(): void {
    const { log } = this.#hall;
    switch (this.#state.at) {
      case "awaiting request":
        log.warn("tlsp_get_request_event: receive request attributes: the client sent nothing");
        break;
      case "awaiting descriptor":
        log.warn(
          "tlsp_get_fd_event: receive remote SMTP peer file descriptor: the client sent nothing",
        );
        break;
      case "handshaking":
      case "relaying":
        log.warn(`ciphertext read/write timeout for ${this.#endpoint}`);
        break;
    }
    this.close();
  }

  #logErrors(errors: readonly string[]): void {
    for (const error of errors) this.#hall.log.warn(`TLS library problem: ${error}`);
  }
}

function limitMs(seconds: number): number {
  return 1000 * Math.min(Math.max(seconds, 1), LIMIT_S_MAX);
}

function describeEnd(end: ChannelEnd): string {
  switch (end.kind) {
    case "closed":
      return "the connection was closed";
    case "cut off":
      return `premature end-of-input on ${STREAM} while reading input attribute ${end.pending}`;
    case "too slow":
      return `timeout on ${STREAM}: the list was not complete after ${end.limitMs / 1000} s`;
    case "too large":
      return end.fault;
    case "error":
      return describeErrno(end.errno);
  }
}
