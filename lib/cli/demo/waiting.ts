/**
 * Waiting for descriptors, and the words for what did not come.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT, FatalError } from "../../base/errors.ts";
import { Reactor, READY } from "../../reactor/reactor.ts";

/** How long one step may take, milliseconds. */
export const STEP_LIMIT_MS = 10_000;

/** A descriptor, and what for. */
export interface Awaited {
  readonly fd: number;
  /** Whether there must be room to write; there being something to read always counts. */
  readonly writable?: boolean;
}

/** Waits until one of the descriptors is ready; throws when none is in time. */
export function awaitAny(what: string, awaited: readonly Awaited[]): void {
  const reactor = new Reactor(systemClock);
  let ready = false;
  const registrations = awaited.map(({ fd, writable }) =>
    reactor.watch(fd, writable ? READY.read | READY.write : READY.read, {
      ready: () => ready = true,
    })
  );
  const timer = reactor.after(STEP_LIMIT_MS, () => {});
  while (!ready && timer.armed) reactor.turn(-1);
  for (const registration of registrations) registration.close();
  reactor.close();
  if (!ready) throw stepFailure(`wait for ${what}`, `nothing after ${STEP_LIMIT_MS} ms`);
}

/** The error for a step of the demonstration that did not work. */
export function stepFailure(step: string, why: string): FatalError {
  return new FatalError(`Cannot ${step}: ${why}`, { exitCode: EXIT.software });
}
