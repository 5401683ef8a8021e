/**
 * Writing out what waits, on a disk that may refuse.
 *
 * A refusal is reported once and so is its end. In between the disk is tried again at some of the
 * opportunities that come, and after a second if none comes; everything waits in memory meanwhile.
 *
 * @module
 */
import { describeErrno } from "../ffi/errno.ts";
import { Patience } from "./patience.ts";
import type { StoreCore } from "./store_core.ts";

/** An ailing disk is tried again after this at the latest. */
const RETRY_DELAY_MS = 1000;

/** The writes of one store. */
export class LogWriter {
  readonly #core: StoreCore;
  readonly #patience = new Patience();
  /** Offers an opportunity when nobody comes for a long time. */
  readonly #again: () => void;
  #isTimed = false;

  constructor(core: StoreCore, again: () => void) {
    this.#core = core;
    this.#again = again;
  }

  /** Whether the last try failed. */
  get isAiling(): boolean {
    return this.#patience.failures > 0;
  }

  /** Writes what waits, unless the disk failed so lately that it is left alone; whether it was written. */
  offer(): boolean {
    return this.#patience.isTime() && this.write();
  }

  /** Writes what waits; false if the disk refuses. */
  write(): boolean {
    const core = this.#core;
    if (core.log.pendingBytes === 0) return true;
    const result = core.log.flush();
    if (result < 0) {
      const why = describeErrno(-result);
      core.reportOnce("write", `Cannot write ${core.file}: ${why}; serving from memory`);
      this.#patience.fail();
      this.#scheduleRetry();
      return false;
    }
    core.settle("write", `Writing ${core.file} again`);
    this.#patience.succeed();
    core.durability.noteWrite();
    return true;
  }

  #scheduleRetry(): void {
    const { after } = this.#core.settings;
    if (this.#isTimed || after === undefined) return;
    this.#isTimed = true;
    after(RETRY_DELAY_MS, () => {
      this.#isTimed = false;
      this.#patience.hurry();
      if (!this.#core.isClosed && this.#core.log.pendingBytes > 0) this.#again();
    });
  }
}
