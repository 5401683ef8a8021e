/** Holds the pages of the manual to what they are made from, and to what man(1) can read. */

import { assert, assertEquals } from "@std/assert";
import { EMBEDDED_FILES } from "../../scripts/build.ts";
import { makePages } from "../../scripts/manuals.ts";
import { PAGE_NAMES } from "../../lib/cli/manual/page.ts";
import { runCommand } from "../support/process.ts";
import { programTest } from "../support/programs.ts";

const TOP = new URL("../../", import.meta.url);
const FOLDER = decodeURIComponent(new URL("config/man/", TOP).pathname);
const pages = makePages();

Deno.test("config/man holds what makePages() makes; `deno task docs` writes it anew", () => {
  for (const [name, text] of pages) {
    const lines = Deno.readTextFileSync(FOLDER + name).split("\n");
    for (const [i, line] of text.split("\n").entries()) {
      assertEquals(lines[i], line, `${name}:${i + 1}`);
    }
    assertEquals(lines.length, text.split("\n").length, name);
  }
});

Deno.test("config/man holds a page and its text for each name, and nothing else", () => {
  const names = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name).sort();
  assertEquals(names, PAGE_NAMES.flatMap((name) => [name, `${name}.txt`]).sort());
});

Deno.test("the executable embeds the texts of all pages", () => {
  for (const name of PAGE_NAMES) assert(EMBEDDED_FILES.includes(`config/man/${name}.txt`), name);
});

Deno.test("pages refer to no page of ours that is missing", () => {
  for (const [page, text] of pages) {
    for (const [, name, section] of text.matchAll(/^\.Xr (?:\( )?(postern\S*) (\d)/gm)) {
      assert(pages.has(`${name}.${section}`), `${page} refers to ${name}(${section})`);
    }
  }
});

/** All modules below `folder`. */
function* modulesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, TOP))) {
    if (isDirectory) yield* modulesBelow(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

Deno.test("postern(8) names every variable of the environment that lib looks at", () => {
  const page = Deno.readTextFileSync(`${FOLDER}postern.8.txt`);
  const reading = /(?:\bget\(|\breadNumber\(\s*\w+(?:\.\w+)*,)\s*"([A-Z][A-Z_]{2,})"/g;
  let count = 0;
  for (const path of modulesBelow("lib/")) {
    for (const [, name] of Deno.readTextFileSync(new URL(path, TOP)).matchAll(reading)) {
      assert(page.includes(`*${name}*`), `${path} reads ${name}`);
      count++;
    }
  }
  assert(count > 5);
});

Deno.test("postern(8) names every signal that a role listens to", () => {
  const page = Deno.readTextFileSync(`${FOLDER}postern.8.txt`);
  const names = [...modulesBelow("lib/daemon/")].flatMap((path) =>
    Array.from(Deno.readTextFileSync(new URL(path, TOP)).matchAll(/"(SIG[A-Z0-9]+)"/g))
  ).map(([, name]) => name);
  assert(names.includes("SIGTERM"));
  for (const name of names) assert(page.includes(`*${name}*`), name);
});

/** Complaints about what is installed beside mandoc, and not about the page. */
const ABOUT_THE_MACHINE = /referenced manual not found|outdated mandoc\.db/;

programTest("mandoc", "mandoc -T lint has nothing to say about the pages", async () => {
  for (const name of PAGE_NAMES) {
    const { stdout, stderr } = await runCommand("mandoc", ["-T", "lint", name], { cwd: FOLDER });
    const lines = `${stdout}${stderr}`.split("\n");
    const complaints = lines.filter((line) => line !== "" && !ABOUT_THE_MACHINE.test(line));
    assertEquals(complaints, [], name);
  }
});

programTest("groff", "groff warns of nothing in the pages, at 80 columns", async () => {
  const flags = ["-man", "-mdoc", "-T", "utf8", "-ww", "-b", "-z", "-rLL=78n"];
  for (const name of PAGE_NAMES) {
    const { code, stderr } = await runCommand("groff", [...flags, name], { cwd: FOLDER });
    assertEquals([code, stderr], [0, ""], name);
  }
});
