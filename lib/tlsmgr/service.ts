/**
 * The tlsmgr role inside its service thread: accepts clients, answers their requests, keeps the caches.
 *
 * Answers go out at once, except those that promise something about the disk: an update or a delete that
 * was done is acknowledged at the end of the turn, after one write for all changes of the turn. So an
 * acknowledged session outlives the process, whatever ends it, and many clients share one write.
 *
 * Requests wait neither for the external source of random bytes nor for the exchange file, and whatever
 * they bring is mixed into the pool.
 *
 * One request after the other passes through the same reader, request, answer and printer; nothing of one
 * is left when the next is decoded.
 *
 * @module
 */
import { ListPrinter } from "../attr/print.ts";
import { ListReader, READ } from "../attr/read.ts";
import { type Bytes, concat } from "../base/bytes.ts";
import { EXIT, FatalError } from "../base/errors.ts";
import type { Service, ServiceHall } from "../daemon/service_thread.ts";
import { AcceptLoop } from "../net/accept_loop.ts";
import type { AttrChannelOptions } from "../net/attr_channel.ts";
import { closeDescriptor, describeErrno } from "../net/stream.ts";
import { decodeAsk, printAnswer, TLSMGR_STATUS, TlsmgrAnswer, TlsmgrAsk } from "../proto/tlsmgr.ts";
import type { Reactor } from "../reactor/reactor.ts";
import { isRandomSeeded } from "../tls/random.ts";
import { SessionCaches } from "./caches.ts";
import { Clients } from "./clients.ts";
import { Connection, type ConnectionHall, type ReceivedList } from "./connection.ts";
import type { EntropyKeeper } from "./entropy.ts";
import { makeEntropyKeeper } from "./entropy_setup.ts";
import { FaultLog } from "./fault_log.ts";
import { RandomPool } from "./random_pool.ts";
import { carryOut, isChange, type RequestHall } from "./requests.ts";
import { type FillRandom, TicketKeys } from "./ticket_keys.ts";

/** The largest session that a store takes, 1 MiB of base64, and what else stands in an update. */
const LIST_BYTES_MAX = (1 << 20) + (64 << 10);
/** Postfix sets no limit; requests have at most four attributes. */
const ATTRIBUTES_MAX = 1000;
/** Longest time from the first byte of a request to its last. */
const LIST_LIMIT_MAX_S = 100;

/** Makes the service. Throws {@linkcode FatalError} when it cannot run. */
export function makeTlsmgrService(hall: ServiceHall): Service {
  return new TlsmgrService(hall);
}

class TlsmgrService implements Service, ConnectionHall, RequestHall {
  readonly reactor: Reactor;
  readonly channelOptions: AttrChannelOptions;
  readonly caches: SessionCaches;
  readonly ticketKeys: TicketKeys;
  readonly fillRandom: FillRandom;
  readonly clients: Clients;
  readonly #hall: ServiceHall;
  readonly #pool: RandomPool;
  readonly #entropy: EntropyKeeper;
  readonly #faults: FaultLog;
  readonly #acceptLoop: AcceptLoop;
  readonly #reader = new ListReader();
  readonly #printer = new ListPrinter();
  readonly #ask = new TlsmgrAsk();
  readonly #answer = new TlsmgrAnswer();
  /** The answer to every change that was done. */
  readonly #done: Bytes;
  /** Whose changes are to be acknowledged at the end of the turn. */
  readonly #unacknowledged: Connection[] = [];
  #state: "starting" | "serving" | "draining" | "closed" = "starting";

  constructor(hall: ServiceHall) {
    const { reactor, settings, log } = hall;
    this.#hall = hall;
    this.reactor = reactor;
    const listLimitS = Math.min(settings.parameters.ipc_timeout, LIST_LIMIT_MAX_S);
    this.channelOptions = {
      limits: { bytesMax: LIST_BYTES_MAX, attributesMax: ATTRIBUTES_MAX },
      listLimitMs: listLimitS * 1000,
    };
    this.#faults = new FaultLog({
      warn: (text) => log.warn(text),
      after: (delayMs, handler) => void reactor.after(delayMs, handler),
    });
    this.clients = new Clients({
      max: settings.service.max_connections,
      nowMs: () => reactor.nowMs,
      after: (delayMs, handler) => void reactor.after(delayMs, handler),
      fault: (text) => this.fault(text),
    });
    this.#done = concat(printAnswer(this.#printer, "update", this.#answer.reset(TLSMGR_STATUS.ok)));
    this.#pool = new RandomPool(reactor);
    this.fillRandom = this.#pool.fill;
    demandGenerator(this.fillRandom);
    this.#entropy = makeEntropyKeeper(hall, this.#pool, {
      leave: () => hall.drained(),
      fail: (error) => this.#fail(error),
    });
    this.#entropy.start();
    this.caches = this.#openCaches();
    this.ticketKeys = new TicketKeys({ fillRandom: this.fillRandom, reactor });
    this.ticketKeys.setLifetime(this.caches.get("smtpd")?.timeoutS ?? 0);
    this.#scheduleScans();
    reactor.atTurnEnd(() => this.#endTurn());
    this.#acceptLoop = new AcceptLoop(reactor, hall.listenFd, {
      accepted: (fd) => this.#accepted(fd),
      acceptFailed: (errno) => {
        this.fault(`cannot accept connections: ${describeErrno(errno)}; trying again`);
        this.clients.giveBack();
      },
    });
    this.#acceptLoop.start();
    this.#state = "serving";
  }

  /**
   * Clients may be idle for long, and take a connection that is closed while they are for one to open
   * again: only those in the middle of a request are waited for.
   */
  drain(): void {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    this.#acceptLoop.stop();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#acceptLoop.stop();
    this.#acknowledge();
    this.#state = "closed";
    // Before their connections close: whoever waits for the disk is answered.
    this.caches.close();
    this.clients.closeAll();
    this.ticketKeys.close();
    this.#entropy.close();
  }

  /** For requests. */
  nowS(): number {
    return this.reactor.unixSeconds();
  }

  /** For requests and connections. */
  fault(text: string): void {
    this.#faults.warn(text);
  }

  /** For connections. */
  serve(connection: Connection, { scanner, bytes, start }: ReceivedList): void {
    const ask = this.#ask;
    const answer = this.#answer;
    this.#pool.noteRequest();
    decodeAsk(this.#reader.open(bytes, scanner, READ.strict, start), ask);
    const kind = carryOut(ask, answer, this);
    if (answer.status === TLSMGR_STATUS.ok && isChange(kind)) {
      if (kind === "update") this.#pool.noteSession(ask.session);
      this.#unacknowledged.push(connection);
      return;
    }
    const reply = printAnswer(this.#printer, kind, answer);
    if (reply.length > 0) connection.send(reply);
  }

  #accepted(fd: number): void {
    if (this.clients.findPlace()) new Connection(this, fd);
    else closeDescriptor(fd);
  }

  #endTurn(): "more" | "idle" {
    if (this.#state === "closed") return "idle";
    this.#acknowledge();
    if (this.#state === "draining") this.#drainSome();
    const isWorking = this.caches.work();
    return this.caches.scanSome(this.nowS()) || isWorking ? "more" : "idle";
  }

  /** Makes the changes of this turn last, and tells those who wait for that. */
  #acknowledge(): void {
    this.caches.flush();
    if (this.#unacknowledged.length > 0 && this.caches.holdsAnswers) {
      const held = this.#unacknowledged.splice(0);
      return this.caches.whenSafe(() => this.#confirm(held));
    }
    this.#confirm(this.#unacknowledged);
    this.#unacknowledged.length = 0;
  }

  #confirm(connections: readonly Connection[]): void {
    for (const connection of connections) connection.send(this.#done);
  }

  #drainSome(): void {
    // Who waits for a disk looks idle.
    if (this.caches.holdsAnswers) return;
    if (this.clients.closeIdle() === 0) this.#hall.drained();
  }

  #openCaches(): SessionCaches {
    const { settings, log } = this.#hall;
    try {
      return SessionCaches.open(settings, log, {
        slowCalls: this.#hall.slowCalls,
        ownerId: this.#hall.ownerId,
        after: (delayMs, handler) => void this.reactor.after(delayMs, handler),
      });
    } catch (error) {
      this.#entropy.close();
      throw error;
    }
  }

  #fail(error: FatalError): never {
    if (this.#state !== "starting") this.close();
    throw error;
  }

  /** One scan a cache now, and one after each timeout (tlsmgr.c: tlsmgr_cache_run_event). */
  #scheduleScans(): void {
    for (const cache of this.caches) {
      if (!cache.enabled) continue;
      const scan = () => {
        cache.startScan();
        this.reactor.after(cache.timeoutS * 1000, scan);
      };
      scan();
    }
  }
}

/** A generator that does not work at the start will not work later. */
function demandGenerator(fillRandom: FillRandom): void {
  if (fillRandom(new Uint8Array(1))) return;
  const what = isRandomSeeded() ? "failed" : "is not seeded";
  throw new FatalError(`Cannot make random bytes: OpenSSL's generator ${what}`, {
    hint: "See what `openssl rand -hex 8` says",
    exitCode: EXIT.unavailable,
  });
}
