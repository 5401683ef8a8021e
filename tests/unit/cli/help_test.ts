import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readCommandLine } from "../../../lib/cli/args.ts";
import { titleOf } from "../../../lib/cli/command.ts";
import { COMMANDS } from "../../../lib/cli/command_table.ts";
import { helpText } from "../../../lib/cli/help.ts";

const groups = new Set(COMMANDS.flatMap(({ words }) => words.length > 1 ? [words[0]] : []));
const texts: readonly (readonly [topic: string, text: string])[] = [
  ["everything", helpText([])],
  ...[...groups].map((word) => [word, helpText([word])] as const),
  ...COMMANDS.map((row) => [titleOf(row), helpText(titleOf(row).split(" "))] as const),
];

for (const [topic, text] of texts) {
  Deno.test(`helpText() about ${topic} ends with an example that can be read`, () => {
    const example = /\nExample:\n {4}\$ ([^\n]+)\n$/.exec(text)?.[1];
    assert(example !== undefined, text);
    for (const command of example.split(/ (?:&&|\|) /)) {
      const [name, ...words] = command.replace(/ [<>] \S+$/, "").split(" ");
      assertEquals(name, "postern");
      readCommandLine(words, name);
    }
  });

  Deno.test(`helpText() about ${topic} explains its words in capitals and fits a terminal`, () => {
    const [usage, ...explanation] = text.split("\n\n");
    // What is to be written; behind it stands what it is for.
    const forms = usage.split("\n").map((line) => line.trim().split(/ {2,}/)[0]).join("\n");
    const capitals = new Set(forms.match(/(?<![\w-])[A-Z]{4,}(?![\w])/g));
    for (const word of capitals) {
      assert(explanation.join("\n\n").includes(word), `${word} is not explained`);
    }
    for (const line of text.split("\n")) assert(line.length <= 100, line);
    assertMatch(text, /^Usage:\n {4}postern /);
  });
}

Deno.test("helpText() about a command shows each option and operand, and what it is for", () => {
  for (const row of COMMANDS) {
    const text = helpText(titleOf(row).split(" "));
    const things = [
      ...Object.values(row.options).map(({ flag, argument, help }) => ({
        name: argument === undefined ? flag : `${flag} ${argument}`,
        help,
      })),
      ...row.operands,
    ];
    const flat = text.replace(/\s+/g, " ");
    for (const { name, help } of things) {
      assertStringIncludes(text, `\n    ${name} `);
      assertStringIncludes(flat, `${name} ${help}`);
    }
  }
});

Deno.test("helpText() about everything names each command once", () => {
  const text = helpText([]);
  for (const row of COMMANDS) {
    const lines = text.split("\n").filter((line) =>
      line.startsWith(`    postern ${titleOf(row)} `)
    );
    assertEquals(lines.length, 1, titleOf(row));
  }
});
