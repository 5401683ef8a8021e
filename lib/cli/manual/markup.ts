/**
 * The small markup of manual pages, of the texts of parameters and of the help of commands: text in,
 * blocks out. What is made of the blocks is said elsewhere: terminal.ts for a screen, scripts/mdoc.ts
 * for man(1).
 *
 * - A blank line parts paragraphs; other line breaks are blanks.
 * - A line that begins with `- ` is an item of a list, and goes on until the next one or a blank line.
 * - A line that begins with `: ` is a term, and the lines after it explain it.
 * - Lines that begin with four blanks are shown as they are.
 * - `# ` begins a section, `## ` a part of one.
 * - `*...*` and `` `...` `` enclose literal text.
 *
 * Never fails: a mark without its partner is an ordinary character.
 *
 * @module
 */

/** A piece of running text. */
export interface Span {
  readonly text: string;
  /** `literal` is typed or printed as it stands, `argument` stands for something else. */
  readonly style: "plain" | "literal" | "argument";
}

/** A term, and what there is to say about it. */
export interface Entry {
  readonly term: readonly Span[];
  readonly blocks: readonly Block[];
}

/** One part of a command line, as usage shows it: an option, an operand. */
export interface UsagePart {
  readonly flag?: string;
  readonly argument?: string;
  readonly optional?: boolean;
  readonly many?: boolean;
}

/** What a page is made of. */
export type Block =
  | { readonly kind: "section" | "subsection"; readonly title: string }
  | { readonly kind: "paragraph"; readonly spans: readonly Span[] }
  | { readonly kind: "list"; readonly items: readonly (readonly Span[])[] }
  | { readonly kind: "entries"; readonly items: readonly Entry[] }
  | { readonly kind: "literal"; readonly lines: readonly string[] }
  /** Short lines with a label each. */
  | {
    readonly kind: "facts";
    readonly rows: readonly (readonly [label: string, spans: readonly Span[]])[];
  }
  | {
    readonly kind: "usage";
    readonly words: readonly string[];
    readonly parts: readonly UsagePart[];
  };

const INDENT = "    ";

/** Plain text. */
export function plain(text: string): Span {
  return { text, style: "plain" };
}

/** Text that is typed or printed as it stands. */
export function literal(text: string): Span {
  return { text, style: "literal" };
}

/** A word that stands for something else: `FILE`. */
export function argument(text: string): Span {
  return { text, style: "argument" };
}

/** A paragraph of `text`, which is markup. */
export function paragraph(text: string): Block {
  return { kind: "paragraph", spans: readSpans(text) };
}

/** Running text; white space of any length is one blank. */
export function readSpans(text: string): Span[] {
  const spans: Span[] = [];
  const flat = text.trim().replace(/\s+/g, " ");
  let at = 0;
  for (const match of flat.matchAll(/\*([^*]+)\*|`([^`]+)`/g)) {
    if (match.index > at) spans.push(plain(flat.slice(at, match.index)));
    spans.push(literal(match[1] ?? match[2]));
    at = match.index + match[0].length;
  }
  if (at < flat.length) spans.push(plain(flat.slice(at)));
  return spans;
}

/** The blocks of `text`. */
export function readMarkup(text: string): Block[] {
  const blocks: Block[] = [];
  for (const lines of chunksOf(text)) add(blocks, readChunk(lines));
  return blocks;
}

/** Runs of lines without a blank one between them, and of one sort: literal or not. */
function chunksOf(text: string): string[][] {
  const chunks: string[][] = [];
  let chunk: string[] | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "") {
      chunk = undefined;
      continue;
    }
    const first = chunk?.[0];
    const isOther = first !== undefined && first.startsWith(INDENT) !== line.startsWith(INDENT);
    const isHeading = /^##? /.test(line);
    if (chunk === undefined || isOther || isHeading) chunks.push(chunk = []);
    chunk.push(line);
    if (isHeading) chunk = undefined;
  }
  return chunks;
}

function readChunk(lines: readonly string[]): Block[] {
  const [first] = lines;
  if (first.startsWith(INDENT)) {
    return [{ kind: "literal", lines: lines.map((line) => line.slice(INDENT.length)) }];
  }
  const heading = /^(##?) (.*)$/.exec(first);
  if (heading !== null) {
    return [{ kind: heading[1] === "#" ? "section" : "subsection", title: heading[2] }];
  }
  if (first.startsWith(": ")) {
    const blocks = readMarkup(lines.slice(1).join("\n"));
    return [{ kind: "entries", items: [{ term: readSpans(first.slice(2)), blocks }] }];
  }
  return readRunning(lines);
}

/** A paragraph, a list, or one after the other. */
function readRunning(lines: readonly string[]): Block[] {
  const start = lines.findIndex((line) => line.startsWith("- "));
  const before = lines.slice(0, start < 0 ? lines.length : start);
  const items: string[] = [];
  for (const line of lines.slice(before.length)) {
    if (line.startsWith("- ")) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line}`;
  }
  return [
    ...(before.length > 0 ? [paragraph(before.join(" "))] : []),
    ...(items.length > 0 ? [{ kind: "list", items: items.map(readSpans) } as const] : []),
  ];
}

/** Adds `more`; terms and literal lines go on where those before them ended. */
function add(blocks: Block[], more: readonly Block[]): void {
  for (const block of more) {
    const last = blocks.at(-1);
    if (block.kind === "entries" && last?.kind === "entries") {
      blocks[blocks.length - 1] = { kind: "entries", items: [...last.items, ...block.items] };
    } else if (block.kind === "literal" && last?.kind === "literal") {
      const lines = [...last.lines, "", ...block.lines];
      blocks[blocks.length - 1] = { kind: "literal", lines };
    } else {
      blocks.push(block);
    }
  }
}
