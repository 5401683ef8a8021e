import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../../lib/cli/command_table.ts";
import { quoteWord } from "../../../../lib/cli/completion/bash.ts";
import { completionScript } from "../../../../lib/cli/completion/scripts.ts";
import { stages } from "../../../../lib/cli/completion/words.ts";
import { PARAMETERS } from "../../../../lib/config/parameters.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

Deno.test("stages() leads to every command, with all of its options", () => {
  const all = stages();
  for (const { words, options } of COMMANDS) {
    for (const [i, word] of words.entries()) {
      const before = all.find(({ title }) => title === words.slice(0, i).join(" "));
      assert(before?.next.some(([next]) => next === word), words.join(" "));
    }
    const stage = all.find(({ title }) => title === words.join(" "));
    const flags = stage?.options.map(({ flag }) => flag) ?? [];
    for (const { flag } of Object.values(options)) assert(flags.includes(flag), flag);
  }
});

Deno.test("stages() tells files, words and names of parameters apart", () => {
  const valuesOf = (title: string, flag: string) =>
    stages().find((stage) => stage.title === title)?.options.find((one) => one.flag === flag)
      ?.values;
  assertEquals(valuesOf("config check", "--config"), { kind: "file" });
  assertEquals(valuesOf("config check", "--role"), {
    kind: "words",
    words: ["tlsmgr", "tlsproxy"],
  });
  assertEquals(valuesOf("", "-o"), { kind: "list", list: "parameters" });
  assertEquals(valuesOf("config show", "--json"), undefined);
  const operands = (title: string) => stages().find((stage) => stage.title === title)?.operands;
  assertEquals(operands("config show"), { kind: "list", list: "names" });
  assertEquals(operands("help"), { kind: "list", list: "topics" });
  assertEquals(operands("cache stat"), { kind: "file" });
});

Deno.test("completionScript() names every command, option and parameter for each shell", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell);
    for (const { words, options } of COMMANDS) {
      for (const word of words) assertStringIncludes(script, word);
      for (const { flag } of Object.values(options)) {
        assertStringIncludes(script, shell === "fish" ? flag.replace(/^-+/, "") : flag);
      }
    }
    for (const name of Object.keys(PARAMETERS)) assertStringIncludes(script, name);
  }
});

Deno.test("quoteWord() lets no quote end a word early", () => {
  assertEquals(quoteWord("Postfix's $x `y`"), "'Postfix'\\''s $x `y`'");
});
