/**
 * The tlsproxy role inside one service thread: accepts local clients, holds what sessions share.
 *
 * Keys and certificates are loaded when the service is made. What only tlsmgr can tell, whether
 * sessions are cached and for how long, is asked at start; requests that come before the answer wait
 * for it. Without an answer there is no server role (Postfix: "no entropy … disabling TLS support"),
 * and tlsmgr is asked again when the next request comes.
 *
 * @module
 */
import { AcceptLoop } from "../net/accept_loop.ts";
import { closeDescriptor, describeErrno } from "../net/stream.ts";
import { showsTlsLog } from "../config/tls_log_level.ts";
import type { Service, ServiceHall } from "../daemon/service_thread.ts";
import { ServerContext } from "../tls/context.ts";
import { stirRandom } from "../tls/random.ts";
import { allowsTls13 } from "../tls/protocols.ts";
import { Resumption } from "../tls/resumption.ts";
import { TicketCipher } from "../tls/tickets.ts";
import { isOk, TlsmgrClient } from "../tls/tlsmgr_client.ts";
import { serverRoleOf } from "./server_policy.ts";
import type { ServerHall } from "./handoff.ts";
import { Session, type SessionHall } from "./session.ts";

/** How long a handshake may wait for one answer of tlsmgr; after that it goes on without. */
const QUESTION_LIMIT_MS = 2_000;
/** An unused connection to tlsmgr is closed after this (Postfix's `ipc_idle`). */
const IDLE_LIMIT_MS = 5_000;
/** Between two tries to reach tlsmgr at start (util/attr_clnt.c). */
const RETRY_MS = 1_000;
/** Connections over and above the sessions allowed that get a proper refusal; beyond it they are closed. */
const REFUSALS_MAX = 1_000;
const CACHE_TYPE = "smtpd";

/** Makes the service. */
export function makeTlsproxyService(hall: ServiceHall): Service {
  return new TlsproxyService(hall);
}

class TlsproxyService implements Service, SessionHall {
  readonly reactor;
  readonly log;
  readonly logSummary: boolean;
  readonly #hall: ServiceHall;
  readonly #tlsmgr: TlsmgrClient;
  readonly #server: ServerSide;
  readonly #acceptLoop: AcceptLoop;
  readonly #sessions = new Set<Session>();
  #again: Session[] = [];
  #draining = false;
  #settingsSeen = false;

  constructor(hall: ServiceHall) {
    this.#hall = hall;
    this.reactor = hall.reactor;
    this.log = hall.log;
    const { parameters } = hall.settings;
    this.logSummary = showsTlsLog(parameters.tlsproxy_tls_loglevel, "summary");
    this.#tlsmgr = new TlsmgrClient(hall.reactor, {
      path: `${parameters.queue_directory}/private/${parameters.tlsmgr_service_name}`,
      questionLimitMs: QUESTION_LIMIT_MS,
      idleLimitMs: IDLE_LIMIT_MS,
      report: (text) => hall.log.warn(text),
    });
    this.#server = new ServerSide(hall, this.#tlsmgr);
    hall.reactor.atTurnEnd(() => this.#goOn());
    this.#acceptLoop = new AcceptLoop(hall.reactor, hall.listenFd, {
      accepted: (fd) => this.#accepted(fd),
      acceptFailed: (errno) => {
        hall.log.warn(`cannot accept connections: ${describeErrno(errno)}; trying again`);
      },
    });
    this.#acceptLoop.start();
  }

  drain(): void {
    this.#draining = true;
    this.#acceptLoop.stop();
    this.#endIfEmpty();
  }

  close(): void {
    this.#acceptLoop.stop();
    for (const session of this.#sessions) session.close();
    this.#tlsmgr.close();
    this.#server.close();
  }

  /** For sessions. */
  serverReady(answer: (hall: ServerHall | undefined) => void): void {
    this.#server.whenReady(answer);
  }

  /** For sessions. */
  settingsReceived(): void {
    if (this.#settingsSeen) return;
    this.#settingsSeen = true;
    this.log.info("the local client sends TLS settings of its own; those of this service are used");
  }

  /** For sessions. */
  again(session: Session): void {
    this.#again.push(session);
  }

  /** For sessions. */
  closed(session: Session): void {
    this.#sessions.delete(session);
    this.#hall.shared.addConnections(-1);
    this.#endIfEmpty();
  }

  #accepted(fd: number): void {
    const { shared, settings } = this.#hall;
    const { max_sessions: max } = settings.service;
    const open = shared.connections;
    if (open >= max + REFUSALS_MAX) {
      this.log.warn(`too many connections: closing one unread, ${open} are open`);
      closeDescriptor(fd);
      return;
    }
    const full = open >= max ? `${max} sessions are open (max_sessions)` : undefined;
    shared.addConnections(1);
    this.#sessions.add(new Session(this, fd, full));
  }

  /** Sessions that had more to move than a turn allows. */
  #goOn(): "more" | "idle" {
    const due = this.#again;
    if (due.length === 0) return "idle";
    this.#again = [];
    for (const session of due) session.goOn();
    return this.#again.length > 0 ? "more" : "idle";
  }

  #endIfEmpty(): void {
    if (this.#draining && this.#sessions.size === 0) this.#hall.drained();
  }
}

/** The server role: a context, and what tlsmgr has to say about it. */
class ServerSide {
  readonly #hall: ServiceHall;
  readonly #tlsmgr: TlsmgrClient;
  readonly #context: ServerContext | undefined;
  #resumption: Resumption | undefined;
  #waiting: ((hall: ServerHall | undefined) => void)[] = [];
  #phase: "unknown" | "asking" | "ready" = "unknown";

  constructor(hall: ServiceHall, tlsmgr: TlsmgrClient) {
    this.#hall = hall;
    this.#tlsmgr = tlsmgr;
    const role = serverRoleOf(hall.settings.parameters);
    if (hall.isFirst) { for (const warning of role.warnings) hall.log.warn(warning); }
    this.#context = role.on ? new ServerContext(role.policy) : undefined;
    if (role.on) this.#ask(2);
  }

  /** Answers what a session needs, as soon as it is known. */
  whenReady(answer: (hall: ServerHall | undefined) => void): void {
    if (this.#context === undefined) return answer(undefined);
    if (this.#phase === "ready") return answer(this.#ready(this.#context));
    this.#waiting.push(answer);
    if (this.#phase === "unknown") this.#ask(1);
  }

  close(): void {
    this.#resumption?.close();
    this.#context?.close();
  }

  #ready(context: ServerContext): ServerHall {
    return { context, resumption: this.#resumption };
  }

  /** Asks for random bytes and for the cache's policy; both must come. */
  #ask(tries: number): void {
    this.#phase = "asking";
    const { tls_daemon_random_bytes: size } = this.#hall.settings.parameters;
    this.#tlsmgr.seed(size, (answer) => {
      if (isOk(answer)) stirRandom(answer.seed.data());
      const seeded = isOk(answer);
      this.#tlsmgr.policy(CACHE_TYPE, (policy) => {
        if (seeded && isOk(policy)) this.#take(policy.cachable === 1, policy.timeout);
        else this.#retry(tries - 1);
      });
    });
  }

  #retry(tries: number): void {
    if (tries > 0) {
      this.#hall.reactor.after(RETRY_MS, () => this.#ask(tries));
      return;
    }
    if (!this.#hall.settings.service.require_tlsmgr) {
      this.#hall.log.warn("no answer from tlsmgr: sessions are not resumed");
      return this.#settle("ready");
    }
    this.#hall.log.warn("no entropy for TLS key generation: disabling TLS support");
    this.#settle("unknown");
  }

  #take(cachableThere: boolean, timeoutS: number): void {
    const context = this.#context!;
    const { parameters } = this.#hall.settings;
    const cachable = cachableThere && timeoutS > 0;
    const cipher = timeoutS > 0 ? this.#ticketCipher() : undefined;
    const ticketable = cipher !== undefined && !context.policy.noTickets;
    if (cachable || ticketable) {
      this.#resumption = new Resumption({
        tlsmgr: this.#tlsmgr,
        cachable,
        timeoutS,
        ticketCipher: ticketable ? cipher : undefined,
        allowsTls13: allowsTls13(context.policy.protocols),
        unixSeconds: () => this.#hall.reactor.unixSeconds(),
      });
    }
    context.enableResumption({
      lifetimeS: 2 * timeoutS,
      cachable,
      ticketable,
      alwaysIssueIds: parameters.tlsproxy_tls_always_issue_session_ids,
    });
    this.#settle("ready");
  }

  #ticketCipher(): TicketCipher | undefined {
    const name = this.#hall.settings.parameters.tls_session_ticket_cipher;
    if (name === "") return undefined;
    const cipher = TicketCipher.find(name);
    if (typeof cipher !== "string") return cipher;
    this.#hall.log.warn(`tls_session_ticket_cipher = ${name}: ${cipher}; no session tickets`);
    return undefined;
  }

  #settle(phase: "ready" | "unknown"): void {
    this.#phase = phase;
    const answer = phase === "ready" ? this.#ready(this.#context!) : undefined;
    for (const waiting of this.#waiting.splice(0)) waiting(answer);
  }
}
