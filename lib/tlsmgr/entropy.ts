/**
 * Keeps the generator's pool fed: an external source at the start and from time to time, the exchange
 * file likewise and at the end. The time to the next is drawn evenly from nothing to the period, each
 * time anew (tlsmgr.c: tlsmgr_reseed_event, tlsmgr_prng_exch_event).
 *
 * OpenSSL seeds itself from the kernel, so a source or a file that fails leaves the generator good. By
 * default that is a state: told once, tried again after a second, then after twice as long and so on up
 * to five minutes, told once more when it is over. With `[entropy] on_failure = "exit"` it is what it is
 * in Postfix: the end of the process, in the hope that the next one has better luck.
 *
 * Requests never wait for any of this.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Log } from "../log/log.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { Timer } from "../reactor/timers.ts";
import { bytesToAsk, type EntropySource, type SourceFault } from "./entropy_source.ts";
import type { ExchangeFault, ExchangeFile } from "./exchange_file.ts";
import type { EntropyNumbers } from "./numbers.ts";
import type { RandomPool } from "./random_pool.ts";

/** Longer periods are cut to this, as in Postfix (tlsmgr.c: tlsmgr_post_init), seconds. */
export const PERIOD_MAX_S = 8_421_504;
/** First and longest time until a source that fails is tried again. */
export const RETRY_MIN_MS = 1000;
export const RETRY_MAX_MS = 300_000;
/** An end for a failure comes no sooner, so that a supervisor is not kept busy (tlsmgr.c: sleep). */
const LEAVE_DELAY_MS = 1000;

/** What the keeper works with. */
export interface EntropyKeeperOptions {
  readonly reactor: Pick<Reactor, "after" | "cancel">;
  readonly log: Log;
  readonly pool: RandomPool;
  /** Absent: none is configured. */
  readonly source: EntropySource | undefined;
  /** `tls_random_bytes` */
  readonly sourceBytes: number;
  /** Longest time between two questions, seconds. */
  readonly reseedPeriodS: number;
  /** Absent: none is configured. */
  readonly exchange: Pick<ExchangeFile, "update" | "updateNow" | "close"> | undefined;
  /** Longest time between two updates, seconds. */
  readonly updatePeriodS: number;
  readonly onFailure: "continue" | "exit";
  /** Told what came of each attempt. */
  readonly numbers?: EntropyNumbers;
  /** Ends the process in good order. */
  leave(): void;
  /** Ends the process with an error. */
  fail(error: FatalError): never;
}

/** A time between 0 and `periodS` seconds, drawn evenly, in milliseconds; all of it without a generator. */
export function drawDelayMs(periodS: number, fill: (bytes: Bytes) => boolean): number {
  const drawn = new Uint32Array(1);
  const periodMs = Math.min(periodS, PERIOD_MAX_S) * 1000;
  if (!fill(new Uint8Array(drawn.buffer))) return periodMs;
  return (drawn[0] / 2 ** 32) * periodMs;
}

/** Something that may fail, and does so for a while. */
class Trouble {
  #delayMs = 0;

  /** It has failed: whether that is news. */
  failed(): boolean {
    const isNews = this.#delayMs === 0;
    this.#delayMs = isNews ? RETRY_MIN_MS : Math.min(2 * this.#delayMs, RETRY_MAX_MS);
    return isNews;
  }

  /** Time until the next try. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** It works: whether that is news. */
  mended(): boolean {
    const isNews = this.#delayMs > 0;
    this.#delayMs = 0;
    return isNews;
  }
}

/** The keeper. */
export class EntropyKeeper {
  readonly #options: EntropyKeeperOptions;
  readonly #sourceTrouble = new Trouble();
  readonly #exchangeTrouble = new Trouble();
  #reseedTimer: Timer | undefined;
  #updateTimer: Timer | undefined;
  #open = true;

  constructor(options: EntropyKeeperOptions) {
    this.#options = options;
  }

  /** Mixes in what is there at once, rewrites the exchange file, and goes on by timers. */
  start(): void {
    const { pool, exchange, source, log } = this.#options;
    pool.stirIdentity(Deno.pid);
    if (exchange !== undefined) {
      const fault = exchange.updateNow();
      if (fault?.kind === "busy") this.#update();
      else this.#updated(fault);
    }
    if (source !== undefined) return this.#reseed();
    log.warn("no entropy source specified with parameter tls_random_source");
    log.warn("encryption keys etc. may be predictable");
  }

  /** Rewrites the exchange file a last time, and closes everything; again is allowed. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const { reactor, source, exchange, log } = this.#options;
    reactor.cancel(this.#reseedTimer);
    reactor.cancel(this.#updateTimer);
    source?.close();
    let fault = exchange?.updateNow();
    if (fault?.kind === "removed") fault = exchange?.updateNow();
    if (exchange !== undefined) this.#options.numbers?.saved(fault === undefined);
    if (fault !== undefined && this.#exchangeTrouble.failed()) log.warn(fault.text);
    exchange?.close();
  }

  #reseed(): void {
    const { pool } = this.#options;
    const source = this.#options.source!;
    const count = bytesToAsk(source.kind, this.#options.sourceBytes);
    source.ask(count, (piece) => pool.stir(piece), (fault) => this.#reseeded(fault));
  }

  #reseeded(fault: SourceFault | undefined): void {
    this.#options.numbers?.reseeded(this.#options.source!.name, fault === undefined);
    if (fault !== undefined) return this.#reseedFailed(fault);
    const { source, reactor, pool, log } = this.#options;
    if (this.#sourceTrouble.mended()) log.info(`entropy source ${source!.name} works again`);
    // A file would give the same bytes again.
    if (source!.kind === "file") return;
    const delayMs = drawDelayMs(this.#options.reseedPeriodS, pool.fill);
    this.#reseedTimer = reactor.after(delayMs, () => this.#reseed());
  }

  #reseedFailed(fault: SourceFault): void {
    const { reactor, log, onFailure } = this.#options;
    const source = this.#options.source!;
    const isNews = this.#sourceTrouble.failed();
    const isFileRead = source.kind === "file" && fault.kind === "read";
    if (onFailure === "exit" && !isFileRead) return this.#leaveBecauseOf(fault, source);
    if (isNews) log.warn(`${fault.text}; trying again`);
    this.#reseedTimer = reactor.after(this.#sourceTrouble.delayMs, () => this.#reseed());
  }

  /** Postfix's lines before its restart. */
  #leaveBecauseOf(fault: SourceFault, source: EntropySource): void {
    const { log } = this.#options;
    if (fault.kind === "open") {
      log.warn(fault.text);
      log.info(`exiting to reopen external entropy source ${source.name}`);
    } else if (source.kind === "egd") {
      log.info(fault.text);
      log.info(
        `lost connection to EGD server ${source.name.slice(4)} -- exiting to reconnect`,
      );
    } else {
      log.info(`${fault.text} -- exiting to reopen`);
    }
    this.#leaveSoon();
  }

  #leaveSoon(): void {
    this.#options.reactor.after(LEAVE_DELAY_MS, () => this.#options.leave());
  }

  #update(): void {
    this.#options.exchange!.update((fault) => this.#updated(fault));
  }

  #updated(fault: ExchangeFault | undefined): void {
    const { reactor, log, pool, updatePeriodS } = this.#options;
    this.#options.numbers?.saved(fault === undefined);
    if (fault?.kind === "removed") return this.#updateRemoved(fault);
    if (fault !== undefined) return this.#updateFailed(fault);
    if (this.#exchangeTrouble.mended()) log.info("the PRNG exchange file works again");
    const delayMs = drawDelayMs(updatePeriodS, pool.fill);
    this.#updateTimer = reactor.after(delayMs, () => this.#update());
  }

  #updateRemoved(fault: ExchangeFault): void {
    const { log, onFailure } = this.#options;
    const exits = onFailure === "exit";
    log.warn(`${fault.text} -- ${exits ? "exiting to reopen" : "making it again"}`);
    if (exits) this.#leaveSoon();
    else this.#update();
  }

  #updateFailed({ text, hint }: ExchangeFault): void {
    const { reactor, log, onFailure, fail } = this.#options;
    const isNews = this.#exchangeTrouble.failed();
    if (onFailure === "exit") fail(new FatalError(text, hint === undefined ? {} : { hint }));
    const advice = hint === undefined ? "" : `; ${hint}`;
    if (isNews) log.warn(`${text}; trying again${advice}`);
    this.#updateTimer = reactor.after(this.#exchangeTrouble.delayMs, () => this.#update());
  }
}
