/**
 * `$name` expressions in Postfix's manner, evaluated lazily over one dictionary.
 *
 * `$name` always sees the value that `name` has, its default included, whoever asked first; Postfix
 * itself shows a default only after the same process has read that parameter. Everything else
 * follows mac_parse(3) and mac_expand(3): an undefined name is empty text, a malformed expression is
 * an {@linkcode ExpansionError}.
 *
 * One level counter runs through everything, comparison operands included, so that no input can
 * exhaust the stack; results are kept, and their length is bounded, so that none can exhaust time or
 * memory either.
 *
 * @module
 */

import { compareOperands, OPERATORS } from "./comparison.ts";
import { quote } from "./findings.ts";

/** Nested expansions that are accepted, as in mac_expand.c. */
export const LEVELS_MAX = 100;
/** Longest value after expansion, in UTF-16 code units. */
export const EXPANDED_LENGTH_MAX = 1 << 20;

const NAME = /[A-Za-z0-9_]+/y;
const BLANKS = /[ \t\r\n]*/y;
const OPERATOR = /[^\s{]*/y;
const REFERENCE = /\$(?:[({]\s*)?([A-Za-z0-9_]+)/g;

/** An expression that cannot be evaluated. */
export class ExpansionError extends Error {
  override readonly name = "ExpansionError";
  /** The parameter whose own text holds the fault; for a circle, its first name in the alphabet. */
  readonly owner: string;

  constructor(message: string, owner: string) {
    super(message);
    this.owner = owner;
  }
}

/** Expanded text, and how many levels of expansion it took. */
interface Piece {
  readonly text: string;
  readonly height: number;
}

/** Names that `text` mentions as `$name`, inside braces too, in the order of the text. */
export function mentionedNames(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => match[1]);
}

/** Values by name, each evaluated when it is first asked for. */
export class Evaluator {
  readonly #textOf: (name: string) => string | undefined;
  readonly #known = new Map<string, Piece>();
  readonly #stack: string[] = [];
  readonly #undefinedNames = new Map<string, Set<string>>();

  /** `textOf` gives the text of a name before expansion, or `undefined` when nobody defined it. */
  constructor(textOf: (name: string) => string | undefined) {
    this.#textOf = textOf;
  }

  /** The expanded value of `name`; undefined names are empty. Throws {@linkcode ExpansionError}. */
  value(name: string): string {
    this.#stack.length = 0;
    return this.#evaluate(name, 0).text;
  }

  /** Names that were asked for and that nobody defined, with the names whose text asks for them. */
  get undefinedNames(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#undefinedNames;
  }

  #evaluate(name: string, level: number): Piece {
    const known = this.#known.get(name);
    // A kept value counts with its height; where that is too much, the walk below finds the names.
    if (known !== undefined && level + known.height <= LEVELS_MAX) return known;
    this.#checkCircle(name);
    const text = this.#textOf(name);
    if (text === undefined) {
      this.#noteUndefined(name);
      return { text: "", height: 0 };
    }
    this.#stack.push(name);
    const piece = this.#expand(text, level);
    this.#stack.pop();
    this.#known.set(name, piece);
    return piece;
  }

  #noteUndefined(name: string): void {
    const asking = this.#undefinedNames.get(name) ?? new Set();
    const owner = this.#stack.at(-1);
    if (owner !== undefined) asking.add(owner);
    this.#undefinedNames.set(name, asking);
  }

  #checkCircle(name: string): void {
    const first = this.#stack.indexOf(name);
    if (first < 0) return;
    // Turned so that the same circle has the same words, wherever it was entered.
    const circle = this.#stack.slice(first);
    const owner = circle.toSorted()[0];
    const turn = circle.indexOf(owner);
    const names = [...circle.slice(turn), ...circle.slice(0, turn), owner];
    throw new ExpansionError(
      `Cannot expand $${owner}: it refers to itself, ${chainOf(names)}`,
      owner,
    );
  }

  #fail(what: string, found: string): never {
    const owner = this.#stack.at(-1) ?? "";
    throw new ExpansionError(`Cannot expand ${quote(what)}: ${found}`, owner);
  }

  /** Expands all of `text`, whose expressions stand at `level` + 1. */
  #expand(text: string, level: number): Piece {
    let result = "";
    let height = 0;
    let at = 0;
    for (;;) {
      const dollar = text.indexOf("$", at);
      if (dollar < 0) break;
      result += text.slice(at, dollar);
      at = dollar + 1;
      const next = text[at];
      if (next === "$") {
        result += "$";
        at++;
        continue;
      }
      let piece: Piece;
      if (next === "{" || next === "(") {
        const end = closing(text, at);
        if (end < 0) this.#fail(text.slice(dollar), `the bracket "${next}" is not closed`);
        piece = this.#expression(text.slice(at + 1, end), level + 1);
        at = end + 1;
      } else {
        const name = matchAt(NAME, text, at);
        if (name === "") {
          this.#fail(text.slice(dollar), `no name follows the "$" at character ${dollar + 1}`);
        }
        piece = this.#named(name, level + 1);
        at += name.length;
      }
      result += piece.text;
      height = Math.max(height, piece.height);
      if (result.length > EXPANDED_LENGTH_MAX) {
        this.#fail(text, `the result is longer than ${EXPANDED_LENGTH_MAX} characters`);
      }
    }
    return { text: result + text.slice(at), height };
  }

  #named(name: string, level: number): Piece {
    this.#checkLevel(level);
    const { text, height } = this.#evaluate(name, level);
    return { text, height: height + 1 };
  }

  #checkLevel(level: number): void {
    if (level <= LEVELS_MAX) return;
    const owner = this.#stack[0] ?? "";
    throw new ExpansionError(
      `Cannot expand $${owner}: more than ${LEVELS_MAX} nested expansions, ${chainOf(this.#stack)}`,
      owner,
    );
  }

  /** What stands between the brackets of one `${...}` or `$(...)`. */
  #expression(body: string, level: number): Piece {
    this.#checkLevel(level);
    const start = matchAt(BLANKS, body, 0).length;
    const subject = body[start] === "{"
      ? this.#comparison(body, start, level)
      : this.#subject(body, start, level);
    const operator = body[subject.end];
    if (operator === undefined) return { text: subject.text, height: subject.height + 1 };
    const branches = this.#branches(body, subject.end);
    const chosen = subject.text !== "" ? branches.whenSet : branches.whenEmpty;
    const piece = this.#expand(chosen, level);
    return { text: piece.text, height: Math.max(subject.height, piece.height) + 1 };
  }

  /**
   * The name in front, and the offset of what follows it and its blanks. Before `?` and `:` only
   * counts whether anything is written for the name: `${b?x}` is `x` when `b = $empty`.
   */
  #subject(body: string, start: number, level: number): Piece & { end: number } {
    const name = matchAt(NAME, body, start);
    if (name === "") {
      this.#fail(`\${${body}}`, `no name at character ${start + 3}`);
    }
    let end = start + name.length;
    end += matchAt(BLANKS, body, end).length;
    const next = body[end];
    if (next === "{") this.#fail(`\${${body}}`, `unknown function ${quote(name)}`);
    if (next !== undefined && next !== "?" && next !== ":") {
      this.#fail(`\${${body}}`, `found ${quote(next)} where "?", ":" or the end belongs`);
    }
    if (next === undefined) return { ...this.#evaluate(name, level), end };
    const text = this.#textOf(name);
    if (text === undefined) this.#noteUndefined(name);
    return { text: text ?? "", height: 0, end };
  }

  /** `{l} op {r}`: "true" or nothing. */
  #comparison(body: string, start: number, level: number): Piece & { end: number } {
    const left = this.#braced(body, start);
    const operator = matchAt(OPERATOR, body, left.end);
    const compare = OPERATORS.get(operator);
    if (compare === undefined) {
      this.#fail(
        `\${${body}}`,
        operator === ""
          ? "no operator after the first operand"
          : `unknown operator ${quote(operator)}`,
      );
    }
    const rightStart = left.end + operator.length;
    const right = this.#braced(body, rightStart + matchAt(BLANKS, body, rightStart).length);
    const next = body[right.end];
    if (next !== undefined && next !== "?" && next !== ":") {
      this.#fail(`\${${body}}`, `found ${quote(next)} where "?", ":" or the end belongs`);
    }
    const leftPiece = this.#expand(left.text, level);
    const rightPiece = this.#expand(right.text, level);
    const outcome = compareOperands(leftPiece.text, rightPiece.text, compare);
    if (typeof outcome === "string") this.#fail(`\${${body}}`, outcome);
    const height = Math.max(leftPiece.height, rightPiece.height);
    return { text: outcome ? "true" : "", height, end: right.end };
  }

  /** The two branches after the `?` or `:` at `operatorAt`. */
  #branches(body: string, operatorAt: number): { whenSet: string; whenEmpty: string } {
    const first = operatorAt + 1;
    const brace = first + matchAt(BLANKS, body, first).length;
    const bare = body.slice(first);
    if (body[operatorAt] === ":") {
      return { whenSet: "", whenEmpty: body[brace] === "{" ? this.#lastBraced(body, brace) : bare };
    }
    if (body[brace] !== "{") return { whenSet: bare, whenEmpty: "" };
    const yes = this.#braced(body, brace);
    if (body[yes.end] === undefined) return { whenSet: yes.text, whenEmpty: "" };
    if (body[yes.end] !== ":") {
      this.#fail(`\${${body}}`, `found ${quote(body[yes.end])} where ":" or the end belongs`);
    }
    const second = yes.end + 1;
    const secondBrace = second + matchAt(BLANKS, body, second).length;
    return {
      whenSet: yes.text,
      whenEmpty: body[secondBrace] === "{"
        ? this.#lastBraced(body, secondBrace)
        : body.slice(second),
    };
  }

  #lastBraced(body: string, at: number): string {
    const { text, end } = this.#braced(body, at);
    if (end < body.length) this.#fail(`\${${body}}`, `text follows the last "}"`);
    return text;
  }

  /** The text inside the braces that open at `at`, and the offset after them and their blanks. */
  #braced(body: string, at: number): { text: string; end: number } {
    if (body[at] !== "{") this.#fail(`\${${body}}`, `no "{" in front of an operand`);
    const close = closing(body, at);
    if (close < 0) this.#fail(`\${${body}}`, 'the bracket "{" is not closed');
    const end = close + 1;
    return { text: body.slice(at + 1, close), end: end + matchAt(BLANKS, body, end).length };
  }
}

/** Offset of the bracket that closes the one at `at`, or -1. Only the same kind is counted. */
function closing(text: string, at: number): number {
  const open = text[at];
  const close = open === "{" ? "}" : ")";
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === open) depth++;
    else if (text[i] === close && --depth === 0) return i;
  }
  return -1;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** `a -> b -> c`; of a long chain the two ends. */
function chainOf(names: readonly string[]): string {
  const shown = names.length > 8 ? [...names.slice(0, 4), "...", ...names.slice(-3)] : names;
  return shown.join(" -> ");
}
