/**
 * The settings in force, a line each, for those who want to know all (`-v`).
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";

type Value = string | number | boolean | readonly unknown[] | object;

/** `name = value` for each parameter and each key of a table, in the order of the tables. */
export function* settingsLines({ parameters, role, ...tables }: Settings): Generator<string> {
  yield* linesOf("", parameters);
  const { cache, service, instance: _, ...others } = tables;
  yield* linesOf(`[service.${role}] `, service);
  for (const [name, limits] of Object.entries(cache)) yield* linesOf(`[cache.${name}] `, limits);
  for (const [name, table] of Object.entries(others)) yield* linesOf(`[${name}] `, table);
}

function* linesOf(table: string, values: object): Generator<string> {
  for (const [name, value] of Object.entries(values)) {
    yield `${table}${name} = ${textOf(value)}`;
  }
}

/** As near to the file as it can be told. */
function textOf(value: Value): string {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
