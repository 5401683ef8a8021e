import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT } from "../../../../lib/base/errors.ts";
import { readCommandLine } from "../../../../lib/cli/args.ts";
import { COMMANDS } from "../../../../lib/cli/command_table.ts";
import { titleOf } from "../../../../lib/cli/command.ts";
import { PAGE_NAMES, parsePage, readPage } from "../../../../lib/cli/manual/page.ts";
import { unheededSettings } from "../../../../lib/cli/manual/setting_blocks.ts";
import { renderText } from "../../../../lib/cli/manual/terminal.ts";
import { OWN_TABLES } from "../../../../lib/config/own_keys.ts";
import { parameterRow, PARAMETERS } from "../../../../lib/config/parameters.ts";
import { type MetricRow, METRICS } from "../../../../lib/daemon/numbers/metric_table.ts";
import { loadSettings } from "../../../../lib/config/settings.ts";

const HEAD = "x(1): about x\n2026-01-02\n";
const textOf = (text: string) => renderText(parsePage(text).blocks, { styled: false });

Deno.test("parsePage() reads name, section, subject and date", () => {
  const { name, section, about, date, blocks } = parsePage(`${HEAD}# A\nb\n`);
  assertEquals([name, section, about, date], ["x", 1, "about x", "2026-01-02"]);
  assertEquals(blocks.length, 2);
});

Deno.test("parsePage() refuses what is no page, and an insertion that stands for nothing", () => {
  for (
    const text of [
      "x: about\n2026-01-02\n",
      "x(1): about.\n2026-01-02\n",
      "x(1): about x\nsoon\n",
      `${HEAD}@nothing\n`,
      `${HEAD}@toString\n`,
      `${HEAD}@parameters none\n`,
      `${HEAD}@keys none\n`,
      `${HEAD}@commands none\n`,
    ]
  ) assertThrows(() => parsePage(text), Error, "Cannot read a page");
});

Deno.test("parsePage() inserts commands, keys and parameters where they are wanted", () => {
  const text = textOf(`${HEAD}# A\n@usage demo\n# B\n@keys entropy\n@commands query\nend\n`);
  assertStringIncludes(text, "A\n    postern demo [--stay]\n");
  assertStringIncludes(text, "    on_failure\n");
  assertStringIncludes(text, "  postern query\n    postern query [--config FILE]");
  assert(text.endsWith("\nend\n") || text.endsWith("    end\n"), text);
});

const pages = PAGE_NAMES.map((name) => readPage(name));
const texts = pages.map(({ blocks }) => renderText(blocks, { styled: false }));
const textOfPage = (name: string) => texts[pages.findIndex((page) => page.name === name)];

Deno.test("pages fit a screen, apart from literal lines and long words", () => {
  for (const text of texts) {
    for (const line of text.split("\n")) {
      const wordMax = Math.max(...line.split(" ").map(({ length }) => length));
      const isLiteral = line.startsWith("        ") && line.length <= 110;
      assert(line.length <= 80 || wordMax > 40 || isLiteral, line);
    }
  }
});

Deno.test("pages leave no mark of the markup behind", () => {
  for (const text of texts) {
    for (const line of text.split("\n")) {
      const isLiteral = line.startsWith("        ");
      assert(isLiteral || !/(^|\s)\*\w|^@|^##? /.test(line), line);
    }
  }
});

Deno.test("postern(8) and postern-cache(1) together describe every command", () => {
  const both = textOfPage("postern") + textOfPage("postern-cache");
  for (const row of COMMANDS) {
    assertStringIncludes(both, `$ ${row.example}`.slice(0, 40), titleOf(row));
  }
});

Deno.test("postern.toml(5) describes every parameter and every key, once", () => {
  const lines = textOfPage("postern.toml").split("\n");
  const count = (name: string) => lines.filter((line) => line === `    ${name}`).length;
  for (const name of Object.keys(PARAMETERS)) assertEquals(count(name), 1, name);
  for (const [table, rows] of OWN_TABLES) {
    if (/^cache\./.test(table)) continue;
    assert(lines.includes(`  [${table}]`), table);
    for (const key of Object.keys(rows)) assert(count(key) > 0, `${table}.${key}`);
  }
});

Deno.test("postern-metrics(7) describes every metric, once, and its labels", () => {
  const text = textOfPage("postern-metrics");
  const lines = text.split("\n");
  for (const [name, { labels }] of Object.entries<MetricRow>(METRICS)) {
    const at = lines.indexOf(`    ${name}`);
    assert(at > 0 && lines.lastIndexOf(`    ${name}`) === at, name);
    const next = lines.findIndex((line, i) => i > at && /^( {4})?\S/.test(line));
    const about = lines.slice(at, next).join("\n");
    for (const label of labels) assertStringIncludes(about, label);
  }
  assertEquals(
    lines.filter((line) => / {4}(postern|process)_\w+$/.test(line)).length,
    Object.keys(METRICS).length,
  );
});

Deno.test("the pages of the roles say what each of them does not obey", () => {
  for (const role of ["tlsmgr", "tlsproxy"] as const) {
    const text = textOfPage(`postern-${role}`).replaceAll(/\s+/g, " ");
    for (const { name } of unheededSettings(role)) assertStringIncludes(text, name);
  }
});

Deno.test("command lines that pages show can be read", () => {
  let count = 0;
  for (const text of texts) {
    for (const [, line] of text.matchAll(/^ {8,}[$#] (postern .*)$/gm)) {
      const [name, ...words] = line.replace(/ (?:[|<>]) .*$/, "").split(" ");
      readCommandLine(words, name);
      count++;
    }
  }
  assert(count > 10);
});

Deno.test("postern.toml(5) says of listeners and instances what the loader says of them", () => {
  const text = `[[listener]]\naccept = "[::1]:465"\nconnect = "/run/x"\n` +
    `[instance.a]\nrole = "tlsproxy"\n`;
  const { findings } = loadSettings({ text, file: "x", role: "tlsproxy", overrides: [] });
  const page = textOfPage("postern.toml").replaceAll(/\s+/g, " ");
  assertEquals(findings.map(({ key, message }) => [key, message]), [
    ["listener.0", "Accepted, but nothing obeys it yet"],
  ]);
  assertStringIncludes(page, "It is checked, and nothing obeys it yet.");
});

Deno.test("pages say that there is no client role as long as nothing obeys its level", () => {
  assertEquals(parameterRow("tlsproxy_client_level")?.obeyed, false);
  assertStringIncludes(
    textOfPage("postern.toml"),
    "The client role does not exist in this version.",
  );
  assertStringIncludes(textOfPage("postern-tlsproxy"), "There is the TLS server role only.");
});

Deno.test("postern(8) lists every exit code, and no other", () => {
  const [, status] = /\nEXIT STATUS\n([\s\S]*?)\n\n[A-Z]/.exec(textOfPage("postern"))!;
  const listed = Array.from(status.matchAll(/^ {4}([\d, ]+)$/gm), ([, codes]) => codes).join(", ");
  assertEquals(
    listed.split(", ").map(Number),
    [...new Set(Object.values(EXIT))].sort((a, b) => a - b),
  );
});
