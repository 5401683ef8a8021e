/**
 * What a file and a command line say, layer by layer, before anything is expanded.
 *
 * @module
 */

import { canonicalText } from "./canonical.ts";
import { COMMAND_LINE, type FindingList, type Place, quote } from "./findings.ts";
import { LayerSorter } from "./layer_sorter.ts";
import type { RoleName } from "./parameters.ts";
import type { TomlDocument, TomlValue } from "./toml_source.ts";

/** The layers that can set a parameter, the lowest first. */
export type AssignedLayer = "file" | "role" | "instance" | "override";

/** A Postfix-named parameter with the text that one layer gives it. */
export interface Assignment {
  readonly name: string;
  /** Dotted path in the file; the plain name when it came from the command line. */
  readonly key: string;
  /** Canonical, not expanded. */
  readonly text: string;
  readonly layer: AssignedLayer;
  readonly place?: Place;
  /** Where it stands when not in the file. */
  readonly file?: string;
}

/** One of our own keys, its place known to be right. */
export interface OwnAssignment {
  /** As in a header of the file: `cache.smtp`, `instance.relay`. */
  readonly table: string;
  readonly key: string;
  /** The table whose row says what the value must be, where it is not `table`. */
  readonly rows?: string;
  readonly value: TomlValue;
  readonly place: Place;
}

/** One `[instance.NAME]`: a further service of a role. */
export interface Instance {
  readonly name: string;
  readonly role: RoleName;
  readonly parameters: ReadonlyMap<string, Assignment>;
}

/** All that a file says. */
export interface Layers {
  readonly global: ReadonlyMap<string, Assignment>;
  readonly roles: Readonly<Record<RoleName, ReadonlyMap<string, Assignment>>>;
  /** By name. One without a valid role is a finding and is left out. */
  readonly instances: ReadonlyMap<string, Instance>;
  readonly own: readonly OwnAssignment[];
}

/** Sorts `document`; what stands in the wrong place becomes a finding and is left out. */
export function sortEntries(document: TomlDocument, findings: FindingList): Layers {
  const sorter = new LayerSorter(findings);
  for (const table of document.tables) sorter.table(table);
  for (const entry of document.entries) sorter.entry(entry);
  return sorter.finish();
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
      const hint = "for example -o smtpd_tls_loglevel=1";
      findings.add({ severity: "error", message, hint }, { file: COMMAND_LINE });
      continue;
    }
    const [, name, value] = match;
    const canonical = canonicalText({ type: "string", text: value });
    const text = "text" in canonical ? canonical.text : value;
    result.set(name, { name, key: name, text, layer: "override", file: COMMAND_LINE });
  }
  return result;
}

/** All parameters that anybody sets, in the order of the layers. */
export function allAssignments(
  { global, roles, instances }: Layers,
  overrides: ReadonlyMap<string, Assignment>,
): readonly Assignment[] {
  return [
    ...global.values(),
    ...Object.values(roles).flatMap((layer) => [...layer.values()]),
    ...[...instances.values()].flatMap(({ parameters }) => [...parameters.values()]),
    ...overrides.values(),
  ];
}
