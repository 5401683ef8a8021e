/**
 * Real texts, spoilt: characters, pieces, lines and halves taken out, put in, doubled and exchanged.
 *
 * @module
 */

import type { Random } from "./random.ts";

/** What {@linkcode mutateText} works with. */
export interface Stock {
  /** Texts that parts may be taken from. */
  readonly texts: readonly string[];
  /** Short pieces that mean something to the grammar. */
  readonly pieces: readonly string[];
}

/** A text of `stock`, with one to five changes. Half of a surrogate pair never comes out. */
export function mutateText(random: Random, stock: Stock): string {
  let text = pick(random, stock.texts);
  for (let count = 1 + random(5); count > 0; count--) text = change(random, text, stock);
  return text.toWellFormed();
}

function change(random: Random, text: string, { texts, pieces }: Stock): string {
  const at = random(text.length + 1);
  const end = Math.min(text.length, at + random(pick(random, [4, 40, 400])));
  const [before, middle, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (random(9)) {
    case 0:
      return before + after;
    case 1:
      return before + middle + middle + after;
    case 2:
      return before + String.fromCodePoint(random(0x250)) + after;
    case 3: {
      const other = pick(random, texts);
      return before + other.slice(random(other.length + 1));
    }
    case 4:
      return exchangeLines(random, text);
    case 5: {
      // A line of another text at the beginning of a line.
      const lines = pick(random, texts).split("\n");
      const start = text.lastIndexOf("\n", at) + 1;
      return `${text.slice(0, start)}${pick(random, lines)}\n${text.slice(start)}`;
    }
    case 6:
      return before + pick(random, pieces).repeat(1 + random(3) * random(30)) + after;
    default:
      return before + pick(random, pieces) + middle + after;
  }
}

function exchangeLines(random: Random, text: string): string {
  const lines = text.split("\n");
  const [i, j] = [random(lines.length), random(lines.length)];
  [lines[i], lines[j]] = [lines[j], lines[i]];
  return lines.join("\n");
}

/** One of `from`. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)];
}
