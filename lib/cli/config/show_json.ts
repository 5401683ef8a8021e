/**
 * The JSON text of `postern config show --json`.
 *
 * Names of members are part of the interface to scripts: members may be added, none changes.
 *
 * @module
 */
import type { DescribedSetting } from "../../config/describe.ts";
import type { Obeyed } from "../../config/parameters.ts";
import type { ListedKey, ListedParameter } from "./listing.ts";

/** Words for the layers. */
const SOURCES: Readonly<Record<DescribedSetting["layer"], string>> = {
  default: "default",
  file: "file",
  role: "role",
  instance: "instance",
  override: "option",
};

/** An object with `file`, `parameters` and `keys`; `instance`, if they are those of one. */
export function settingsJson(
  listing: {
    readonly parameters: readonly ListedParameter[];
    readonly keys: readonly ListedKey[];
  },
  { file, instance }: { readonly file: string; readonly instance?: string },
): string {
  const document = {
    file: file === "" ? null : file,
    ...(instance !== undefined && { instance }),
    parameters: listing.parameters.map(parameterJson),
    keys: listing.keys.map(keyJson),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function parameterJson(parameter: ListedParameter): Record<string, unknown> {
  const { name, roles, row, initial, canonical, expanded, fault, layer, place } = parameter;
  return {
    name,
    roles,
    kind: row?.kind ?? null,
    default: initial ?? null,
    value: canonical,
    expanded: fault === undefined ? expanded : null,
    ...(fault !== undefined && { fault }),
    source: SOURCES[layer],
    ...(place !== undefined && { line: place.line, column: place.column }),
    ...(row !== undefined && {
      since: row.since,
      deprecated: row.deprecated ?? row.instead ?? null,
      ...(row.ignoredSince !== undefined && { ignoredSince: row.ignoredSince }),
      obeyed: obeyedJson(row.obeyed),
      help: row.help,
    }),
  };
}

function keyJson({ table, key, row, initial, text, source, follows, line }: ListedKey) {
  return {
    name: `${table}.${key}`,
    table,
    key,
    kind: row.kind,
    default: initial,
    value: text,
    source,
    ...(follows !== undefined && { follows }),
    ...(line !== undefined && { line }),
    obeyed: obeyedJson(row.obeyed),
    help: row.help,
  };
}

/** `true` and `false` for all values; else an object with `only` or `except`, lists of values. */
function obeyedJson(obeyed: Obeyed | undefined): Obeyed {
  return obeyed ?? true;
}
