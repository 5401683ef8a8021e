import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readCommandLine } from "../../../../lib/cli/args.ts";
import { renderText } from "../../../../lib/cli/manual/terminal.ts";
import {
  isTopic,
  suggestTopic,
  topicBlocks,
  topicNames,
} from "../../../../lib/cli/manual/topics.ts";
import { FatalError } from "../../../../lib/base/errors.ts";
import { OWN_TABLES } from "../../../../lib/config/own_keys.ts";
import { type Parameter, PARAMETERS } from "../../../../lib/config/parameters.ts";

/** What is shown, with single blanks only, so that line breaks do not matter. */
const shown = (topic: string) =>
  renderText(topicBlocks(topic) ?? [], { styled: false }).replaceAll(/\s+/g, " ");
const flat = (text: string) => text.replaceAll(/[*`]/g, "").replaceAll(/\s+/g, " ").trim();

Deno.test("topicBlocks() says everything that a parameter's row says", () => {
  for (const [name, row] of Object.entries<Parameter>(PARAMETERS)) {
    const text = shown(name);
    assert(text.startsWith(`${name} ${flat(row.help)}`), text);
    for (const paragraph of row.text.split("\n\n")) {
      const [first] = flat(paragraph).split(" - ");
      assertStringIncludes(text, first.replace(/^- /, ""));
    }
    assertStringIncludes(text, `Default: ${row.initial === "" ? "empty" : row.initial}`);
    for (const more of [row.deprecated, row.noEffect, row.instead]) {
      if (more !== undefined) assertStringIncludes(text, more);
    }
    if (row.since !== "2.0") assertStringIncludes(text, `Since: Postfix ${row.since}`);
  }
});

Deno.test("topicBlocks() says what is obeyed, and what is only in part", () => {
  for (const [name, row] of Object.entries<Parameter>(PARAMETERS)) {
    const text = shown(name);
    const isIdle = row.ignoredSince !== undefined || row.noEffect !== undefined;
    if (isIdle) assert(/ (Ignored|No effect): /.test(text), text);
    else if (row.obeyed === false) {
      assertStringIncludes(text, "Obeyed: no; accepted, with a warning");
    } else if (row.obeyed === undefined || row.obeyed === true) {
      assertStringIncludes(text, "Obeyed: yes");
    } else {assertStringIncludes(
        text,
        "only" in row.obeyed ? "Obeyed: only " : "Obeyed: yes, but not ",
      );}
  }
});

Deno.test("topicBlocks() explains each of our own keys, and the tables they are in", () => {
  for (const [table, rows] of OWN_TABLES) {
    const whole = shown(`[${table}]`);
    for (const [key, row] of Object.entries(rows)) {
      const text = shown(`${table}.${key}`);
      assert(text.startsWith(`[${table}] ${key} ${flat(row.help)}`), text);
      assertStringIncludes(whole, `${key} ${flat(row.help)}`);
    }
  }
});

Deno.test("topicBlocks() knows a page by its name, with and without its number", () => {
  const page = shown("postern.toml");
  assertStringIncludes(page, "postern.toml(5) NAME postern.toml - ");
  assertEquals(shown("postern.toml(5)"), page);
  assertEquals(shown("postern.toml.5"), page);
  assertEquals(shown("tlsmgr"), shown("postern-tlsmgr"));
  assertEquals(topicBlocks("postern(5)"), undefined);
});

Deno.test("topicNames() holds topics only, and none twice", () => {
  const names = topicNames();
  for (const name of names) assert(isTopic(name), name);
  assertEquals(new Set(names).size, names.length);
  assert(names.includes("postern-cache") && names.includes("cache.max_entries"));
});

Deno.test("isTopic() does not take inherited properties for rows", () => {
  for (const word of ["toString", "constructor", "cache.toString", "__proto__", ".", ""]) {
    assertEquals(isTopic(word), false, word);
  }
});

Deno.test("suggestTopic() finds what was probably meant", () => {
  const commands = ["config", "demo"];
  assertEquals(suggestTopic("confg", commands), "Did you mean config?");
  assertEquals(suggestTopic("tlsproxy_tls_cipher", commands), "Did you mean tlsproxy_tls_ciphers?");
  assertEquals(suggestTopic("max_sessions", []), "Did you mean service.tlsproxy.max_sessions?");
  assertStringIncludes(suggestTopic("smtpd_banner", []) ?? "", "postconf(5)");
  assertEquals(suggestTopic("qqqqqqqqq", commands), undefined);
});

Deno.test("readCommandLine() takes a topic after help, and refuses more than one", () => {
  assertEquals(readCommandLine(["help", "tls_random_source"], "postern"), {
    kind: "manual",
    topic: "tls_random_source",
  });
  for (
    const words of ["help tls_random_source more", "help tls_random_sorce", "help postern demo"]
  ) {
    try {
      readCommandLine(words.split(" "), "postern");
    } catch (error) {
      assert(error instanceof FatalError && error.exitCode === 64, words);
      continue;
    }
    throw new Error(`${words} was accepted`);
  }
});
