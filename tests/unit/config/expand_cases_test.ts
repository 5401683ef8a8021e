/**
 * The cases of the specification, each with postern's evaluator; an interoperability test runs the
 * same cases through a real postconf(1).
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { Evaluator, ExpansionError, LEVELS_MAX } from "../../../lib/config/expand.ts";
import { CASE_VALUES, DIFFERENCES, EXPANSION_CASES } from "../../support/config_expansion_cases.ts";

function expand(text: string, more: Readonly<Record<string, string>> = {}): string {
  const values = new Map(Object.entries({ ...CASE_VALUES, ...more, subject: text }));
  return new Evaluator((name) => values.get(name)).value("subject");
}

function check(
  text: string,
  expected: string | { refused: string },
  more?: Readonly<Record<string, string>>,
): void {
  if (typeof expected === "string") assertEquals(expand(text, more), expected, text);
  else assertThrows(() => expand(text, more), ExpansionError, expected.refused, text);
}

for (const [title, cases] of Object.entries(EXPANSION_CASES)) {
  Deno.test(`Evaluator follows the specification: ${title}`, () => {
    for (const [text, expected] of cases) check(text, expected);
  });
}

for (const [name, { text, values, ours }] of Object.entries(DIFFERENCES)) {
  Deno.test(`Evaluator differs from Postfix on purpose: ${name}`, () => check(text, ours, values));
}

Deno.test("Evaluator refuses what nests too deep in every position, and names the chain", () => {
  const shapes: readonly ((inner: string) => string)[] = [
    (inner) => "${a?{" + inner + "}}",
    (inner) => "${a?" + inner + "}",
    (inner) => "${empty:{" + inner + "}}",
    (inner) => "${empty?{x}:" + inner + "}",
    (inner) => "${{" + inner + "} == {}:x}",
    (inner) => "${{} == {" + inner + "}:x}",
    (inner) => "${{a} == {b}?{x}:{" + inner + "}}",
    (inner) => "$(a?" + inner + ")",
  ];
  for (const shape of shapes) {
    let text = "end";
    for (let i = 0; i < LEVELS_MAX; i++) text = shape(text);
    expand(text);
    for (let i = 0; i < 400; i++) text = shape(text);
    const message = `more than ${LEVELS_MAX} nested expansions, subject`;
    assertThrows(() => expand(text), ExpansionError, message);
  }
});

Deno.test("Evaluator holds the limit along chains that run through comparisons and branches", () => {
  const steps: readonly ((next: string) => string)[] = [
    (next) => `$${next}`,
    (next) => "${" + next + "}",
    (next) => "${{$" + next + "} == {x}:y}",
    (next) => "${{x} == {${" + next + "}}:y}",
    (next) => "${" + next + "?{$" + next + "}:{y}}",
    (next) => "${a?$" + next + "}",
  ];
  for (const step of steps) {
    const values: Record<string, string> = { n5000: "end" };
    for (let i = 0; i < 5000; i++) values[`n${i}`] = step(`n${i + 1}`);
    const error = assertThrows(() => expand("$n0", values), ExpansionError, "subject -> n0 -> n1");
    assertEquals(error instanceof ExpansionError && error.owner, "subject");
  }
});
