/**
 * Keys, and values by their shape: where each begins and ends, and what kind of thing it is.
 *
 * Holds the limits on nesting and on the number of keys.
 *
 * @module
 */

import { quote } from "./findings.ts";
import { BLANKS, type TomlCursor } from "./toml_cursor.ts";
import { type BareKind, type KeyValue, type Shape, TomlFault } from "./toml_shape.ts";

/** Nesting of tables and arrays that is accepted; our own files need three. */
export const DEPTH_MAX = 8;
/** Keys and table headers in one file, keys of inline tables included. */
export const KEYS_MAX = 10_000;

const BARE_KEY = /[A-Za-z0-9_-]+/y;
const BARE_LINE = /[^#\r\n]*/y;
// A date may be followed by one blank and a time.
const BARE_ITEM = /\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+/y;
const INTEGER =
  /^(?:[+-]?(?:0|[1-9](?:_?\d)*)|0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*)$/;
const FLOAT = /^[+-]?(?:inf|nan|(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?)$/;
const DATE = /^\d{4}-\d\d-\d\d|^\d\d:\d\d/;

/** Reads keys and values at a cursor. `unquote` decodes one quoted key. */
export class TomlValues {
  readonly #cursor: TomlCursor;
  readonly #unquote: (quoted: string) => string;
  #keys = 0;

  constructor(cursor: TomlCursor, unquote: (quoted: string) => string) {
    this.#cursor = cursor;
    this.#unquote = unquote;
  }

  /** Whether the limit on keys has been passed: nothing more is read then. */
  get exhausted(): boolean {
    return this.#keys > KEYS_MAX;
  }

  /** `key = value`; `depth` is 0 for a statement of its own. */
  keyValue(depth: number): KeyValue {
    this.count();
    const keyAt = this.#cursor.at;
    const path = this.key();
    if (this.#cursor.char !== "=") {
      throw new TomlFault(
        `Cannot read a setting: no "=" after the key ${quote(path.join("."))}`,
        this.#cursor.at,
        'write key = "value"',
      );
    }
    this.#cursor.at++;
    this.#cursor.take(BLANKS);
    const valueAt = this.#cursor.at;
    const shape = this.#value(depth + path.length - 1, depth === 0);
    return { type: "key", path, shape, keyAt, valueAt, valueEnd: this.#cursor.at };
  }

  /** Counts one key or table header. */
  count(): void {
    if (++this.#keys <= KEYS_MAX) return;
    throw new TomlFault(
      `Cannot read the file: more than ${KEYS_MAX} keys and tables`,
      this.#cursor.at,
      "is this the right file?",
    );
  }

  /** A dotted key and the blanks after it. */
  key(): string[] {
    const path: string[] = [];
    for (;;) {
      const at = this.#cursor.at;
      const first = this.#cursor.text[at];
      if (first === '"' || first === "'") {
        this.#cursor.lineString(first);
        path.push(this.#decodeKey(this.#cursor.text.slice(at, this.#cursor.at), at));
      } else {
        const bare = this.#cursor.take(BARE_KEY);
        if (bare === "") {
          throw new TomlFault(
            `Cannot read a key: found ${this.#cursor.found()}`,
            at,
            'a key with other characters than letters, digits, "_" and "-" needs quotes',
          );
        }
        path.push(bare);
      }
      this.#checkDepth(path.length, at);
      this.#cursor.take(BLANKS);
      if (this.#cursor.char !== ".") return path;
      this.#cursor.at++;
      this.#cursor.take(BLANKS);
    }
  }

  #decodeKey(quotedKey: string, at: number): string {
    try {
      return this.#unquote(quotedKey);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
      throw new TomlFault(
        `Cannot read the key ${quote(quotedKey)}: ${reason}`,
        at,
        "write it in single quotes, where backslashes are plain characters",
      );
    }
  }

  #value(depth: number, wholeLine: boolean): Shape {
    this.#checkDepth(depth, this.#cursor.at);
    const first = this.#cursor.char;
    if (first === '"' || first === "'") {
      if (this.#cursor.startsWith(first.repeat(3))) this.#cursor.blockString(first);
      else this.#cursor.lineString(first);
      return { kind: "string" };
    }
    if (first === "[") return this.#array(depth);
    if (first === "{") return this.#inlineTable(depth);
    return this.#bare(wholeLine);
  }

  #array(depth: number): Shape {
    const start = this.#cursor.at++;
    const items: Shape[] = [];
    for (;;) {
      this.#cursor.skipSpace();
      if (this.#cursor.char === "]") break;
      if (this.#cursor.atEnd()) {
        const message = 'Cannot read an array: no closing "]" before the end';
        throw new TomlFault(message, start, 'close it with "]"');
      }
      items.push(this.#value(depth + 1, false));
      this.#cursor.skipSpace();
      if (this.#cursor.char === ",") this.#cursor.at++;
      else if (!this.#cursor.atEnd() && this.#cursor.char !== "]") {
        throw new TomlFault(
          `Cannot read an array: found ${this.#cursor.found()} where "," or "]" belongs`,
          this.#cursor.at,
          'write ["one", "two"]',
        );
      }
    }
    this.#cursor.at++;
    return { kind: "array", items };
  }

  #inlineTable(depth: number): Shape {
    this.#cursor.at++;
    const members: KeyValue[] = [];
    this.#cursor.take(BLANKS);
    if (this.#cursor.char === "}") {
      this.#cursor.at++;
      return { kind: "table", members };
    }
    for (;;) {
      this.#cursor.take(BLANKS);
      members.push(this.keyValue(depth + 1));
      this.#cursor.take(BLANKS);
      const char = this.#cursor.char;
      if (char !== "," && char !== "}") {
        throw new TomlFault(
          `Cannot read an inline table: found ${this.#cursor.found()} where "," or "}" belongs`,
          this.#cursor.at,
          'write { "name" = "value" } on one line',
        );
      }
      this.#cursor.at++;
      if (char === "}") return { kind: "table", members };
    }
  }

  #bare(wholeLine: boolean): Shape {
    const at = this.#cursor.at;
    // A whole line, because the usual fault is text without its quotes, and that has blanks in it.
    const line = this.#cursor.take(wholeLine ? BARE_LINE : BARE_ITEM);
    const raw = line.trimEnd();
    this.#cursor.at = at + raw.length;
    const means = bareKind(raw);
    if (means !== undefined) return { kind: "bare", raw, means };
    if (raw === "") {
      const message = `Cannot read a value: found ${this.#cursor.found()}`;
      throw new TomlFault(
        message,
        at,
        'an empty value is ""; to have the default, leave the key out',
      );
    }
    throw new TomlFault(
      `Cannot read a value: text without quotes, ${quote(raw)}`,
      at,
      `write ${/^(?:yes|no)$/i.test(raw) ? `true, false or ${quote(raw)}` : quote(raw)}`,
    );
  }

  #checkDepth(depth: number, at: number): void {
    if (depth > DEPTH_MAX) {
      const message = `Cannot read the file: nested more than ${DEPTH_MAX} deep`;
      throw new TomlFault(message, at, "is this the right file?");
    }
  }
}

function bareKind(raw: string): BareKind | undefined {
  if (raw === "true" || raw === "false") return "boolean";
  if (INTEGER.test(raw)) return "integer";
  if (DATE.test(raw)) return "date";
  if (FLOAT.test(raw)) return "float";
  return undefined;
}
