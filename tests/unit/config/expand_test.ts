/**
 * Expressions, form by form.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  Evaluator,
  EXPANDED_LENGTH_MAX,
  ExpansionError,
  LEVELS_MAX,
  mentionedNames,
} from "../../../lib/config/expand.ts";

function expand(text: string, values: Record<string, string> = {}): string {
  const all = new Map(Object.entries({ ...values, subject: text }));
  return new Evaluator((name) => all.get(name)).value("subject");
}

const VALUES = { a: "A", empty: "", outer: "<$a>", nine: "3.9", ten: "3.10" };

const FORMS: readonly [string, string][] = [
  ["plain text", "plain text"],
  ["$a", "A"],
  ["$a.b", "A.b"],
  ["$a_", ""],
  ["x${a}y", "xAy"],
  ["x$(a)y", "xAy"],
  ["${ a }", "A"],
  ["$( a )", "A"],
  ["$outer$outer", "<A><A>"],
  ["$$", "$"],
  ["$$a", "$a"],
  ["100$$ $$$a", "100$ $A"],
  ["$missing", ""],
  ["${missing}", ""],
  // Conditions on a name.
  ["${a?text}", "text"],
  ["${empty?text}", ""],
  ["${missing?text}", ""],
  ["${a:text}", ""],
  ["${empty:text}", "text"],
  ["${missing:text}", "text"],
  ["$(a?text)", "text"],
  ["${a?one:two?three}", "one:two?three"],
  ["${a? blank}", " blank"],
  ["${a?$outer}", "<A>"],
  ["${a?}", ""],
  ["${empty:{text}}", "text"],
  // Both branches.
  ["${a?{yes}:{no}}", "yes"],
  ["${empty?{yes}:{no}}", "no"],
  ["${a?{yes}:no}", "yes"],
  ["${empty?{yes}:no}", "no"],
  ["${empty?{yes}: no}", " no"],
  ["${ a ? { yes } : { no } }", " yes "],
  ["${a?{}:{no}}", ""],
  ["${a?{${empty?{1}:{2}}}:{3}}", "2"],
  ["${a?{yes}}", "yes"],
  ["${empty?{yes}}", ""],
  ["${a?{{nested}}:{no}}", "{nested}"],
  ["${a ?{yes}:{no}}", "yes"],
  // Comparisons.
  ["${{$a} == {A}}", "true"],
  ["${{$a} != {A}}", ""],
  ["${{$a} == {A}?{same}:{other}}", "same"],
  ["${{$a}=={B}?{same}:{other}}", "other"],
  ["${{$a} == {A}?same}", "same"],
  ["${{$a} == {B}:other}", "other"],
  ["${{ A } == {A}?{same}:{other}}", "other"],
  ["${{} == {}}", "true"],
  ["${{9} < {10}?{number}:{text}}", "number"],
  ["${{9} < {10a}?{number}:{text}}", "text"],
  ["${{010} == {10}?{number}:{text}}", "number"],
  ["${{$ten} < {$nine}?{text}:{version}}", "text"],
  ["${{$ten} <level {$nine}?{below}:{above}}", "above"],
  ["${{$nine} <level {$ten}?{below}:{above}}", "below"],
  ["${{3.11} <=level {3.11.0}}", "true"],
  ["${{3} ==level {3.0.0}}", "true"],
  ["${{3.11} !=level {3.12}}", "true"],
  ["${{3.11.1} >level {3.11}}", "true"],
  ["${{3.11} >=level {3.11.1}}", ""],
  ["${{a} <= {b}}${{b} >= {a}}${{b} > {a}}", "truetruetrue"],
  ["${{\u{10000}} > {\uffff}}", "true"],
];

for (const [text, expected] of FORMS) {
  Deno.test(`Evaluator expands ${JSON.stringify(text)}`, () => {
    assertEquals(expand(text, VALUES), expected);
  });
}

const MISTAKES: readonly [string, string][] = [
  ["100$", 'no name follows the "$" at character 4'],
  ["$-", "no name follows"],
  ["${a", 'the bracket "{" is not closed'],
  ["$(a", 'the bracket "(" is not closed'],
  ["${a?{b}", "is not closed"],
  ["${}", "no name"],
  ["${a b}", 'found "b"'],
  ["${a-b}", 'found "-"'],
  ["${a?{yes}no}", 'found "n"'],
  ["${a?{yes}:{no}more}", "text follows"],
  ["${{a}{b}}", "no operator"],
  ["${{a} = {b}}", 'unknown operator "="'],
  ["${{a} <lvl {b}}", 'unknown operator "<lvl"'],
  ["${{a} == b}", 'no "{"'],
  ["${{a} == {b} c}", 'found "c"'],
  ["${{3.x} <level {3.11}}", '"3.x" is not a version'],
  ["${domain_to_ascii{a}}", 'unknown function "domain_to_ascii"'],
];

for (const [text, expected] of MISTAKES) {
  Deno.test(`Evaluator refuses ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => expand(text, VALUES), ExpansionError, expected);
    assertEquals(error instanceof ExpansionError && error.owner, "subject");
  });
}

Deno.test("Evaluator leaves the branch that is not chosen alone", () => {
  assertEquals(expand("${a?{yes}:{${}}}", VALUES), "yes");
});

Deno.test("Evaluator shows the names of a circle, in the same words from everywhere", () => {
  const values = new Map([["b", "$c"], ["c", "${d}"], ["d", "x${b?$b}"], ["a", "$b"]]);
  const evaluator = new Evaluator((name) => values.get(name));
  for (const name of ["a", "b", "c", "d"]) {
    assertThrows(
      () => evaluator.value(name),
      ExpansionError,
      "Cannot expand $b: it refers to itself, b -> c -> d -> b",
    );
  }
});

Deno.test("Evaluator finds a circle inside a comparison", () => {
  assertThrows(
    () => expand("${{$subject} == {x}?{y}}"),
    ExpansionError,
    "subject -> subject",
  );
});

function chain(length: number): Evaluator {
  const values = new Map<string, string>();
  for (let i = 0; i < length; i++) values.set(`n${i}`, `$n${i + 1}`);
  values.set(`n${length}`, "end");
  return new Evaluator((name) => values.get(name));
}

Deno.test("Evaluator follows as many levels as the limit says, and no more", () => {
  assertEquals(chain(LEVELS_MAX).value("n0"), "end");
  assertThrows(
    () => chain(LEVELS_MAX + 1).value("n0"),
    ExpansionError,
    "more than 100 nested expansions, n0 -> n1 -> n2 -> n3 -> ... -> n98 -> n99 -> n100",
  );
});

Deno.test("Evaluator counts levels alike whether the far end is already known or not", () => {
  const evaluator = chain(LEVELS_MAX + 1);
  assertEquals(evaluator.value("n50"), "end");
  assertEquals(evaluator.value("n1"), "end");
  assertThrows(() => evaluator.value("n0"), ExpansionError, "more than 100");
});

Deno.test("Evaluator counts levels of nested brackets and of comparison operands", () => {
  const nest = (times: number) => "${a?{".repeat(times) + "x" + "}}".repeat(times);
  assertEquals(expand(nest(LEVELS_MAX), VALUES), "x");
  assertThrows(() => expand(nest(LEVELS_MAX + 1), VALUES), ExpansionError, "more than 100");
  const compare = "${{".repeat(5000) + "} == {}}".repeat(5000);
  assertThrows(() => expand(compare), ExpansionError, "more than 100");
});

Deno.test("Evaluator bounds the length of what comes out", () => {
  const values: Record<string, string> = { n0: "0123456789abcdef" };
  for (let i = 1; i <= 60; i++) values[`n${i}`] = `$n${i - 1}$n${i - 1}`;
  assertThrows(
    () => expand("$n60", values),
    ExpansionError,
    `longer than ${EXPANDED_LENGTH_MAX} characters`,
  );
});

Deno.test("Evaluator asks for each text once", () => {
  const asked: string[] = [];
  const values = new Map([["a", "$b$b"], ["b", "$c$c"], ["c", "x"]]);
  const evaluator = new Evaluator((name) => {
    asked.push(name);
    return values.get(name);
  });
  assertEquals(evaluator.value("a"), "xxxx");
  assertEquals(evaluator.value("b"), "xx");
  assertEquals(asked, ["a", "b", "c"]);
});

Deno.test("Evaluator notes undefined names and who asked for them", () => {
  const values = new Map([["a", "$lost${lost}"], ["b", "${{$lost} == {}}"]]);
  const evaluator = new Evaluator((name) => values.get(name));
  evaluator.value("a");
  evaluator.value("b");
  assertEquals([...evaluator.undefinedNames].map(([name, by]) => [name, [...by]]), [
    ["lost", ["a", "b"]],
  ]);
});

Deno.test("Evaluator goes on after an error", () => {
  const values = new Map([["bad", "$"], ["good", "fine"]]);
  const evaluator = new Evaluator((name) => values.get(name));
  assertThrows(() => evaluator.value("bad"), ExpansionError);
  assertEquals(evaluator.value("good"), "fine");
});

Deno.test("mentionedNames() sees names in every form", () => {
  assertEquals(mentionedNames("$a ${b?{$c}:{$(d)}} ${{$e} == {x}} ${ f }"), [
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
  ]);
});
