/**
 * How long the turns of a service thread's loop take.
 *
 * @module
 */
import type { LoopObserver } from "../../reactor/reactor.ts";
import type { Numbers } from "./numbers.ts";

/** An observer that counts turns, and tells `next` everything. */
export function countLoop(numbers: Numbers, next: LoopObserver): LoopObserver {
  const turns = numbers.histogram("postern_event_loop_turn_seconds");
  let isFirst = true;
  return {
    waiting(turnMs) {
      // Before the first turn the service was made.
      if (isFirst) isFirst = false;
      else turns.observe(turnMs / 1000);
      next.waiting(turnMs);
    },
    handling: (fd) => next.handling(fd),
    firing: () => next.firing(),
    tidying: () => next.tidying(),
  };
}
