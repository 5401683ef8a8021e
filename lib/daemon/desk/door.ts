/**
 * A place where visitors come to the desk: a UNIX-domain socket or a port of the loopback.
 *
 * The HTTP server of the runtime takes as many connections as there are descriptors, and keeps one that
 * never asks for ever; whoever may connect could so take the descriptors of the mail service. Here their
 * number is bounded, and whoever has asked nothing for longest makes room.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { FatalError, messageOf } from "../../base/errors.ts";
import type { LoopbackPlace } from "../../config/loopback.ts";
import { describeErrno, ERRNO } from "../../ffi/errno.ts";
import { setFileCreationMask } from "../../ffi/libc/process.ts";
import type { Log } from "../../log/log.ts";
import { makeWayFor, nameRefusal, OwnName, type WantedName } from "../../net/socket_name.ts";
import { type Reply, textReply } from "./reply.ts";
import type { Request } from "./request.ts";
import { type Answer, type Connection, Visitor } from "./visitor.ts";

/** Visitors at a time. */
export const VISITORS_MAX = 16;
/** How long a visitor may take for each step, milliseconds. */
const VISIT_LIMIT_MS = 5_000;
/** After an accept that failed, milliseconds: most likely there is no descriptor left. */
const PAUSE_MS = 1_000;
/** Only the account of the service, and root. */
const MODE_MASK = 0o177;

type Port = Extract<LoopbackPlace, { readonly transport: "tcp" }>;

/** Where connections come from; `Deno.Listener` is one. */
export interface Entrance {
  accept(): Promise<Connection>;
  close(): void;
}

/** What a door works with. */
export interface DoorGround {
  /** What log lines call it. */
  readonly title: string;
  readonly answer: Answer;
  readonly log: Pick<Log, "warn">;
  readonly clock: Pick<Clock, "unixSeconds">;
  /** How long a visitor may take for each step. @default {5000} */
  readonly visitLimitMs?: number;
  /** Lets time pass. @default a timer */
  readonly pause?: (ms: number) => Promise<void>;
}

/** An open door. */
export class Door {
  readonly #entrance: Entrance;
  readonly #ground: DoorGround;
  readonly #name: OwnName | undefined;
  /** In the order in which they came. */
  readonly #visitors = new Set<Visitor>();
  #isOpen = true;
  #hasComplained = false;

  /** @param name what {@linkcode Door.close} takes away, if anything */
  constructor(entrance: Entrance, ground: DoorGround, name?: OwnName) {
    this.#entrance = entrance;
    this.#ground = ground;
    this.#name = name;
    this.#receive();
  }

  /**
   * Opens a door at `place`, as the process sees it. Throws {@linkcode FatalError} when the place cannot
   * be had.
   *
   * @param setting what chooses the place, for people
   */
  static open(place: LoopbackPlace, ground: DoorGround, setting: string): Door {
    if (place.transport === "tcp") return new Door(listenTcp(place, setting), ground);
    const wanted = { path: place.path, setting };
    makeWayFor(wanted);
    return new Door(listenUnix(wanted), ground, new OwnName(wanted.path));
  }

  /** Sends everybody away and takes the name away. Again is allowed. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#entrance.close();
    this.#name?.remove();
    for (const visitor of this.#visitors) visitor.sendAway();
  }

  async #receive(): Promise<void> {
    while (this.#isOpen) {
      try {
        this.#serve(await this.#entrance.accept());
      } catch (error) {
        if (!this.#isOpen) return;
        this.#complain(`cannot accept a connection: ${messageOf(error)}`);
        await (this.#ground.pause ?? pauseFor)(PAUSE_MS);
      }
    }
  }

  async #serve(connection: Connection): Promise<void> {
    const { clock, visitLimitMs: limitMs = VISIT_LIMIT_MS } = this.#ground;
    const visitor = new Visitor(connection, { clock, limitMs });
    if (this.#visitors.size >= VISITORS_MAX) {
      const oldest = this.#visitors.values().find((one) => !one.isBeingAnswered);
      if (oldest === undefined) return visitor.sendAway();
      this.#visitors.delete(oldest);
      oldest.sendAway();
    }
    this.#visitors.add(visitor);
    try {
      await visitor.serve((request) => this.#answer(request));
    } catch (error) {
      // A fault of ours, and no reason to end a service.
      this.#complain(`cannot serve a visitor: ${messageOf(error)}`);
    }
    this.#visitors.delete(visitor);
  }

  async #answer(request: Request): Promise<Reply> {
    try {
      return await this.#ground.answer(request);
    } catch (error) {
      this.#complain(`cannot answer ${request.path}: ${messageOf(error)}`);
      return textReply(500, "the answer cannot be made");
    }
  }

  /** Once: whoever is refused asks again and again. */
  #complain(text: string): void {
    if (!this.#hasComplained) this.#ground.log.warn(`${this.#ground.title}: ${text}`);
    this.#hasComplained = true;
  }
}

function listenUnix(wanted: WantedName): Entrance {
  const { path } = wanted;
  // Nobody may connect before the mode is set: bind(2) makes the name with the umask's permissions.
  const mask = setFileCreationMask(MODE_MASK);
  try {
    return Deno.listen({ transport: "unix", path });
  } catch (error) {
    const number = errnoOf(error);
    if (number === undefined) throw error;
    throw nameRefusal(wanted, number);
  } finally {
    setFileCreationMask(mask);
  }
}

function listenTcp({ hostname, port }: Port, setting: string): Entrance {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    const number = errnoOf(error);
    if (number === undefined) throw error;
    const shown = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
    throw new FatalError(`Cannot listen on "${shown}": ${describeErrno(number)}`, {
      hint: number === ERRNO.EADDRINUSE
        ? `Stop the process that has this port, or choose another one in ${setting}`
        : number === ERRNO.EAFNOSUPPORT
        ? `The unit keeps the service off the network: postern(8) shows a drop-in for ${setting}`
        : `Choose another place in ${setting}`,
    });
  }
}

/** The runtime writes what the system says as `No such file or directory (os error 2)`. */
function errnoOf(error: unknown): number | undefined {
  const [, number] = /\(os error (\d+)\)/.exec(messageOf(error)) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** It must not keep a process alive that has nothing else to do. */
function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, ms)));
}
