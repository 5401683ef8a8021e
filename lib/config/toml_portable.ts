/**
 * One TOML value, written so that every TOML package reads it alike.
 *
 * Packages disagree about the rarer spellings: some read six digits after `\U`, some take half of a
 * surrogate pair or the escapes of a later TOML for text, some stumble over quotes at the end of a
 * block or over a comment before a comma. The rules here are TOML 1.0's; what is no text by them is
 * an error whatever the package would say, and the rest is handed on in its plainest spelling:
 * strings on one line, no comments.
 *
 * @module
 */

/**
 * A string of one of the four kinds, a comment, a line break between elements, or the blank between
 * a date and a time. A scan has found the strings closed before.
 */
const PIECE =
  /"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}|'''(?:[^']|'{1,2}(?!'))*'{3,5}|"(?:[^"\\]|\\[\s\S])*"|'[^']*'|#[^\r\n]*|\r?\n|(?<=\d{4}-\d\d-\d\d) (?=\d\d:)/g;
/** What cannot stand as it is in a string of one line. */
const SPECIAL =
  /\\[ \t]*\r?\n[ \t\r\n]*|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\[btnfr"\\]|\\(.?)|["\r\n]/gs;
const PLAIN: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\r": "\\r",
  "\n": "\\n",
};

/** `text`, which is a value that our scan has delimited. Throws when a string in it is none. */
export function portableValue(text: string): string {
  return text.replace(PIECE, (piece) => {
    if (piece === " ") return "T";
    if (piece.startsWith("#")) return "";
    if (piece.endsWith("\n")) return " ";
    if (piece.startsWith('"""')) return `"${escapeBasic(block(piece))}"`;
    if (piece.startsWith("'''")) return `"${escapeLiteral(block(piece))}"`;
    return piece.startsWith('"') ? `"${escapeBasic(piece.slice(1, -1))}"` : piece;
  });
}

/** What stands between the fences; a line break right after the first is not part of it. */
function block(piece: string): string {
  return piece.slice(3, -3).replace(/^\r?\n/, "");
}

function escapeLiteral(text: string): string {
  return text.replace(/["\\\r\n]/g, (char) => PLAIN[char]);
}

function escapeBasic(text: string): string {
  return text.replace(SPECIAL, (found, four?: string, eight?: string, other?: string) => {
    if (found.length === 1) return PLAIN[found];
    if (four !== undefined || eight !== undefined) return character(found, four ?? eight ?? "");
    if (other !== undefined) throw new SyntaxError(`no such escape: ${found}`);
    // A backslash at the end of a line takes the blanks after it away.
    return found.trimEnd() === "\\" ? "" : found;
  });
}

function character(found: string, digits: string): string {
  const code = parseInt(digits, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new RangeError(`no such character: ${found}`);
  }
  return code <= 0xffff ? `\\u${digits.slice(-4)}` : String.fromCodePoint(code);
}
