/**
 * Manual pages: the files `config/man/*.txt`, which the executable carries along.
 *
 * A file begins with `NAME(SECTION): what it is` and a line with the date of its last change; the rest is
 * the markup of markup.ts. A line that begins with `@` stands for what the tables say: parameters, keys,
 * commands. A file that does not keep to this is a fault of the program, and throws.
 *
 * @module
 */
import { OWN_TABLES } from "../../config/own_keys.ts";
import { ROLE_NAMES, type RoleName, SECTIONS } from "../../config/parameters.ts";
import { type Command, titleOf } from "../command.ts";
import { commandBlocks, commandsBelow, optionBlocks, usageBlock } from "./command_blocks.ts";
import { type Block, readMarkup } from "./markup.ts";
import { metricEntries, type MetricGroup } from "./metric_blocks.ts";
import {
  ownKeyEntries,
  parameterEntries,
  roleParameterEntries,
  unheededBlock,
} from "./setting_blocks.ts";
import { usageParts } from "./usage.ts";

/** A page. */
export interface Page {
  /** `postern.toml` */
  readonly name: string;
  /** Number of the part of the manual: 1, 5, 7 or 8. */
  readonly section: number;
  /** What it is about, without a period. */
  readonly about: string;
  /** Of the last change, as 2026-11-21. */
  readonly date: string;
  /** All but the line with the name. */
  readonly blocks: readonly Block[];
}

/** All pages; each is a file `config/man/NAME.SECTION.txt`. */
export const PAGE_NAMES = [
  "postern.8",
  "postern.toml.5",
  "postern-tlsmgr.8",
  "postern-tlsproxy.8",
  "postern-cache.1",
  "postern-metrics.7",
] as const;

export type PageName = (typeof PAGE_NAMES)[number];

const FOLDER = new URL("../../../config/man/", import.meta.url);

/** Reads a page. */
export function readPage(name: PageName): Page {
  return parsePage(Deno.readTextFileSync(new URL(`${name}.txt`, FOLDER)));
}

/** The page in `text`. */
export function parsePage(text: string): Page {
  const [first, second, ...rest] = text.split("\n");
  const head = /^([a-z.-]+)\(([1-8])\): (\S.*[^.])$/.exec(first);
  const date = /^(\d{4}-\d{2}-\d{2})$/.exec(second);
  if (head === null || date === null) throw new Error(`Cannot read a page: it begins ${first}`);
  const [, name, section, about] = head;
  return { name, section: Number(section), about, date: date[1], blocks: readBody(rest) };
}

/** `postern.toml(5)` */
export function titleOfPage({ name, section }: Pick<Page, "name" | "section">): string {
  return `${name}(${section})`;
}

function readBody(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let plainLines: string[] = [];
  for (const line of lines) {
    if (!line.startsWith("@")) {
      plainLines.push(line);
      continue;
    }
    blocks.push(...readMarkup(plainLines.join("\n")), ...insertion(line));
    plainLines = [];
  }
  return [...blocks, ...readMarkup(plainLines.join("\n"))];
}

const INSERTIONS: Readonly<Record<string, (words: string) => readonly Block[]>> = {
  "@usage": (words) => commandsAt(words).map(usageBlock),
  "@role-usage": (role) => isRole(role) ? [roleUsage(role)] : [],
  "@line": (words) => [lineBlock(words.split(" "))],
  "@options": (words) => commandsAt(words).flatMap(optionBlocks),
  "@commands": (words) => commandsAt(words).flatMap(commandBlocks),
  "@commands-except": (words) => {
    const others = words.split(" ");
    const rows = commandsAt("").filter((row) => !others.includes(titleOf(row).split(" ")[0]));
    return rows.flatMap(commandBlocks);
  },
  "@parameters": (title) => {
    const section = SECTIONS.find((known) => known.title === title);
    return section === undefined ? [] : [parameterEntries(section.rows)];
  },
  "@keys": (table) => OWN_TABLES.has(table) ? [ownKeyEntries(table)] : [],
  "@role-parameters": (role) => isRole(role) ? [roleParameterEntries(role)] : [],
  "@metrics": (group) => METRIC_GROUPS.filter((known) => known === group).map(metricEntries),
  "@unheeded": (role) => isRole(role) ? [unheededBlock(role)] : [],
};

const METRIC_GROUPS: readonly MetricGroup[] = ["both", "tlsmgr", "tlsproxy"];

function insertion(line: string): readonly Block[] {
  const [, mark, words] = /^(\S+) ?(.*)$/.exec(line)!;
  const blocks = Object.hasOwn(INSERTIONS, mark) ? INSERTIONS[mark](words) : [];
  if (blocks.length === 0) throw new Error(`Cannot read a page: nothing stands for "${line}"`);
  return blocks;
}

/** Those that begin with `words`; all, if there are none. */
function commandsAt(words: string): readonly Command[] {
  return commandsBelow(words === "" ? [] : words.split(" "));
}

function isRole(word: string): word is RoleName {
  return ROLE_NAMES.some((role) => role === word);
}

/** How a role is run; the word for the role is not to be chosen. */
function roleUsage(role: RoleName): Block {
  const [row] = commandsBelow(["--role"]);
  return { kind: "usage", words: ["postern", "--role", role], parts: usageParts(row).slice(1) };
}

/** A command that has no row: its words, and at the end what stands for a word. */
function lineBlock(words: readonly string[]): Block {
  const end = words.findIndex((word) => word.startsWith("["));
  const parts = end < 0 ? [] : words.slice(end);
  return {
    kind: "usage",
    words: ["postern", ...words.slice(0, end < 0 ? words.length : end)],
    parts: parts.map((part) => ({ argument: part.slice(1, -1), optional: true })),
  };
}
