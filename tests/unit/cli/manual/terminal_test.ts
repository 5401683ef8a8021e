import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  argument,
  type Block,
  literal,
  plain,
  readMarkup,
} from "../../../../lib/cli/manual/markup.ts";
import { renderText } from "../../../../lib/cli/manual/terminal.ts";

const shown = (text: string) => renderText(readMarkup(text), { width: 20, styled: false });

Deno.test("renderText() breaks lines at blanks and lets a long word stand alone", () => {
  assertEquals(shown("one two three four five"), "one two three four\nfive\n");
  assertEquals(shown(`a ${"x".repeat(25)} b`), `a\n${"x".repeat(25)}\nb\n`);
});

Deno.test("renderText() does not count escape sequences as width", () => {
  const text = "*one* *two* *three* *four* five";
  const styled = renderText(readMarkup(text), { width: 20, styled: true });
  assertStringIncludes(styled, "\x1b[1mone\x1b[0m \x1b[1mtwo\x1b[0m");
  const unstyled = ["\x1b[0m", "\x1b[1m"].reduce((rest, code) => rest.replaceAll(code, ""), styled);
  assertEquals(unstyled, shown(text));
});

Deno.test("renderText() writes no escape sequence where none is wanted", () => {
  const blocks: Block[] = [
    { kind: "section", title: "a" },
    { kind: "paragraph", spans: [literal("b"), plain(" "), argument("C")] },
  ];
  assertEquals(renderText(blocks, { styled: false }), "A\n    b C\n");
});

Deno.test("renderText() keeps punctuation with the word before it", () => {
  assertEquals(shown("(*alpha*), *beta*."), "(alpha), beta.\n");
});

Deno.test("renderText() indents what belongs to a heading, an item and a term", () => {
  assertEquals(
    shown("# Top\ntext\n## Part\n- one two three\n\n: *x*\nwhat it is\n\n: *y*\nmore"),
    "TOP\n    text\n\n  Part\n    - one two three\n\n    x\n        what it is\n    y\n" +
      "        more\n",
  );
});

Deno.test("renderText() lines facts up, however long they are", () => {
  const rows = [["Default", [literal("a")]], ["Value", [plain("one two three")]]] as const;
  assertEquals(
    renderText([{ kind: "facts", rows }], { width: 20, styled: false }),
    "Default:  a\nValue:    one two\n          three\n",
  );
});

Deno.test("renderText() shows usage with brackets around what may be left out", () => {
  const usage: Block = {
    kind: "usage",
    words: ["postern", "x"],
    parts: [
      { flag: "--json", optional: true },
      { flag: "-o", argument: "N=V", optional: true, many: true },
      { argument: "FILE" },
    ],
  };
  assertEquals(
    renderText([usage, usage], { width: 40, styled: false }),
    "postern x [--json] [-o N=V]... FILE\n".repeat(2),
  );
  const styled = renderText([usage], { styled: true });
  assert(styled.includes("\x1b[1mpostern x\x1b[0m") && styled.includes("\x1b[4mFILE\x1b[0m"));
});

Deno.test("renderText() ends no line in a blank", () => {
  const text = renderText(readMarkup("# A\n    one\n\n    two\n- b"), { styled: false });
  for (const line of text.split("\n")) assertEquals(line, line.trimEnd());
});
