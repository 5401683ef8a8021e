import { assertEquals } from "@std/assert";
import { ManualClock } from "../../../lib/base/clock.ts";
import { Progress } from "../../../lib/daemon/progress.ts";
import { type StuckThread, Watchdog } from "../../../lib/daemon/watchdog.ts";
import { closeFile, writeFile } from "../../../lib/ffi/libc/file.ts";
import { pipe } from "../../../lib/ffi/libc/socket.ts";
import { Reactor, READY } from "../../../lib/reactor/reactor.ts";
import { testDescriptors } from "../../support/descriptors.ts";

/** What looks say, one after the other. */
function looks(watchdog: Watchdog, count: number): (StuckThread | undefined)[] {
  return Array.from({ length: count }, () => watchdog.look());
}

Deno.test("Watchdog finds a thread in one turn at ten looks, and says what it is doing", () => {
  const [first, second] = [Progress.allocate(), Progress.allocate()].map((m) => new Progress(m));
  const watchdog = new Watchdog([first, second]);
  second.handling(17);
  assertEquals(looks(watchdog, 9), Array(9).fill(undefined));
  assertEquals(watchdog.isWell, false);
  first.firing();
  assertEquals(watchdog.look(), { index: 1, work: "handling descriptor 17" });
  assertEquals(looks(watchdog, 8), Array(8).fill(undefined), "it is told of once");
  assertEquals(watchdog.look(), { index: 0, work: "running timers" });
});

Deno.test("Watchdog leaves a thread alone that waits, and one that is busy in turn after turn", () => {
  const [idle, busy] = [Progress.allocate(), Progress.allocate()].map((m) => new Progress(m));
  const watchdog = new Watchdog([idle, busy]);
  for (let i = 0; i < 100; i++) {
    busy.waiting();
    busy.tidying();
    assertEquals([watchdog.look(), watchdog.isWell], [undefined, true]);
  }
  // Nine looks in one turn, and then another turn.
  assertEquals(looks(watchdog, 9), Array(9).fill(undefined));
  busy.waiting();
  busy.firing();
  assertEquals(looks(watchdog, 9), Array(9).fill(undefined));
});

Deno.test("Progress names every kind of work", () => {
  const progress = new Progress(Progress.allocate());
  const works = [() => progress.opening(), () => progress.firing(), () => progress.tidying()];
  assertEquals(works.map((work) => [work(), progress.work][1]), [
    "opening files",
    "running timers",
    "tidying up at the end of a turn",
  ]);
  progress.waiting();
  assertEquals(progress.work, undefined);
});

testDescriptors("a Reactor says in each turn what it is about to do", () => {
  const ends = pipe();
  if (typeof ends === "number") throw new Error("no pipe");
  const progress = new Progress(Progress.allocate());
  const reactor = new Reactor(new ManualClock(), progress);
  const seen: (string | undefined)[] = [];
  const registration = reactor.watch(ends[0], READY.read, {
    ready: () => void seen.push(progress.work),
  });
  reactor.after(0, () => void seen.push(progress.work));
  reactor.atTurnEnd(() => {
    seen.push(progress.work);
    return "idle";
  });
  writeFile(ends[1], new Uint8Array(1), 1);
  const before = progress.turn;
  reactor.turn(0);
  assertEquals(progress.turn, before + 1);
  assertEquals(seen, [
    `handling descriptor ${ends[0]}`,
    "running timers",
    "tidying up at the end of a turn",
  ]);
  registration.close();
  reactor.close();
  for (const fd of ends) closeFile(fd);
});

Deno.test("Watchdog.marginMs() is what the thread in one turn for longest has left", () => {
  const [idle, busy] = [Progress.allocate(), Progress.allocate()].map((m) => new Progress(m));
  const watchdog = new Watchdog([idle, busy]);
  assertEquals(watchdog.marginMs(10_000), 10_000);
  busy.firing();
  looks(watchdog, 4);
  assertEquals(watchdog.marginMs(10_000), 6_000);
  looks(watchdog, 20);
  assertEquals(watchdog.marginMs(10_000), 0);
  busy.waiting();
  watchdog.look();
  assertEquals(watchdog.marginMs(10_000), 10_000);
});
