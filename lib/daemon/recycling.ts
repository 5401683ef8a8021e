/**
 * When a process makes room for a fresh one, as Postfix's daemons do (master/event_server.c): after
 * `max_use` connections, or when it was without one for `max_idle`; not while a connection is open. After
 * the product of both, 18000 seconds at most, it takes no further ones and lets the open ones end.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import type { SharedCounters } from "./shared_counters.ts";

/** The limits of one process. */
export interface RecyclingLimits {
  /** Connections. */
  readonly maxUse: number;
  readonly maxIdleMs: number;
}

/** The limits that hold for the role; `undefined`: it stays. tlsmgr stays in Postfix, too. */
export function recyclingLimits(settings: Settings): RecyclingLimits | undefined {
  const { role, service, parameters } = settings;
  if (role !== "tlsproxy" || !service.recycle) return undefined;
  return { maxUse: parameters.max_use, maxIdleMs: parameters.max_idle * 1000 };
}

const AGE_MS_MAX = 18_000_000;

/** Keeps the time since the last connection. */
export class Recycling {
  readonly #limits: RecyclingLimits;
  readonly #counters: Pick<SharedCounters, "connections" | "accepted">;
  readonly #endMs: number;
  #accepted = 0;
  #idleSinceMs: number;

  constructor(
    limits: RecyclingLimits,
    counters: Pick<SharedCounters, "connections" | "accepted">,
    nowMs: number,
  ) {
    this.#limits = limits;
    this.#counters = counters;
    this.#idleSinceMs = nowMs;
    this.#endMs = nowMs + Math.min(limits.maxUse * limits.maxIdleMs, AGE_MS_MAX);
  }

  /** What says that the process is to end, if something does. To be asked often. */
  isDue(nowMs: number): "max_use" | "max_idle" | "max_use * max_idle" | undefined {
    const { connections, accepted } = this.#counters;
    if (connections > 0 || accepted !== this.#accepted) this.#idleSinceMs = nowMs;
    this.#accepted = accepted;
    if (nowMs >= this.#endMs) return "max_use * max_idle";
    if (connections > 0) return undefined;
    if (accepted >= this.#limits.maxUse) return "max_use";
    return nowMs - this.#idleSinceMs >= this.#limits.maxIdleMs ? "max_idle" : undefined;
  }
}
