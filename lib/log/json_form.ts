/**
 * Lines as objects, one a line, after the schema of `config/log-schema.json`.
 *
 * Whatever a peer sends as its name, the line is JSON in UTF-8, on one line, and no longer than its
 * limit: fields that are too long are shortened, the longest first, and `shortened` names them. An
 * object is never cut in the middle.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { type Line, type LogFields, type LogValue, wordsOf } from "./line.ts";

/** Version of the schema; another one when a field changes its meaning or goes. */
const SCHEMA_VERSION = 1;
/** Characters of a field that are looked at; the rest goes in any case. */
const FIELD_CHARACTERS_MAX = 1024;
/** No field is shortened to less. */
const FIELD_CHARACTERS_MIN = 16;
const MARK = "…";

/** Who writes the lines. */
export interface JsonOptions {
  /** `postfix/tlsmgr`; its last part is the role. */
  readonly name: string;
  readonly pid: number;
  /** Number of the service thread; absent for the control thread. */
  readonly thread?: number;
}

/** A line as an object, at most `bytesMax` bytes of UTF-8. */
export function jsonForm(line: Line, options: JsonOptions, bytesMax: number): string {
  const { name, pid, thread } = options;
  const fields: LogFields = {
    schema: SCHEMA_VERSION,
    time: line.time.toISOString(),
    severity: wordsOf(line.level).severity,
    role: name.slice(name.lastIndexOf("/") + 1),
    name,
    pid,
    thread,
  };
  line.about?.describe(fields);
  fields.message = line.text;
  return encodeFields(fields, bytesMax);
}

/** `fields` as an object on one line, at most `bytesMax` bytes of UTF-8 if that can be. */
export function encodeFields(fields: LogFields, bytesMax: number): string {
  const shortened = new Set<string>();
  const values: Record<string, LogValue | string[] | undefined> = {};
  for (const [name, value] of Object.entries(fields)) {
    const isLong = typeof value === "string" && value.length > FIELD_CHARACTERS_MAX;
    if (isLong) shortened.add(name);
    const kept = isLong ? shorten(value, FIELD_CHARACTERS_MAX) : value;
    // Half a pair of surrogates is no UTF-8.
    values[name] = typeof kept === "string" ? kept.toWellFormed() : kept;
  }
  for (;;) {
    if (shortened.size > 0) values.shortened = [...shortened];
    const text = encode(values);
    // No character takes more than three bytes a code unit.
    if (text.length * 3 <= bytesMax || utf8(text).length <= bytesMax) return text;
    const name = longestOf(values);
    if (name === undefined) return text;
    const value = values[name] as string;
    values[name] = shorten(value, Math.max(FIELD_CHARACTERS_MIN, value.length >> 1));
    shortened.add(name);
  }
}

/** JSON escapes what is below a blank; this escapes the rest of what drives terminals or ends lines. */
function encode(values: object): string {
  return JSON.stringify(values).replace(
    /[\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The field that takes the most room, if it can be shortened. */
function longestOf(values: Record<string, unknown>): string | undefined {
  let longest: string | undefined;
  let bytesMost = 0;
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== "string" || value.length <= FIELD_CHARACTERS_MIN) continue;
    const bytes = utf8(encode([value])).length;
    if (bytes <= bytesMost) continue;
    bytesMost = bytes;
    longest = name;
  }
  return longest;
}

/** The first `length` characters at most, the mark among them; a pair of surrogates stays whole. */
function shorten(text: string, length: number): string {
  let end = length - MARK.length;
  const last = text.charCodeAt(end - 1);
  if (last >= 0xd800 && last < 0xdc00) end--;
  return text.slice(0, end) + MARK;
}
