import { assertEquals } from "@std/assert";
import { literal, plain, readMarkup, readSpans } from "../../../../lib/cli/manual/markup.ts";

Deno.test("readSpans() tells literal text from other, and leaves a lone mark alone", () => {
  assertEquals(readSpans("  Use *a  b*\n or `c`, not 2 * 3.  "), [
    plain("Use "),
    literal("a b"),
    plain(" or "),
    literal("c"),
    plain(", not 2 * 3."),
  ]);
  assertEquals(readSpans(""), []);
});

Deno.test("readMarkup() joins the lines of a paragraph and of an item", () => {
  assertEquals(readMarkup("One\ntwo\n- a\nb\n- c\n\nthree"), [
    { kind: "paragraph", spans: [plain("One two")] },
    { kind: "list", items: [[plain("a b")], [plain("c")]] },
    { kind: "paragraph", spans: [plain("three")] },
  ]);
});

Deno.test("readMarkup() keeps literal lines as they are, across blank lines", () => {
  assertEquals(readMarkup("Do:\n    $ a  *b*\n\n      - c\nso"), [
    { kind: "paragraph", spans: [plain("Do:")] },
    { kind: "literal", lines: ["$ a  *b*", "", "  - c"] },
    { kind: "paragraph", spans: [plain("so")] },
  ]);
});

Deno.test("readMarkup() makes one list of terms that follow each other", () => {
  const entry = (term: string, text: string) => ({
    term: [literal(term)],
    blocks: [{ kind: "paragraph", spans: [plain(text)] }] as const,
  });
  assertEquals(readMarkup(": *a*\nOne\nmore\n\n: *b*\nTwo"), [
    { kind: "entries", items: [entry("a", "One more"), entry("b", "Two")] },
  ]);
});

Deno.test("readMarkup() needs no blank line around headings", () => {
  assertEquals(readMarkup("# A\ntext\n## B\nmore"), [
    { kind: "section", title: "A" },
    { kind: "paragraph", spans: [plain("text")] },
    { kind: "subsection", title: "B" },
    { kind: "paragraph", spans: [plain("more")] },
  ]);
});
