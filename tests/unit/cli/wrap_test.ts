import { assertEquals } from "@std/assert";
import { wrapWords } from "../../../lib/cli/wrap.ts";

Deno.test("wrapWords() fills lines, and lets a long word stand alone", () => {
  const words = ["aa", "bb", "cccccc", "d", "e e"];
  assertEquals(wrapWords(words, 5), ["aa bb", "cccccc", "d e e"]);
  assertEquals(wrapWords([], 5), []);
});
