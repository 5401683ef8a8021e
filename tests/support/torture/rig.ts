/**
 * What a store needs around it, in the hand of a test: a {@linkcode CrashDisk}, syncs that come back when
 * the test says so, timers that run when it says so.
 *
 * @module
 */
import { Store, type StoreOptions } from "../../../lib/store/store.ts";
import { type Random, seededBytes } from "../random.ts";
import type { CrashDisk } from "./crash_disk.ts";

/** The name of the cache file. */
export const NAME = "c";

/** A sync that was handed out and has not come back. */
export interface SyncUnderWay {
  readonly fd: number;
  /** Lets it come back; a failed one has made nothing last. */
  complete(ok: boolean): void;
}

/** The rig. */
export class Rig {
  readonly disk: CrashDisk;
  readonly random: Random;
  readonly reports: string[] = [];
  readonly syncs: SyncUnderWay[] = [];
  readonly timers: (() => void)[] = [];
  /** Told when a sync is handed out, and before and after it comes back. */
  began: (sync: SyncUnderWay) => void = () => {};
  beforeEnd: (sync: SyncUnderWay) => void = () => {};
  ended: (sync: SyncUnderWay, ok: boolean) => void = () => {};

  constructor(disk: CrashDisk, random: Random) {
    this.disk = disk;
    this.random = random;
  }

  /** Opens the store on the disk. */
  open(options: Partial<StoreOptions> = {}): Store {
    const sync = (fd: number, done: (ok: boolean) => void) => this.#begin(fd, done);
    return Store.open(NAME, {
      io: this.disk,
      report: (level, message) => this.reports.push(`${level}: ${message}`),
      randomFileId: () => seededBytes(this.random, 16),
      slowCalls: { fdatasync: sync, fsync: sync },
      after: (_delayMs, handler) => this.timers.push(handler),
      ...options,
    });
  }

  /** Lets one of the syncs come back, unless there is none. */
  completeOne(ok = true): void {
    if (this.syncs.length === 0) return;
    this.syncs.splice(this.random(this.syncs.length), 1)[0].complete(ok);
  }

  /** Runs one of the timers, unless there is none. */
  fireOne(): void {
    if (this.timers.length === 0) return;
    this.timers.splice(this.random(this.timers.length), 1)[0]();
  }

  /** Lets everything come back that is under way, and what follows from it. */
  completeAll(ok = true): void {
    while (this.syncs.length > 0) this.completeOne(ok);
  }

  /** What the end of a process does: nothing comes back any more. */
  killProcess(): void {
    this.syncs.length = 0;
    this.timers.length = 0;
    this.disk.closeAll();
  }

  #begin(fd: number, done: (ok: boolean) => void): void {
    const last = this.disk.beginSync(fd);
    const sync: SyncUnderWay = {
      fd,
      complete: (ok) => {
        this.beforeEnd(sync);
        last(ok);
        this.ended(sync, ok);
        done(ok);
      },
    };
    this.syncs.push(sync);
    this.began(sync);
  }
}
