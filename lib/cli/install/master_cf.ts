/**
 * Commenting entries of master.cf out, and back in.
 *
 * Each line of an entry gets a mark in front, so that Postfix takes it for a comment and we know it
 * again; all other bytes of the file stay as they are.
 *
 * @module
 */

/** In front of a line. */
const MARK = "#postern# ";

/**
 * `text` with the entries that begin in `lines` commented out.
 *
 * @param text bytes as characters
 * @param lines numbers from 1; an entry goes on in lines that begin with a blank, and comments may stand
 *   between them (master(5))
 */
export function commentOut(text: string, lines: readonly number[]): string {
  const all = text.split("\n");
  for (const first of lines) {
    all[first - 1] = MARK + all[first - 1];
    for (let at = first; at < all.length && !/^[^\s#]/.test(all[at]); at++) {
      if (/^\s+[^\s#]/.test(all[at])) all[at] = MARK + all[at];
    }
  }
  return all.join("\n");
}

/** `text` with all marks taken away. */
export function commentIn(text: string): string {
  return text.split("\n").map((line) => line.startsWith(MARK) ? line.slice(MARK.length) : line)
    .join("\n");
}
