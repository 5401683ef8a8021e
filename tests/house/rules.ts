/**
 * The house rules, each a function from a tree (path → text) to complaints.
 *
 * They read no file, so that each can be shown a wrong tree and must complain.
 *
 * @module
 */

import { scanSource, type Source } from "./scan_source.ts";

/** Texts of the tree's files by path from its top, with `/`. */
export type Tree = ReadonlyMap<string, string>;

/** What is wrong, in the form `path[:line]: sentence`. */
export type Complaint = string;

/** Floor of each room; main.ts stands above all of them. */
export const FLOORS: Readonly<Record<string, number>> = {
  base: 1,
  ffi: 2,
  attr: 2,
  config: 2,
  reactor: 3,
  log: 3,
  proto: 3,
  net: 4,
  store: 4,
  daemon: 5,
  tls: 5,
  tlsmgr: 6,
  tlsproxy: 6,
  cli: 7,
};
const MAIN_FLOOR = 8;

/** The floors that may speak C; floor 2 only within the room itself. */
const FFI_USER_FLOOR_MAX = 5;

/** Names that may stand at the top of the tree. */
export const TOP_LEVEL: readonly string[] = [
  ".cache",
  ".ci",
  ".git",
  ".gitignore",
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "config",
  "deno.json",
  "dist",
  "lib",
  "main.ts",
  "scripts",
  "tests",
];

export const LINES_MAX = 400;

/** Tables of facts; these may be longer than {@linkcode LINES_MAX}. */
export const LONG_TABLES: readonly string[] = ["lib/config/parameters.ts"];

/** Rooms that may write to the console. */
const CONSOLE_ROOMS: readonly string[] = ["cli"];

const BARE_IMPORTS = /^@std\/(assert|cli|log|toml)$/;
const EMPTY_NAMES = /^(utils?|helpers?|common|misc)$/;

const scans = new Map<string, Source>();

/** The scan of `text`, made once. */
function scan(text: string): Source {
  const known = scans.get(text);
  if (known !== undefined) return known;
  const made = scanSource(text);
  scans.set(text, made);
  return made;
}

function* modules(tree: Tree, ...prefixes: string[]): Generator<[path: string, source: Source]> {
  for (const [path, text] of tree) {
    if (path.endsWith(".ts") && prefixes.some((prefix) => path.startsWith(prefix))) {
      yield [path, scan(text)];
    }
  }
}

/** Path of the module that `specifier` in `path` names, or `undefined` for a package. */
function resolve(path: string, specifier: string): string | undefined {
  if (!/^\.\.?\//.test(specifier)) return undefined;
  const parts = path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The room a path belongs to: a folder of lib, or "main.ts". */
function roomOf(path: string): string | undefined {
  return path === "main.ts" ? path : /^lib\/([^/]+)\//.exec(path)?.[1];
}

function floorOf(room: string): number | undefined {
  return room === "main.ts" ? MAIN_FLOOR : FLOORS[room];
}

function* importsOf(
  tree: Tree,
  ...prefixes: string[]
): Generator<{ path: string; specifier: string; target: string | undefined }> {
  for (const [path, { imports }] of modules(tree, ...prefixes)) {
    for (const specifier of imports) {
      yield { path, specifier, target: resolve(path, specifier) };
    }
  }
}

/** One complaint for each line of the code of `path` that holds `pattern`. */
function* findInCode(path: string, source: Source, pattern: RegExp): Generator<string> {
  for (const [index, line] of source.code.split("\n").entries()) {
    const match = pattern.exec(line);
    if (match) yield `${path}:${index + 1}: ${match[0]}`;
  }
}

/** Imports run down the floors; rooms on one floor do not import each other. */
export function* checkFloors(tree: Tree): Generator<Complaint> {
  for (const { path, specifier, target } of importsOf(tree, "lib/", "main.ts")) {
    const from = roomOf(path);
    if (from === undefined || floorOf(from) === undefined) {
      yield `${path}: stands in no room of the house`;
      continue;
    }
    if (target === undefined) {
      if (!BARE_IMPORTS.test(specifier)) yield `${path}: imports ${specifier}, no package of ours`;
      continue;
    }
    if (target === "deno.json") continue;
    const to = roomOf(target);
    const floors = [floorOf(from), to === undefined ? undefined : floorOf(to)];
    if (to === undefined || floors[1] === undefined) {
      yield `${path}: imports ${specifier}, which is in no room of the house`;
    } else if (to !== from && floors[1] >= floors[0]!) {
      yield `${path}: floor ${floors[0]} imports ${specifier} on floor ${floors[1]}`;
    }
  }
}

/** Floors 6 to 8 do not import lib/ffi. */
export function* checkFfiUsers(tree: Tree): Generator<Complaint> {
  for (const { path, target } of importsOf(tree, "lib/", "main.ts")) {
    const floor = floorOf(roomOf(path) ?? "") ?? MAIN_FLOOR;
    if (target?.startsWith("lib/ffi/") && floor > FFI_USER_FLOOR_MAX) {
      yield `${path}: floor ${floor} imports ${target}; only floors up to ${FFI_USER_FLOOR_MAX} may`;
    }
  }
}

/** A file named `_name.ts` is imported from its own folder only. */
export function* checkPrivateFiles(tree: Tree): Generator<Complaint> {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
  for (const { path, target } of importsOf(tree, "lib/", "main.ts")) {
    if (target && /\/_[^/]*$/.test(target) && folderOf(target) !== folderOf(path)) {
      yield `${path}: imports ${target}, which is private to its folder`;
    }
  }
}

/** Libraries are opened in one file. */
export function* checkDlopen(tree: Tree): Generator<Complaint> {
  for (const [path, source] of modules(tree, "lib/", "main.ts")) {
    if (path === "lib/ffi/library.ts") continue;
    for (const found of findInCode(path, source, /\bdlopen\b/)) {
      yield `${found}: libraries are opened in lib/ffi/library.ts only`;
    }
  }
}

/** Clocks are read in one file. */
export function* checkClock(tree: Tree): Generator<Complaint> {
  const reading = /\bDate\.now\b|\bperformance\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(\s*\)/;
  for (const [path, source] of modules(tree, "lib/", "main.ts")) {
    if (path === "lib/base/clock.ts") continue;
    for (const found of findInCode(path, source, reading)) {
      yield `${found}: a clock is read in lib/base/clock.ts only; take a Clock`;
    }
  }
}

/** Nothing but the command line writes to the console. */
export function* checkConsole(tree: Tree): Generator<Complaint> {
  for (const [path, source] of modules(tree, "lib/")) {
    if (CONSOLE_ROOMS.includes(roomOf(path) ?? "")) continue;
    for (const found of findInCode(path, source, /\bconsole\b/)) {
      yield `${found}: only lib/cli writes to the console; use the logger`;
    }
  }
}

/** Files are named in snake_case, after what they hold. */
export function* checkFileNames(tree: Tree): Generator<Complaint> {
  for (const path of tree.keys()) {
    if (!path.endsWith(".ts")) continue;
    const name = path.slice(path.lastIndexOf("/") + 1, -".ts".length);
    const plain = name.replace(/\.(h|d)$/, "");
    if (!/^_?[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(plain)) yield `${path}: is not named in snake_case`;
    if (EMPTY_NAMES.test(plain)) yield `${path}: has a name that says nothing`;
  }
}

/** Every file of lib, and main.ts, opens with a comment that ends in `@module`. */
export function* checkHeaders(tree: Tree): Generator<Complaint> {
  for (const [path, text] of tree) {
    if (!/^(lib\/.*|scripts\/.*|tests\/.*|main)\.ts$/.test(path)) continue;
    if (path.startsWith("tests/") && path.endsWith("_test.ts")) continue;
    const header = /^(?:#![^\n]*\n)?\s*\/\*\*[\s\S]*?\*\//.exec(text)?.[0];
    if (!header?.includes("@module")) yield `${path}: has no header comment with @module`;
  }
}

/** Comments hold no notes to oneself. */
export function* checkComments(tree: Tree): Generator<Complaint> {
  for (const [path, { comments }] of modules(tree, "")) {
    for (const [index, line] of comments.split("\n").entries()) {
      const word = /\b(?:TODO|FIXME|XXX|HACK)\b/.exec(line)?.[0];
      if (word) yield `${path}:${index + 1}: ${word} in a comment; do it, or say what is so`;
    }
  }
}

/** No file speaks of a folder of the machine that it was written on. */
export function* checkMachinePaths(tree: Tree): Generator<Complaint> {
  const machinePath = /(?<![\w.])\/(?:work|tmp\/w|root|home)\/\w/;
  for (const [path, text] of tree) {
    for (const [index, line] of text.split("\n").entries()) {
      if (machinePath.test(line)) yield `${path}:${index + 1}: names a folder of one machine`;
    }
  }
}

/** The top of the tree holds what was agreed, and nothing that changes how Deno builds. */
export function* checkTopLevel(names: readonly string[]): Generator<Complaint> {
  for (const name of names) {
    if (!TOP_LEVEL.includes(name)) yield `${name}: does not belong at the top of the tree`;
  }
}

/** Every module that runs as a worker is included by the build, and nothing else is. */
export function* checkWorkers(tree: Tree, included: readonly string[]): Generator<Complaint> {
  const found = new Set<string>();
  for (const [path, { moduleUrls }] of modules(tree, "lib/", "main.ts")) {
    if (path.endsWith("/worker.ts")) found.add(path);
    for (const url of moduleUrls) {
      const target = resolve(path, url);
      if (target?.endsWith(".ts")) found.add(target);
    }
  }
  for (const path of found) {
    if (!included.includes(path)) yield `${path}: is a worker missing in scripts/build.ts`;
  }
  for (const path of included) {
    if (!found.has(path)) yield `${path}: is included by scripts/build.ts but is no worker`;
  }
}

/** Files stay short, tables apart. */
export function* checkLengths(tree: Tree): Generator<Complaint> {
  for (const [path, text] of tree) {
    const lines = text.split("\n").length - 1;
    if (/^(lib\/.*|main)\.ts$/.test(path) && lines > LINES_MAX && !LONG_TABLES.includes(path)) {
      yield `${path}: has ${lines} lines, more than ${LINES_MAX}; split it`;
    }
  }
  for (const path of LONG_TABLES) {
    if (tree.has("main.ts") && !tree.has(path)) {
      yield `${path}: is listed as a long table but absent`;
    }
  }
}

/** Every file of lib is reached from main.ts, a worker, or a script. */
export function* checkDeadFiles(tree: Tree, roots: readonly string[]): Generator<Complaint> {
  const reached = new Set<string>();
  const waiting = [...roots];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const text = tree.get(path);
    if (text === undefined || reached.has(path)) continue;
    reached.add(path);
    const { imports, moduleUrls } = scan(text);
    for (const specifier of [...imports, ...moduleUrls]) {
      const target = resolve(path, specifier);
      if (target !== undefined) waiting.push(target);
    }
  }
  for (const [path] of modules(tree, "lib/")) {
    if (!reached.has(path)) yield `${path}: is used by nothing`;
  }
}

/**
 * Foreign functions are declared when something calls them, and not before: each declaration is one that
 * a library of another version may lack. Declarations are the rows of `lib/ffi/…/*.h.ts`.
 */
export function* checkForeignFunctions(tree: Tree): Generator<Complaint> {
  const isDeclaration = (path: string) => /^lib\/ffi\/.*\.h\.ts$/.test(path);
  const callers = [...modules(tree, "lib/", "tests/support/")]
    .filter(([path]) => !isDeclaration(path))
    .map(([, { code }]) => code).join("\n");
  const called = new Set(callers.match(/(?<=\.)\w+/g));
  for (const [path, { code }] of modules(tree, "lib/ffi/")) {
    if (!isDeclaration(path)) continue;
    for (const [, name] of code.matchAll(/^ {2}(\w+): \{/gm)) {
      if (!called.has(name)) yield `${path}: ${name} is declared and never called`;
    }
  }
}

/**
 * Every package of deno.json has a stand-in or is npm's itself, so that a closed network can build; each
 * is pinned, and lib imports none of npm's (its imports are checked with the floors).
 */
export function* checkStandIns(tree: Tree): Generator<Complaint> {
  const importsIn = (path: string): string[] =>
    Object.keys(JSON.parse(tree.get(path) ?? "{}").imports ?? {});
  const standIns = importsIn("scripts/closed_network/import_map.json");
  for (const name of importsIn("deno.json")) {
    if (!standIns.includes(name)) {
      yield `deno.json: ${name} has no stand-in in scripts/closed_network`;
    }
  }
  for (
    const [name, target] of Object.entries(JSON.parse(tree.get("deno.json") ?? "{}").imports ?? {})
  ) {
    if (!/^(jsr:@[\w-]+\/|npm:)[\w-]+@\d+\.\d+\.\d+$/.test(String(target))) {
      yield `deno.json: ${name} is not pinned to one version of a package`;
    }
  }
}
