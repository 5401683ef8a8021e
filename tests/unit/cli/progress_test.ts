import { assertEquals } from "@std/assert";
import { Progress } from "../../../lib/cli/progress.ts";

/** What is printed for work of `totalBytes` with these steps. */
function shown(totalBytes: number, isTerminal: boolean, ...doneBytes: number[]): string[] {
  const texts: string[] = [];
  {
    const screen = { isTerminal: () => isTerminal, print: (text: string) => void texts.push(text) };
    using progress = new Progress("Reading c", totalBytes, screen);
    for (const bytes of doneBytes) progress.show(bytes);
  }
  return texts;
}

Deno.test("Progress shows each percentage once, and takes its line away", () => {
  const texts = shown(100 << 20, true, 0, 1 << 19, 1 << 20, 50 << 20, 100 << 20, 101 << 20);
  assertEquals(texts, [
    "\rReading c: 0 %",
    "\rReading c: 1 %",
    "\rReading c: 50 %",
    "\rReading c: 100 %",
    "\r\x1b[K",
  ]);
});

Deno.test("Progress is silent about short work and where nobody looks", () => {
  assertEquals(shown(1 << 20, true, 1 << 19), []);
  assertEquals(shown(100 << 20, false, 50 << 20), []);
  assertEquals(shown(100 << 20, true), []);
});
