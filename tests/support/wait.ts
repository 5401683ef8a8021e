/**
 * Waiting for something to become true.
 *
 * A test never sleeps for a fixed time and hopes: it states the condition, and a generous deadline
 * turns a condition that never comes into a sentence. The deadline is not a measurement.
 *
 * @module
 */

import { systemClock } from "../../lib/base/clock.ts";

/** How long a condition may take before the test gives up, milliseconds. */
export const PATIENCE_MS = 60_000;

const POLL_MS = 10;

/** The condition did not come true in time. */
export class WaitTimeout extends Error {
  override readonly name = "WaitTimeout";
}

/**
 * The value of `promise`, or a {@linkcode WaitTimeout} when it takes longer than {@linkcode PATIENCE_MS}.
 * Whoever waits for a peer goes through here, so that a peer that hangs fails the test and no more.
 */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new WaitTimeout(`Waited for ${what}: not there after ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Options of {@linkcode waitUntil}. */
export interface WaitOptions {
  /** Milliseconds before giving up. @default {PATIENCE_MS} */
  timeLimitMs?: number;
  /** Adds what was seen to the message of a {@linkcode WaitTimeout}. */
  explain?: () => string | Promise<string>;
}

/**
 * Asks `probe` again and again until it returns something that is neither `undefined` nor `false`,
 * and returns that. What `probe` throws is thrown. `what` completes the sentence "Waited for …".
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const limitMs = options.timeLimitMs ?? PATIENCE_MS;
  const end = systemClock.monotonicMs() + limitMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (systemClock.monotonicMs() > end) {
      const seen = options.explain === undefined ? "" : `\n${await options.explain()}`;
      throw new WaitTimeout(`Waited for ${what}: not there after ${limitMs} ms${seen}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
