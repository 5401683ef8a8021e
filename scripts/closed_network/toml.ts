/**
 * Stand-in for `@std/toml` where JSR cannot be reached: `parse` only, over `npm:smol-toml`.
 *
 * Like the original it throws `SyntaxError` on text that is not TOML. It follows TOML 1.0 in places
 * where the original is laxer, so a document that this accepts is a document that both accept.
 *
 * @module
 */

import { parse as parseToml } from "smol-toml";

/** The tables of a TOML document as plain objects. Throws `SyntaxError` with line and column. */
export function parse(tomlString: string): Record<string, unknown> {
  try {
    return plain(parseToml(tomlString)) as Record<string, unknown>;
  } catch (cause) {
    throw new SyntaxError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The same value with ordinary objects for tables, which have no prototype in smol-toml. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
