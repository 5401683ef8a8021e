/**
 * Blocks of a manual as mdoc(7), which man(1) shows with mandoc and with groff alike.
 *
 * Text goes through {@linkcode escapeText} and arguments of macros through {@linkcode quote}: nothing that
 * a table says can become a request of roff.
 *
 * @module
 */

import type { Block, Entry, Span, UsagePart } from "../lib/cli/manual/markup.ts";
import type { Page } from "../lib/cli/manual/page.ts";
import { isSettingName } from "../lib/cli/manual/setting_blocks.ts";

/** Longest line of text; mandoc -T lint complains beyond 80. */
const WIDTH = 78;

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** The page as mdoc; `source` is the name of the file it was made from. */
export function renderMdoc(page: Page, source: string): string {
  const [year, month, day] = page.date.split("-").map(Number);
  const lines = [
    `.\\" Made from ${source} by scripts/docs; do not edit.`,
    `.Dd ${MONTHS[month - 1]} ${day}, ${year}`,
    `.Dt ${page.name.toUpperCase()} ${page.section}`,
    ".Os",
    ".Sh NAME",
    `.Nm ${page.name}`,
    `.Nd ${escapeText(page.about)}`,
    ...new Typesetter(page).blocks(page.blocks),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Text that stands for itself wherever it is, but at the start of a line; dashes of options stay dashes. */
export function escapeText(text: string): string {
  return text.replaceAll("\\", "\\e")
    .replace(
      /(^|[\s([])(-+)(?=\S|$)/g,
      (_, before, dashes) => before + "\\-".repeat(dashes.length),
    );
}

/** One argument of a macro. */
function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll('"', "\\(dq").replaceAll("-", "\\-");
  // A value that is longer than half a line may be broken behind its colons and question marks.
  const safe = text.length > WIDTH / 2 ? escaped.replace(/[:?](?=.)/g, "$&\\:") : escaped;
  // A short word might be the name of a macro, and a delimiter would be taken for one.
  const before = /^(?:[A-Z][a-z]{1,2}|[.,:;()[\]?!|].*)$/.test(text) ? "\\&" : "";
  const after = /[.,:;)\]?!]$/.test(text) ? "\\&" : "";
  return safe === "" || safe.includes(" ") ? `"${before}${safe}${after}"` : before + safe + after;
}

/** Words of a heading or a label. */
function quoteWords(text: string): string {
  return text.split(" ").map(quote).join(" ");
}

/** A line of text that no macro can hide in. */
function textLine(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

/** One line of a literal display. */
function literalLine(text: string): string {
  const shown = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga").replaceAll("~", "\\(ti").replaceAll("^", "\\(ha");
  return textLine(shown);
}

class Typesetter {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** The lines of `blocks`, the first of which needs no gap before it. */
  blocks(blocks: readonly Block[]): string[] {
    let isFirst = true;
    return blocks.flatMap((block) => {
      const isHeading = block.kind === "section" || block.kind === "subsection";
      const isRunning = block.kind === "paragraph" || block.kind === "facts";
      const gap = isRunning && !isFirst ? [".Pp"] : [];
      isFirst = isHeading;
      return [...gap, ...this.#block(block)];
    });
  }

  #block(block: Block): string[] {
    switch (block.kind) {
      case "section":
        return [`.Sh ${quoteWords(block.title.toUpperCase())}`];
      case "subsection":
        return [`.Ss ${quoteWords(block.title)}`];
      case "paragraph":
        return this.#text(block.spans);
      case "list":
        return [
          ".Bl -dash -compact",
          ...block.items.flatMap((item) => [".It", ...this.#text(item)]),
          ".El",
        ];
      case "entries":
        return this.#entries(block.items);
      case "literal":
        return [".Bd -literal -offset indent", ...block.lines.map(literalLine), ".Ed"];
      case "facts":
        return [
          ".Bl -tag -width Deprecated: -compact",
          ...block.rows.flatMap((
            [label, spans],
          ) => [`.It ${quoteWords(label)} :`, ...this.#text(spans)]),
          ".El",
        ];
      case "usage":
        return [
          `.Nm ${block.words[0]}`,
          ...(block.words.length > 1 ? [`.Cm ${quoteWords(block.words.slice(1).join(" "))}`] : []),
          ...block.parts.map(usageLine),
        ];
    }
  }

  #entries(items: readonly Entry[]): string[] {
    return [
      ".Bl -tag -width Ds",
      ...items.flatMap(({ term, blocks }) => [`.It ${termOf(term)}`, ...this.blocks(blocks)]),
      ".El",
    ];
  }

  /** Running text: each sentence on lines of its own, each marked word on one of its own. */
  #text(spans: readonly Span[]): string[] {
    const lines: string[] = [];
    let line = "";
    const flush = () => {
      if (line !== "") lines.push(textLine(line));
      line = "";
    };
    for (const word of wordsOf(spans)) {
      const macro = this.#macroLine(word);
      if (macro !== undefined) {
        flush();
        lines.push(macro);
        continue;
      }
      const text = word.map(inline).join("");
      if (line.length + 1 + text.length > WIDTH) flush();
      line += line === "" ? text : ` ${text}`;
      if (/[.?!][)"]*$/.test(text)) flush();
    }
    flush();
    return lines;
  }

  /** The line of a word that is marked or names a page, with the punctuation around it. */
  #macroLine(word: Word): string | undefined {
    const marked = word.findIndex(({ style }) => style !== "plain");
    const span = word[marked];
    if (span === undefined) return this.#reference(word.map(({ text }) => text).join(""));
    const before = word.slice(0, marked).map(({ text }) => text).join("");
    const after = word.slice(marked + 1);
    const end = after.map(({ text }) => text).join("");
    const isSimple = /^[([]*$/.test(before) && /^[.,:;)\]?!]*$/.test(end) &&
      after.every(({ style }) => style === "plain");
    if (!isSimple) return undefined;
    const [macro, ...words] = macroOf(span).split(" ");
    return `.${[macro, ...before, ...words, ...end].join(" ")}`;
  }

  /** `.Xr postconf 5 ,` */
  #reference(text: string): string | undefined {
    const match = /^([([]*)([a-z][\w.-]*)\(([1-8])\)([.,:;)\]?!]*)$/.exec(text);
    if (match === null) return undefined;
    const [, before, name, section, end] = match;
    const isSelf = name === this.#page.name && Number(section) === this.#page.section;
    const macro = isSelf ? `Nm ${name}` : `Xr ${name} ${section}`;
    const [start, ...rest] = macro.split(" ");
    return `.${[start, ...before, ...rest, ...end].join(" ")}`;
  }
}

/** Pieces with no blank between them; a marked piece may have blanks inside. */
type Word = readonly Span[];

function wordsOf(spans: readonly Span[]): Word[] {
  const words: Span[][] = [];
  let isOpen = false;
  for (const span of spans) {
    const parts = span.style === "plain" ? span.text.split(/(\s+)/) : [span.text];
    for (const text of parts) {
      if (text === "") continue;
      const isBlank = text.trim() === "";
      if (!isBlank && isOpen) words.at(-1)!.push({ text, style: span.style });
      else if (!isBlank) words.push([{ text, style: span.style }]);
      isOpen = !isBlank;
    }
  }
  return words;
}

/** A piece inside a line of text. */
function inline({ text, style }: Span): string {
  if (style === "plain") return escapeText(text);
  return `${style === "literal" ? "\\fB" : "\\fI"}${
    text.replaceAll("\\", "\\e").replaceAll("-", "\\-")
  }\\fP`;
}

/** A marked piece as a macro and its arguments. */
function macroOf({ text, style }: Span): string {
  const words = quoteWords(text);
  if (style === "plain") return `No ${words}`;
  if (style === "argument") return `Ar ${words}`;
  if (isSettingName(text)) return `Va ${words}`;
  if (/^-[^ ]+$/.test(text)) return `Fl ${quote(text.slice(1))}`;
  if (/^(?:\/|\$\{?\w+\}?\/)[^ ]*$/.test(text)) return `Pa ${words}`;
  return `Cm ${words}`;
}

/** What stands behind `.It`. */
function termOf(spans: readonly Span[]): string {
  return spans.flatMap((span) => {
    const text = span.text.trim();
    if (text === "") return [];
    if (span.style === "plain" && /^[(),]$/.test(text)) return [text];
    return [macroOf({ ...span, text })];
  }).join(" ");
}

/** `.Op Fl -config Ar FILE` */
function usageLine({ flag, argument, optional, many }: UsagePart): string {
  const words = [
    ...(flag === undefined ? [] : ["Fl", quote(flag.slice(1))]),
    ...(argument === undefined ? [] : ["Ar", quote(argument)]),
  ];
  return `.${[...(optional ? ["Op"] : []), ...words].join(" ")}${many ? " ..." : ""}`;
}
