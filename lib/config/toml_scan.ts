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

import { quote } from "./findings.ts";
import { BLANKS, TomlCursor } from "./toml_cursor.ts";
import { type Header, type Statement, TomlFault } from "./toml_shape.ts";
import { TomlValues } from "./toml_values.ts";

export { DEPTH_MAX, KEYS_MAX } from "./toml_values.ts";

/** After this many syntax faults the rest of the file is not looked at. */
export const FAULTS_MAX = 50;

const STATEMENT_START = /^[ \t]*(?:\[|[A-Za-z0-9_."'-]+[ \t]*=)/;

/** All statements of `text` in order, and every syntax fault. `unquote` decodes one quoted key. */
export function scanStatements(
  text: string,
  unquote: (quoted: string) => string,
): { statements: readonly Statement[]; faults: readonly TomlFault[] } {
  const scanner = new Scanner(text, unquote);
  const statements: Statement[] = [];
  const faults: TomlFault[] = [];
  for (;;) {
    try {
      const statement = scanner.next();
      if (statement === undefined) break;
      statements.push(statement);
    } catch (thrown) {
      if (!(thrown instanceof TomlFault)) throw thrown;
      if (faults.length === FAULTS_MAX) {
        const message = `Cannot read the rest of the file: more than ${FAULTS_MAX} faults`;
        faults.push(new TomlFault(message, thrown.at, "is this the right file?"));
        break;
      }
      faults.push(thrown);
      if (!scanner.recover()) break;
    }
  }
  return { statements, faults };
}

class Scanner {
  readonly #cursor: TomlCursor;
  readonly #values: TomlValues;

  constructor(text: string, unquote: (quoted: string) => string) {
    this.#cursor = new TomlCursor(text);
    this.#values = new TomlValues(this.#cursor, unquote);
  }

  next(): Statement | undefined {
    this.#cursor.skipSpace();
    if (this.#cursor.atEnd()) return undefined;
    const statement = this.#cursor.char === "[" ? this.#header() : this.#values.keyValue(0);
    this.#cursor.endOfLine();
    return statement;
  }

  /** Moves to the next line that looks like a statement; false when there is none. */
  recover(): boolean {
    if (this.#values.exhausted) return false;
    const { text } = this.#cursor;
    for (;;) {
      const newline = text.indexOf("\n", this.#cursor.at);
      if (newline < 0) return false;
      this.#cursor.at = newline + 1;
      const end = text.indexOf("\n", this.#cursor.at);
      const line = text.slice(this.#cursor.at, end < 0 ? undefined : end);
      if (STATEMENT_START.test(line)) return true;
    }
  }

  #header(): Header {
    this.#values.count();
    const array = this.#cursor.startsWith("[[");
    this.#cursor.at += array ? 2 : 1;
    this.#cursor.take(BLANKS);
    const keyAt = this.#cursor.at;
    const path = this.#values.key();
    const close = array ? "]]" : "]";
    if (!this.#cursor.startsWith(close)) {
      throw new TomlFault(
        `Cannot read a table header: no ${quote(close)} after its name`,
        this.#cursor.at,
        array ? "write [[listener]]" : "write [table], or [table.name]",
      );
    }
    this.#cursor.at += close.length;
    return { type: "header", path, array, keyAt };
  }
}
