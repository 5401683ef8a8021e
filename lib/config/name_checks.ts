/**
 * Whether names mean something where they stand.
 *
 * @module
 */

import { placeOf } from "./evaluation.ts";
import { mentionedNames } from "./expand.ts";
import type { FindingList } from "./findings.ts";
import { FOREIGN_NAMES, isForeignName } from "./foreign_names.ts";
import { allAssignments, type Assignment, type Layers } from "./layers.ts";
import { nearestName } from "./near_miss.ts";
import { parameterRow, PARAMETERS, ROLE_NAMES } from "./parameters.ts";

/** What both roles must agree on to find each other and their files. */
const SHARED: readonly string[] = [
  "compatibility_level",
  "data_directory",
  "mail_owner",
  "queue_directory",
  "tlsmgr_service_name",
];

/** So many names that nobody knows are compared with all known ones, which takes its time. */
const COMPARED_MAX = 50;

/** A name that nobody knows and no value mentions is most likely misspelt. */
export function checkNames(names: {
  layers: Layers;
  overrides: ReadonlyMap<string, Assignment>;
  strict: boolean;
  findings: FindingList;
}): void {
  const { layers, overrides, strict, findings } = names;
  const assignments = allAssignments(layers, overrides);
  const mentioned = mentionedIn(assignments);
  const known = [...Object.keys(PARAMETERS), ...FOREIGN_NAMES];
  let compared = 0;
  for (const assignment of assignments) {
    const { name } = assignment;
    if (parameterRow(name) !== undefined || isForeignName(name) || mentioned.has(name)) continue;
    const near = ++compared > COMPARED_MAX ? undefined : nearestName(name, known);
    findings.add({
      severity: strict ? "error" : "warning",
      message: "Unused parameter: neither tlsmgr nor tlsproxy reads it",
      hint: near !== undefined ? `did you mean ${near}` : "remove it, or use it in a value",
    }, placeOf(assignment));
  }
}

/**
 * Parameters below `[tlsmgr]` or `[tlsproxy]` that the role does not read, or that the other role
 * needs as well. A key that was meant for the top level gets there by standing below a table header.
 */
export function checkRoleTables(layers: Layers, findings: FindingList): void {
  const mentioned = mentionedIn(allAssignments(layers, new Map()));
  for (const role of ROLE_NAMES) {
    const other = role === "tlsmgr" ? "tlsproxy" : "tlsmgr";
    for (const assignment of layers.roles[role].values()) {
      const { name } = assignment;
      const row = parameterRow(name);
      if (row === undefined || row.readOnly) continue;
      if (!row.roles.includes(role) && !mentioned.has(name)) {
        findings.add({
          severity: "warning",
          message: `No effect: ${role} does not read it, only ${other} does`,
          hint: `move it to the top of the file, or below [${other}]`,
        }, placeOf(assignment));
      } else if (
        SHARED.includes(name) && row.roles.includes(other) && !layers.roles[other].has(name) &&
        !layers.global.has(name)
      ) {
        findings.add({
          severity: "warning",
          message: `Set for ${role} only: ${other} reads it too, and has the default`,
          hint: "move it to the top of the file, above all tables",
        }, placeOf(assignment));
      }
    }
  }
}

function mentionedIn(assignments: readonly Assignment[]): ReadonlySet<string> {
  return new Set(assignments.flatMap(({ text }) => mentionedNames(text)));
}
