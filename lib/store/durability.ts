/**
 * When the cache file is synced, and who may be told that what they stored is on the disk.
 *
 * One sync is under way at a time, outside this thread; what is written meanwhile waits for the next one,
 * so that any number of changes share a sync. A round is fdatasync(2) of the file and, when its name is
 * young, fsync(2) of the folder: only both together make what is in the file last.
 *
 * A sync that fails is never tried again: the system may have thrown away what it could not write and
 * then call the next sync a success. The file counts as bad from there on, until a compaction has put a
 * fresh one in its place. Those who wait go on waiting for that; if it fails too, they are let go,
 * because a disk that takes nothing must not stop the service.
 *
 * @module
 */
import type { SlowCalls } from "../reactor/slow_calls.ts";
import type { FileIo } from "./file_io.ts";
import type { SyncPolicy } from "./store_options.ts";

/** With the policy "interval": the longest time that something written waits for its sync to begin. */
export const SYNC_INTERVAL_MS = 1000;

/** What syncing needs. */
export interface DurabilityOptions {
  readonly io: FileIo;
  readonly policy: SyncPolicy;
  readonly calls: Pick<SlowCalls, "fdatasync" | "fsync"> | undefined;
  readonly after: ((delayMs: number, handler: () => void) => void) | undefined;
  readonly folderFd: number;
  /** Told that the file has become bad. */
  readonly failed: () => void;
  /** Told that all is on the disk again after that. */
  readonly recovered: () => void;
}

/** The state of one store's file towards the disk. */
export class Durability {
  readonly #options: DurabilityOptions;
  readonly #calls: Pick<SlowCalls, "fdatasync" | "fsync">;
  #fd: number;
  /** Something was written that no sync has covered. */
  #isDirty = false;
  /** The file's name may not outlive a crash of the machine. */
  #isNameYoung: boolean;
  #isRunning = false;
  /** A round is wanted as soon as one can begin. */
  #isDue = false;
  /** A compaction lets no round begin. */
  #isHeld = false;
  #isTimed = false;
  #isClosed = false;
  #state: "good" | "bad" | "hopeless" = "good";
  /** Descriptors to close when the round that is under way comes back; set by the end. */
  #toClose: number[] | undefined;
  #waiting: (() => void)[] = [];
  /** Those whom the round that is under way covers. */
  #covered: (() => void)[] = [];

  /** @param file the cache file; `isNew` when its name may not be on the disk */
  constructor(options: DurabilityOptions, file: { fd: number; isNew: boolean }) {
    this.#options = options;
    const { io, calls } = options;
    this.#calls = calls ?? {
      fdatasync: (fd, done) => done(io.fdatasync(fd) === 0),
      fsync: (fd, done) => done(io.fsync(fd) === 0),
    };
    this.#fd = file.fd;
    this.#isNameYoung = file.isNew;
  }

  /** Whether a change has to wait before it is acknowledged. */
  get holdsAnswers(): boolean {
    return this.#options.policy === "always" && this.#state !== "hopeless" &&
      (this.#isDirty || this.#isRunning || this.#state === "bad");
  }

  /** Whether the file must be replaced. */
  get isBad(): boolean {
    return this.#state !== "good";
  }

  /** Runs `done` when what was written so far is on the disk, or never will be. */
  whenSafe(done: () => void): void {
    if (!this.holdsAnswers) done();
    else if (this.#isRunning && !this.#isDirty) this.#covered.push(done);
    else this.#waiting.push(done);
  }

  /** To be called after something was written to the file. */
  noteWrite(): void {
    const { policy, after } = this.#options;
    if (policy === "never") return;
    this.#isDirty = true;
    if (policy === "always") return this.#start();
    if (this.#isTimed || after === undefined) return;
    this.#isTimed = true;
    after(SYNC_INTERVAL_MS, () => {
      this.#isTimed = false;
      this.#start();
    });
  }

  /** Lets no round begin from here on; false while one is still under way. */
  hold(): boolean {
    this.#isHeld = true;
    return !this.#isRunning;
  }

  /** A compaction has failed: the file goes on, and if it is a bad one, who waits is let go. */
  letGo(): void {
    this.#isHeld = false;
    if (this.isBad) this.#giveUp();
    else if (this.#isDue) this.#start();
  }

  /**
   * After {@linkcode hold}: the file `fd` has the name. It is on the disk but for what was written to it
   * last (`isDirty`); the name is not.
   */
  switchTo(fd: number, isDirty: boolean): void {
    this.#fd = fd;
    this.#isHeld = false;
    this.#isNameYoung = true;
    this.#isDirty = isDirty && this.#options.policy !== "never";
    const wasBad = this.isBad;
    this.#state = "good";
    this.#begin(wasBad);
  }

  /**
   * Syncs what no round has covered, here and now, and closes the file's and the folder's descriptors,
   * or lets the round that is under way close them. False if the disk refuses.
   */
  close(): boolean {
    this.#isClosed = true;
    const { io, policy, folderFd } = this.#options;
    const isUseless = policy === "never" || this.isBad;
    const mustSync = !isUseless && (this.#isDirty || this.#isRunning || this.#isNameYoung);
    const isSynced = !mustSync ||
      (io.fdatasync(this.#fd) === 0 && (!this.#isNameYoung || io.fsync(folderFd) === 0));
    if (this.#isRunning) this.#toClose = [this.#fd, folderFd];
    else for (const fd of [this.#fd, folderFd]) io.close(fd);
    const waiting = [...this.#covered, ...this.#waiting];
    this.#covered = [];
    this.#waiting = [];
    for (const done of waiting) done();
    return isSynced;
  }

  #start(): void {
    // A timer may come late.
    if (this.#isClosed) return;
    if (this.#isHeld || this.#isRunning || this.isBad) this.#isDue = true;
    else if (this.#isDirty || this.#isNameYoung) this.#begin(false);
  }

  #begin(wasBad: boolean): void {
    this.#isRunning = true;
    this.#isDue = false;
    this.#covered = this.#waiting;
    this.#waiting = [];
    if (!this.#isDirty) return this.#syncName(wasBad);
    this.#isDirty = false;
    this.#calls.fdatasync(this.#fd, (ok) => {
      if (ok && this.#isNameYoung) this.#syncName(wasBad);
      else this.#end(ok, wasBad);
    });
  }

  #syncName(wasBad: boolean): void {
    if (this.#toClose !== undefined) return this.#end(true, wasBad);
    this.#calls.fsync(this.#options.folderFd, (ok) => {
      if (ok) this.#isNameYoung = false;
      this.#end(ok, wasBad);
    });
  }

  #end(ok: boolean, wasBad: boolean): void {
    this.#isRunning = false;
    if (this.#toClose !== undefined) {
      for (const fd of this.#toClose) this.#options.io.close(fd);
      return;
    }
    const covered = this.#covered;
    this.#covered = [];
    if (!ok) {
      this.#state = "bad";
      this.#waiting = [...covered, ...this.#waiting];
      return this.#options.failed();
    }
    if (wasBad) this.#options.recovered();
    for (const done of covered) done();
    if (this.#isDue) this.#start();
  }

  #giveUp(): void {
    this.#state = "hopeless";
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
}
