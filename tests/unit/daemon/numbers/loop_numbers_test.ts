import { assertEquals } from "@std/assert";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { countLoop } from "../../../../lib/daemon/numbers/loop_numbers.ts";
import { NumberBoard } from "../../../../lib/daemon/numbers/number_board.ts";
import { Progress } from "../../../../lib/daemon/progress.ts";
import { Reactor } from "../../../../lib/reactor/reactor.ts";

Deno.test("countLoop() counts each turn with what it took, and not what came before the first", () => {
  const clock = new ManualClock();
  const board = new NumberBoard(clock);
  const progress = new Progress(Progress.allocate());
  const reactor = new Reactor(clock, countLoop(board.own, progress));
  clock.advance(60_000);
  for (const workMs of [30, 700]) {
    reactor.after(0, () => clock.advance(workMs));
    reactor.turn(0);
  }
  reactor.turn(0);
  reactor.close();
  const family = board.collect().find(({ name }) => name === "postern_event_loop_turn_seconds");
  const [sample] = family?.type === "histogram" ? family.samples : [];
  assertEquals([sample.buckets.at(-1)!.count, sample.sum], [2, 0.73]);
  assertEquals(progress.turn, 3);
});
