import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parsePage } from "../../../../lib/cli/manual/page.ts";
import { renderMdoc } from "../../../../scripts/mdoc.ts";

const body = (text: string) =>
  renderMdoc(parsePage(`x(1): about x\n2026-01-02\n${text}`), "x.1.txt").split("\n").slice(7, -1);

Deno.test("renderMdoc() begins as mdoc(7) wants it", () => {
  const [comment, ...head] = renderMdoc(parsePage("x(1): about x\n2026-01-02\n"), "x.1.txt").split(
    "\n",
  );
  assertStringIncludes(comment, "x.1.txt");
  assertEquals(head, [
    ".Dd January 2, 2026",
    ".Dt X 1",
    ".Os",
    ".Sh NAME",
    ".Nm x",
    ".Nd about x",
    "",
  ]);
});

Deno.test("renderMdoc() lets no text become a request of roff", () => {
  assertEquals(body(".so /etc/passwd"), ["\\&.so /etc/passwd"]);
  assertEquals(body("'ab \\n(.H"), ["\\&'ab \\en(.H"]);
  assertEquals(body("    .so x\n    'y \\fB"), [
    ".Bd -literal -offset indent",
    "\\&.so x",
    "\\(aqy \\efB",
    ".Ed",
  ]);
});

Deno.test("renderMdoc() quotes arguments that would be macros, delimiters or several words", () => {
  assertEquals(body("*No*"), [".Cm \\&No"]);
  assertEquals(body("*a:*"), [".Cm a:\\&"]);
  assertEquals(body('*"a"*'), [".Cm \\(dqa\\(dq"]);
  assertEquals(body("*a\\b*"), [".Cm a\\eb"]);
});

Deno.test("renderMdoc() says what a literal is, and keeps punctuation beside it", () => {
  assertEquals(body("(*tls_random_source*), *--json*."), [
    ".Va ( tls_random_source ) ,",
    ".Fl \\-json .",
  ]);
  assertEquals(body("*/etc/x* *y*"), [".Pa /etc/x", ".Cm y"]);
  assertEquals(body("a*b*c"), ["a\\fBb\\fPc"]);
});

Deno.test("renderMdoc() makes references of pages, but not of itself", () => {
  assertEquals(body("See postconf(5), and x(1)."), ["See", ".Xr postconf 5 ,", "and", ".Nm x ."]);
});

Deno.test("renderMdoc() begins a line with each sentence and keeps lines short", () => {
  assertEquals(body("One. Two? Three"), ["One.", "Two?", "Three"]);
  for (const line of body("word ".repeat(100))) assert(line.length < 80, line);
});

Deno.test("renderMdoc() parts paragraphs, and nothing else, by a macro", () => {
  assertEquals(body("# A\nb\n\nc\n- d"), [
    ...[".Sh A", "b", ".Pp", "c"],
    ...[".Bl -dash -compact", ".It", "d", ".El"],
  ]);
});
