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
import type { Settings } from "../config/settings.ts";
import type { Adoption } from "../daemon/seam.ts";
import type { Service, ServiceHall } from "../daemon/service_thread.ts";
import { keepNamed } from "../daemon/settings_changes.ts";
import { AcceptLoop } from "../net/accept_loop.ts";
import type { AttrChannelOptions } from "../net/attr_channel.ts";
import { closeDescriptor, describeErrno } from "../net/stream.ts";
import { decodeAsk, printAnswer, TLSMGR_STATUS, TlsmgrAnswer, TlsmgrAsk } from "../proto/tlsmgr.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import { isRandomSeeded } from "../tls/random.ts";
import { findDeferred, hasOtherEntropy } from "./adoption.ts";
import { type CachesHall, SessionCaches } from "./caches.ts";
import { Clients } from "./clients.ts";
import { Connection, type ConnectionHall, type ReceivedList } from "./connection.ts";
import type { EntropyKeeper } from "./entropy.ts";
import { makeEntropyKeeper } from "./entropy_setup.ts";
import { exchangeWords } from "./exchange_words.ts";
import { FaultLog } from "./fault_log.ts";
import { REFRESH_DELAY_MS, TlsmgrNumbers } from "./numbers.ts";
import { KeyShelf } from "./key_shelf.ts";
import { RandomPool } from "./random_pool.ts";
import { carryOut, isChange, type RequestHall } from "./requests.ts";
import { type FillRandom, TicketKeys } from "./ticket_keys.ts";

/** The largest session that a store takes, 1 MiB of base64, and what else stands in an update. */
const LIST_BYTES_MAX = (1 << 20) + (64 << 10);
/** Postfix sets no limit; requests have at most four attributes. */
const ATTRIBUTES_MAX = 1000;
/** One object for all connections, which share a scanner by it. */
const LIST_LIMITS = { bytesMax: LIST_BYTES_MAX, attributesMax: ATTRIBUTES_MAX };
/** Longest time from the first byte of a request to its last. */
const LIST_LIMIT_MAX_S = 100;

/** Makes the service. Throws {@linkcode FatalError} when it cannot run. */
export function makeTlsmgrService(hall: ServiceHall): Service {
  return new TlsmgrService(hall);
}

class TlsmgrService implements Service, ConnectionHall, RequestHall {
  readonly reactor: Reactor;
  channelOptions: AttrChannelOptions;
  readonly caches: SessionCaches;
  readonly ticketKeys: TicketKeys;
  readonly fillRandom: FillRandom;
  readonly clients: Clients;
  readonly #hall: ServiceHall;
  readonly #pool: RandomPool;
  /** Those in force. */
  #settings: Settings;
  #entropy: EntropyKeeper;
  readonly #faults: FaultLog;
  readonly #numbers: TlsmgrNumbers;
  /** The next expiry scan of each cache. */
  readonly #scanTimers: (Timer | undefined)[] = [];
  /** What the caches hold is going to be shown. */
  #isRefreshDue = false;
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
    this.#numbers = new TlsmgrNumbers(hall.numbers);
    this.#settings = settings;
    this.channelOptions = channelOptionsOf(settings);
    this.#faults = new FaultLog({
      warn: (text) => log.warn(text),
      after: (delayMs, handler) => void reactor.after(delayMs, handler),
    });
    this.clients = new Clients({
      max: settings.service.max_connections,
      nowMs: () => reactor.nowMs,
      after: (delayMs, handler) => void reactor.after(delayMs, handler),
      fault: (text) => this.fault(text),
      counted: (count) => this.#numbers.showClients(count),
    });
    this.#done = concat(printAnswer(this.#printer, "update", this.#answer.reset(TLSMGR_STATUS.ok)));
    this.#pool = new RandomPool(reactor);
    this.fillRandom = this.#pool.fill;
    demandGenerator(this.fillRandom);
    this.#entropy = this.#makeEntropy(settings);
    this.#entropy.start();
    this.caches = this.#openCaches();
    this.ticketKeys = new TicketKeys({
      ...{ fillRandom: this.fillRandom, reactor },
      shelf: hall.kept === undefined ? undefined : new KeyShelf(hall.kept),
      unshelved: () => this.fault("cannot put ticket keys aside for the next run"),
      made: () => this.#numbers.countTicketKey(),
    });
    this.ticketKeys.setLifetime(this.caches.get("smtpd")?.timeoutS ?? 0);
    const lost = this.ticketKeys.recall();
    if (lost !== undefined) {
      log.warn(`ticket keys of the run before cannot be taken over: ${lost}`);
    }
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
    this.#numbers.showCaches(this.caches);
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

  /**
   * Goes on by other settings: entries, ticket keys and connections stay. Nothing has changed when
   * something cannot be had.
   */
  adopt(wanted: Settings): Adoption {
    if (this.#state !== "serving") return { fault: "the service is ending", fixed: [] };
    const before = this.#settings;
    const fixed = findDeferred(before, wanted);
    const settings = keepNamed(before, wanted, fixed);
    // What this turn has changed so far goes to the databases that it was for.
    this.#acknowledge();
    let entropy: EntropyKeeper | undefined;
    let takeCaches: () => void;
    try {
      if (hasOtherEntropy(before, settings)) entropy = this.#makeEntropy(settings);
      takeCaches = this.caches.prepare(settings, this.#hall.log, this.#cachesHall);
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      const { message, hint } = error;
      return { fault: hint === undefined ? message : `${message}; ${hint}`, fixed: [] };
    }
    takeCaches();
    this.#settings = settings;
    this.ticketKeys.setLifetime(this.caches.get("smtpd")?.timeoutS ?? 0);
    this.clients.setMax(settings.service.max_connections);
    this.channelOptions = channelOptionsOf(settings);
    this.#scheduleScans();
    if (entropy !== undefined) {
      this.#entropy.close();
      this.#entropy = entropy;
      entropy.start();
    }
    return { fault: undefined, fixed };
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
    this.#numbers.countRequest(kind, ask, answer);
    if (this.#hall.log.verbose > 0) this.#hall.log.debug(exchangeWords(kind, ask, answer));
    this.#refreshSoon();
    if (answer.status === TLSMGR_STATUS.ok && isChange(kind)) {
      if (kind === "update") this.#pool.noteSession(ask.session);
      this.#unacknowledged.push(connection);
      return;
    }
    const reply = printAnswer(this.#printer, kind, answer);
    if (reply.length > 0) connection.send(reply);
  }

  #accepted(fd: number): void {
    const hasPlace = this.clients.findPlace();
    this.#numbers.countConnection(hasPlace);
    if (hasPlace) new Connection(this, fd);
    else closeDescriptor(fd);
  }

  #endTurn(): "more" | "idle" {
    if (this.#state === "closed") return "idle";
    this.#acknowledge();
    if (this.#state === "draining") this.#drainSome();
    const isWorking = this.caches.work();
    const isBusy = this.caches.scanSome(this.nowS()) || isWorking;
    if (isBusy) this.#refreshSoon();
    return isBusy ? "more" : "idle";
  }

  /** Shows what the caches hold, in a while; an idle service is not woken for it. */
  #refreshSoon(): void {
    if (this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    this.reactor.after(REFRESH_DELAY_MS, () => {
      this.#isRefreshDue = false;
      if (this.#state !== "closed") this.#numbers.showCaches(this.caches);
    });
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

  get #cachesHall(): CachesHall {
    return {
      slowCalls: this.#hall.slowCalls,
      ownerId: this.#hall.ownerId,
      after: (delayMs, handler) => void this.reactor.after(delayMs, handler),
      flushed: (cache, isDone) => this.#numbers.countFlush(cache, isDone),
    };
  }

  #makeEntropy(settings: Settings): EntropyKeeper {
    return makeEntropyKeeper({ ...this.#hall, settings }, this.#pool, {
      leave: () => this.#hall.drained(),
      fail: (error) => this.#fail(error),
      numbers: this.#numbers,
    });
  }

  #openCaches(): SessionCaches {
    const { settings, log } = this.#hall;
    try {
      return SessionCaches.open(settings, log, this.#cachesHall);
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
    for (const timer of this.#scanTimers.splice(0)) this.reactor.cancel(timer);
    for (const [index, cache] of [...this.caches].entries()) {
      if (!cache.enabled) continue;
      const scan = () => {
        cache.startScan();
        this.#refreshSoon();
        this.#scanTimers[index] = this.reactor.after(cache.timeoutS * 1000, scan);
      };
      scan();
    }
  }
}

function channelOptionsOf({ parameters }: Settings): AttrChannelOptions {
  const listLimitS = Math.min(parameters.ipc_timeout, LIST_LIMIT_MAX_S);
  return { limits: LIST_LIMITS, listLimitMs: listLimitS * 1000 };
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
