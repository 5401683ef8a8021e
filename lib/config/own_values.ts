/**
 * From our own keys in a file to typed values, table by table.
 *
 * @module
 */

import { type FindingList, type Problem, quote } from "./findings.ts";
import { readValue } from "./kinds.ts";
import type { OwnAssignment } from "./layers.ts";
import { readLoopbackPlace } from "./loopback.ts";
import { OWN_TABLES, type OwnKey, type OwnValues } from "./own_keys.ts";
import { isObeyed } from "./parameters.ts";
import type { TomlValue } from "./toml_source.ts";

/** Values that a file sets: table name, key, value. */
export type OwnTableValues = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

/** Reads all assignments; faults become findings, and their keys are left out. */
export function readOwnValues(
  assignments: readonly OwnAssignment[],
  findings: FindingList,
): OwnTableValues {
  const tables = new Map<string, Map<string, unknown>>();
  for (const { table, key, rows, value: given, place } of assignments) {
    const row = OWN_TABLES.get(rows ?? table)?.[key];
    if (row === undefined) continue;
    const where = { place, key: `${table}.${key}` };
    const reading = readOwnValue(given, row);
    for (const problem of reading.problems) findings.add(problem, where);
    if (reading.value === undefined) continue;
    if (!isObeyed(row.obeyed, String(reading.value))) {
      const message = "Accepted, but nothing obeys it yet";
      findings.add({ severity: "warning", message }, where);
    }
    const values = tables.get(table) ?? new Map();
    values.set(key, reading.value);
    tables.set(table, values);
  }
  return tables;
}

/** All keys of `rows`: defaults, and over them what `tables` set, the last one on top. */
export function mergeOwnValues<T extends Readonly<Record<string, OwnKey>>>(
  rows: T,
  values: OwnTableValues,
  tables: readonly string[],
): OwnValues<T> {
  const merged = Object.entries(rows).map(([key, row]) => {
    let value: unknown = row.initial;
    for (const table of tables) value = values.get(table)?.get(key) ?? value;
    return [key, value] as const;
  });
  return Object.fromEntries(merged) as OwnValues<T>;
}

interface OwnReading {
  readonly value?: unknown;
  readonly problems: readonly Problem[];
}

/** Reads one value as `row.kind` says. Never throws. */
export function readOwnValue(given: TomlValue, row: OwnKey): OwnReading {
  const text = given.type === "string" ? given.text : undefined;
  switch (row.kind) {
    case "bool":
      if (given.type === "boolean") return take(given.value);
      return text === undefined
        ? refuse("Cannot read a yes/no value", "write true or false")
        : readValue(text, { kind: "bool" });
    case "int":
      if (given.type !== "integer") return refuse("Cannot read a whole number", "write digits");
      return inBounds(given.value, row);
    case "seconds":
      if (given.type === "integer") return inBounds(given.value, row);
      if (text === undefined) return refuse("Cannot read a time", 'write seconds, or "5m"');
      return readValue(text, { kind: "time", min: row.min, max: row.max });
    case "ratio":
      return readRatio(given);
    case "octal":
      return readMode(given);
    case "enum":
      if (text === undefined) {
        return refuse("Cannot read a choice", `one of ${row.values?.join(", ")}`);
      }
      return readValue(text, { kind: "enum", values: row.values });
    case "text":
      if (text === undefined) return refuse("Cannot read a text", "write it in quotes");
      return readValue(text, { kind: "str" });
    case "socket":
      return readSocket(text);
    case "loopback":
      return readLoopback(text);
  }
}

function readSocket(text: string | undefined): OwnReading {
  if (text === "" || text === "off" || text?.startsWith("/")) return take(text);
  const found = text === undefined ? "" : `: ${quote(text)}`;
  return refuse(`Cannot read the path of a socket${found}`, 'write an absolute path, or "off"');
}

function readLoopback(text: string | undefined): OwnReading {
  if (text === "") return take(text);
  if (text === undefined) return refuse("Cannot read an address", "write it in quotes");
  const place = readLoopbackPlace(text);
  return "severity" in place ? { problems: [place] } : take(text);
}

function take(value: unknown): OwnReading {
  return { value, problems: [] };
}

function refuse(message: string, hint: string): OwnReading {
  return { problems: [{ severity: "error", message, hint }] };
}

function inBounds(value: number, { min, max }: OwnKey): OwnReading {
  if (min !== undefined && value < min) {
    return refuse(`Cannot accept ${value}: too small`, `${min} or more`);
  }
  if (max !== undefined && value > max) {
    return refuse(`Cannot accept ${value}: too large`, `${max} or less`);
  }
  return take(value);
}

function readRatio(given: TomlValue): OwnReading {
  const value = given.type === "integer"
    ? given.value
    : given.type === "float"
    ? Number(given.raw.replaceAll("_", ""))
    : NaN;
  if (Number.isFinite(value) && value >= 1) return take(value);
  return refuse("Cannot read a ratio", "write a number of at least 1");
}

function readMode(given: TomlValue): OwnReading {
  if (given.type === "string" && /^0?[0-7]{3}$/.test(given.text)) {
    return take(Number.parseInt(given.text, 8));
  }
  const found = given.type === "string"
    ? quote(given.text)
    : given.type === "integer"
    ? given.raw
    : given.type;
  return refuse(`Cannot read file mode bits: ${found}`, 'write octal digits in quotes: "0660"');
}
