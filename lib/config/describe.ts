/**
 * Every setting of a file as text, before and after expansion, with the layer it comes from.
 *
 * For whoever shows or compares settings. Works on text only and reads no kinds: a value that
 * loading refuses is described all the same, and what cannot be expanded says why. Callers that need
 * a faultless file ask {@linkcode loadSettings} first.
 *
 * @module
 */

import { buildDictionary, givenValues } from "./dictionary.ts";
import { ExpansionError } from "./expand.ts";
import { FindingList, type Place } from "./findings.ts";
import { type AssignedLayer, type OwnAssignment, readOverrides, sortEntries } from "./layers.ts";
import { instanceKeys, OWN_TABLES, type OwnKey } from "./own_keys.ts";
import { parameterRow, PARAMETERS, type RoleName } from "./parameters.ts";
import type { LoadRequest } from "./settings.ts";
import { readToml, type TomlValue } from "./toml_source.ts";

/** One Postfix-named parameter as one role sees it. */
export interface DescribedSetting {
  readonly name: string;
  readonly role: RoleName;
  /** Where the value comes from; `default` also stands for what the program itself gives. */
  readonly layer: "default" | AssignedLayer;
  /** The text that main.cf would hold, `$name` not expanded. */
  readonly canonical: string;
  /** The same after expansion; empty when there is a `fault`. */
  readonly expanded: string;
  /** Why the value cannot be expanded. */
  readonly fault?: string;
  /** Where it stands in the file. */
  readonly place?: Place;
  /** Whether the table has a row of this name; else it is another program's or the operator's own. */
  readonly known: boolean;
}

/** One of our own keys. */
export interface DescribedOwnKey {
  /** As in a header of the file: `cache.smtp`. */
  readonly table: string;
  readonly key: string;
  readonly set: boolean;
  /** As it could stand in a TOML file. */
  readonly text: string;
  readonly place?: Place;
}

/**
 * All parameters in the order of the table, then the other names that the file or an option sets, in
 * their order. What the file says in wrong places, or not as TOML, is left out. Never throws because
 * of what the text says.
 */
export function describeSettings(request: LoadRequest): readonly DescribedSetting[] {
  const { role } = request;
  const ignored = new FindingList(request.file);
  const layers = sortEntries(readToml(request.text), ignored);
  const instance = layers.instances.get(request.instance ?? "");
  const dictionary = buildDictionary({
    layers,
    role,
    ...(instance?.role === role && { instance }),
    overrides: readOverrides(request.overrides, ignored),
    given: givenValues(request),
    ...(request.openSslVersionNumber !== undefined &&
      { openSslVersionNumber: request.openSslVersionNumber }),
  });
  const { assigned, evaluator, textOf } = dictionary;
  const others = [...assigned.keys()].filter((name) => parameterRow(name) === undefined);
  return [...Object.keys(PARAMETERS), ...others].map((name) => {
    const row = parameterRow(name);
    const assignment = row?.readOnly ? undefined : assigned.get(name);
    const place = assignment?.place;
    return {
      name,
      role,
      layer: assignment?.layer ?? "default",
      canonical: textOf(name) ?? "",
      ...expand(() => evaluator.value(name)),
      ...(place !== undefined && { place }),
      known: row !== undefined,
    };
  });
}

function expand(value: () => string): { expanded: string; fault?: string } {
  try {
    return { expanded: value() };
  } catch (thrown) {
    if (!(thrown instanceof ExpansionError)) throw thrown;
    return { expanded: "", fault: thrown.message };
  }
}

/**
 * All our own keys, table by table, set or with their defaults; behind them those of one instance, if
 * it is named and there. Never throws because of the text.
 */
export function describeOwnKeys(text: string, instance?: string): readonly DescribedOwnKey[] {
  const { own, instances } = sortEntries(readToml(text), new FindingList(""));
  const role = instances.get(instance ?? "")?.role;
  const tables = [...OWN_TABLES];
  if (instance !== undefined && role !== undefined) {
    tables.push([`instance.${instance}`, instanceKeys(role)]);
  }
  const described: DescribedOwnKey[] = [];
  for (const [table, rows] of tables) {
    for (const [key, row] of Object.entries(rows)) {
      const found = own.find((given) => given.table === table && given.key === key);
      // What stands in [cache] holds for each cache that does not say otherwise.
      const wider = table.startsWith("cache.")
        ? own.find((given) => given.table === "cache" && given.key === key)
        : undefined;
      described.push({
        table,
        key,
        set: found !== undefined,
        text: valueText(row, found ?? wider),
        ...(found !== undefined && { place: found.place }),
      });
    }
  }
  return described;
}

function valueText(row: OwnKey, given: OwnAssignment | undefined): string {
  return given === undefined ? ownText(row) : tomlText(given.value);
}

/** The default of one of our own keys as it would stand in a TOML file. */
export function ownText({ kind, initial }: OwnKey): string {
  if (kind === "octal") return `"${initial.toString(8).padStart(4, "0")}"`;
  if (kind === "ratio" && Number.isInteger(initial)) return `${initial}.0`;
  return JSON.stringify(initial);
}

function tomlText(value: TomlValue): string {
  switch (value.type) {
    case "string":
      return JSON.stringify(value.text).replaceAll("\x7f", "\\u007f");
    case "boolean":
      return String(value.value);
    case "array":
      return `[${value.items.map(tomlText).join(", ")}]`;
    case "table":
      return "{}";
    default:
      return value.raw;
  }
}
