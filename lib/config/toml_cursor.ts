/**
 * A place that moves through TOML text: white space, comments, line ends, strings.
 *
 * @module
 */

import { quote } from "./findings.ts";
import { TomlFault } from "./toml_shape.ts";

/** Blanks within a line. */
export const BLANKS = /[ \t]*/y;
const COMMENT = /#([^\n]*)/y;
const NEWLINE = /\r?\n/y;
// deno-lint-ignore no-control-regex -- the control characters that TOML forbids in text
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|$)/;

/** Every step that cannot be made throws a {@linkcode TomlFault}. */
export class TomlCursor {
  readonly text: string;
  /** Offset in UTF-16 code units. */
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The character here; `undefined` at the end. */
  get char(): string | undefined {
    return this.text[this.at];
  }

  atEnd(): boolean {
    return this.at >= this.text.length;
  }

  startsWith(mark: string): boolean {
    return this.text.startsWith(mark, this.at);
  }

  /** Moves over what the sticky `pattern` matches here, which may be nothing. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  /** What stands here, in words. */
  found(): string {
    const char = this.text.codePointAt(this.at);
    if (char === undefined) return "the end of the file";
    return char === 10 || char === 13 ? "the end of the line" : quote(String.fromCodePoint(char));
  }

  /** Moves over blanks, line ends and comments. */
  skipSpace(): void {
    for (;;) {
      this.take(BLANKS);
      if (this.char === "#") this.#comment();
      if (this.take(NEWLINE) === "") return;
    }
  }

  #comment(): void {
    const at = this.at;
    const comment = this.take(COMMENT);
    this.#checkControl("comment", at);
    if (comment.endsWith("\r")) this.at--;
  }

  /** Moves over the rest of a line, which may hold a comment only. */
  endOfLine(): void {
    this.take(BLANKS);
    if (this.char === "#") this.#comment();
    if (this.at < this.text.length && this.take(NEWLINE) === "") {
      throw new TomlFault(
        `Cannot read the end of a line: found ${this.found()} after the value`,
        this.at,
        'end the line there; a comment begins with "#"',
      );
    }
  }

  /** TOML packages differ in whether they notice these. */
  #checkControl(what: string, start: number): void {
    if (CONTROL.test(this.text.slice(start, this.at))) {
      throw new TomlFault(
        `Cannot read a ${what}: it holds a control character`,
        start,
        "remove it; in a string in double quotes it can be written as \\uXXXX",
      );
    }
  }

  /** Moves over the string within one line that opens here with `mark`. */
  lineString(mark: string): void {
    const start = this.at++;
    for (;;) {
      const char = this.char;
      if (char === undefined || char === "\n") {
        const hint = `close it with ${mark}; text of several lines stands between ${
          mark.repeat(3)
        }`;
        throw new TomlFault(`Cannot read a string: no closing ${mark} on its line`, start, hint);
      }
      this.at++;
      if (char === mark) {
        this.#checkControl("string", start);
        return;
      }
      if (char === "\\" && mark === '"' && this.char !== "\n") this.at++;
    }
  }

  /** Moves over the string of several lines that opens here with three of `mark`. */
  blockString(mark: string): void {
    const start = this.at;
    const fence = mark.repeat(3);
    this.at += 3;
    while (!this.text.startsWith(fence, this.at)) {
      if (this.at >= this.text.length) {
        const message = `Cannot read a string: no closing ${fence} before the end`;
        throw new TomlFault(message, start, `close it with ${fence}`);
      }
      this.at += this.char === "\\" && mark === '"' ? 2 : 1;
    }
    this.at += 3;
    // One or two marks right before the fence belong to the text.
    for (let i = 0; i < 2 && this.char === mark; i++) this.at++;
    this.#checkControl("string", start);
  }
}
