/**
 * What loading a converted text is going to say, told at the places of the files it was made from.
 *
 * @module
 */

import type { Finding } from "../findings.ts";
import { ROLE_NAMES } from "../parameters.ts";
import { loadSettings } from "../settings.ts";
import type { TomlWriter } from "./toml_writer.ts";

/**
 * The findings of `config check` for what `writer` has written. None of them is an error: the conversion
 * is right, and it is the converted value that is refused.
 */
export function foreseeFindings(
  writer: TomlWriter,
  { openSslVersionNumber }: { readonly openSslVersionNumber?: number },
): Finding[] {
  const file = "the converted text";
  const seen = new Map<string, Finding>();
  for (const role of ROLE_NAMES) {
    const { findings } = loadSettings({
      text: writer.text,
      file,
      role,
      overrides: [],
      ...(openSslVersionNumber !== undefined && { openSslVersionNumber }),
    });
    for (const found of findings) {
      const { line, column: _, ...rest } = found;
      const source = line === undefined ? undefined : writer.sourceOf(line);
      const refused = found.severity === "error";
      const finding: Finding = {
        ...rest,
        ...(source !== undefined ? { ...source, column: 1 } : line !== undefined && { line }),
        severity: refused ? "warning" : found.severity,
        message: refused ? `config check will refuse this: ${found.message}` : found.message,
      };
      seen.set(JSON.stringify(finding), finding);
    }
  }
  return [...seen.values()];
}
