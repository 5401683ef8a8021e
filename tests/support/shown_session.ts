/**
 * Command sessions that a document shows: blocks of Markdown with `console` as info string, in which a
 * line that begins with `$ ` (or `# `, for root) is typed and what follows is printed.
 *
 * A printed line matches another one of the same shape: numbers stand for any number, long runs of
 * base64 or hexadecimal digits for any other, blanks for any number of blanks. A line `...` stands for
 * any lines.
 *
 * @module
 */

/** One command and what is shown below it. */
export interface ShownCommand {
  readonly prompt: "$" | "#";
  /** What is typed; a here-document is part of it. */
  readonly typed: string;
  readonly printed: readonly string[];
}

/** A fenced block. */
export interface Block {
  /** What stands behind the fence: `console`. */
  readonly language: string;
  readonly lines: readonly string[];
}

/** The fenced blocks of a Markdown text, in order. */
export function readBlocks(markdown: string): Block[] {
  return Array.from(
    markdown.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```$/gm),
    ([, language, text]) => ({ language, lines: text.split("\n").slice(0, -1) }),
  );
}

/** The commands of a block. */
export function readCommands({ lines }: Block): ShownCommand[] {
  const commands: { prompt: "$" | "#"; typed: string; printed: string[] }[] = [];
  let endOfText: string | undefined;
  for (const line of lines) {
    const start = /^([$#]) (.*)$/.exec(line);
    const last = commands.at(-1);
    if (endOfText !== undefined && last !== undefined) {
      last.typed += `\n${line}`;
      if (line === endOfText) endOfText = undefined;
    } else if (start !== null) {
      const typed = start[2];
      commands.push({ prompt: start[1] as "$" | "#", typed, printed: [] });
      endOfText = /<<-?'?(\w+)'?/.exec(typed)?.[1];
    } else if (last === undefined) {
      throw new Error(`Cannot read a block of commands: it begins with ${line}`);
    } else {
      last.printed.push(line);
    }
  }
  return commands;
}

/** The word in which lines of one shape are alike. */
export function shapeOf(line: string): string {
  return line.trim()
    .replaceAll(/[A-Za-z0-9+/]{16,}={0,2}/g, "%")
    .replaceAll(/\d+(?:\.\d+)*/g, "0")
    .replaceAll(/\s+/g, " ");
}

/** The first shown line that `printed` has nothing like; nothing if all are there, in order. */
export function findDifference(
  shown: readonly string[],
  printed: readonly string[],
): string | undefined {
  let at = 0;
  let isFree = false;
  for (const line of shown) {
    if (line.trim() === "...") {
      isFree = true;
      continue;
    }
    while (isFree && at < printed.length && shapeOf(printed[at]) !== shapeOf(line)) at++;
    if (at >= printed.length || shapeOf(printed[at]) !== shapeOf(line)) return line;
    at++;
    isFree = false;
  }
  return isFree || at === printed.length ? undefined : printed[at];
}
