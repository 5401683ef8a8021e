import { assertEquals } from "@std/assert";
import { FaultLog, LINES_PER_WINDOW } from "../../../lib/tlsmgr/fault_log.ts";

/** A log whose window ends when told. */
function makeLog() {
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  const log = new FaultLog({
    warn: (text) => lines.push(text),
    after: (_delayMs, handler) => waiting.push(handler),
  });
  const endWindow = () => waiting.splice(0).forEach((handler) => handler());
  return { log, lines, waiting, endWindow };
}

Deno.test("FaultLog logs what is within the bound and says nothing more", () => {
  const { log, lines, endWindow, waiting } = makeLog();
  for (let i = 0; i < LINES_PER_WINDOW; i++) log.warn(`fault ${i}`);
  endWindow();
  assertEquals(lines.length, LINES_PER_WINDOW);
  assertEquals(waiting.length, 0);
});

Deno.test("FaultLog counts what is beyond the bound, and logs again in the next window", () => {
  const { log, lines, endWindow, waiting } = makeLog();
  for (let i = 0; i < LINES_PER_WINDOW + 7; i++) log.warn("fault");
  assertEquals([lines.length, waiting.length], [LINES_PER_WINDOW, 1]);
  endWindow();
  assertEquals(lines.at(-1), "left out 7 more warnings about clients in 10 seconds");
  log.warn("later");
  assertEquals(lines.at(-1), "later");
  assertEquals(waiting.length, 1);
});
