/**
 * Writing TOML: keys, strings, comments, and the native form of a value.
 *
 * What is written here is read by our own loader and by any other reader of TOML 1.0: characters that
 * TOML forbids are written as `\uXXXX`, never as `\U`.
 *
 * @module
 */

import { canonicalText } from "../canonical.ts";
import { type Kind, splitList } from "../kinds.ts";
import type { Parameter } from "../parameters.ts";
import type { TomlValue } from "../toml_source.ts";

/** Longest line of an array; a longer one has a line for each element. */
const ARRAY_WIDTH_MAX = 100;
/** Postfix keeps integers in 32 bits. */
const INTEGER_MAX = 2 ** 31 - 1;

const BARE_KEY = /^[A-Za-z0-9_-]+$/;
// deno-lint-ignore no-control-regex -- what TOML forbids in text, and marks that nobody can see
const FORBIDDEN = /[\x00-\x08\x0a-\x1f\x7f]|[\x80-\x9f\u2028\u2029\ufeff]/g;
const PLAIN_INTEGER = /^(?:0|-?[1-9]\d{0,9})$/;

/** `text` as a string of one line. */
export function tomlString(text: string): string {
  const escaped = escapeForbidden(text);
  if (escaped === text && /["\\]/.test(text) && !text.includes("'")) return `'${text}'`;
  const basic = text.replace(/["\\]/g, "\\$&");
  return `"${escapeForbidden(basic)}"`;
}

/** `name` as one element of a key. */
export function tomlKey(name: string): string {
  return BARE_KEY.test(name) ? name : tomlString(name);
}

/** `path` as a dotted key. */
export function tomlPath(path: readonly string[]): string {
  return path.map(tomlKey).join(".");
}

/** `text` as one comment line, its own `#` included or not. */
export function tomlComment(text: string): string {
  const escaped = escapeForbidden(text);
  if (escaped === "" || escaped.startsWith("#")) return escaped === "" ? "#" : escaped;
  return `# ${escaped}`;
}

function escapeForbidden(text: string): string {
  return text.replace(
    FORBIDDEN,
    (char) => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

/**
 * `text` as an array, a boolean or an integer, if the loader takes that for the same value; else as a
 * string. Times with a unit, expressions, and lists with braces stay strings.
 */
export function tomlNative(text: string, row: Parameter | undefined): string {
  const native = nativeValue(text, row);
  if (native === undefined) return tomlString(text);
  const canonical = canonicalText(native, row?.kind, row?.separators);
  return "text" in canonical && sameMeaning(text, canonical.text, row)
    ? writeValue(native)
    : tomlString(text);
}

/** Whether two texts are one value of `row`, whatever it is written like. */
export function sameMeaning(one: string, other: string, row: Parameter | undefined): boolean {
  if (one === other) return true;
  if (row === undefined) return false;
  if (row.kind === "bool") return one.toLowerCase() === other.toLowerCase();
  if (row.kind === "time") return withUnit(one) === withUnit(other);
  if (!isList(row.kind)) return false;
  const [ones, others] = [one, other].map((text) => splitList(text, row.separators));
  return ones.length === others.length && ones.every((element, i) => element === others[i]);
}

/** Whether the loader takes arrays for a kind. */
function isList(kind: Kind): boolean {
  return "text" in canonicalText({ type: "array", items: [] }, kind);
}

/** Seconds are the unit of all times that have none. */
function withUnit(time: string): string {
  return /^\d+$/.test(time) ? `${time}s` : time;
}

function nativeValue(text: string, row: Parameter | undefined): TomlValue | undefined {
  if (text.includes("$")) return undefined;
  const kind = row?.kind;
  if (kind === undefined || kind === "bool") {
    const word = kind === undefined ? text : text.toLowerCase();
    if (word === "yes" || word === "no") return { type: "boolean", value: word === "yes" };
  }
  if (kind === undefined || kind === "int" || kind === "time" || kind === "version") {
    return integerOf(text);
  }
  if (!isList(kind) || /[{}]/.test(text)) return undefined;
  if (kind === "loglevel" && /^\d$/.test(text)) return integerOf(text);
  const items = splitList(text, row?.separators).map((word) => ({ type: "string", text: word }));
  return { type: "array", items: items as TomlValue[] };
}

function integerOf(text: string): TomlValue | undefined {
  if (!PLAIN_INTEGER.test(text)) return undefined;
  const value = Number(text);
  return Math.abs(value) > INTEGER_MAX ? undefined : { type: "integer", value, raw: text };
}

function writeValue(value: TomlValue): string {
  switch (value.type) {
    case "boolean":
    case "integer":
      return String(value.value);
    case "array": {
      const items = value.items.map(writeValue);
      const line = `[${items.join(", ")}]`;
      if (line.length <= ARRAY_WIDTH_MAX) return line;
      return `[\n${items.map((item) => `  ${item},\n`).join("")}]`;
    }
    case "string":
      return tomlString(value.text);
    default:
      throw new TypeError(`Cannot write a TOML value: a ${value.type}`);
  }
}
