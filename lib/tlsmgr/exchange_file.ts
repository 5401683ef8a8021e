/**
 * The exchange file: 1024 random bytes that one run of tlsmgr leaves to the next (tls_prng_exch.c).
 *
 * An update takes the exclusive lock, reads what is there, mixes it into the pool, draws fresh bytes and
 * writes them to the same place; so what one process has mixed in no other process finds again, and
 * processes that start from equal files do not stay equal. Format, lock and place are Postfix's: the file
 * of one serves the other. A longer file is not cut, a shorter one is filled up.
 *
 * While requests are served the disk is left to the slow calls ({@linkcode ExchangeFile.update}); at the
 * start and at the end, when nobody waits, it is not ({@linkcode ExchangeFile.updateNow}). The lock is
 * never waited for, but tried again for ten seconds. A generator that fails writes nothing.
 *
 * Failures are answered, as texts in Postfix's words; a file that is not private is left as it is.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { SlowCalls } from "../reactor/slow_calls.ts";
import type { Timer } from "../reactor/timers.ts";
import type { FileIo } from "../store/file_io.ts";
import { StateFile } from "../store/state_file.ts";

/** Bytes that are read and written (tls_prng_exch.c: TLS_MGR_PRNG_EXCH). */
export const EXCHANGE_BYTES = 1024;
/** Longest time that one update may take, milliseconds. */
export const UPDATE_LIMIT_MS = 10_000;
/** How often a lock that somebody has is tried. */
const LOCK_INTERVAL_MS = 100;

/** What the file works with. */
export interface ExchangeFileOptions {
  readonly io: FileIo;
  /** User id that the file belongs to. @default the effective user's */
  readonly ownerId?: number;
  readonly slowCalls: Pick<SlowCalls, "read" | "write">;
  readonly reactor: Pick<Reactor, "after" | "cancel">;
  readonly pool: {
    /** Mixes bytes in and overwrites them. */
    stir(bytes: Bytes): void;
    /** Fills with random bytes; false when the generator failed. */
    fill(bytes: Bytes): boolean;
  };
}

/** Why an update was not made. */
export interface ExchangeFault {
  /**
   * `removed`: somebody has removed the file that was open; the next update makes it again. `busy`:
   * another process had the lock; only of {@linkcode ExchangeFile.updateNow}. `failed`: all else.
   */
  readonly kind: "removed" | "busy" | "failed";
  readonly text: string;
  readonly hint?: string;
}

interface Update {
  readonly done: (fault?: ExchangeFault) => void;
  readonly deadline: Timer;
  /** What is being done. */
  step: "lock" | "read" | "write";
  look: Timer | undefined;
}

/** One exchange file; opened by its first update, and open until {@linkcode ExchangeFile.close}. */
export class ExchangeFile {
  readonly #path: string;
  readonly #options: ExchangeFileOptions;
  #file: StateFile | undefined;
  #update: Update | undefined;
  /** A slow call that has not come back uses the descriptor. */
  #inUse = false;

  constructor(path: string, options: ExchangeFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Makes an update without waiting for the disk; `done` is called once. One at a time. */
  update(done: (fault?: ExchangeFault) => void): void {
    if (this.#inUse) return done(this.#late("use"));
    const deadline = this.#options.reactor.after(UPDATE_LIMIT_MS, () => {
      this.#end(this.#late(update.step));
    });
    const update: Update = { done, deadline, step: "lock", look: undefined };
    this.#update = update;
    this.#lock(update);
  }

  /**
   * Makes an update here and now, also when another is under way. The lock is tried once. A disk that
   * has been given up is not tried again.
   */
  updateNow(): ExchangeFault | undefined {
    if (this.#inUse && this.#update === undefined) return this.#late("use");
    const locked = this.#tryLock();
    if (locked === "busy") {
      return { kind: "busy", text: `cannot lock ${this.#shown}: another process has the lock` };
    }
    if (locked !== "locked") return locked;
    const file = this.#file!;
    const fault = this.#rewriteNow(file);
    file.unlock();
    return fault;
  }

  /**
   * Closes; an update that is under way is given up, and its `done` not called. A slow call that is
   * outstanding keeps the descriptor until it comes back.
   */
  close(): void {
    this.#forgetUpdate();
    this.#closeFile();
  }

  get #shown(): string {
    return `PRNG exchange file ${this.#path}`;
  }

  #rewriteNow(file: StateFile): ExchangeFault | undefined {
    const bytes = new Uint8Array(EXCHANGE_BYTES);
    const count = file.read(bytes);
    if (typeof count === "object") return failed(`cannot read ${this.#shown}: ${count.why}`);
    this.#options.pool.stir(bytes.subarray(0, count));
    if (!this.#options.pool.fill(bytes)) return GENERATOR_FAILED;
    const why = file.write(bytes);
    bytes.fill(0);
    return why === undefined ? undefined : failed(`cannot write ${this.#shown}: ${why}`);
  }

  #lock(update: Update): void {
    const locked = this.#tryLock();
    if (locked === "locked") return this.#readSlowly(update);
    if (locked !== "busy") return this.#end(locked);
    update.look = this.#options.reactor.after(LOCK_INTERVAL_MS, () => this.#lock(update));
  }

  #readSlowly(update: Update): void {
    const { slowCalls, pool } = this.#options;
    this.#inUse = true;
    update.step = "read";
    slowCalls.read(this.#file!.fd, { length: EXCHANGE_BYTES, offset: 0 }, (bytes) => {
      this.#inUse = false;
      if (bytes !== undefined) pool.stir(bytes as Bytes);
      if (update !== this.#update) return this.#closeFile();
      if (bytes === undefined) return this.#end(failed(`cannot read ${this.#shown}`));
      this.#writeSlowly(update);
    });
  }

  #writeSlowly(update: Update): void {
    const { slowCalls, pool } = this.#options;
    const bytes = new Uint8Array(EXCHANGE_BYTES);
    if (!pool.fill(bytes)) return this.#end(GENERATOR_FAILED);
    this.#inUse = true;
    update.step = "write";
    slowCalls.write(this.#file!.fd, bytes, 0, (ok) => {
      this.#inUse = false;
      if (update !== this.#update) return this.#closeFile();
      this.#end(ok ? undefined : failed(`cannot write ${this.#shown}`));
    });
    bytes.fill(0);
  }

  /** Opens the file if need be, and locks it. */
  #tryLock(): "locked" | "busy" | ExchangeFault {
    const file = this.#file ?? StateFile.open(this.#options.io, this.#path, this.#options.ownerId);
    if (!(file instanceof StateFile)) {
      const { attempt, why, hint } = file;
      const text = `tls_prng_exch_open: cannot ${attempt} ${this.#shown}: ${why}`;
      return { kind: "failed", text, ...(hint !== undefined && { hint }) };
    }
    this.#file = file;
    const hasName = file.hasName();
    const locked = hasName === true ? file.tryLock() : undefined;
    if (locked === "locked" || locked === "busy") return locked;
    this.#closeFile();
    if (hasName === false) return { kind: "removed", text: "PRNG exchange file was removed" };
    return typeof hasName === "object"
      ? failed(`cannot fstat() the PRNG exchange file: ${hasName.why}`)
      : failed(`cannot lock ${this.#shown}: ${locked!.why}`);
  }

  #late(step: string): ExchangeFault {
    return failed(`cannot ${step} ${this.#shown}: Connection timed out`);
  }

  #end(fault?: ExchangeFault): void {
    const { done } = this.#update!;
    this.#forgetUpdate();
    if (fault === undefined) this.#file!.unlock();
    else this.#closeFile();
    done(fault);
  }

  #forgetUpdate(): void {
    this.#options.reactor.cancel(this.#update?.deadline);
    this.#options.reactor.cancel(this.#update?.look);
    this.#update = undefined;
  }

  /** Closes at once, which gives the lock back, or when the slow call has come back. */
  #closeFile(): void {
    if (this.#inUse) return;
    this.#file?.close();
    this.#file = undefined;
  }
}

const GENERATOR_FAILED = failed("cannot make random bytes: the generator failed");

function failed(text: string): ExchangeFault {
  return { kind: "failed", text };
}
