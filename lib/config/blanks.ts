/**
 * White space as Postfix sees it: six ASCII characters and no other.
 *
 * @module
 */

/** The characters, for a class of a regular expression (ISSPACE in sys_defs.h). */
export const SPACE = " \\t\\n\\v\\f\\r";

const BLANKS: ReadonlySet<number> = new Set([..." \t\n\v\f\r"].map((char) => char.charCodeAt(0)));

/** Removes white space at both ends, in one pass: a pattern for the end would take a square of time. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.has(text.charCodeAt(start))) start++;
  while (end > start && BLANKS.has(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
