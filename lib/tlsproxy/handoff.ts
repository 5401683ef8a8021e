/**
 * The hand-off: from a local client's connection to the descriptor of its remote peer.
 *
 * The order is the protocol's (Postfix's tlsproxy/tlsproxy.c): announce, read the request and, from a
 * 3.12 client, its settings, answer with a status, receive the descriptor. Up to the status lists may
 * be read ahead; from then on exactly one byte is read, with what is attached to it, because the next
 * one is plaintext.
 *
 * The hand-off owns both descriptors until it has given them away or is closed. It reports one of two
 * outcomes, once, and logs what was wrong with the client.
 *
 * @module
 */
import { describeAttrFault } from "../attr/faults.ts";
import { ListReader, READ } from "../attr/read.ts";
import type { ListScanner } from "../attr/scan.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Log } from "../log/log.ts";
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
} from "../net/stream.ts";
import type { ContextAttributes } from "../proto/tls_context.ts";
import { decodeServerSettings } from "../proto/tls_params.ts";
import type { TlsServerSettings } from "../proto/tls_settings.ts";
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
import type { Reactor, ReadyHandler, Registration } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import type { ServerAnswer, ServerHall } from "./server_side.ts";
import type { EndReason, Story } from "./session_story.ts";
import { logRequest } from "./session_words.ts";

/** How long the local client may take for its request, and again for the descriptor (tlsproxy.c). */
const CLIENT_LIMIT_MS = 100_000;
/** How long a list may take once it has begun. */
const LIST_LIMIT_MS = 5_000;
const CHANNEL_OPTIONS: AttrChannelOptions = {
  // List B may hold trust anchors: certificates, in base64.
  limits: { bytesMax: 1024 * 1024, attributesMax: 8192 },
  listLimitMs: LIST_LIMIT_MS,
};
const STREAM = "plaintext";
/** Attributes of the TLS context when the client does not show its version: that of 3.7 and 3.8. */
const CONTEXT_ATTRIBUTES_DEFAULT = 22;

const reader = new ListReader();

/** What hand-offs share. */
export interface HandOffHall {
  readonly reactor: Reactor;
  readonly log: Log;
  /**
   * Answers, now or later, what a server session needs; `undefined`: the role is not available. A client
   * of 3.12 sends settings.
   */
  serverReady(settings: TlsServerSettings | undefined, answer: ServerAnswer): void;
}

/** A hand-off that is complete. */
export interface HandedOver {
  readonly request: HandOffRequest;
  readonly hall: ServerHall;
  /** The local client's socket; plaintext from here on. */
  readonly plainFd: number;
  /** … which is watched for reading; the hand-off is told until somebody else is. */
  readonly plain: Registration;
  /** The remote peer's socket. */
  readonly netFd: number;
  /** Attributes of the TLS context that this client reads. */
  readonly contextAttributes: ContextAttributes;
}

/** Who waits for the outcome. */
export interface HandOffHandler {
  /** The descriptors belong to the handler. */
  handedOver(result: HandedOver): void;
  /** There will be no session. The handler closes the hand-off. */
  handOffEnded(): void;
}

/** Where a hand-off stands. */
type Step =
  /** Waits for the request. */
  | "request"
  /** Has the request; its settings may still come, or the role is being made ready. */
  | "settings"
  /** Has answered "not available", or a probe; waits for the client to go. */
  | "answered"
  /** Has answered "ready"; waits for the descriptor. */
  | "descriptor"
  /** Owns nothing any more. */
  | "over";

/** One hand-off. */
export class HandOff implements AttrChannelHandler, ReadyHandler {
  readonly #hall: HandOffHall;
  readonly #handler: HandOffHandler;
  readonly #fd: number;
  readonly #refusal: string | undefined;
  readonly #story: Story;
  readonly #channel: AttrChannel;
  #step: Step = "request";
  #request: HandOffRequest | undefined;
  #server: ServerHall | undefined;
  #contextAttributes: ContextAttributes = CONTEXT_ATTRIBUTES_DEFAULT;
  #registration: Registration | undefined;
  #deadline: Timer | undefined;

  /**
   * Takes the local client's connection.
   *
   * @param options.refusal why every request is answered with "not available"; absent in normal
   * operation
   * @param options.story is told what the client wants, and why there will be no session
   */
  constructor(hall: HandOffHall, fd: number, options: {
    handler: HandOffHandler;
    refusal: string | undefined;
    story: Story;
  }) {
    this.#hall = hall;
    this.#handler = options.handler;
    this.#refusal = options.refusal;
    this.#story = options.story;
    this.#fd = fd;
    this.#channel = new AttrChannel(hall.reactor, fd, this, CHANNEL_OPTIONS);
    this.#limit();
    this.#channel.send(TLSPROXY_ANNOUNCEMENT);
  }

  /** The request, once it has been received and its CONNECT line written. */
  get request(): HandOffRequest | undefined {
    return this.#request;
  }

  /** Releases what has not been given away; again is allowed. */
  close(): void {
    if (this.#step === "over") return;
    this.#step = "over";
    this.#hall.reactor.cancel(this.#deadline);
    if (this.#channel.open) return this.#channel.close();
    this.#registration?.close();
    closeDescriptor(this.#fd);
  }

  /** For the channel. */
  list(scanner: ListScanner, bytes: Bytes, start: number, behind: number): "next" | "drop" {
    reader.open(bytes, scanner, READ.strict, start);
    if (this.#step === "request") this.#takeRequest(behind);
    else if (this.#step === "settings") this.#takeSettings();
    else return "drop";
    return "next";
  }

  /** For the channel. */
  ended(end: ChannelEnd): void {
    if (this.#step === "request") {
      this.#warn(`tlsp_get_request_event: receive request attributes: ${describeEnd(end)}`);
    } else if (this.#step === "settings" && end.kind !== "closed") {
      this.#warn(`tlsp_get_request_event: receive server TLS settings: ${describeEnd(end)}`);
    }
    this.#story.abandon(reasonOf(end));
    this.#handler.handOffEnded();
  }

  /** For the reactor: something came after the status. */
  ready(_events: number): void {
    const { result, descriptors } = receiveDescriptors(this.#fd);
    if (result === AGAIN || result === INTERRUPTED) return;
    const fault = faultOf(result, descriptors);
    if (fault === undefined) return this.#finish(descriptors[0]);
    for (const extra of descriptors) closeDescriptor(extra);
    this.#warn(`tlsp_get_fd_event: receive remote SMTP peer file descriptor: ${fault}`);
    this.#story.abandon(result === 0 ? "closed by client" : "bad request", fault);
    this.#handler.handOffEnded();
  }

  #takeRequest(behind: number): void {
    const { log } = this.#hall;
    const request = decodeHandOff(reader);
    if (reader.fault !== undefined) this.#warn(describeAttrFault(reader.fault, STREAM));
    if (request === undefined) {
      this.#warn("tlsp_get_request_event: receive request attributes: unexpected content");
      this.#story.abandon("bad request");
      return this.#handler.handOffEnded();
    }
    this.#request = request;
    this.#story.request(request);
    this.#step = "settings";
    const { flags, remoteEndpoint } = request;
    const role = roleIn(flags);
    const words = role === "server" ? "from" : role === "client" ? "to" : "(bogus_direction)";
    log.info(`CONNECT ${words} ${remoteEndpoint}`, this.#story);
    if (log.verbose > 0) logRequest(log, this.#story, request);
    if (role === undefined) {
      const digits = (flags >>> 0).toString(16);
      return this.#refuse("bad request", `tlsp_get_request_event: bad request flags: 0x${digits}`);
    }
    if (role === "client") {
      return this.#refuse("client role", "TLS client role is disabled by configuration");
    }
    if (this.#refusal !== undefined) {
      return this.#refuse("too many sessions", `${this.#refusal}: refusing ${remoteEndpoint}`);
    }
    if (!settingsFollow(flags, behind)) this.#prepare(request, undefined);
  }

  /** List B of a 3.12 client, server role. */
  #takeSettings(): void {
    const settings = decodeServerSettings(reader);
    if (reader.fault !== undefined) this.#warn(describeAttrFault(reader.fault, STREAM));
    if (settings === undefined) {
      this.#warn("tlsp_get_request_event: receive server TLS settings: unexpected content");
      this.#story.abandon("bad request");
      return this.#handler.handOffEnded();
    }
    this.#contextAttributes = settings.contextAttributes;
    this.#prepare(this.#request!, settings);
  }

  /** Finds out whether there is a server role at the moment, and answers. */
  #prepare(request: HandOffRequest, settings: TlsServerSettings | undefined): void {
    this.#hall.serverReady(settings, (server) => {
      if (this.#step !== "settings") return;
      if (server === undefined) {
        this.#story.refuse("not available");
        return this.#answer(TLSPROXY_UNAVAILABLE);
      }
      if ((request.flags & TLSPROXY_FLAG.probeOnly) !== 0) {
        this.#story.outcome = "probed";
        return this.#answer(TLSPROXY_READY);
      }
      this.#server = server;
      this.#step = "descriptor";
      this.#channel.send(TLSPROXY_READY);
      // The channel reads ahead, which is over.
      this.#registration = this.#channel.release(this);
      this.#limit();
    });
  }

  #refuse(reason: EndReason, why: string): void {
    this.#story.refuse(reason, why);
    this.#warn(why);
    this.#answer(TLSPROXY_UNAVAILABLE);
  }

  /** Answers, and waits for the client to go. */
  #answer(status: Bytes): void {
    this.#step = "answered";
    this.#limit();
    this.#channel.send(status);
  }

  #finish(netFd: number): void {
    const request = this.#request!;
    const hall = this.#server!;
    this.#step = "over";
    this.#hall.reactor.cancel(this.#deadline);
    this.#handler.handedOver({
      request,
      hall,
      plainFd: this.#fd,
      plain: this.#registration!,
      netFd,
      contextAttributes: this.#contextAttributes,
    });
  }

  #limit(): void {
    const { reactor } = this.#hall;
    if (this.#deadline !== undefined) {
      return this.#deadline.postpone(reactor.nowMs + CLIENT_LIMIT_MS);
    }
    this.#deadline = reactor.after(CLIENT_LIMIT_MS, () => {
      if (this.#step === "request") {
        this.#warn("tlsp_get_request_event: receive request attributes: the client sent nothing");
      } else if (this.#step === "descriptor") {
        this.#warn(
          "tlsp_get_fd_event: receive remote SMTP peer file descriptor: the client sent nothing",
        );
      }
      this.#story.abandon("timeout");
      this.#handler.handOffEnded();
    });
  }

  #warn(text: string): void {
    this.#hall.log.warn(text, this.#story);
  }
}

/** Why what came instead of a descriptor cannot be used; `undefined` when it can. */
function faultOf(result: number, descriptors: readonly number[]): string | undefined {
  if (result < 0) return describeFailure(result);
  if (result === 0) return "the connection was closed";
  if (descriptors.length !== 1) return `${descriptors.length} descriptors came instead of one`;
  return isStreamSocket(descriptors[0]) ? undefined : "it is not a connected stream socket";
}

function reasonOf(end: ChannelEnd): EndReason {
  switch (end.kind) {
    case "closed":
    case "cut off":
      return "closed by client";
    case "too slow":
      return "timeout";
    case "too large":
      return "bad request";
    case "error":
      return "client fault";
  }
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
