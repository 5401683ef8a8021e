/**
 * One session, from the local client's connection to its end.
 *
 * It is handed off (`handoff.ts`), shakes hands with the remote peer, and moves bytes (`relay.ts`).
 * During the handshake the local client's socket is left alone: no plaintext may precede TLS, and what
 * the client sends early belongs into the TLS stream. That the client has gone by then is noticed when
 * the handshake is over.
 *
 * The session owns both descriptors and the engine. Every way to end leads through
 * {@linkcode Session.close}, which logs once and releases everything once. Whatever goes wrong is this
 * session's affair alone.
 *
 * @module
 */
import { ListPrinter } from "../attr/print.ts";
import { toLatin1, utf8 } from "../base/bytes.ts";
import { closeDescriptor, sendWhole, setNoDelay, setNonBlocking } from "../net/stream.ts";
import { emptySummary, PEER_STATUS, printTlsContext } from "../proto/tls_context.ts";
import { TLSPROXY_FLAG } from "../proto/tlsproxy.ts";
import { READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import { ServerEngine } from "../tls/engine.ts";
import type { Handshake } from "../tls/summary.ts";
import { type HandedOver, HandOff, type HandOffHall, type HandOffHandler } from "./handoff.ts";
import { Relay } from "./relay.ts";

/** Added to the session time limit: the local client does the timing that matters (tlsproxy.c). */
const GRACE_MS = 10_000;
/** Longest time limit taken from a request: 100 days, the most that Postfix's parameters take. */
const LIMIT_S_MAX = 8_640_000;

const printer = new ListPrinter();

// What was reported readable, made once.
const NEITHER = { plain: false, net: false } as const;
const PLAIN = { plain: true, net: false } as const;
const NET = { plain: false, net: true } as const;
const BOTH = { plain: true, net: true } as const;

/** What sessions share. */
export interface SessionHall extends HandOffHall {
  /** Call {@linkcode Session.goOn} in the next turn. */
  again(session: Session): void;
  /** The session has released everything. */
  closed(session: Session): void;
}

/** Where a session stands. A field exists only in the states that may use it. */
type State =
  /** The local client explains what it wants. */
  | { readonly at: "handing off"; readonly handOff: HandOff }
  /** Owns both descriptors. No plaintext moves yet. */
  | {
    readonly at: "handshaking";
    readonly given: HandedOver;
    readonly engine: ServerEngine;
    readonly net: Registration;
  }
  /** Moves bytes both ways. A side that has gone while nothing was wanted of it is not watched. */
  | {
    readonly at: "relaying";
    readonly given: HandedOver;
    readonly engine: ServerEngine;
    readonly relay: Relay;
    net: Registration | undefined;
    plain: Registration | undefined;
  }
  /** Released everything. */
  | { readonly at: "closed" };

/** One session. */
export class Session implements HandOffHandler {
  readonly #hall: SessionHall;
  #state: State;
  #deadline: Timer | undefined;
  #toContinue = false;

  /**
   * Takes a connection.
   *
   * @param refusal why every request is answered with "not available"; absent in normal operation
   */
  constructor(hall: SessionHall, fd: number, refusal?: string) {
    this.#hall = hall;
    const handOff = new HandOff(hall, fd, { handler: this, refusal });
    this.#state = { at: "handing off", handOff };
  }

  /** Goes on with what was left over in the last turn. */
  goOn(): void {
    this.#toContinue = false;
    if (this.#state.at === "relaying") this.#relay(this.#state, NEITHER);
  }

  /** Ends the session; again is allowed. */
  close(): void {
    const state = this.#state;
    if (state.at === "closed") return;
    this.#state = { at: "closed" };
    this.#hall.reactor.cancel(this.#deadline);
    // Said before anything is closed: whoever notices that may begin the next session at once.
    this.#logEnd(state);
    if (state.at === "handing off") {
      state.handOff.close();
    } else {
      const { plainFd, netFd } = state.given;
      state.net?.close();
      if (state.at === "relaying") state.plain?.close();
      state.engine.close();
      closeDescriptor(plainFd);
      closeDescriptor(netFd);
    }
    this.#hall.closed(this);
  }

  #logEnd(state: Exclude<State, { at: "closed" }>): void {
    const { log } = this.#hall;
    const request = state.at === "handing off" ? state.handOff.request : state.given.request;
    if (request === undefined) return;
    const { serverId, remoteEndpoint } = request;
    if (state.at === "handshaking") {
      log.info(`TLS handshake failed for service=${serverId} peer=${remoteEndpoint}`);
    }
    log.info(`DISCONNECT ${remoteEndpoint}`);
  }

  /** For the hand-off. */
  handOffEnded(): void {
    this.close();
  }

  /** For the hand-off. */
  handedOver(given: HandedOver): void {
    const { netFd, request, hall } = given;
    setNonBlocking(netFd);
    setNoDelay(netFd);
    const { session } = hall;
    const { log } = this.#hall;
    const engine = new ServerEngine(hall.context, netFd, {
      resumption: hall.resumption,
      serverId: session.serverId ?? request.serverId,
      requireCertificate: session.requireCertificate,
      cipherList: session.cipherList,
      log: { log, shows: session.shows, peer: session.namaddr ?? request.remoteEndpoint },
      resume: () => this.#shakeHands(),
    });
    const net = this.#watch(netFd, (events) => this.#netReady(events));
    this.#state = { at: "handshaking", given, engine, net };
    // An overall limit: a peer that sends a byte now and then does not hold on for ever.
    const limit = limitMs(request.handshakeTimeoutS);
    this.#deadline = this.#hall.reactor.after(limit, () => this.#timedOut());
    if (engine.useCipherList()) return;
    log.warn(`${request.remoteEndpoint}: error setting cipher list: "${session.cipherList}"`);
    this.close();
  }

  /** For the reactor: the remote peer, during the handshake. */
  #netReady(events: number): void {
    const state = this.#state;
    if (state.at !== "handshaking") return;
    // A suspended handshake wants nothing of the peer; only that it has gone can have been reported.
    if (state.net.interest === READY.none) return this.close();
    this.#shakeHands();
    // One that has gone and still has to be waited for would be reported for ever: a socket that was
    // never connected, which OpenSSL takes for one that is not ready yet.
    if ((events & READY.gone) !== 0 && this.#state === state) this.close();
  }

  #shakeHands(): void {
    if (this.#state.at !== "handshaking") return;
    const { engine, net, given: { request } } = this.#state;
    switch (engine.handshake()) {
      case "want read":
        return net.change(READY.read);
      case "want write":
        return net.change(READY.write);
      case "suspended":
        return net.change(READY.none);
      case "failed":
        this.#logFaults(engine, request.remoteEndpoint);
        return this.close();
      case "done":
        return this.#beginRelay(this.#state);
    }
  }

  #beginRelay(shaken: Extract<State, { at: "handshaking" }>): void {
    const { engine, given, net } = shaken;
    const { request, plainFd } = given;
    const { reactor } = this.#hall;
    const relay = new Relay(engine, plainFd);
    const plain = this.#watch(plainFd, (events) => this.#sideReady("plain", events));
    net.handler = { ready: (events) => this.#sideReady("net", events) };
    const state: State = { at: "relaying", given, engine, relay, net, plain };
    this.#state = state;
    reactor.cancel(this.#deadline);
    this.#deadline = reactor.after(idleLimitMs(given), () => this.#timedOut());
    const wantsContext = (request.flags & TLSPROXY_FLAG.sendContext) !== 0;
    if (wantsContext || engine.reports || given.hall.session.rejectUntrusted) {
      const handshake = engine.summary();
      engine.report(handshake);
      if (this.#mustReject(handshake, given)) return this.close();
      if (wantsContext && !this.#sendContext(handshake, given)) return this.close();
    }
    // The peer's first bytes may have come with its last handshake message.
    this.#relay(state, BOTH);
  }

  /** Where it is this service that refuses clients without a trusted certificate. */
  #mustReject(handshake: Handshake, given: HandedOver): boolean {
    const { peerCertificate: certificate } = handshake;
    if (!given.hall.session.rejectUntrusted || certificate?.trusted === true) return false;
    const what = certificate === undefined ? "no client certificate" : "an untrusted certificate";
    this.#hall.log.info(
      `rejected ${given.request.remoteEndpoint}: ${what} (enforce_req_ccert = reject)`,
    );
    return true;
  }

  /** Tells the local client what was agreed on, before any byte of the remote peer's. */
  #sendContext(handshake: Handshake, given: HandedOver): boolean {
    const summary = emptySummary();
    const certificate = handshake.peerCertificate;
    if (certificate !== undefined) {
      summary.peerStatus = PEER_STATUS.certificate |
        (certificate.trusted ? PEER_STATUS.trusted : 0);
      summary.peerCommonName = utf8AsLatin1(certificate.commonName);
      summary.issuerCommonName = utf8AsLatin1(certificate.issuerCommonName);
      summary.peerFingerprint = certificate.fingerprint;
      summary.peerKeyFingerprint = certificate.keyFingerprint;
    }
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
    if (handshake.clientSignature !== undefined) {
      summary.clientSignature = { ...handshake.clientSignature };
    }
    summary.namaddr = given.hall.session.namaddr ?? given.request.remoteEndpoint;
    const bytes = printTlsContext(printer, summary, given.contextAttributes);
    const fault = sendWhole(given.plainFd, bytes);
    if (fault !== undefined) this.#hall.log.warn(`cannot send TLS context: ${fault}`);
    return fault === undefined;
  }

  /** For the reactor: either side, in the data phase. */
  #sideReady(side: "net" | "plain", events: number): void {
    if (this.#state.at !== "relaying") return;
    const state = this.#state;
    const readable = (events & ~READY.write) !== 0;
    this.#relay(state, !readable ? NEITHER : side === "net" ? NET : PLAIN);
    if ((events & READY.gone) === 0 || this.#state !== state) return;
    // That a side has gone is reported for ever. Where nothing is wanted of it at the moment, it is
    // looked at again when the other side has made room.
    if (state.relay.wants[side] !== READY.none) return;
    state[side]?.close();
    state[side] = undefined;
  }

  #relay(
    state: Extract<State, { at: "relaying" }>,
    readable: { plain: boolean; net: boolean },
  ): void {
    const { relay, given } = state;
    switch (relay.step(readable)) {
      case "ended":
        this.#logFaults(state.engine, given.request.remoteEndpoint, relay.plainFault);
        return this.close();
      case "more":
        if (!this.#toContinue) this.#hall.again(this);
        this.#toContinue = true;
        break;
      case "waiting":
        break;
    }
    this.#deadline?.postpone(this.#hall.reactor.nowMs + idleLimitMs(given));
    this.#waitFor(state, "net");
    this.#waitFor(state, "plain");
  }

  /** Watches a side for what is wanted of it, one that has gone too: its last bytes may be unread. */
  #waitFor(state: Extract<State, { at: "relaying" }>, side: "net" | "plain"): void {
    const wanted = state.relay.wants[side];
    if (wanted !== READY.none && state[side] === undefined) {
      const { netFd, plainFd } = state.given;
      const fd = side === "net" ? netFd : plainFd;
      state[side] = this.#watch(fd, (events) => this.#sideReady(side, events));
    }
    state[side]?.change(wanted);
  }

  #watch(fd: number, ready: ReadyHandler["ready"]): Registration {
    return this.#hall.reactor.watch(fd, READY.read, { ready });
  }

  #timedOut(): void {
    if ("given" in this.#state) {
      const { remoteEndpoint } = this.#state.given.request;
      this.#hall.log.warn(`ciphertext read/write timeout for ${remoteEndpoint}`);
    }
    this.close();
  }

  /** What was wrong with either side, a line each. A peer that just went away is no news. */
  #logFaults(engine: ServerEngine, endpoint: string, plainFault = ""): void {
    const { log } = this.#hall;
    for (const error of engine.errors) log.warn(`TLS library problem: ${error}`);
    if (engine.lost !== "") log.info(`lost connection with ${endpoint}: ${engine.lost}`);
    if (plainFault !== "") log.warn(`plaintext read/write error for ${endpoint}: ${plainFault}`);
  }
}

/** The wire carries bytes, a character each. */
function utf8AsLatin1(text: string): string {
  return toLatin1(utf8(text));
}

function idleLimitMs(given: HandedOver): number {
  return limitMs(given.request.sessionTimeoutS) + GRACE_MS;
}

function limitMs(seconds: number): number {
  return 1000 * Math.min(Math.max(seconds, 1), LIMIT_S_MAX);
}
