/**
 * Sorts the keys of a file into their name spaces: Postfix-named parameters by layer, and our own.
 *
 * Top level and `[parameters]` are one place for global values; `[tlsmgr]` and `[tlsproxy]` hold
 * values for one role, `[instance.NAME.parameters]` for one instance; our own tables hold our own
 * keys; nothing else is allowed at the top. Values become canonical text here and are not expanded.
 *
 * @module
 */

import { type Canonical, canonicalText, inlineTableText, type Member } from "./canonical.ts";
import { type FindingList, type Place, quote } from "./findings.ts";
import type { AssignedLayer, Assignment, Layers, OwnAssignment } from "./layers.ts";
import { NamedTables } from "./named_tables.ts";
import { nearestName } from "./near_miss.ts";
import { OWN_TABLES, tableWithKey } from "./own_keys.ts";
import { type Parameter, parameterRow, ROLE_NAMES } from "./parameters.ts";
import type { TomlEntry, TomlTable } from "./toml_source.ts";

/** Tables of parameters, apart from those of instances. */
const PARAMETER_TABLES: readonly string[] = ["parameters", ...ROLE_NAMES];
/** Tables that may be given under several names or several times. */
const NAMED_TABLES: readonly string[] = ["instance", "listener"];

/** A place for parameters, and how it is called. */
interface Layer {
  readonly called: AssignedLayer;
  readonly values: Map<string, Assignment>;
}

/** A parameter that a file gives as a table of its own. */
interface TableValue {
  readonly path: readonly string[];
  readonly place: Place;
  readonly members: Member[];
}

/** Takes tables first, then entries, then gives everything that it has sorted. */
export class LayerSorter {
  readonly #global: Layer = { called: "file", values: new Map() };
  readonly #roles: Readonly<Record<string, Layer>> = {
    tlsmgr: { called: "role", values: new Map() },
    tlsproxy: { called: "role", values: new Map() },
  };
  readonly #instanceLayers = new Map<string, Layer>();
  readonly #own: OwnAssignment[] = [];
  readonly #findings: FindingList;
  readonly #named: NamedTables;
  readonly #noted = new Set<string>();
  readonly #tableValues = new Map<string, TableValue>();

  constructor(findings: FindingList) {
    this.#findings = findings;
    this.#named = new NamedTables(findings);
  }

  /** Checks the name of a table that may have no keys. */
  table(table: TomlTable): void {
    const { path, place } = table;
    if (this.#tableRow(path) !== undefined) this.#tableValue(path, place);
    else if (NAMED_TABLES.includes(path[0])) this.#named.table(table);
    else if (!isParameterTable(path) && ownTable(path) === undefined) {
      this.#unknownTable(path, place);
    }
  }

  entry(entry: TomlEntry): void {
    const { path } = entry;
    const table = path.slice(0, -1);
    const layer = this.#layerOf(table);
    if (path.length === 1 && this.#refuseTopLevel(entry)) return;
    if (layer !== undefined) {
      const row = parameterRow(path[path.length - 1]);
      this.#store(entry, canonicalText(entry.value, row?.kind, row?.separators), layer);
    } else if (this.#tableRow(table) !== undefined) this.#tableMember(entry, table);
    else if (NAMED_TABLES.includes(path[0])) this.#named.entry(entry);
    else if (ownTable(table) !== undefined) this.#ownKey(entry, table);
    else this.#unknownTable(table, entry.place);
  }

  finish(): Layers {
    for (const { path, place, members } of this.#tableValues.values()) {
      const layer = this.#layerOf(path.slice(0, -1));
      if (layer !== undefined) this.#store({ path, place }, inlineTableText(members), layer);
    }
    const { instances, own } = this.#named.finish((name) =>
      this.#instanceLayers.get(name)?.values ?? new Map()
    );
    return {
      global: this.#global.values,
      roles: { tlsmgr: this.#roles.tlsmgr.values, tlsproxy: this.#roles.tlsproxy.values },
      instances,
      own: [...this.#own, ...own],
    };
  }

  /** The layer that the keys of the table `path` belong to. */
  #layerOf(path: readonly string[]): Layer | undefined {
    if (path.length === 0) return this.#global;
    if (isParameterTable(path)) {
      return Object.hasOwn(this.#roles, path[0]) ? this.#roles[path[0]] : this.#global;
    }
    if (path.length !== 3 || path[0] !== "instance" || path[2] !== "parameters") return undefined;
    const layer = this.#instanceLayers.get(path[1]) ??
      { called: "instance" as const, values: new Map() };
    this.#instanceLayers.set(path[1], layer);
    return layer;
  }

  /** The row of the parameter that the table `path` is the value of. */
  #tableRow(path: readonly string[]): Parameter | undefined {
    if (path.length === 0 || this.#layerOf(path.slice(0, -1)) === undefined) return undefined;
    const row = parameterRow(path[path.length - 1]);
    return row?.tableForm ? row : undefined;
  }

  #tableValue(path: readonly string[], place: Place): TableValue {
    const key = JSON.stringify(path);
    const value = this.#tableValues.get(key) ?? { path, place, members: [] };
    this.#tableValues.set(key, value);
    return value;
  }

  #tableMember({ path, value, place }: TomlEntry, table: readonly string[]): void {
    this.#tableValue(table, place).members.push({ name: path[path.length - 1], value });
  }

  #error(message: string, hint: string, where: { place: Place; key: string }): void {
    this.#findings.add({ severity: "error", message, hint }, where);
  }

  /** Refuses a name that belongs elsewhere; answers whether it did. */
  #refuseTopLevel({ path: [name], place }: TomlEntry): boolean {
    const where = { place, key: name };
    if (isTableName(name)) {
      this.#error(
        `Cannot take ${quote(name)} as a parameter: it is the name of a table`,
        `a parameter of that name goes below [parameters]`,
        where,
      );
      return true;
    }
    const table = ownTableOf(name);
    if (table === undefined) return false;
    this.#error(
      `Cannot take ${quote(name)} at the top level: it is not a Postfix parameter`,
      `it goes below [${table}]`,
      where,
    );
    return true;
  }

  /** Puts the text for the last name of `path` into `layer`. */
  #store(
    { path, place }: { readonly path: readonly string[]; readonly place: Place },
    canonical: Canonical,
    layer: Layer,
  ): void {
    const name = path[path.length - 1];
    const where = { place, key: path.join(".") };
    if ("fault" in canonical) {
      this.#error(canonical.fault, canonical.hint, where);
      return;
    }
    const earlier = layer.values.get(name);
    if (earlier === undefined) {
      const { text } = canonical;
      layer.values.set(name, { name, key: where.key, text, layer: layer.called, place });
      return;
    }
    this.#error(
      `Cannot take ${quote(name)}: given twice, first in line ${earlier.place?.line}`,
      "the top level and [parameters] are the same place; keep one of them",
      where,
    );
  }

  #ownKey(entry: TomlEntry, tablePath: readonly string[]): void {
    const table = tablePath.join(".");
    const key = entry.path[entry.path.length - 1];
    const rows = OWN_TABLES.get(table) ?? {};
    if (Object.hasOwn(rows, key)) {
      this.#own.push({ table, key, value: entry.value, place: entry.place });
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

  #unknownTable(path: readonly string[], place: Place): void {
    const key = path.join(".");
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    const isParameter = parameterRow(path[0]) !== undefined;
    const near = nearestName(key, [...PARAMETER_TABLES, ...NAMED_TABLES, ...OWN_TABLES.keys()]);
    const hint = isParameter
      ? `${path[0]} is a parameter, not a table`
      : near !== undefined
      ? `did you mean [${near}]`
      : 'a parameter with a dot in its name needs quotes: "a.b" = "text"';
    this.#error(`Unknown table: [${key}]`, hint, { place, key });
  }
}

/** Whether a parameter of this name may stand at the top level; others go below `[parameters]`. */
export function fitsTopLevel(name: string): boolean {
  return !isTableName(name) && ownTableOf(name) === undefined;
}

function isTableName(name: string): boolean {
  return isParameterTable([name]) || OWN_TABLES.has(name) || NAMED_TABLES.includes(name);
}

/** The table of ours that a key at the top level was most likely meant for. */
function ownTableOf(name: string): string | undefined {
  return parameterRow(name) === undefined ? tableWithKey(name) : undefined;
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
