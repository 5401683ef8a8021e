/**
 * When a store's file is compacted, and what becomes of a compaction that fails.
 *
 * A compaction is due when dead bytes exceed the live ones by a factor, or when the file comes near twice
 * the quota of bytes; and whatever the numbers are, when only a fresh file can put something right: a
 * delete that was never written down, a file that did not sync, a damaged end, or somebody's order. A
 * file whose entries are replaced all the time would be due many times a second, each time for three waits
 * of a disk's: within a second of one compaction the next waits until the file is some times as long. One
 * that fails is reported once and tried again: after the file has grown, or, if it has to be, after a
 * second, then two, four, up to a minute. The first success after that is reported too.
 *
 * @module
 */
import { describeErrno } from "../ffi/errno.ts";
import { Compaction } from "./compaction.ts";
import { FILE_HEADER_BYTES } from "./record.ts";
import type { LogFile } from "./log_file.ts";
import type { StoreCore } from "./store_core.ts";

const RETRY_DELAY_MAX_MS = 60_000;
/** After a compaction a file may grow for so long … */
const REST_MS = 1_000;
/** … to so many times the length that a file must have to be compacted. */
const REST_FACTOR = 4;
/** An entry that the disk does not read ends this many compactions before it is given up. */
const UNREADABLE_PATIENCE = 3;
/** With a quota of bytes: the part of it that the file may be long before dead bytes have to go. */
const CROWDED = 1.5;

/** The compactions of one store, one at a time. */
export class Compactor {
  /** Compactions that replaced the file. */
  count = 0;
  readonly #core: StoreCore;
  #compaction: Compaction | undefined;
  /** Numbers or not: a fresh file is needed. */
  #isForced = false;
  /** No compaction before the file is this long: set when one fails. */
  #notBeforeBytes = 0;
  /** A forced compaction waits for its time. */
  #isPostponed = false;
  /** The last compaction was a moment ago. */
  #isResting = false;
  #failures = 0;
  #unreadableFailures = 0;

  constructor(core: StoreCore) {
    this.#core = core;
  }

  /** The compaction under way, to be told of changes. */
  get current(): Compaction | undefined {
    return this.#compaction;
  }

  /** Demands a compaction, whatever the numbers say. */
  force(): void {
    this.#isForced = true;
  }

  /** Whether the last one failed. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** Starts a compaction if it is due, and carries one on by about `bytesMax` bytes. */
  step(bytesMax: number): "more" | "idle" {
    if (this.#compaction === undefined) {
      if (!this.#isDue()) return "idle";
      const started = this.#start();
      if (typeof started === "number") {
        this.#fail(started);
        return "idle";
      }
      this.#compaction = started;
    }
    const compaction = this.#compaction;
    const result = compaction.step(bytesMax);
    if (result === "more") return "more";
    if (result === "waiting") return "idle";
    this.#compaction = undefined;
    if (result === "done") {
      this.#finish(compaction);
    } else {
      if (compaction.hasMetUnreadable) this.#unreadableFailures++;
      compaction.abandon();
      this.#fail(result);
    }
    return "idle";
  }

  /** Gives up what is under way. */
  close(): void {
    this.#compaction?.abandon();
    this.#compaction = undefined;
  }

  #isDue(): boolean {
    const { log, index, settings } = this.#core;
    const { compactBytesMin, compactRatio, maxBytes } = settings;
    const fileBytes = log.endBytes;
    const hasGrown = fileBytes >= this.#notBeforeBytes;
    if (this.#isForced) return settings.after === undefined ? hasGrown : !this.#isPostponed;
    const bytesMin = this.#isResting ? REST_FACTOR * compactBytesMin : compactBytesMin;
    if (!hasGrown || fileBytes < bytesMin) return false;
    const deadBytes = fileBytes - FILE_HEADER_BYTES - index.liveBytes;
    if (deadBytes > compactRatio * index.liveBytes) return true;
    return maxBytes > 0 && fileBytes > CROWDED * maxBytes && deadBytes > maxBytes / 4;
  }

  #start(): Compaction | number {
    const { place, log, index, settings, durability } = this.#core;
    return Compaction.start({
      place,
      log,
      index,
      fileId: settings.randomFileId(),
      calls: settings.slowCalls,
      hold: () => durability.hold(),
      isSynced: settings.sync !== "never",
      dropUnreadable: this.#unreadableFailures >= UNREADABLE_PATIENCE,
      lost: () => this.#core.noteLost(),
    });
  }

  #finish(compaction: Compaction): void {
    const core = this.#core;
    this.#closeSlowly(core.log);
    core.log = compaction.log;
    this.count++;
    this.#isForced = false;
    this.#notBeforeBytes = 0;
    this.#failures = 0;
    this.#unreadableFailures = 0;
    this.#rest();
    core.settle("compact", `Compacting ${core.file} again`);
    core.durability.switchTo(compaction.log.fd, compaction.unsyncedBytes > 0);
  }

  #rest(): void {
    const { after } = this.#core.settings;
    if (after === undefined || this.#isResting) return;
    this.#isResting = true;
    after(REST_MS, () => {
      this.#isResting = false;
    });
  }

  /** Its name is gone, so closing it gives its blocks back: 10 ms for 60 MB. */
  #closeSlowly(log: LogFile): void {
    const { slowCalls } = this.#core.settings;
    if (slowCalls?.close === undefined) log.close();
    else slowCalls.close(log.fd);
  }

  #fail(result: number): void {
    const core = this.#core;
    const { settings, log, durability } = core;
    this.#notBeforeBytes = log.endBytes + settings.compactBytesMin;
    const why = describeErrno(-result);
    core.reportOnce("compact", `Cannot compact ${core.file}: ${why}`);
    if (this.#isForced && settings.after !== undefined) {
      this.#isPostponed = true;
      settings.after(Math.min(1000 * 2 ** this.#failures, RETRY_DELAY_MAX_MS), () => {
        this.#isPostponed = false;
      });
    }
    this.#failures++;
    durability.letGo();
  }
}
