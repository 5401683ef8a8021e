import { assertEquals } from "@std/assert";
import { makeProgress, PATIENCE_MS } from "../../../../lib/daemon/desk/health.ts";
import { Watchdog } from "../../../../lib/daemon/watchdog.ts";

/** A thread whose turns are told. */
interface FakeThread {
  turn: number;
  work: string | undefined;
}

/** Whether the threads are well, and how long it took to find out; `step` is called in each pause. */
async function look(threads: readonly FakeThread[], step: (pausedMs: number) => void) {
  let pausedMs = 0;
  const isWell = await makeProgress([new Watchdog(threads)], (ms) => {
    pausedMs += ms;
    step(pausedMs);
    return Promise.resolve();
  });
  return { isWell, pausedMs };
}

Deno.test("makeProgress() is true at once when all threads wait", async () => {
  const threads = [{ turn: 7, work: undefined }, { turn: 7, work: undefined }];
  assertEquals(await look(threads, () => {}), { isWell: true, pausedMs: 0 });
});

Deno.test("makeProgress() gives a busy thread time to come to another turn", async () => {
  const thread: FakeThread = { turn: 7, work: "handling descriptor 9" };
  const well = await look([thread], (pausedMs) => {
    if (pausedMs >= 500) thread.turn = 8;
  });
  assertEquals(well, { isWell: true, pausedMs: 500 });
  const waits = await look([thread], () => thread.work = undefined);
  assertEquals(waits, { isWell: true, pausedMs: 100 });
});

Deno.test("makeProgress() is false when one thread stays where it is", async () => {
  const stuck = { turn: 7, work: "handling descriptor 9" };
  const other = { turn: 1, work: "running timers" };
  const found = await look([stuck, other], () => other.turn++);
  assertEquals(found, { isWell: false, pausedMs: PATIENCE_MS });
});
