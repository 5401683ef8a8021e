/**
 * Writes the pages of the manual, config/man/NAME.SECTION, from their texts and the tables.
 *
 * @module
 */

import { PAGE_NAMES, readPage } from "../lib/cli/manual/page.ts";
import { renderMdoc } from "./mdoc.ts";

const FOLDER = new URL("../config/man/", import.meta.url);

const USAGE = `Usage:
    sh scripts/deno run -A scripts/manuals.ts

Writes each page of the manual below config/man anew. \`deno task docs\` does it, too.
`;

/** The pages by file name, as they are to be. */
export function makePages(): ReadonlyMap<string, string> {
  return new Map(PAGE_NAMES.map((name) => [name, renderMdoc(readPage(name), `${name}.txt`)]));
}

if (import.meta.main) {
  if (Deno.args.length > 0) {
    console.log(USAGE);
    Deno.exit(Deno.args.includes("--help") ? 0 : 64);
  }
  for (const [name, text] of makePages()) Deno.writeTextFileSync(new URL(name, FOLDER), text);
}
