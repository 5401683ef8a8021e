/**
 * One course of a store's life, run again and again: each time another one of its calls to the disk fails,
 * alone, or with some or all of those that follow. The store may refuse to open and may lose what could not be written;
 * it may not throw, answer wrongly, repeat itself, leak, or lose what it took as written.
 *
 * @module
 */
import { FatalError } from "../../../lib/base/errors.ts";
import { latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import type { Store } from "../../../lib/store/store.ts";
import type { SyncPolicy } from "../../../lib/store/store_options.ts";
import { seededRandom } from "../random.ts";
import { CrashDisk, type DiskCall } from "./crash_disk.ts";
import { Ledger, Loss } from "./ledger.ts";
import { NAME, Rig } from "./rig.ts";

const KEYS = 8;
const EXPIRES_AT_S = 2_000_000_000;
const SMALL = { compactBytesMin: 600, compactRatio: 0.5, compactSliceBytes: 150 };
/** For how many calls a fault lasts: one, some, or all until the last life. */
const LENGTHS = [[1, ""], [12, " and some that follow"], [
  Infinity,
  " and all that follow",
]] as const;

/** The ways in which a call fails. */
const FAULTS: Readonly<Record<string, number | "short">> = {
  "short": "short",
  ENOSPC: -ERRNO.ENOSPC,
  EIO: -ERRNO.EIO,
  EINTR: -ERRNO.EINTR,
  EMFILE: -ERRNO.EMFILE,
  EROFS: -ERRNO.EROFS,
};

/** Faults that hide nothing: the call is made again. */
const HARMLESS: readonly (number | "short")[] = ["short", -ERRNO.EINTR];

/** What fault courses came to. */
export interface FaultCounts {
  /** Calls of the course without a fault. */
  calls: number;
  /** Courses with a fault. */
  points: number;
}

/** Which course. */
export interface FaultOptions {
  seed: number;
  sync: SyncPolicy;
  /** Turns of the event loop in each of its lives. */
  turns: number;
}

/** Runs a course with each of its calls failing in each way. Throws a {@linkcode Loss}. */
export function runFaults(options: FaultOptions): FaultCounts {
  const calls: DiskCall[] = [];
  new FaultCourse(options, (call) => {
    calls.push(call);
    return undefined;
  }).run("without a fault");
  let points = 0;
  for (const [name, answer] of Object.entries(FAULTS)) {
    for (const [length, title] of LENGTHS) {
      // An interruption that never ends is no fault that exists.
      if (length === Infinity && HARMLESS.includes(answer)) continue;
      for (let n = 1; n <= calls.length; n++) {
        const call = calls[n - 1];
        if (answer === "short" && call !== "pread" && call !== "pwrite") continue;
        points++;
        const course = new FaultCourse(
          options,
          (_call, nth) => nth >= n && nth < n + length ? answer : undefined,
        );
        course.run(`${name} at call ${n} (${call})${title}, ${JSON.stringify(options)}`);
      }
    }
  }
  return { calls: calls.length, points };
}

class FaultCourse {
  readonly #options: FaultOptions;
  readonly #rig: Rig;
  readonly #ledger = new Ledger();
  /** A read has failed, so that entries may be out of sight, or given up. */
  #mayMiss = false;
  #about = "";

  constructor(
    options: FaultOptions,
    fault: (call: DiskCall, nth: number) => number | "short" | undefined,
  ) {
    this.#options = options;
    const disk = new CrashDisk();
    this.#rig = new Rig(disk, seededRandom(options.seed));
    disk.fault = (call, nth) => {
      const answer = fault(call, nth);
      if (call === "pread" && answer !== undefined && !HARMLESS.includes(answer)) {
        this.#mayMiss = true;
      }
      return answer;
    };
  }

  /** Two lives that are killed in the middle of a write, and a third one without a fault. */
  run(about: string): void {
    this.#about = about;
    const { disk } = this.#rig;
    for (let life = 0; life < 2; life++) {
      const store = this.#open();
      if (store === undefined) continue;
      this.#checkAll(store);
      this.#live(store);
      this.#checkReports();
      this.#rig.killProcess();
      disk.append(NAME, latin1("abc"));
    }
    disk.fault = () => undefined;
    const store = this.#open();
    if (store === undefined) throw new Loss(`${about}: it does not open afterwards`);
    this.#checkAll(store);
    store.compact();
    for (let turn = 0; turn < 100 && store.stats().compactions === 0; turn++) store.work();
    this.#checkAll(store);
    store.close();
    this.#expect(disk.openDescriptors, 0, "open descriptors");
    this.#expect(disk.names.join(), [NAME, `${NAME}.lock`].join(), "files");
  }

  #open(): Store | undefined {
    const rig = this.#rig;
    const sync = (call: "fdatasync" | "fsync") => (fd: number, done: (ok: boolean) => void) =>
      done(rig.disk[call](fd) === 0);
    try {
      const slowCalls = { fdatasync: sync("fdatasync"), fsync: sync("fsync") };
      return rig.open({ ...SMALL, sync: this.#options.sync, slowCalls });
    } catch (fault) {
      if (!(fault instanceof FatalError)) throw fault;
      this.#expect(rig.disk.openDescriptors, 0, `open descriptors after "${fault.message}"`);
      return undefined;
    }
  }

  #live(store: Store): void {
    const { random } = this.#rig;
    for (let turn = 0; turn < this.#options.turns; turn++) {
      for (let i = random(5); i > 0; i--) this.#change(store);
      this.#checkAll(store, "now");
      const isWritten = store.flush();
      if (isWritten) this.#ledger.promise();
      this.#checkAll(store, "now");
      store.work();
      if (random(3) === 0) this.#rig.fireOne();
    }
  }

  #change(store: Store): void {
    const { random } = this.#rig;
    const key = `key ${random(KEYS)}`;
    if (random(4) === 0) {
      const isThere = store.delete(key);
      // What a disk that does not read keeps out of sight cannot be deleted, and that is what it says.
      if (isThere || !this.#mayMiss) this.#ledger.note(key, undefined);
      return;
    }
    const value = `${random(1_000_000)} `.padEnd(random(80), "v");
    this.#ledger.note(key, value);
    if (!store.put(key, latin1(value), EXPIRES_AT_S)) {
      throw new Loss(`${this.#about}: a put failed`);
    }
  }

  /** Checks all keys; "now": each must be what it was made last. */
  #checkAll(store: Store, when?: "now"): void {
    for (const key of this.#ledger.keys) {
      const value = store.get(key, EXPIRES_AT_S);
      const state = value === undefined ? undefined : toLatin1(value);
      if (when === undefined) {
        this.#ledger.check(key, state, this.#about, this.#mayMiss);
        // Out of sight is not gone.
        if (state !== undefined || !this.#mayMiss) this.#ledger.settle(key, state);
      } else if (state !== undefined || !this.#mayMiss) {
        this.#expect(state, this.#ledger.latest(key), key);
      }
    }
  }

  /** Each state of affairs is reported once, and its end once. */
  #checkReports(): void {
    const { reports } = this.#rig;
    const warned = new Set<string>();
    for (const report of reports.splice(0)) {
      if (report.startsWith("info: ")) {
        const [, verb] = /^info: (\w+)ing /.exec(report) ?? [];
        for (const warning of warned) {
          if (verb !== undefined && warning.includes(` ${verb.toLowerCase()}`)) {
            warned.delete(warning);
          }
        }
        continue;
      }
      if (warned.has(report)) throw new Loss(`${this.#about}: reported again: ${report}`);
      warned.add(report);
    }
  }

  #expect(found: unknown, expected: unknown, what: string): void {
    if (found !== expected) {
      throw new Loss(`${this.#about}: ${what} is ${found}, and should be ${expected}`);
    }
  }
}
