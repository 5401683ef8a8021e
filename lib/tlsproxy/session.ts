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
import { closeDescriptor, sendWhole, setNoDelay, setNonBlocking } from "../net/stream.ts";
import { printTlsContext } from "../proto/tls_context.ts";
import { TLSPROXY_FLAG } from "../proto/tlsproxy.ts";
import { READY, type ReadyHandler, type Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import { ServerEngine } from "../tls/engine.ts";
import { FlightRecorder, type Step } from "../tls/flight_recorder.ts";
import type { Handshake } from "../tls/summary.ts";
import { contextOf } from "./context_summary.ts";
import { type HandedOver, HandOff, type HandOffHall, type HandOffHandler } from "./handoff.ts";
import { Relay } from "./relay.ts";
import { handshakeEnd, relayEnd } from "./session_ends.ts";
import { handshakeLimitMs, idleLimitMs } from "./session_limits.ts";
import {
  type EndReason,
  type Outcome,
  type SessionStory,
  Story,
  type StoryListener,
} from "./session_story.ts";
import { HandshakeDone, logEnd, logFaults, logStep } from "./session_words.ts";

const printer = new ListPrinter();

// What was reported readable, made once.
const NEITHER = { plain: false, net: false } as const;
const PLAIN = { plain: true, net: false } as const;
const NET = { plain: false, net: true } as const;
const BOTH = { plain: true, net: true } as const;

/** What sessions share. */
export interface SessionHall extends HandOffHall, StoryListener {
  /** A number that no other session of the process has. */
  nextNumber(): number;
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
    readonly plain: Registration;
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
export class Session implements HandOffHandler, ReadyHandler {
  readonly #hall: SessionHall;
  readonly #story: Story;
  /** Kept only where somebody would read it. */
  #flight: FlightRecorder | undefined;
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
    const story = this.#story = new Story(hall.nextNumber(), hall.reactor.nowMs);
    const handOff = new HandOff(hall, fd, { handler: this, refusal, story });
    this.#state = { at: "handing off", handOff };
  }

  /** Goes on with what was left over in the last turn. */
  goOn(): void {
    this.#toContinue = false;
    if (this.#state.at === "relaying") this.#relay(this.#state, NEITHER);
  }

  /** What is known of it so far, while bytes move; the same object as later. */
  get storySoFar(): SessionStory | undefined {
    return this.#state.at === "relaying" ? this.#story : undefined;
  }

  /** Ends the session, wherever it stands; again is allowed. */
  close(): void {
    switch (this.#state.at) {
      case "handing off":
        this.#story.abandon("stopped");
        return this.#close();
      case "handshaking":
        return this.#end("failed", "stopped");
      case "relaying":
        return this.#end("broken", "stopped");
    }
  }

  #end(outcome: Outcome, reason: EndReason, error?: string): void {
    this.#story.end(outcome, reason, error);
    this.#close();
  }

  #close(): void {
    const state = this.#state;
    if (state.at === "closed") return;
    this.#state = { at: "closed" };
    const story = this.#story;
    story.endedMs = this.#hall.reactor.nowMs;
    this.#hall.reactor.cancel(this.#deadline);
    // Said before anything is closed: whoever notices that may begin the next session at once.
    logEnd(this.#hall.log, story, this.#flight);
    this.#flight?.giveBack();
    if (state.at === "handing off") {
      state.handOff.close();
    } else {
      const { plainFd, netFd } = state.given;
      // The remote peer's socket came from another process, which may still have it.
      state.net?.close();
      state.plain?.closeWithDescriptor();
      state.engine.close();
      closeDescriptor(plainFd);
      closeDescriptor(netFd);
    }
    this.#hall.sessionEnded(story);
    this.#hall.closed(this);
  }

  /** For the hand-off. */
  handOffEnded(): void {
    this.#close();
  }

  /** For the hand-off. */
  handedOver(given: HandedOver): void {
    const { netFd, request, hall } = given;
    this.#story.stage = "handshake";
    this.#story.handedOverMs = this.#hall.reactor.nowMs;
    this.#hall.sessionHandedOver(this.#story);
    setNonBlocking(netFd);
    setNoDelay(netFd);
    const { session } = hall;
    const { log } = this.#hall;
    const story = this.#story;
    const engine = new ServerEngine(hall.context, netFd, {
      resumption: hall.resumption,
      serverId: session.serverId ?? request.serverId,
      requireCertificate: session.requireCertificate,
      cipherList: session.cipherList,
      log: {
        log,
        shows: session.shows,
        peer: session.namaddr ?? request.remoteEndpoint,
        about: story,
        aboutHandshake: log.isStructured ? new HandshakeDone(story) : undefined,
      },
      resume: () => this.#shakeHands(),
    });
    const { plain } = given;
    plain.handler = this;
    const net = this.#watch(netFd);
    this.#state = { at: "handshaking", given, engine, net, plain };
    if (session.shows.summary) this.#flight = FlightRecorder.take();
    this.#note("handed over", engine);
    // An overall limit: a peer that sends a byte now and then does not hold on for ever.
    this.#limit(handshakeLimitMs(request));
    if (engine.useCipherList()) return;
    log.warn(`${story.peer}: error setting cipher list: "${session.cipherList}"`, story);
    this.#end("failed", "bad cipher list");
  }

  /** For the reactor. */
  ready(events: number, registration: Registration): void {
    const state = this.#state;
    if (state.at === "relaying") {
      const side = registration.fd === state.given.netFd ? "net" : "plain";
      return this.#sideReady(state, side, events);
    }
    if (state.at !== "handshaking") return;
    if (registration === state.net) return this.#netReady(state, events);
    // The local client sends early, or has gone: either can wait until there is a TLS session.
    registration.change(READY.hushed);
  }

  /** The remote peer, during the handshake. */
  #netReady(state: Extract<State, { at: "handshaking" }>, events: number): void {
    // A suspended handshake wants nothing of the peer; only that it has gone can have been reported.
    if (state.net.interest === READY.none) return this.#peerGone(state.engine);
    this.#shakeHands();
    // One that has gone and still has to be waited for would be reported for ever: a socket that was
    // never connected, which OpenSSL takes for one that is not ready yet.
    if ((events & READY.gone) !== 0 && this.#state === state) this.#peerGone(state.engine);
  }

  #peerGone(engine: ServerEngine): void {
    this.#note("peer gone", engine);
    this.#end("failed", "closed by peer");
  }

  #shakeHands(): void {
    if (this.#state.at !== "handshaking") return;
    const { engine, net } = this.#state;
    const step = engine.handshake();
    this.#note(step, engine);
    switch (step) {
      case "want read":
        return net.change(READY.read);
      case "want write":
        return net.change(READY.write);
      case "suspended":
        return net.change(READY.none);
      case "failed":
        logFaults(this.#hall.log, this.#story, engine);
        return this.#end(...handshakeEnd(engine));
      case "done":
        return this.#beginRelay(this.#state);
    }
  }

  #beginRelay(shaken: Extract<State, { at: "handshaking" }>): void {
    const { engine, given, net, plain } = shaken;
    const { request, plainFd } = given;
    const { reactor, log } = this.#hall;
    const story = this.#story;
    story.stage = "relay";
    story.shakenMs = reactor.nowMs;
    story.serverName = engine.serverNameChosen;
    engine.agreed(story);
    const relay = story.moved = new Relay(engine, plainFd);
    const state: State = { at: "relaying", given, engine, relay, net, plain };
    this.#state = state;
    this.#limit(idleLimitMs(given.request));
    const wantsContext = (request.flags & TLSPROXY_FLAG.sendContext) !== 0;
    const { rejectUntrusted } = given.hall.session;
    if (wantsContext || engine.reports || rejectUntrusted || log.isStructured) {
      const handshake = story.handshake = engine.summary();
      engine.report(handshake);
      this.#hall.sessionShaken(story);
      const rejection = this.#rejectionOf(handshake, given);
      if (rejection !== undefined) return this.#end("rejected", rejection);
      const unsent = wantsContext ? this.#sendContext(handshake, given) : undefined;
      if (unsent !== undefined) return this.#end("broken", "client fault", unsent);
    } else {
      this.#hall.sessionShaken(story);
    }
    // The peer's first bytes may have come with its last handshake message.
    this.#relay(state, BOTH);
  }

  /** Where it is this service that refuses clients without a trusted certificate. */
  #rejectionOf(handshake: Handshake, given: HandedOver): EndReason | undefined {
    const { peerCertificate: certificate } = handshake;
    if (!given.hall.session.rejectUntrusted || certificate?.trusted === true) return undefined;
    const what = certificate === undefined ? "no client certificate" : "an untrusted certificate";
    this.#hall.log.info(
      `rejected ${given.request.remoteEndpoint}: ${what} (enforce_req_ccert = reject)`,
      this.#story,
    );
    return certificate === undefined ? "no client certificate" : "untrusted certificate";
  }

  /** Tells the local client what was agreed on, before any byte of the remote peer's; what went wrong. */
  #sendContext(handshake: Handshake, given: HandedOver): string | undefined {
    const { session } = given.hall;
    const summary = contextOf(handshake, session.namaddr ?? given.request.remoteEndpoint);
    const bytes = printTlsContext(printer, summary, given.contextAttributes);
    const fault = sendWhole(given.plainFd, bytes);
    if (fault !== undefined) {
      this.#hall.log.warn(`cannot send TLS context: ${fault}`, this.#story);
    }
    return fault;
  }

  /** Either side, in the data phase. */
  #sideReady(
    state: Extract<State, { at: "relaying" }>,
    side: "net" | "plain",
    events: number,
  ): void {
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
        return this.#relayEnded(state.engine, relay);
      case "more":
        if (!this.#toContinue) this.#hall.again(this);
        this.#toContinue = true;
        break;
      case "waiting":
        break;
    }
    this.#deadline?.postpone(this.#hall.reactor.nowMs + idleLimitMs(given.request));
    this.#waitFor(state, "net");
    this.#waitFor(state, "plain");
  }

  #relayEnded(engine: ServerEngine, relay: Relay): void {
    const { errors, lost } = engine;
    logFaults(this.#hall.log, this.#story, { errors, lost, plainFault: relay.plainFault });
    this.#end(...relayEnd(engine, relay));
  }

  /** Watches a side for what is wanted of it, one that has gone too: its last bytes may be unread. */
  #waitFor(state: Extract<State, { at: "relaying" }>, side: "net" | "plain"): void {
    const wanted = state.relay.wants[side];
    if (wanted !== READY.none && state[side] === undefined) {
      const { netFd, plainFd } = state.given;
      const fd = side === "net" ? netFd : plainFd;
      state[side] = this.#watch(fd);
    }
    state[side]?.change(wanted);
  }

  /** Notes a step for those who want to know how a failed session went, or all. */
  #note(step: Step, engine: ServerEngine): void {
    const story = this.#story;
    const { reactor, log } = this.#hall;
    const flight = this.#flight;
    if (flight !== undefined) engine.noteStep(flight, step, reactor.nowMs - story.beganMs);
    if (log.verbose > 0) logStep(log, story, step);
  }

  #watch(fd: number): Registration {
    return this.#hall.reactor.watch(fd, READY.read, this);
  }

  /** The session ends unless something happens within `limitMs`. */
  #limit(limitMs: number): void {
    const { reactor } = this.#hall;
    const due = reactor.nowMs + limitMs;
    if (this.#deadline !== undefined && this.#deadline.due <= due) {
      return this.#deadline.postpone(due);
    }
    reactor.cancel(this.#deadline);
    this.#deadline = reactor.after(limitMs, () => this.#timedOut());
  }

  #timedOut(): void {
    const { peer, stage } = this.#story;
    if ("engine" in this.#state) this.#note("time is up", this.#state.engine);
    this.#hall.log.warn(`ciphertext read/write timeout for ${peer}`, this.#story);
    this.#end(stage === "relay" ? "broken" : "failed", "timeout");
  }
}
