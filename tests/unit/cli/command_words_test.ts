import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/command_table.ts";
import { nextWords, wordsAfter } from "../../../lib/cli/command_words.ts";

Deno.test("nextWords() leads to every command", () => {
  for (const { words } of COMMANDS) {
    for (const [i, word] of words.entries()) assert(nextWords(words.slice(0, i)).includes(word));
    const isLonger = (row: typeof COMMANDS[number]) =>
      row.words.length > words.length && words.every((word, i) => row.words[i] === word);
    if (!COMMANDS.some(isLonger)) assertEquals(nextWords(words), []);
  }
  assert(nextWords([]).includes("help"));
});

Deno.test("wordsAfter() offers the options of a command, and the values of an option", () => {
  assertEquals(wordsAfter(["demo"]), ["--stay", "--help", "-h"]);
  assertEquals(wordsAfter(["config", "check", "--role"]), ["tlsmgr", "tlsproxy"]);
  assertEquals(wordsAfter(["config", "check", "--config"]), []);
  for (const flag of ["--role", "--version", "--help", "-o"]) {
    assert(wordsAfter([]).includes(flag), flag);
  }
});

Deno.test("wordsAfter() offers words of commands only where one may stand", () => {
  assert(wordsAfter(["config"]).includes("check"));
  assert(!wordsAfter(["config", "--role", "tlsmgr"]).includes("check"));
  assertEquals(wordsAfter(["nonsense"]).includes("demo"), false);
});

Deno.test("wordsAfter() offers the operands whose words are known", () => {
  const after = wordsAfter(["config", "show", "-x"]);
  for (const name of ["smtpd_tls_cert_file", "cache.max_entries"]) {
    assert(after.includes(name), name);
  }
});
