/**
 * Reads TypeScript just far enough for the house rules: which text is code, which is comment, and
 * what is imported. Strings keep their place in the code but lose their content, comments both.
 *
 * It knows comments, the three kinds of string and regular expressions. A regular expression is told
 * from a division by what stands before it.
 *
 * @module
 */

/** A source file taken apart. Line breaks stay where they were in both texts. */
export interface Source {
  /** The code, strings emptied and comments blank. */
  readonly code: string;
  /** The comments, all else blank. */
  readonly comments: string;
  /** Specifiers of static and dynamic imports and of re-exports. */
  readonly imports: readonly string[];
  /** First arguments of `new URL(…, import.meta.url)`. */
  readonly moduleUrls: readonly string[];
}

type Kind = "code" | "comment" | "string";

const BEFORE_REGEXP =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|=>|\b(?:return|typeof|case|of|in|do|else|void))\s*$/;

/** Where the string, template piece or regular expression that opens at `at` ends (exclusive). */
function endOfQuoted(text: string, at: number): number {
  const quote = text[at];
  let inClass = false;
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i];
    if (c === "\\") i++;
    else if (quote === "/" && c === "[") inClass = true;
    else if (quote === "/" && c === "]") inClass = false;
    else if (c === quote && !inClass) return i + 1;
    else if (quote === "`" && c === "$" && text[i + 1] === "{") i = endOfHole(text, i + 2) - 1;
    else if (c === "\n" && quote !== "`") return i;
  }
  return text.length;
}

/** Where the `${…}` whose content starts at `at` ends (exclusive). */
function endOfHole(text: string, at: number): number {
  let depth = 1;
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === "'" || c === '"' || c === "`") i = endOfQuoted(text, i) - 1;
    else if (c === "{") depth++;
    else if (c === "}" && --depth === 0) return i + 1;
  }
  return text.length;
}

/** Cuts `text` into pieces of one kind each. */
function* pieces(text: string): Generator<{ kind: Kind; start: number; end: number }> {
  let start = 0;
  let at = 0;
  const step = (end: number, kind: Kind) => ({ kind, start: at, end });
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    let piece: { kind: Kind; start: number; end: number } | undefined;
    if (two === "//") {
      const end = text.indexOf("\n", at);
      piece = step(end < 0 ? text.length : end, "comment");
    } else if (two === "/*") {
      const end = text.indexOf("*/", at + 2);
      piece = step(end < 0 ? text.length : end + 2, "comment");
    } else if (
      /["'`]/.test(text[at]) ||
      (text[at] === "/" && BEFORE_REGEXP.test(text.slice(Math.max(start, at - 40), at)))
    ) {
      piece = step(endOfQuoted(text, at), "string");
    }
    if (piece === undefined) {
      at++;
      continue;
    }
    if (piece.start > start) yield { kind: "code", start, end: piece.start };
    yield piece;
    start = at = piece.end;
  }
  if (start < text.length) yield { kind: "code", start, end: text.length };
}

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** Takes `text` apart. Code inside the holes of a template counts as string. */
export function scanSource(text: string): Source {
  let code = "";
  let comments = "";
  let withStrings = "";
  for (const { kind, start, end } of pieces(text)) {
    const piece = text.slice(start, end);
    const quoted = piece[0] + blank(piece.slice(1, -1)) + piece.slice(-1);
    code += kind === "code" ? piece : kind === "string" && piece.length > 1 ? quoted : blank(piece);
    comments += kind === "comment" ? piece : blank(piece);
    withStrings += kind === "comment" ? blank(piece) : piece;
  }
  const imports: string[] = [];
  const moduleUrls: string[] = [];
  const statement = /\b(?:import|export)\b(?:\s*\(\s*|[^"'`;()]*?\bfrom\s*|\s*)(["'])/g;
  for (const match of code.matchAll(statement)) {
    const from = match.index + match[0].length;
    imports.push(withStrings.slice(from, code.indexOf(match[1], from)));
  }
  for (const match of code.matchAll(/\bnew\s+URL\s*\(\s*(["'])(\s*)\1\s*,\s*import\.meta\.url/g)) {
    const from = match.index + match[0].indexOf(match[1]) + 1;
    moduleUrls.push(withStrings.slice(from, from + match[2].length));
  }
  return { code, comments, imports, moduleUrls };
}
