/**
 * Breaking text into lines.
 *
 * @module
 */

/** Lines of at most `width` characters, of `words` with a blank between them; a longer word stands alone. */
export function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
