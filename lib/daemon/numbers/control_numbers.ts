/**
 * What the control thread itself has to show: reloads, the watchdog, the process.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Counter, Gauge, Numbers } from "./numbers.ts";

/** The numbers of the control thread. */
export class ControlNumbers {
  readonly #clock: Pick<Clock, "unixSeconds">;
  readonly #done: Counter;
  readonly #failed: Counter;
  readonly #lastSuccess: Gauge;
  readonly #limit: Gauge;
  readonly #margin: Gauge;

  /** The settings of the start count as taken. */
  constructor(numbers: Numbers, clock: Pick<Clock, "unixSeconds">) {
    this.#clock = clock;
    this.#done = numbers.counter("postern_reloads_total", { outcome: "done" });
    this.#failed = numbers.counter("postern_reloads_total", { outcome: "refused" });
    this.#lastSuccess = numbers.gauge("postern_reload_last_success_timestamp_seconds");
    this.#limit = numbers.gauge("postern_watchdog_limit_seconds");
    this.#margin = numbers.gauge("postern_watchdog_margin_seconds");
    this.#lastSuccess.set(clock.unixSeconds());
  }

  /** A reload has ended; `isDone`: its settings are in force. */
  noteReload(isDone: boolean): void {
    if (isDone) this.#lastSuccess.set(this.#clock.unixSeconds());
    (isDone ? this.#done : this.#failed).add();
  }

  /** How long a turn may take, and how much of that is left to the thread that has least. */
  showWatchdog(limitMs: number, marginMs: number): void {
    this.#limit.set(limitMs / 1000);
    this.#margin.set(marginMs / 1000);
  }
}
