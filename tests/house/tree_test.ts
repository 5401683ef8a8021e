/** Holds the tree to the house rules. */

import { assert, assertEquals } from "@std/assert";
import { WORKER_MODULES } from "../../scripts/build.ts";
import * as rules from "./rules.ts";

const TOP = new URL("../../", import.meta.url);
const FOLDERS = ["lib", "scripts", "tests", "config", ".ci"];
const BINARY = /\.(der|pem|bin|gz|zip)$/;

function readTree(): rules.Tree {
  const tree = new Map<string, string>();
  const read = (path: string): void => {
    if (!BINARY.test(path)) tree.set(path, Deno.readTextFileSync(new URL(path, TOP)));
  };
  const walk = (folder: string): void => {
    for (const entry of Deno.readDirSync(new URL(`${folder}/`, TOP))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) walk(path);
      else if (entry.isFile) read(path);
    }
  };
  for (const { name, isFile } of Deno.readDirSync(TOP)) {
    if (isFile && rules.TOP_LEVEL.includes(name)) read(name);
    else if (FOLDERS.includes(name)) walk(name);
  }
  return tree;
}

const tree = readTree();
const roots = [...tree.keys()].filter((path) =>
  path === "main.ts" || WORKER_MODULES.includes(path) || /^(scripts|tests)\/.*\.ts$/.test(path)
);

const RULES: Record<string, () => Iterable<rules.Complaint>> = {
  "imports run down the floors": () => rules.checkFloors(tree),
  "floors 6 to 8 do not import lib/ffi": () => rules.checkFfiUsers(tree),
  "private files stay in their folder": () => rules.checkPrivateFiles(tree),
  "libraries are opened in one file": () => rules.checkDlopen(tree),
  "foreign functions are called": () => rules.checkForeignFunctions(tree),
  "clocks are read in one file": () => rules.checkClock(tree),
  "only lib/cli writes to the console": () => rules.checkConsole(tree),
  "files have telling snake_case names": () => rules.checkFileNames(tree),
  "modules have a header": () => rules.checkHeaders(tree),
  "comments hold no notes to oneself": () => rules.checkComments(tree),
  "no file names a folder of one machine": () => rules.checkMachinePaths(tree),
  "the top level holds what was agreed": () =>
    rules.checkTopLevel([...Deno.readDirSync(TOP)].map((entry) => entry.name)),
  "workers are included by the build": () => rules.checkWorkers(tree, WORKER_MODULES),
  "files stay short": () => rules.checkLengths(tree),
  "no file of lib is dead": () => rules.checkDeadFiles(tree, roots),
  "packages are pinned and have stand-ins": () => rules.checkStandIns(tree),
};

Deno.test("the house rules see the whole tree", () => {
  assert(tree.has("main.ts") && tree.has("deno.json") && tree.has("README.md"));
  for (const room of Object.keys(rules.FLOORS)) {
    assert(
      [...tree.keys()].some((path) => path.startsWith(`lib/${room}/`)),
      `lib/${room} is empty`,
    );
  }
});

for (const [name, check] of Object.entries(RULES)) {
  Deno.test(`house: ${name}`, () => {
    const complaints = [...check()];
    assertEquals(complaints.length, 0, `\n${complaints.join("\n")}\n`);
  });
}
