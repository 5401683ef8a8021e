/**
 * The line grammar that main.cf and master.cf share: bytes in, logical lines and comments out.
 *
 * A line that begins with white space continues the one before it; its line break disappears and its
 * blanks stay. Lines whose first visible character is `#`, and blank lines, may stand inside a
 * continued line without ending it (readlline.c). Nothing is quoted and nothing is escaped.
 *
 * Postfix reads bytes; TOML has to be UTF-8 without NUL. Where a parameter holds anything else there
 * is an error with its line; a comment is never a reason to refuse a file. Nothing is thrown.
 *
 * @module
 */

import { toLatin1 } from "../../base/bytes.ts";
import { SPACE, trimSpace } from "../blanks.ts";
import type { FindingList, Problem } from "../findings.ts";
import { TEXT_LENGTH_MAX } from "../toml_source.ts";

/** Longest file that is read, in bytes; what comes out could not be loaded if it were longer. */
export const FILE_BYTES_MAX = TEXT_LENGTH_MAX;

const NEWLINE = 10;
const STARTS_BLANK = new RegExp(`^[${SPACE}]`);
const COMMENT_OR_BLANK = new RegExp(`^[${SPACE}]*(?:#|$)`);
const UTF8_HINT = "save the file as UTF-8, for example with iconv -f ISO-8859-1 -t UTF-8";

/** One piece of a file. */
export interface SourceLine {
  /**
   * `text`: a logical line. `stray`: a line that continues nothing; Postfix skips it with a warning.
   * `comment`: a comment line; one that stands inside a logical line comes before it here.
   */
  readonly kind: "text" | "stray" | "comment" | "blank";
  /** Without the line breaks; a comment begins with its `#`. */
  readonly text: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/** Cuts `bytes` into logical lines; one that cannot be converted becomes an error and is left out. */
export function readLogicalLines(bytes: Uint8Array, findings: FindingList): SourceLine[] {
  if (bytes.length > FILE_BYTES_MAX) {
    const message =
      `Cannot convert the file: ${bytes.length} bytes, more than the limit of ${FILE_BYTES_MAX}`;
    findings.add({ severity: "error", message, hint: "is this the right file?" });
    return [];
  }
  const joiner = new Joiner();
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const { text, problem } = decodeLine(bytes.subarray(start, end));
    line++;
    if (problem !== undefined) findings.add(problem, { place: { line, column: 1 } });
    joiner.take(text, line, problem?.severity === "error");
    start = end + 1;
  }
  return joiner.finish();
}

/** Text of one physical line, and what is wrong with it. */
function decodeLine(bytes: Uint8Array): { text: string; problem?: Problem } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Each byte as one character: enough to see what kind of line it is.
    text = toLatin1(bytes);
    if (COMMENT_OR_BLANK.test(text)) {
      const message = "This comment is not UTF-8 text; it has been read as ISO 8859-1";
      return { text, problem: { severity: "warning", message, hint: UTF8_HINT } };
    }
    const message = "Cannot convert a line: it is not UTF-8 text, and TOML has to be";
    return { text, problem: { severity: "error", message, hint: UTF8_HINT } };
  }
  if (!text.includes("\0") || COMMENT_OR_BLANK.test(text)) return { text };
  const message = "Cannot convert a line: it holds a NUL character";
  const hint = "remove it; Postfix itself loses the rest of such a line";
  return { text, problem: { severity: "error", message, hint } };
}

/** Joins physical lines. */
class Joiner {
  readonly #result: SourceLine[] = [];
  /** The logical line that may still go on, in pieces. */
  #pieces: string[] = [];
  #start = 0;
  #broken = false;
  /** Comments and blank lines since its last piece: inside it, if it goes on, else after it. */
  #between: SourceLine[] = [];

  /** The next physical line; a `broken` one spoils the logical line that it is part of. */
  take(text: string, line: number, broken: boolean): void {
    if (COMMENT_OR_BLANK.test(text)) {
      const trimmed = trimSpace(text);
      this.#between.push({ kind: trimmed === "" ? "blank" : "comment", text: trimmed, line });
    } else if (this.#pieces.length > 0 && STARTS_BLANK.test(text)) {
      this.#result.push(...this.#between.filter(({ kind }) => kind === "comment"));
      this.#between = [];
      this.#pieces.push(text);
      this.#broken ||= broken;
    } else {
      this.#end();
      this.#pieces = [text];
      this.#start = line;
      this.#broken = broken;
    }
  }

  finish(): SourceLine[] {
    this.#end();
    return this.#result;
  }

  #end(): void {
    if (this.#pieces.length > 0 && !this.#broken) {
      const text = this.#pieces.join("");
      const kind = STARTS_BLANK.test(text) ? "stray" : "text";
      this.#result.push({ kind, text, line: this.#start });
    }
    for (const line of this.#between) this.#result.push(line);
    this.#pieces = [];
    this.#between = [];
  }
}
