/**
 * Blocks of a manual as text for a screen: lines of at most 80 characters, bold and underlined where
 * the screen can show it, plain where the text goes into a pipe or a file.
 *
 * @module
 */
import type { Block, Entry, Span, UsagePart } from "./markup.ts";

/** Options of {@linkcode renderText}. */
export interface TextOptions {
  /** Longest line. @default {80} */
  readonly width?: number;
  /** Whether to write bold and underlined text by escape sequences. */
  readonly styled: boolean;
}

const STEP = 4;
const NORMAL = "\x1b[0m";
const STYLES = { plain: "", literal: "\x1b[1m", argument: "\x1b[4m" } as const;

/** Whether standard output is a screen whose user wants escape sequences (no-color.org). */
export function isStyledOutput(): boolean {
  return Deno.stdout.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "";
}

/** The text of `blocks`; each line ends in a line break, and none in a blank. */
export function renderText(blocks: readonly Block[], options: TextOptions): string {
  const lines = new Typesetter(options).lines(blocks, 0);
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** Pieces of several styles with no blank between them. */
type Word = readonly Span[];

class Typesetter {
  readonly #width: number;
  readonly #styled: boolean;

  constructor({ width = 80, styled }: TextOptions) {
    this.#width = width;
    this.#styled = styled;
  }

  /** The lines of `blocks`, with an empty one between two blocks, but not below a heading. */
  lines(blocks: readonly Block[], indent: number): string[] {
    const lines: string[] = [];
    let inner = indent;
    let before: Block["kind"] = "section";
    for (const block of blocks) {
      const isHeading = isHeadingKind(block.kind);
      const isClose = isHeadingKind(before) || (before === "usage" && block.kind === "usage");
      if (!isClose) lines.push("");
      before = block.kind;
      if (isHeading) inner = indent + STEP;
      lines.push(...this.#block(block, inner));
    }
    return lines;
  }

  #block(block: Block, indent: number): string[] {
    switch (block.kind) {
      case "section":
        return [this.#heading(block.title.toUpperCase(), 0)];
      case "subsection":
        return [this.#heading(block.title, STEP / 2)];
      case "paragraph":
        return this.#wrap(wordsOf(block.spans), { first: indent, rest: indent });
      case "list":
        return block.items.flatMap((item) => {
          const words = [[{ text: "-", style: "plain" }] as const, ...wordsOf(item)];
          return this.#wrap(words, { first: indent, rest: indent + 2 });
        });
      case "entries":
        return this.#entries(block.items, indent);
      case "literal":
        return block.lines.map((line) => " ".repeat(indent + STEP) + line);
      case "facts":
        return this.#facts(block.rows, indent);
      case "usage":
        return this.#usage(block.words, block.parts, indent);
    }
  }

  #heading(title: string, indent: number): string {
    return " ".repeat(indent) + this.#show({ text: title, style: "literal" });
  }

  #entries(items: readonly Entry[], indent: number): string[] {
    // Long explanations are kept apart, short ones stand close together.
    const isLong = items.some(({ blocks }) => blocks.length > 1);
    return items.flatMap(({ term, blocks }, i) => [
      ...(isLong && i > 0 ? [""] : []),
      ...this.#wrap(wordsOf(term), { first: indent, rest: indent }),
      ...this.lines(blocks, indent + STEP),
    ]);
  }

  #facts(rows: readonly (readonly [string, readonly Span[]])[], indent: number): string[] {
    const left = Math.max(...rows.map(([label]) => label.length)) + 3;
    return rows.flatMap(([label, spans]) => {
      const lines = this.#wrap(wordsOf(spans), { first: 0, rest: 0, taken: indent + left });
      return (lines.length === 0 ? [""] : lines).map((line, i) =>
        " ".repeat(indent) + (i === 0 ? `${label}:` : "").padEnd(left) + line
      );
    });
  }

  #usage(words: readonly string[], parts: readonly UsagePart[], indent: number): string[] {
    const start = words.join(" ");
    const rest = indent + start.length + 1;
    const first: Word[] = [[{ text: start, style: "literal" }]];
    return this.#wrap([...first, ...parts.map(wordOf)], { first: indent, rest });
  }

  /** Lines of whole words; one that is longer than a line stands alone. */
  #wrap(
    words: readonly Word[],
    indents: { readonly first: number; readonly rest: number; readonly taken?: number },
  ): string[] {
    const room = this.#width - (indents.taken ?? 0);
    const lines: string[] = [];
    let length = 0;
    for (const word of words) {
      const wordLength = word.reduce((sum, { text }) => sum + text.length, 0);
      const shown = word.map((span) => this.#show(span)).join("");
      if (lines.length === 0 || length + 1 + wordLength > room) {
        const indent = lines.length === 0 ? indents.first : indents.rest;
        lines.push(" ".repeat(indent) + shown);
        length = indent + wordLength;
      } else {
        lines[lines.length - 1] += ` ${shown}`;
        length += 1 + wordLength;
      }
    }
    return lines;
  }

  #show({ text, style }: Span): string {
    return this.#styled && style !== "plain" ? STYLES[style] + text + NORMAL : text;
  }
}

function isHeadingKind(kind: Block["kind"]): boolean {
  return kind === "section" || kind === "subsection";
}

/** Cuts running text at its blanks. */
function wordsOf(spans: readonly Span[]): Word[] {
  const words: Span[][] = [];
  let isOpen = false;
  for (const { text, style } of spans) {
    for (const part of text.split(/(\s+)/)) {
      if (part === "") continue;
      const isBlank = part.trim() === "";
      if (!isBlank && isOpen) words.at(-1)!.push({ text: part, style });
      else if (!isBlank) words.push([{ text: part, style }]);
      isOpen = !isBlank;
    }
  }
  return words;
}

/** `[--config FILE]...` */
function wordOf({ flag, argument, optional, many }: UsagePart): Word {
  const plain = (text: string): Span => ({ text, style: "plain" });
  return [
    ...(optional ? [plain("[")] : []),
    ...(flag === undefined ? [] : [{ text: flag, style: "literal" } as const]),
    ...(flag !== undefined && argument !== undefined ? [plain(" ")] : []),
    ...(argument === undefined ? [] : [{ text: argument, style: "argument" } as const]),
    ...(optional ? [plain("]")] : []),
    ...(many ? [plain("...")] : []),
  ];
}
