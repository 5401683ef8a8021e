/**
 * What became of each parameter that was converted.
 *
 * @module
 */

import { describeSettings } from "../describe.ts";
import type { Finding } from "../findings.ts";
import { isForeignName } from "../foreign_names.ts";
import { isObeyed, type Parameter, parameterRow } from "../parameters.ts";
import { listServices, type ServiceName } from "../services.ts";
import type { TomlWriter } from "./toml_writer.ts";

/** Names by what happens to them; each is in one list only, in the order of the files. */
export interface ImportSummary {
  /** A part of postern acts on the value. */
  readonly obeyed: readonly string[];
  /** Checked, and no part of postern acts on the value. */
  readonly notObeyed: readonly string[];
  /** The value changes nothing, most of them in Postfix neither. */
  readonly idle: readonly string[];
  /** Parameters of other Postfix programs, kept for `$name`. */
  readonly foreign: readonly string[];
  /** Names that Postfix does not have; the operator's own, or misspelt. */
  readonly unknown: readonly string[];
  /** Not converted, because only our own were asked for. */
  readonly leftOut: readonly string[];
}

/** Sorts what `writer` has written. */
export function summarize(
  writer: TomlWriter,
  { leftOut, foreseen }: {
    readonly leftOut: readonly string[];
    /** What loading is going to say; a note tells that a value changes nothing. */
    readonly foreseen: readonly Finding[];
  },
): ImportSummary {
  const lists = {
    obeyed: new Set<string>(),
    notObeyed: new Set<string>(),
    idle: new Set<string>(),
    foreign: new Set<string>(),
    unknown: new Set<string>(),
  };
  const described = listServices(writer.text).map((service) => ({
    service,
    settings: new Map(
      describeSettings({ text: writer.text, file: "", ...service, overrides: [] })
        .map((setting) => [setting.name, setting]),
    ),
  }));
  const noted = new Set(
    foreseen.filter(({ severity }) => severity === "note").map(({ key }) => key),
  );
  for (const { path, kind } of writer.keys) {
    if (kind !== "parameter") continue;
    const name = path[path.length - 1];
    const row = parameterRow(name);
    if (row === undefined) (isForeignName(name) ? lists.foreign : lists.unknown).add(name);
    else if (isIdle(row) || noted.has(path.join("."))) lists.idle.add(name);
    else {
      const values = described
        .filter(({ service }) => concerns(path, service))
        .map(({ settings }) => settings.get(name)?.expanded ?? "");
      (areObeyed(row, values) ? lists.obeyed : lists.notObeyed).add(name);
    }
  }
  // What is obeyed in one place only is not obeyed as it was meant.
  for (const name of lists.notObeyed) lists.obeyed.delete(name);
  const names = Object.entries(lists).map(([list, set]) => [list, [...set]]);
  return { ...Object.fromEntries(names), leftOut } as ImportSummary;
}

/** Whether what stands at `path` is a value of `service`: that of an instance is its own. */
function concerns(path: readonly string[], { instance }: ServiceName): boolean {
  return path[0] !== "instance" || path[1] === instance;
}

function isIdle({ readOnly, ignoredSince }: Parameter): boolean {
  return readOnly === true || ignoredSince !== undefined;
}

function areObeyed(row: Parameter, values: readonly string[]): boolean {
  return values.every((value) => isObeyed(row.obeyed, value));
}
