import { assert, assertEquals, assertMatch } from "@std/assert";
import { HELP_TOPICS, readCommandLine } from "../../../lib/cli/args.ts";
import { helpText } from "../../../lib/cli/help.ts";

const texts = [undefined, ...HELP_TOPICS].map((topic) => [topic ?? "everything", helpText(topic)]);

for (const [topic, text] of texts) {
  Deno.test(`helpText() about ${topic} ends with an example that can be read`, () => {
    const example = /\nExample:\n {4}\$ ([^\n]+)\n$/.exec(text)?.[1];
    assert(example !== undefined, text);
    for (const command of example.split(" && ")) {
      const [name, ...words] = command.split(" ");
      assertEquals(name, "postern");
      readCommandLine(words, name);
    }
  });

  Deno.test(`helpText() about ${topic} explains its words in capitals and fits a terminal`, () => {
    const [usage, ...explanation] = text.split("\n\n");
    const capitals = new Set(usage.match(/(?<![\w-])[A-Z]{4,}(?![\w])/g));
    for (const word of capitals) {
      assert(explanation.join("\n\n").includes(word), `${word} is not explained`);
    }
    for (const line of text.split("\n")) assert(line.length <= 100, line);
    assertMatch(text, /^Usage:\n {4}postern /);
  });
}
