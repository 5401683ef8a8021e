/**
 * The completion scripts, made from the stages of words.ts: one function that finds out which command
 * the line begins with, and a table of what may come next.
 *
 * Each text that comes from a table is quoted for its shell.
 *
 * @module
 */
import { completeInBash } from "./bash.ts";
import { completeInFish } from "./fish.ts";
import { completeInZsh } from "./zsh.ts";
import { stages } from "./words.ts";

const MAKERS = { bash: completeInBash, zsh: completeInZsh, fish: completeInFish } as const;

/** The script for `shell`. */
export function completionScript(shell: keyof typeof MAKERS): string {
  const head = `# ${shell} completion for postern; made by \`postern completion ${shell}\`.\n\n`;
  return `${head}${MAKERS[shell](stages())}`;
}
