import { assertEquals } from "@std/assert";
import { FOLD_LIMIT_MS, Folding } from "../../../lib/log/folding.ts";
import type { Line, LogSubject } from "../../../lib/log/line.ts";

const INFO = 20;
const WARN = 30;

/** A folding whose lines are kept, and whose time is up when told so. */
function rig(isByAbout = false) {
  const lines: string[] = [];
  const due: (() => void)[] = [];
  let at = 0;
  const folding = new Folding({
    isByAbout,
    defer: (delayMs, act) => {
      assertEquals(delayMs, FOLD_LIMIT_MS);
      due.push(act);
    },
    write: ({ text, time }) => lines.push(`${time.getTime()} ${text}`),
    writeRepeated: ({ text }, count) => lines.push(`${text} × ${count}`),
  });
  return {
    lines,
    due,
    folding,
    take(text: string, more: Partial<Line> = {}) {
      folding.take({ level: INFO, text, time: new Date(at++), about: undefined, ...more });
    },
  };
}

Deno.test("Folding writes what differs at once", () => {
  const { lines, due, take } = rig();
  take("a");
  take("b");
  take("a");
  take("a", { level: WARN });
  assertEquals(lines, ["0 a", "1 b", "2 a", "3 a"]);
  assertEquals(due.length, 0);
});

Deno.test("Folding tells how often a line was repeated when another one comes", () => {
  const { lines, due, take } = rig();
  for (let i = 0; i < 4; i++) take("a");
  assertEquals(lines, ["0 a"]);
  take("b");
  assertEquals(lines, ["0 a", "a × 3", "4 b"]);
  assertEquals(due.length, 1);
});

Deno.test("Folding writes a single repetition as it is", () => {
  const { lines, take } = rig();
  take("a");
  take("a");
  take("b");
  assertEquals(lines, ["0 a", "1 a", "2 b"]);
});

Deno.test("Folding tells when the time is up, and folds on", () => {
  const { lines, due, take } = rig();
  for (let i = 0; i < 3; i++) take("a");
  due.shift()!();
  assertEquals(lines, ["0 a", "a × 2"]);
  for (let i = 0; i < 5; i++) take("a");
  assertEquals(lines, ["0 a", "a × 2"]);
  assertEquals(due.length, 1);
  due.shift()!();
  assertEquals(lines, ["0 a", "a × 2", "a × 5"]);
  assertEquals(due.length, 0);
});

Deno.test("Folding has nothing to tell when the time is up and another line came before", () => {
  const { lines, due, take, folding } = rig();
  take("a");
  take("a");
  take("b");
  due.shift()!();
  folding.flush();
  assertEquals(lines, ["0 a", "1 a", "2 b"]);
});

Deno.test("Folding tells at the end", () => {
  const { lines, take, folding } = rig();
  for (let i = 0; i < 3; i++) take("a");
  folding.flush();
  folding.flush();
  assertEquals(lines, ["0 a", "a × 2"]);
});

Deno.test("Folding writes every event", () => {
  const { lines, take } = rig();
  const about: LogSubject = { isEvent: true, describe() {} };
  for (let i = 0; i < 3; i++) take("a", { about });
  take("a");
  take("a", { about });
  assertEquals(lines, ["0 a", "1 a", "2 a", "3 a", "4 a"]);
});

Deno.test("Folding keeps apart what is about different sessions only where lines tell of them", () => {
  const one: LogSubject = { describe() {} };
  const other: LogSubject = { describe() {} };
  for (const isByAbout of [true, false]) {
    const { lines, take, folding } = rig(isByAbout);
    for (const about of [one, one, one, other, other, other]) take("a", { about });
    folding.flush();
    assertEquals(lines, isByAbout ? ["0 a", "a × 2", "3 a", "a × 2"] : ["0 a", "a × 5"]);
  }
});
