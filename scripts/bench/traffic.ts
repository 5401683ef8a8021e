/**
 * What the load program does with TLS sessions: makes many, keeps some, and sends through them.
 *
 * @module
 */

import { MSG_NOSIGNAL, recv, send, setBlocking } from "./c_library.ts";
import type { BulkCommand, Front, HoldCommand, SessionsCommand } from "./commands.ts";
import { ClientContext, copySession, freeSession, type TlsSession } from "./openssl.ts";
import { Poller } from "./poller.ts";
import { ECHO_BYTES, Ground, Session } from "./session.ts";

const PIECE_BYTES = 16384;
const CHUNK_BYTES = 262144;
/**
 * Bulk bytes under way at most, as on a network: with megabytes in the loopback's buffers one would
 * measure the processor's caches.
 */
const WINDOW_BYTES = 262144;

/** Sessions made, and how many of them were resumed. */
export interface Made {
  done: number;
  hits: number;
}

/** The load's own state: one event loop, and the sessions that are held. */
export class Traffic {
  readonly #poller = new Poller();
  readonly #ground = new Ground(this.#poller);
  readonly #contexts = new Map<string, ClientContext>();
  readonly #held: Session[] = [];
  readonly #piece = new Uint8Array(PIECE_BYTES).fill(0x61);
  readonly #chunk = new Uint8Array(CHUNK_BYTES);

  #contextOf(kind: SessionsCommand["kind"]): ClientContext {
    const name = `${kind.version} ${kind.key}`;
    const context = this.#contexts.get(name) ?? new ClientContext(kind);
    this.#contexts.set(name, context);
    return context;
  }

  /** Makes and ends sessions until `more` says no. */
  sessions(command: SessionsCommand, more: (done: number) => boolean): Made {
    if (command.front.by === "tcp") this.#ground.listen(command.front.backend);
    const made: Made = { done: 0, hits: 0 };
    const template = command.resume === "copies" ? this.#resumable(command) : undefined;
    const lanes: { tickets: Map<Session, TlsSession | undefined>; open: number } = {
      tickets: new Map(),
      open: 0,
    };
    const begin = (ticket: TlsSession | undefined): void => {
      // OpenSSL's client marks a session as used; a copy of an unused one is as good as new.
      const resume = template === undefined ? ticket : copySession(template);
      lanes.open++;
      this.#open(command, resume, {
        echoed(session) {
          if (session.tls.resumed) made.hits++;
          const next = command.resume === "chain" ? session.tls.takeSession() : undefined;
          lanes.tickets.set(session, next);
          session.close();
        },
        ended(session) {
          const next = lanes.tickets.get(session);
          lanes.tickets.delete(session);
          lanes.open--;
          made.done++;
          if (more(made.done)) begin(next);
          else if (next !== undefined) freeSession(next);
        },
      });
    };
    for (let lane = 0; lane < command.lanes; lane++) begin(undefined);
    while (lanes.open > 0) this.#poller.turn();
    if (template !== undefined) freeSession(template);
    return made;
  }

  /** One session that can be resumed. */
  #resumable(command: SessionsCommand): TlsSession {
    let found: TlsSession | undefined;
    let open = true;
    this.#open(command, undefined, {
      echoed(session) {
        found = session.tls.takeSession();
        session.close();
      },
      ended: () => open = false,
    });
    while (open) this.#poller.turn();
    if (found === undefined) throw new Error("Cannot resume: the server gave no ticket");
    return found;
  }

  #open(
    { front, kind }: { front: Front; kind: SessionsCommand["kind"] },
    resume: TlsSession | undefined,
    owner: { echoed(session: Session): void; ended(session: Session): void },
  ): Session {
    const context = this.#contextOf(kind);
    return new Session({
      poller: this.#poller,
      ground: this.#ground,
      front,
      context,
      resume,
      owner,
    });
  }

  /** What a held session tells its owner goes here. */
  #echoed: (session: Session) => void = () => {};

  /** Opens sessions until `command.count` more are held. */
  hold(command: HoldCommand): void {
    if (command.front.by === "tcp") this.#ground.listen(command.front.backend);
    let begun = 0;
    let open = 0;
    const begin = () => {
      begun++;
      open++;
      this.#held.push(this.#open(command, undefined, {
        echoed: (session) => this.#echoed(session),
        ended: () => open--,
      }));
    };
    this.#echoed = () => {
      open--;
      if (begun < command.count) begin();
    };
    while (begun < Math.min(command.lanes, command.count)) begin();
    while (open > 0) this.#poller.turn();
    this.#echoed = () => {};
  }

  /** Ends all held sessions. */
  release(): void {
    const sessions = this.#held.splice(0);
    for (const session of sessions) session.close();
    // What is left to hear are the servers' ends; all of them have come when the fronts are idle.
    this.#drain(sessions);
  }

  #drain(sessions: readonly Session[]): void {
    while (sessions.some((session) => session.open) || this.#ground.ends.size > 0) {
      this.#poller.turn();
    }
  }

  /** Echoes on all held sessions until `more` says no; each round trip in microseconds. */
  echo(more: (done: number) => boolean): number[] {
    return this.#held.length === 1 && this.#held[0].passed
      ? this.#echoWaiting(more)
      : this.#echoTogether(more);
  }

  #echoTogether(more: (done: number) => boolean): number[] {
    const times: number[] = [];
    const begun = new Map<Session, number>();
    let open = true;
    const begin = (session: Session) => {
      begun.set(session, performance.now());
      session.echo();
    };
    this.#echoed = (session) => {
      times.push((performance.now() - begun.get(session)!) * 1000);
      begun.delete(session);
      open &&= more(times.length);
      if (open) begin(session);
    };
    for (const session of this.#held) begin(session);
    while (begun.size > 0) this.#poller.turn();
    this.#echoed = () => {};
    return times;
  }

  /** One session: calls that wait, so that nothing but the server's work lies in between. */
  #echoWaiting(more: (done: number) => boolean): number[] {
    const [session] = this.#held;
    const { tls, local, remote } = session;
    const times: number[] = [];
    const line = this.#piece.subarray(0, ECHO_BYTES);
    for (const fd of [local, remote]) setBlocking(fd, true);
    while (more(times.length)) {
      const begun = performance.now();
      tls.write(line);
      for (let count = 0; count < ECHO_BYTES;) {
        count += recv(local, this.#chunk, ECHO_BYTES - count, 0);
      }
      send(local, line, ECHO_BYTES, MSG_NOSIGNAL);
      for (let count = 0; count < ECHO_BYTES;) count += tls.read(this.#chunk);
      times.push((performance.now() - begun) * 1000);
    }
    for (const fd of [local, remote]) setBlocking(fd, false);
    return times;
  }

  /** Sends one way through the only held session; bytes that have arrived. */
  bulk(command: BulkCommand, more: () => boolean): number {
    const [session] = this.#held;
    if (this.#held.length !== 1) throw new Error("Cannot send bulk data: hold one session first");
    const { tls, local, remote } = session;
    const up = command.direction === "up";
    const [source, sink] = up ? [remote, local] : [local, remote];
    const poller = new Poller();
    const chunk = this.#chunk;
    const piece = this.#piece.subarray(0, command.pieceBytes);
    let sent = 0;
    let arrived = 0;
    let open = true;
    // A record that OpenSSL has begun to send must be finished, or the session is good for nothing.
    let begun = false;
    let waiting = true;
    const write = up
      ? () => tls.write(piece)
      : () => Math.max(send(local, piece, piece.length, MSG_NOSIGNAL), 0);
    const read = up ? () => Math.max(recv(local, chunk, CHUNK_BYTES, 0), 0) : () => tls.read(chunk);
    const fill = () => {
      open = more();
      for (let count = 1; count > 0 && (begun || open && sent - arrived < WINDOW_BYTES);) {
        count = write();
        sent += count;
        begun = up && count === 0;
      }
      // It is waited for room only where there is something to send.
      const wanted = begun || open && sent - arrived < WINDOW_BYTES;
      if (wanted !== waiting) poller.want(source, { read: false, write: wanted });
      waiting = wanted;
    };
    poller.add(source, { ready: fill });
    poller.want(source, { read: false, write: true });
    poller.add(sink, {
      ready: () => {
        for (let count = read(); count > 0; count = read()) arrived += count;
        fill();
      },
    });
    while (open || begun || arrived < sent) poller.turn();
    poller.close();
    return arrived;
  }
}
