/**
 * The toml-test corpus as Debian's golang-github-burntsushi-toml-dev installs it, and documents in a
 * form in which ours and the corpus's can be compared.
 *
 * @module
 */

import type { TomlDocument, TomlValue } from "../../lib/config/toml_source.ts";

/** Where the package keeps its `valid` and `invalid` folders. */
export const TOML_CORPUS =
  "/usr/share/gocode/src/github.com/BurntSushi/toml/internal/toml-test/tests";

/** Names of all TOML files below `folder` of the corpus, without their ending, sorted. */
export function corpusNames(folder: "valid" | "invalid"): string[] {
  const names: string[] = [];
  const walk = (inner: string) => {
    for (const entry of Deno.readDirSync(`${TOML_CORPUS}/${folder}${inner}`)) {
      if (entry.isDirectory) walk(`${inner}/${entry.name}`);
      else if (entry.name.endsWith(".toml")) names.push(`${inner}/${entry.name}`.slice(1, -5));
    }
  };
  walk("");
  return names.sort();
}

/** What our reader says of a table inside a list that is a value; it does not look into it. */
const SOME_TABLE = "some table";

/** A table as a plain object, a list, or one value in words, e.g. `integer 1`. */
export type PlainToml = string | PlainToml[] | { [name: string]: PlainToml };

/** The meaning that the corpus's JSON gives to a document. */
export function plainFromJson(json: unknown): PlainToml {
  if (Array.isArray(json)) return json.map(plainFromJson);
  const object = json as Record<string, unknown>;
  const { type, value } = object;
  if (typeof type === "string" && typeof value === "string") return inWords(type, value);
  const entries = Object.entries(object).map(([name, inner]) => [name, plainFromJson(inner)]);
  return Object.fromEntries(entries);
}

/** Two spellings of one number are one value; of dates only the kind counts, for all are refused. */
function inWords(type: string, value: string): string {
  if (type.startsWith("date") || type.startsWith("time")) return "date";
  return type === "float" ? `float ${floatOf(value)}` : `${type} ${value}`;
}

function floatOf(text: string): number {
  const plain = text.replaceAll("_", "").replace(/^\+/, "");
  const special: Record<string, number> = { inf: Infinity, "-inf": -Infinity };
  return special[plain] ?? Number(plain.replace(/^-nan$/, "nan"));
}

/** What our reader made of a document. Throws where an entry has no place in the tree. */
export function plainFromDocument(document: TomlDocument): PlainToml {
  const root: PlainToml = {};
  for (const { path, array } of document.tables) reach(root, path, array);
  for (const { path, value } of document.entries) {
    const table = reach(root, path.slice(0, -1), false);
    table[path[path.length - 1]] = plainFromValue(value);
  }
  return root;
}

/** The table at `path`; a number in the path is an element of a list that is there already. */
function reach(
  root: PlainToml,
  path: readonly string[],
  array: boolean,
): Record<string, PlainToml> {
  let at = root as Record<string, PlainToml>;
  for (const [i, name] of path.entries()) {
    const next = path[i + 1];
    const isList = Array.isArray(at[name]) ||
      (array && i === path.length - 2 && /^\d+$/.test(next));
    at[name] ??= isList ? [] : {};
    at = at[name] as Record<string, PlainToml>;
  }
  return at;
}

function plainFromValue(value: TomlValue): PlainToml {
  switch (value.type) {
    case "string":
      return `string ${value.text}`;
    case "boolean":
      return `bool ${value.value}`;
    case "integer":
      return `integer ${value.value}`;
    case "float":
      return inWords("float", value.raw);
    case "date":
      return "date";
    case "array":
      return value.items.map(plainFromValue);
    case "table":
      return SOME_TABLE;
  }
}

/** Where `ours` and `theirs` differ, as a path; nothing when they mean the same. */
export function firstDifference(
  ours: PlainToml | undefined,
  theirs: PlainToml | undefined,
): string | undefined {
  if (ours === SOME_TABLE) return isTable(theirs) ? undefined : "a table";
  if (isTable(ours) && isTable(theirs)) {
    const [a, b] = [new Map(Object.entries(ours)), new Map(Object.entries(theirs))];
    for (const name of new Set([...a.keys(), ...b.keys()])) {
      const found = firstDifference(a.get(name), b.get(name));
      if (found !== undefined) return `${name}.${found}`;
    }
    return undefined;
  }
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    return firstDifference(asTable(ours), asTable(theirs));
  }
  return ours === theirs ? undefined : `${JSON.stringify(ours)} for ${JSON.stringify(theirs)}`;
}

function isTable(value: PlainToml | undefined): value is { [name: string]: PlainToml } {
  return typeof value === "object" && !Array.isArray(value);
}

function asTable(list: readonly PlainToml[]): PlainToml {
  return Object.fromEntries([["length", `${list.length}`], ...list.entries()]);
}
