/**
 * Finds a service thread that is stuck: in one turn of its loop for `daemon_timeout` (tlsmgr) or
 * `tlsproxy_watchdog_timeout`, as Postfix's watchdog does (util/watchdog.c).
 *
 * It looks ten times in that time and counts looks, not seconds: a process that was stopped for an hour,
 * or a clock that jumps, is one look.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import type { Progress } from "./progress.ts";

const LOOKS = 10;

/** How long one turn of a service thread may take, milliseconds. */
export function turnLimitMs({ role, parameters }: Settings): number {
  const { daemon_timeout, tlsproxy_watchdog_timeout } = parameters;
  return 1000 * (role === "tlsmgr" ? daemon_timeout : tlsproxy_watchdog_timeout);
}

/** Between two looks, milliseconds. */
export function lookIntervalMs(limitMs: number): number {
  return limitMs / LOOKS;
}

interface Watched {
  readonly progress: Pick<Progress, "turn" | "work">;
  turn: number;
  looks: number;
  told: boolean;
}

/** A thread that makes no progress. */
export interface StuckThread {
  /** Its number, from 0. */
  readonly index: number;
  /** What it is doing, for people. */
  readonly work: string;
}

/** Looks at all threads of a role. */
export class Watchdog {
  readonly #watched: readonly Watched[];

  constructor(threads: readonly Pick<Progress, "turn" | "work">[]) {
    this.#watched = threads.map((progress) => ({
      progress,
      turn: progress.turn,
      looks: 0,
      told: false,
    }));
  }

  /** Looks once; a thread that is stuck, each once. */
  look(): StuckThread | undefined {
    let stuck: StuckThread | undefined;
    for (const [index, watched] of this.#watched.entries()) {
      const { turn, work } = watched.progress;
      watched.looks = work !== undefined && turn === watched.turn ? watched.looks + 1 : 0;
      watched.turn = turn;
      if (work === undefined || watched.looks < LOOKS || watched.told) continue;
      if (stuck === undefined) {
        watched.told = true;
        stuck = { index, work };
      }
    }
    return stuck;
  }

  /** What is left of the limit for the thread that has least, milliseconds, as of the last look. */
  marginMs(limitMs: number): number {
    const looks = Math.max(0, ...this.#watched.map((watched) => watched.looks));
    return Math.max(limitMs - looks * lookIntervalMs(limitMs), 0);
  }

  /** Whether no thread has been found in the same turn twice. */
  get isWell(): boolean {
    return this.#watched.every(({ looks }) => looks === 0);
  }
}
