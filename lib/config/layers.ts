/**
 * Sorts the keys of a file into their name spaces: Postfix-named parameters by layer, and our own.
 *
 * Top level and `[parameters]` are one place for global values; `[tlsmgr]` and `[tlsproxy]` hold
 * values for one role; our own tables hold our own keys; nothing else is allowed at the top. Values
 * become canonical text here and are not expanded.
 *
 * @module
 */

import { canonicalText } from "./canonical.ts";
import { COMMAND_LINE, type FindingList, type Place, quote } from "./findings.ts";
import { nearestName } from "./near_miss.ts";
import { OWN_TABLES, tableWithKey } from "./own_keys.ts";
import { parameterRow, PARAMETERS, ROLE_NAMES, type RoleName } from "./parameters.ts";
import type { TomlDocument, TomlEntry, TomlValue } from "./toml_source.ts";

/** A Postfix-named parameter with the text that one layer gives it. */
export interface Assignment {
  readonly name: string;
  /** Dotted path in the file; the plain name when it came from the command line. */
  readonly key: string;
  /** Canonical, not expanded. */
  readonly text: string;
  readonly place?: Place;
  /** Where it stands when not in the file. */
  readonly file?: string;
}

/** One of our own keys, its place known to be right. */
export interface OwnAssignment {
  /** Name in {@linkcode OWN_TABLES}. */
  readonly table: string;
  readonly key: string;
  readonly value: TomlValue;
  readonly place: Place;
}

/** All that a file and a command line say, layer by layer. */
export interface Layers {
  readonly global: ReadonlyMap<string, Assignment>;
  readonly roles: Readonly<Record<RoleName, ReadonlyMap<string, Assignment>>>;
  readonly instances: readonly Assignment[];
  readonly own: readonly OwnAssignment[];
}

/** Tables that are described and read by no part of the program. */
const IDLE_TABLES: readonly string[] = ["instance", "listener", "tickets", "entropy"];
const PARAMETER_TABLES: readonly string[] = ["parameters", ...ROLE_NAMES];
const NOT_OBEYED = "Accepted, but nothing obeys it yet";

/** Sorts `document`; what stands in the wrong place becomes a finding and is left out. */
export function sortEntries(document: TomlDocument, findings: FindingList): Layers {
  const sorter = new Sorter(findings);
  for (const table of document.tables) sorter.table(table.path, table.place);
  for (const entry of document.entries) sorter.entry(entry);
  return sorter;
}

/** The assignments of `-o name=value` options; a later one of the same name wins. */
export function readOverrides(
  overrides: readonly string[],
  findings: FindingList,
): ReadonlyMap<string, Assignment> {
  const result = new Map<string, Assignment>();
  for (const option of overrides) {
    const match = /^\s*([^\s=]+)\s*=(.*)$/s.exec(option);
    if (match === null) {
      const message = `Cannot read the option -o ${quote(option)}: it is not name=value`;
      findings.add({ severity: "error", message }, { file: COMMAND_LINE });
      continue;
    }
    const [, name, value] = match;
    const canonical = canonicalText({ type: "string", text: value });
    const text = "text" in canonical ? canonical.text : value;
    result.set(name, { name, key: name, text, file: COMMAND_LINE });
  }
  return result;
}

class Sorter implements Layers {
  readonly global = new Map<string, Assignment>();
  readonly roles = {
    tlsmgr: new Map<string, Assignment>(),
    tlsproxy: new Map<string, Assignment>(),
  };
  readonly instances: Assignment[] = [];
  readonly own: OwnAssignment[] = [];
  readonly #findings: FindingList;
  readonly #noted = new Set<string>();

  constructor(findings: FindingList) {
    this.#findings = findings;
  }

  /** Checks the name of a table that may have no keys. */
  table(path: readonly string[], place: Place): void {
    const [top] = path;
    if (IDLE_TABLES.includes(top)) this.#noteIdle(path, place);
    else if (isParameterTable(path) || ownTable(path) !== undefined) return;
    else this.#unknownTable(path, place);
  }

  entry(entry: TomlEntry): void {
    const { path } = entry;
    const table = path.slice(0, -1);
    if (path.length === 1) this.#topLevel(entry);
    else if (isParameterTable(table)) this.#parameter(entry, this.#layer(table[0]));
    else if (path[0] === "instance") this.#instance(entry);
    else if (IDLE_TABLES.includes(path[0])) this.#noteIdle(path, entry.place);
    else if (ownTable(table) !== undefined) this.#ownKey(entry, table);
    else this.#unknownTable(table, entry.place);
  }

  #layer(table: string): Map<string, Assignment> {
    return table === "tlsmgr" || table === "tlsproxy" ? this.roles[table] : this.global;
  }

  #error(message: string, hint: string, where: { place: Place; key: string }): void {
    this.#findings.add({ severity: "error", message, hint }, where);
  }

  #topLevel(entry: TomlEntry): void {
    const [name] = entry.path;
    const where = { place: entry.place, key: name };
    const isTable = isParameterTable([name]) || OWN_TABLES.has(name) || IDLE_TABLES.includes(name);
    if (isTable) {
      this.#error(
        `Cannot take ${quote(name)} as a parameter: it is the name of a table`,
        `a parameter of that name goes below [parameters]`,
        where,
      );
      return;
    }
    const table = parameterRow(name) === undefined ? tableWithKey(name) : undefined;
    if (table !== undefined) {
      this.#error(
        `Cannot take ${quote(name)} at the top level: it is not a Postfix parameter`,
        `it goes below [${table}]`,
        where,
      );
      return;
    }
    this.#parameter(entry, this.global);
  }

  #parameter(entry: TomlEntry, layer: Map<string, Assignment>): void {
    const assignment = this.#assignment(entry);
    if (assignment === undefined) return;
    const earlier = layer.get(assignment.name);
    if (earlier === undefined) {
      layer.set(assignment.name, assignment);
      return;
    }
    this.#error(
      `Cannot take ${quote(assignment.name)}: given twice, first in line ${earlier.place?.line}`,
      "the top level and [parameters] are the same place; keep one of them",
      { place: entry.place, key: assignment.key },
    );
  }

  /** The canonical text of an entry whose last path element is a parameter's name. */
  #assignment(entry: TomlEntry): Assignment | undefined {
    const name = entry.path[entry.path.length - 1];
    const key = entry.path.join(".");
    const row = parameterRow(name);
    const canonical = canonicalText(entry.value, row?.kind, row?.separators);
    if ("text" in canonical) return { name, key, text: canonical.text, place: entry.place };
    const { fault: message, hint } = canonical;
    this.#findings.add(
      { severity: "error", message, ...(hint !== undefined && { hint }) },
      { place: entry.place, key },
    );
    return undefined;
  }

  #ownKey(entry: TomlEntry, tablePath: readonly string[]): void {
    const table = tablePath.join(".");
    const key = entry.path[entry.path.length - 1];
    const rows = OWN_TABLES.get(table) ?? {};
    if (Object.hasOwn(rows, key)) {
      this.own.push({ table, key, value: entry.value, place: entry.place });
      return;
    }
    const where = { place: entry.place, key: entry.path.join(".") };
    if (parameterRow(key) !== undefined) {
      this.#error(
        `Cannot take ${quote(key)} below [${table}]: it is a Postfix parameter`,
        "it goes to the top level, or below [parameters], [tlsmgr] or [tlsproxy]",
        where,
      );
      return;
    }
    const near = nearestName(key, Object.keys(rows));
    const other = tableWithKey(key);
    const hint = other !== undefined
      ? `it goes below [${other}]`
      : near !== undefined
      ? `did you mean ${near}`
      : `known there: ${Object.keys(rows).join(", ")}`;
    this.#error(`Cannot take ${quote(key)} below [${table}]: no such key`, hint, where);
  }

  /** Shape only: nothing starts further instances. */
  #instance(entry: TomlEntry): void {
    const [, name, key] = entry.path;
    const where = { place: entry.place, key: entry.path.join(".") };
    this.#noteIdle(entry.path, entry.place);
    if (key === "parameters" && entry.path.length === 4) {
      const assignment = this.#assignment(entry);
      if (assignment !== undefined) this.instances.push(assignment);
    } else if (entry.path.length !== 3) {
      this.#error(
        `Cannot take ${quote(where.key)}: not a key of an instance`,
        `parameters go below [instance.${name}.parameters]`,
        where,
      );
    } else if (key === "role") {
      const role = entry.value.type === "string" ? entry.value.text : "";
      if ((ROLE_NAMES as readonly string[]).includes(role)) return;
      this.#error("Cannot read the role of an instance", `one of ${ROLE_NAMES.join(", ")}`, where);
    } else if (!Object.hasOwn(OWN_TABLES.get("service.tlsproxy") ?? {}, key)) {
      this.#error(
        `Cannot take ${quote(key)} below [instance.${name}]: no such key`,
        "role, or a key of [service.tlsproxy]",
        where,
      );
    }
  }

  #noteIdle(path: readonly string[], place: Place): void {
    const key = path[0] === "instance" ? path.slice(0, 2).join(".") : path[0];
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    this.#findings.add({ severity: "warning", message: NOT_OBEYED }, { place, key });
  }

  #unknownTable(path: readonly string[], place: Place): void {
    const key = path.join(".");
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    const isParameter = parameterRow(path[0]) !== undefined;
    const near = nearestName(key, [...PARAMETER_TABLES, ...OWN_TABLES.keys()]);
    const hint = isParameter
      ? `${path[0]} is a parameter, not a table`
      : near !== undefined
      ? `did you mean [${near}]`
      : 'a parameter with a dot in its name needs quotes: "a.b" = "text"';
    this.#error(`Unknown table: [${key}]`, hint, { place, key });
  }
}

function isParameterTable(path: readonly string[]): boolean {
  return path.length === 1 && PARAMETER_TABLES.includes(path[0]);
}

function ownTable(path: readonly string[]): string | undefined {
  // A quoted name with a dot in it is one name, and none of ours has a dot.
  if (path.some((name) => name.includes("."))) return undefined;
  const name = path.join(".");
  return OWN_TABLES.has(name) ? name : undefined;
}

/** Nearest known parameter name, for a hint. */
export function nearestParameter(name: string): string | undefined {
  return nearestName(name, Object.keys(PARAMETERS));
}
