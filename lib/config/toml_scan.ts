/**
 * Cuts TOML text into statements: where each key, table header and value begins and ends.
 *
 * Owns the structure only. What a value means is left to the TOML package, one value at a time (see
 * `toml_source.ts`). TOML packages differ in how they treat repeated keys and tables, and none of
 * them tells on which line a value stood; this scan is why neither matters to us.
 *
 * A syntax fault is a {@linkcode TomlFault}; {@linkcode scanStatements} catches it, notes it, and
 * goes on with the next line that looks like a statement, so that one fault does not hide another.
 * Time and memory grow with the length of the text, never faster.
 *
 * @module
 */

import { type Place, quote } from "./findings.ts";

/** Nesting of tables and arrays that is accepted; our own files need three. */
export const DEPTH_MAX = 8;
/** Keys and table headers in one file, keys of inline tables included. */
export const KEYS_MAX = 10_000;
/** After this many syntax faults the rest of the file is not looked at. */
const FAULTS_MAX = 50;

const BARE_KEY = /[A-Za-z0-9_-]+/y;
const BARE_LINE = /[^#\r\n]*/y;
// A date may be followed by one blank and a time.
const BARE_ITEM = /\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+/y;
const BLANKS = /[ \t]*/y;
const COMMENT = /#([^\n]*)/y;
const NEWLINE = /\r?\n/y;
const STATEMENT_START = /^[ \t]*(?:\[|[A-Za-z0-9_."'-]+[ \t]*=)/;
const INTEGER = /^(?:[+-]?(?:0|[1-9](?:_?\d)*)|0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+)$/;
const FLOAT = /^[+-]?(?:inf|nan|\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?[\d_]+)?)$/;
const DATE = /^\d{4}-\d\d-\d\d|^\d\d:\d\d/;
// deno-lint-ignore no-control-regex -- the control characters that TOML forbids in text
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|$)/;

/** What a value looks like, before anybody knows what it holds. */
export type Shape =
  | { readonly kind: "string" }
  | { readonly kind: "bare"; readonly raw: string; readonly means: BareKind }
  | { readonly kind: "array"; readonly items: readonly Shape[] }
  | { readonly kind: "table"; readonly members: readonly KeyValue[] };

/** What a value without quotes can be. */
export type BareKind = "boolean" | "integer" | "float" | "date";

/** `key = value`; offsets count UTF-16 code units from the start of the text. */
export interface KeyValue {
  readonly type: "key";
  readonly path: readonly string[];
  readonly shape: Shape;
  readonly keyAt: number;
  readonly valueAt: number;
  readonly valueEnd: number;
}

/** `[table]` or `[[table]]`. */
export interface Header {
  readonly type: "header";
  readonly path: readonly string[];
  readonly array: boolean;
  readonly keyAt: number;
}

export type Statement = KeyValue | Header;

/** Text that is not TOML, and where. */
export class TomlFault extends Error {
  override readonly name = "TomlFault";
  readonly at: number;
  readonly hint: string | undefined;

  constructor(message: string, at: number, hint?: string) {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}

/** Turns an offset into a line and a column. */
export class PlaceIndex {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  of(offset: number): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low] + 1 };
  }
}

/** All statements of `text` in order, and every syntax fault. `unquote` decodes one quoted key. */
export function scanStatements(
  text: string,
  unquote: (quoted: string) => string,
): { statements: readonly Statement[]; faults: readonly TomlFault[] } {
  const scanner = new Scanner(text, unquote);
  const statements: Statement[] = [];
  const faults: TomlFault[] = [];
  while (faults.length < FAULTS_MAX) {
    try {
      const statement = scanner.next();
      if (statement === undefined) break;
      statements.push(statement);
    } catch (thrown) {
      if (!(thrown instanceof TomlFault)) throw thrown;
      faults.push(thrown);
      if (!scanner.recover()) break;
    }
  }
  return { statements, faults };
}

class Scanner {
  readonly #text: string;
  readonly #unquote: (quoted: string) => string;
  #at = 0;
  #keys = 0;

  constructor(text: string, unquote: (quoted: string) => string) {
    this.#text = text;
    this.#unquote = unquote;
  }

  next(): Statement | undefined {
    this.#skipSpace();
    if (this.#at >= this.#text.length) return undefined;
    const statement = this.#text[this.#at] === "[" ? this.#header() : this.#keyValue(0);
    this.#endOfLine();
    return statement;
  }

  /** Moves to the next line that looks like a statement; false when there is none. */
  recover(): boolean {
    if (this.#keys > KEYS_MAX) return false;
    for (;;) {
      const newline = this.#text.indexOf("\n", this.#at);
      if (newline < 0) return false;
      this.#at = newline + 1;
      const end = this.#text.indexOf("\n", this.#at);
      if (STATEMENT_START.test(this.#text.slice(this.#at, end < 0 ? undefined : end))) return true;
    }
  }

  #header(): Header {
    this.#count();
    const array = this.#text.startsWith("[[", this.#at);
    this.#at += array ? 2 : 1;
    this.#take(BLANKS);
    const keyAt = this.#at;
    const path = this.#key();
    const close = array ? "]]" : "]";
    if (!this.#text.startsWith(close, this.#at)) {
      throw new TomlFault(
        `Cannot read a table header: no ${quote(close)} after its name`,
        this.#at,
      );
    }
    this.#at += close.length;
    return { type: "header", path, array, keyAt };
  }

  #keyValue(depth: number): KeyValue {
    this.#count();
    const keyAt = this.#at;
    const path = this.#key();
    if (this.#text[this.#at] !== "=") {
      throw new TomlFault(
        `Cannot read a setting: no "=" after the key ${quote(path.join("."))}`,
        this.#at,
      );
    }
    this.#at++;
    this.#take(BLANKS);
    const valueAt = this.#at;
    const shape = this.#value(depth + path.length - 1, depth === 0);
    return { type: "key", path, shape, keyAt, valueAt, valueEnd: this.#at };
  }

  #count(): void {
    if (++this.#keys <= KEYS_MAX) return;
    throw new TomlFault(`Cannot read the file: more than ${KEYS_MAX} keys and tables`, this.#at);
  }

  /** A dotted key and the blanks after it. */
  #key(): string[] {
    const path: string[] = [];
    for (;;) {
      const at = this.#at;
      const first = this.#text[at];
      if (first === '"' || first === "'") {
        this.#lineString(first);
        path.push(this.#decodeKey(this.#text.slice(at, this.#at), at));
      } else {
        const bare = this.#take(BARE_KEY);
        if (bare === "") {
          throw new TomlFault(
            `Cannot read a key: found ${this.#found()}`,
            at,
            'a key with other characters than letters, digits, "_" and "-" needs quotes',
          );
        }
        path.push(bare);
      }
      this.#checkDepth(path.length, at);
      this.#take(BLANKS);
      if (this.#text[this.#at] !== ".") return path;
      this.#at++;
      this.#take(BLANKS);
    }
  }

  #decodeKey(quotedKey: string, at: number): string {
    try {
      return this.#unquote(quotedKey);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
      throw new TomlFault(`Cannot read the key ${quotedKey}: ${reason}`, at);
    }
  }

  #value(depth: number, wholeLine: boolean): Shape {
    this.#checkDepth(depth, this.#at);
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") {
      if (this.#text.startsWith(first.repeat(3), this.#at)) this.#blockString(first);
      else this.#lineString(first);
      return { kind: "string" };
    }
    if (first === "[") return this.#array(depth);
    if (first === "{") return this.#inlineTable(depth);
    return this.#bare(wholeLine);
  }

  #lineString(mark: string): void {
    const start = this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || char === "\n") {
        throw new TomlFault(`Cannot read a string: no closing ${mark} on its line`, start);
      }
      this.#at++;
      if (char === mark) {
        this.#checkControl("string", start);
        return;
      }
      if (char === "\\" && mark === '"' && this.#text[this.#at] !== "\n") this.#at++;
    }
  }

  #blockString(mark: string): void {
    const start = this.#at;
    const fence = mark.repeat(3);
    this.#at += 3;
    while (!this.#text.startsWith(fence, this.#at)) {
      if (this.#at >= this.#text.length) {
        throw new TomlFault(`Cannot read a string: no closing ${fence} before the end`, start);
      }
      this.#at += this.#text[this.#at] === "\\" && mark === '"' ? 2 : 1;
    }
    this.#at += 3;
    // One or two marks right before the fence belong to the text.
    for (let i = 0; i < 2 && this.#text[this.#at] === mark; i++) this.#at++;
    this.#checkControl("string", start);
  }

  #array(depth: number): Shape {
    const start = this.#at++;
    const items: Shape[] = [];
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] === "]") break;
      if (this.#at >= this.#text.length) {
        throw new TomlFault('Cannot read an array: no closing "]" before the end', start);
      }
      items.push(this.#value(depth + 1, false));
      this.#skipSpace();
      if (this.#text[this.#at] === ",") this.#at++;
      else if (this.#at < this.#text.length && this.#text[this.#at] !== "]") {
        throw new TomlFault(
          `Cannot read an array: found ${this.#found()} where "," or "]" belongs`,
          this.#at,
        );
      }
    }
    this.#at++;
    return { kind: "array", items };
  }

  #inlineTable(depth: number): Shape {
    this.#at++;
    const members: KeyValue[] = [];
    this.#take(BLANKS);
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return { kind: "table", members };
    }
    for (;;) {
      this.#take(BLANKS);
      members.push(this.#keyValue(depth + 1));
      this.#take(BLANKS);
      const char = this.#text[this.#at];
      if (char !== "," && char !== "}") {
        throw new TomlFault(
          `Cannot read an inline table: found ${this.#found()} where "," or "}" belongs`,
          this.#at,
        );
      }
      this.#at++;
      if (char === "}") return { kind: "table", members };
    }
  }

  #bare(wholeLine: boolean): Shape {
    const at = this.#at;
    // A whole line, because the usual fault is text without its quotes, and that has blanks in it.
    const line = this.#take(wholeLine ? BARE_LINE : BARE_ITEM);
    const raw = line.trimEnd();
    this.#at = at + raw.length;
    const means = bareKind(raw);
    if (means !== undefined) return { kind: "bare", raw, means };
    if (raw === "") throw new TomlFault(`Cannot read a value: found ${this.#found()}`, at);
    throw new TomlFault(
      `Cannot read a value: text without quotes, ${quote(raw)}`,
      at,
      `write ${/^(?:yes|no)$/i.test(raw) ? `true, false or ${quote(raw)}` : quote(raw)}`,
    );
  }

  #skipSpace(): void {
    for (;;) {
      this.#take(BLANKS);
      if (this.#text[this.#at] === "#") this.#comment();
      if (this.#take(NEWLINE) === "") return;
    }
  }

  #comment(): void {
    const at = this.#at;
    const comment = this.#take(COMMENT);
    this.#checkControl("comment", at);
    if (comment.endsWith("\r")) this.#at--;
  }

  #endOfLine(): void {
    this.#take(BLANKS);
    if (this.#text[this.#at] === "#") this.#comment();
    if (this.#at < this.#text.length && this.#take(NEWLINE) === "") {
      throw new TomlFault(
        `Cannot read the end of a line: found ${this.#found()} after the value`,
        this.#at,
      );
    }
  }

  /** TOML packages differ in whether they notice these. */
  #checkControl(what: string, start: number): void {
    if (CONTROL.test(this.#text.slice(start, this.#at))) {
      throw new TomlFault(`Cannot read a ${what}: it holds a control character`, start);
    }
  }

  #checkDepth(depth: number, at: number): void {
    if (depth > DEPTH_MAX) {
      throw new TomlFault(`Cannot read the file: nested more than ${DEPTH_MAX} deep`, at);
    }
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #found(): string {
    const char = this.#text.codePointAt(this.#at);
    if (char === undefined) return "the end of the file";
    return char === 10 || char === 13 ? "the end of the line" : quote(String.fromCodePoint(char));
  }
}

function bareKind(raw: string): BareKind | undefined {
  if (raw === "true" || raw === "false") return "boolean";
  if (INTEGER.test(raw)) return "integer";
  if (DATE.test(raw)) return "date";
  if (FLOAT.test(raw)) return "float";
  return undefined;
}
