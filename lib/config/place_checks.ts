/**
 * Places of the file where two would listen at once.
 *
 * @module
 */

import { type FindingList, quote } from "./findings.ts";
import type { OwnAssignment } from "./layers.ts";

const KEYS = ["socket", "metrics", "control"];
/** Values of these keys that are no place. */
const NO_PLACE = ["", "off"];

/**
 * Reports each place that is given twice. Sockets of two services are compared elsewhere, with those that
 * the file does not name.
 *
 * @param own what the file sets of our own keys
 */
export function checkPlaces(own: readonly OwnAssignment[], findings: FindingList): void {
  const takenBy = new Map<string, OwnAssignment>();
  for (const assignment of own) {
    const { table, key, value, place } = assignment;
    if (!KEYS.includes(key) || !/^(?:service|instance)\./.test(table)) continue;
    if (value.type !== "string" || NO_PLACE.includes(value.text)) continue;
    const other = takenBy.get(value.text);
    takenBy.set(value.text, other ?? assignment);
    if (other === undefined || (other.key === "socket" && key === "socket")) continue;
    findings.add({
      severity: "error",
      message: `Cannot listen twice at ${quote(value.text)}: ` +
        `it is ${quote(other.key)} of [${other.table}] too`,
      hint: "give each a place of its own",
    }, { place, key: `${table}.${key}` });
  }
}
