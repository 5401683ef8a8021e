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
import type { Settings } from "../config/settings.ts";
import type { Service, ServiceHall } from "../daemon/service_thread.ts";
import type { TlsServerSettings } from "../proto/tls_settings.ts";
import { TlsmgrClient } from "../tls/tlsmgr_client.ts";
import { type ServerAnswer, ServerSide } from "./server_side.ts";
import { Session, type SessionHall } from "./session.ts";
import { countQuestions, FOLD_INTERVAL_MS, SessionNumbers } from "./session_numbers.ts";
import { type SessionStory, unreadStory } from "./session_story.ts";
import { SessionEnd } from "./session_words.ts";

/** How long a handshake may wait for one answer of tlsmgr; after that it goes on without. */
const QUESTION_LIMIT_MS = 2_000;
/** An unused connection to tlsmgr is closed after this (Postfix's `ipc_idle`). */
const IDLE_LIMIT_MS = 5_000;
/** Connections over and above the sessions allowed that get a proper refusal; beyond it they are closed. */
const REFUSALS_MAX = 1_000;

/** Makes the service. */
export function makeTlsproxyService(hall: ServiceHall): Service {
  return new TlsproxyService(hall);
}

/** Where tlsmgr listens; below the working folder for whom a path from the root will not hold. */
function tlsmgrSocket({ parameters, service }: Settings): string {
  const { queue_directory, tlsmgr_service_name: name } = parameters;
  return service.chroot ? `private/${name}` : `${queue_directory}/private/${name}`;
}

class TlsproxyService implements Service, SessionHall {
  readonly reactor;
  readonly log;
  readonly #hall: ServiceHall;
  readonly #tlsmgr: TlsmgrClient;
  readonly #server: ServerSide;
  readonly #acceptLoop: AcceptLoop;
  readonly #sessions = new Set<Session>();
  #again: Session[] = [];
  readonly #numbers: SessionNumbers;
  /** Bytes of sessions that last are going to be counted. */
  #isFoldDue = false;
  #draining = false;

  constructor(hall: ServiceHall) {
    this.#hall = hall;
    this.reactor = hall.reactor;
    this.log = hall.log;
    this.#numbers = new SessionNumbers(hall.numbers);
    this.#tlsmgr = new TlsmgrClient(hall.reactor, {
      path: tlsmgrSocket(hall.settings),
      questionLimitMs: QUESTION_LIMIT_MS,
      idleLimitMs: IDLE_LIMIT_MS,
      report: (text) => hall.log.warn(text),
      counted: countQuestions(hall.numbers),
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
  serverReady(settings: TlsServerSettings | undefined, answer: ServerAnswer): void {
    this.#server.whenReady(settings, answer);
  }

  /** For sessions. */
  again(session: Session): void {
    this.#again.push(session);
  }

  /** For sessions. */
  nextNumber(): number {
    return this.#hall.shared.nextSession();
  }

  /** For sessions. */
  sessionHandedOver(): void {
    this.#numbers.handedOver();
  }

  /** For sessions. */
  sessionShaken(story: SessionStory): void {
    this.#numbers.shaken(story);
    this.#foldSoon();
  }

  /** For sessions. */
  sessionEnded(story: SessionStory): void {
    this.#numbers.ended(story);
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
      const story = unreadStory(this.nextNumber(), this.reactor.nowMs);
      const about = this.log.isStructured ? new SessionEnd(story) : undefined;
      this.log.warn(`too many connections: closing one unread, ${open} are open`, about);
      closeDescriptor(fd);
      this.#numbers.arrived("closed unread");
      this.#numbers.countEnd(story);
      return;
    }
    const full = open >= max ? `${max} sessions are open (max_sessions)` : undefined;
    shared.addConnections(1);
    this.#numbers.arrived(full === undefined ? "accepted" : "refused");
    this.#sessions.add(new Session(this, fd, full));
  }

  /** Counts the bytes of sessions that last; an idle service is not woken for it. */
  #foldSoon(): void {
    if (this.#isFoldDue) return;
    this.#isFoldDue = true;
    this.reactor.after(FOLD_INTERVAL_MS, () => {
      this.#isFoldDue = false;
      for (const session of this.#sessions) {
        const story = session.storySoFar;
        if (story === undefined) continue;
        this.#numbers.fold(story);
        this.#foldSoon();
      }
    });
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
