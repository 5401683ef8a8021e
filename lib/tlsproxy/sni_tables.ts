/**
 * From `tls_server_sni_maps` to names and their chain files (Postfix's util/dict_inline.c,
 * util/dict_thash.c).
 *
 * Two kinds of table are understood, because they can be read and checked at start:
 * `inline:{ name=files, { name = file, file } }` and `texthash:` with the path of a text file of lines
 * `name file, file`. The first table that has a name decides about it. Nothing here opens the chain
 * files.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { SniTable } from "../tls/sni_map.ts";

const PARAMETER = "tls_server_sni_maps";
const HINT = {
  hint: 'Write "texthash:/path/of/file", "inline:{ host.example=/path/of/chain.pem }" or a TOML ' +
    "table; an indexed or remote table can be written out as a text file",
};

/**
 * Reads all tables of `maps`, each `type:name`; throws {@linkcode FatalError} that says which one is at
 * fault.
 */
export function readSniTables(maps: readonly string[]): SniTable {
  const table = new Map<string, readonly string[]>();
  for (const map of maps) {
    const colon = map.indexOf(":");
    const type = colon < 0 ? "" : map.slice(0, colon);
    const name = map.slice(colon + 1);
    const pairs = type === "inline"
      ? readInline(name)
      : type === "texthash"
      ? readTextFile(name)
      : refuse(`"${map}" is of a type that is not read here`);
    for (const [key, files] of pairs) {
      const folded = key.toLowerCase();
      if (!table.has(folded)) table.set(folded, files);
    }
  }
  return table;
}

/** The files that {@linkcode readSniTables} reads. */
export function filesOfMaps(maps: readonly string[]): readonly string[] {
  const type = "texthash:";
  return maps.flatMap((map) => map.startsWith(type) ? [map.slice(type.length)] : []);
}

type Pairs = ReadonlyMap<string, readonly string[]>;

function readInline(text: string): Pairs {
  const inner = insideBraces(text);
  if (inner === undefined) refuse(`"inline:${text}" has no list in braces`);
  const pairs = new Map<string, readonly string[]>();
  for (const element of splitOutsideBraces(inner)) {
    const pair = insideBraces(element) ?? element;
    const equals = pair.indexOf("=");
    if (equals < 0) refuse(`"${element}" is not of the form name=files`);
    addPair(pairs, { name: pair.slice(0, equals), files: pair.slice(equals + 1) }, element);
  }
  if (pairs.size === 0) refuse(`"inline:${text}" is empty`);
  return pairs;
}

function readTextFile(path: string): Pairs {
  const pairs = new Map<string, readonly string[]>();
  for (const { line, number } of logicalLines(textOf(path))) {
    const [, name, files] = line.match(/^(\S+)\s*(.*)$/) ?? [];
    addPair(pairs, { name: name ?? "", files: files ?? "" }, `${path}, line ${number}`);
  }
  return pairs;
}

/** Lines without comments; one that begins with a blank continues the one before (postmap(1)). */
function logicalLines(text: string): { line: string; number: number }[] {
  const lines: { line: string; number: number }[] = [];
  text.split("\n").forEach((raw, index) => {
    if (/^\s*(#|$)/.test(raw)) return;
    const last = lines.at(-1);
    if (/^\s/.test(raw) && last !== undefined) last.line += raw.trimEnd();
    else lines.push({ line: raw.trim(), number: index + 1 });
  });
  return lines;
}

function addPair(
  pairs: Map<string, readonly string[]>,
  pair: { name: string; files: string },
  place: string,
): void {
  const name = pair.name.trim();
  const files = pair.files.split(/[\s,]+/).filter((file) => file !== "");
  if (name === "") refuse(`${place}: there is no name`);
  if (files.length === 0) refuse(`${place}: "${name}" has no chain files`);
  pairs.set(name, files);
}

/** Elements between commas and blanks, of which braces hold some together. */
function splitOutsideBraces(text: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let element = "";
  for (const character of text) {
    if (depth === 0 && /[\s,]/.test(character)) {
      if (element !== "") elements.push(element);
      element = "";
      continue;
    }
    if (character === "{") depth++;
    if (character === "}") depth--;
    element += character;
    if (depth < 0) break;
  }
  if (depth !== 0) refuse(`the braces of "${text}" do not match`);
  if (element !== "") elements.push(element);
  return elements;
}

/** What stands between the braces that enclose all of `text`; `undefined` if none do. */
function insideBraces(text: string): string | undefined {
  return text.startsWith("{") && text.endsWith("}") ? text.slice(1, -1).trim() : undefined;
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    refuse(`the text file "${path}" cannot be read: ${why}`);
  }
}

function refuse(what: string): never {
  throw new FatalError(`Cannot use ${PARAMETER}: ${what}`, HINT);
}
