/**
 * Reading a converted text back through the loader, to see that nothing has changed on the way.
 *
 * A difference is a fault of the conversion and never of the file that was converted.
 *
 * @module
 */

import { canonicalText } from "../canonical.ts";
import { FindingList, formatFinding } from "../findings.ts";
import { sortEntries } from "../layers.ts";
import { parameterRow } from "../parameters.ts";
import { readToml } from "../toml_source.ts";
import { sameMeaning } from "./toml_text.ts";
import type { TomlWriter } from "./toml_writer.ts";

/**
 * Names that the text of `writer` does not give back as they were written, and what the loader has to
 * say against the text; empty when all is well.
 */
export function findDifferences(
  { text, keys, style }: Pick<TomlWriter, "text" | "keys" | "style">,
): string[] {
  const document = readToml(text);
  const findings = new FindingList("the converted text");
  for (const { place, ...problem } of document.faults) findings.add(problem, { place });
  const layers = sortEntries(document, findings);
  const differences = findings.inOrder()
    .filter(({ severity }) => severity === "error").map(formatFinding);

  // A dotted name and a path would look alike, so paths are compared as JSON.
  const found = new Map(document.entries.map(({ path, value }) => [JSON.stringify(path), value]));
  for (const { path, kind, text: written } of keys) {
    const value = found.get(JSON.stringify(path));
    found.delete(JSON.stringify(path));
    const name = path[path.length - 1];
    const row = kind === "parameter" ? parameterRow(name) : undefined;
    const canonical = value && canonicalText(value, row?.kind, row?.separators);
    const texts = [canonical !== undefined && "text" in canonical ? canonical.text : undefined];
    const isGlobal = path.length === 1 || path[0] === "parameters";
    if (isGlobal) texts.push(layers.global.get(name)?.text);
    const same = (read: string | undefined) =>
      read === written ||
      (read !== undefined && style === "native" && sameMeaning(written, read, row));
    if (!texts.every(same)) differences.push(path.join("."));
  }
  return [...differences, ...found.keys()];
}
