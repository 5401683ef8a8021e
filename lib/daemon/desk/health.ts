/**
 * Whether the service threads make progress, found out when somebody asks.
 *
 * A thread that waits is well. One that is at work has to be seen at other work, or waiting, within a
 * short time: a turn of an event loop takes a fraction of a millisecond.
 *
 * @module
 */
import type { Watchdog } from "../watchdog.ts";

/** How long a thread may be seen in one turn, milliseconds. */
export const PATIENCE_MS = 2_000;
const STEP_MS = 100;

/** Whether all threads that `watchdogs` look at do something else before the patience is at its end. */
export async function makeProgress(
  watchdogs: readonly Pick<Watchdog, "look" | "isWell">[],
  pause: (ms: number) => Promise<void> = pauseFor,
): Promise<boolean> {
  let waiting = watchdogs;
  for (let passedMs = 0;; passedMs += STEP_MS) {
    waiting = waiting.filter((watchdog) => {
      watchdog.look();
      return !watchdog.isWell;
    });
    if (waiting.length === 0 || passedMs >= PATIENCE_MS) return waiting.length === 0;
    await pause(STEP_MS);
  }
}

function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
