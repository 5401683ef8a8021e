/**
 * What the tests of the store share: random numbers that repeat, file ids that differ, a report to read.
 *
 * @module
 */
import type { Bytes } from "../../../lib/base/bytes.ts";
import { Store, type StoreOptions } from "../../../lib/store/store.ts";
import { FakeSlowCalls } from "../../support/fake_slow_calls.ts";
import { MemoryIo } from "./_memory_io.ts";

/** Whole numbers from 0 to `below` - 1, the same for the same seed (mulberry32). */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000 * below);
  };
}

/** `length` random bytes. */
export function randomBytes(random: (below: number) => number, length: number): Bytes {
  return Uint8Array.from({ length }, () => random(256));
}

/** A disk in memory, and stores on it. */
export class Bench {
  readonly io = new MemoryIo();
  readonly reports: string[] = [];
  #fileIds = 0;

  /** Opens the store in the file "c". */
  open(options: Partial<StoreOptions> = {}): Store {
    return Store.open("c", {
      io: this.io,
      report: (level, message) => this.reports.push(`${level}: ${message}`),
      randomFileId: () => new Uint8Array(16).fill(++this.#fileIds),
      ...options,
    });
  }
}

/** A {@linkcode Bench} whose syncs and timers happen when the test says so. */
export class SlowBench extends Bench {
  readonly slow = new FakeSlowCalls();
  /** Delays and handlers of timers that have not fired, the oldest first. */
  readonly timers: [delayMs: number, handler: () => void][] = [];

  override open(options: Partial<StoreOptions> = {}): Store {
    const { slow } = this;
    return super.open({
      slowCalls: {
        fdatasync: (fd, done) => slow.fdatasync(fd, done),
        fsync: (fd, done) => slow.fsync(fd, done),
      },
      after: (delayMs, handler) => void this.timers.push([delayMs, handler]),
      ...options,
    });
  }

  /** Names of the calls that wait. */
  get waiting(): string[] {
    return this.slow.waiting.map(({ call }) => call);
  }

  /** Fires the oldest timer. */
  fire(): void {
    this.timers.shift()?.[1]();
  }

  /** Works and lets calls succeed until there is nothing to do. */
  settle(store: Store): void {
    do {
      this.slow.succeedAll();
    } while (store.work() === "more" || this.slow.waiting.length > 0);
  }
}
