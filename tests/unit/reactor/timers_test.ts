import { assert, assertEquals } from "@std/assert";
import { type Timer, Timers } from "../../../lib/reactor/timers.ts";
import { seededRandom } from "../../support/random.ts";

Deno.test("Timers.fire() runs what is due, the earliest first", () => {
  const timers = new Timers();
  const fired: number[] = [];
  for (const at of [30, 10, 20, 40, 5]) timers.add(at, () => fired.push(at));
  timers.fire(4.9);
  assertEquals(fired, []);
  timers.fire(30);
  assertEquals(fired, [5, 10, 20, 30]);
  timers.fire(1000);
  assertEquals(fired, [5, 10, 20, 30, 40]);
  assertEquals(timers.size, 0);
});

Deno.test("Timers.nextDelayMs() rounds up, is never negative, and -1 without timers", () => {
  const timers = new Timers();
  assertEquals(timers.nextDelayMs(0), -1);
  timers.add(10.2, () => {});
  assertEquals(timers.nextDelayMs(0), 11);
  assertEquals(timers.nextDelayMs(10.1), 1);
  assertEquals(timers.nextDelayMs(10.2), 0);
  assertEquals(timers.nextDelayMs(5000), 0);
});

Deno.test("Timer.postpone() moves a timer later, never earlier", () => {
  const timers = new Timers();
  const fired: string[] = [];
  const moved = timers.add(10, () => fired.push("moved"));
  timers.add(20, () => fired.push("other"));
  moved.postpone(30);
  moved.postpone(15);
  assertEquals(timers.nextDelayMs(0), 20);
  timers.fire(29);
  assertEquals(fired, ["other"]);
  assert(moved.armed);
  timers.fire(30);
  assertEquals(fired, ["other", "moved"]);
  assert(!moved.armed);
});

Deno.test("Timers.cancel() keeps a timer from firing, and may be called again or after it fired", () => {
  const timers = new Timers();
  const fired: number[] = [];
  const [first, second] = [1, 2].map((at) => timers.add(at, () => fired.push(at)));
  timers.cancel(first);
  timers.cancel(first);
  assertEquals(timers.nextDelayMs(0), 2);
  timers.fire(2);
  timers.cancel(second);
  assertEquals(fired, [2]);
  assertEquals(timers.nextDelayMs(0), -1);
});

Deno.test("a timer that fires may cancel or postpone one that is due as well", () => {
  const timers = new Timers();
  const fired: string[] = [];
  timers.add(1, () => {
    timers.cancel(cancelled);
    postponed.postpone(50);
  });
  const cancelled = timers.add(2, () => fired.push("cancelled"));
  const postponed = timers.add(3, () => fired.push("postponed"));
  timers.fire(10);
  assertEquals(fired, []);
  assertEquals(timers.nextDelayMs(10), 40);
  timers.fire(50);
  assertEquals(fired, ["postponed"]);
});

Deno.test("timers armed while others fire wait for the next call", () => {
  const timers = new Timers();
  let count = 0;
  const again = () => {
    count++;
    timers.add(0, again);
  };
  again();
  timers.fire(10);
  assertEquals(count, 2);
  assertEquals(timers.nextDelayMs(10), 0);
  timers.fire(10);
  assertEquals(count, 3);
});

Deno.test("cancelled timers are swept out of the heap once most of it is theirs", () => {
  const timers = new Timers();
  const kept: number[] = [];
  for (let i = 0; i < 10; i++) timers.add(1_000_000 + i, () => kept.push(i));
  for (let i = 0; i < 10_000; i++) timers.cancel(timers.add(2_000_000 + i, () => kept.push(-1)));
  assert(timers.size < 200, `${timers.size} timers are in the heap`);
  timers.fire(3_000_000);
  assertEquals(kept, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("the sweep keeps timers that were postponed", () => {
  const timers = new Timers();
  const fired: string[] = [];
  const moved = timers.add(10, () => fired.push("moved"));
  moved.postpone(500);
  const many = Array.from({ length: 500 }, (_, i) => timers.add(100 + i, () => {}));
  for (const timer of many) timers.cancel(timer);
  assert(timers.size < 500);
  timers.fire(499);
  assertEquals(fired, []);
  timers.fire(500);
  assertEquals(fired, ["moved"]);
});

Deno.test("timers cancelled during a firing do not upset the count that the sweep goes by", () => {
  const timers = new Timers();
  const fired: number[] = [];
  const due = Array.from({ length: 300 }, () => timers.add(1, () => {}));
  timers.add(0, () => due.forEach((timer) => timers.cancel(timer)));
  timers.fire(1);
  for (let i = 0; i < 100; i++) timers.add(2 + i, () => fired.push(i));
  timers.cancel(timers.add(500, () => fired.push(-1)));
  timers.fire(1000);
  assertEquals(fired, Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("timers behave as a list that is sorted anew each time", () => {
  const random = seededRandom(7);
  const timers = new Timers();
  const model = new Map<Timer, number>();
  const fired: Timer[] = [];
  let now = 0;
  for (let step = 0; step < 20_000; step++) {
    const live = [...model.keys()];
    const pick = live[random(Math.max(live.length, 1))];
    switch (random(5)) {
      case 0:
      case 1: {
        const at = now + random(100);
        const timer: Timer = timers.add(at, () => fired.push(timer));
        model.set(timer, at);
        break;
      }
      case 2:
        if (pick === undefined) break;
        timers.cancel(pick);
        model.delete(pick);
        break;
      case 3: {
        if (pick === undefined) break;
        const due = now + random(200);
        pick.postpone(due);
        model.set(pick, Math.max(due, model.get(pick)!));
        break;
      }
      default: {
        now += random(12);
        const wanted = live.filter((timer) => model.get(timer)! <= now);
        timers.fire(now);
        assertEquals(new Set(fired), new Set(wanted), `step ${step}`);
        assertEquals(fired.length, wanted.length);
        for (const timer of fired.splice(0)) model.delete(timer);
      }
    }
    const next = Math.min(...model.values());
    assertEquals(timers.nextDelayMs(now), model.size === 0 ? -1 : Math.max(0, next - now));
  }
});
