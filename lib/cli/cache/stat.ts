/**
 * `postern cache stat`: the numbers of a cache file.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT } from "../../base/errors.ts";
import type { InspectionFacts } from "../../store/inspect.ts";
import { defineCommand } from "../command.ts";
import { print } from "../output.ts";
import { asciiJson, showTime } from "./entry_text.ts";
import { ABOUT_FILE, ABOUT_READING, CACHE_FILE, JSON_OUTPUT } from "./operand.ts";

/** Numbers about the entries of a file. */
interface EntryFacts {
  expired: number;
  valueBytesMax: number;
  /** Unix seconds, of all entries; undefined where there is none. */
  firstExpiryS: number | undefined;
  lastExpiryS: number | undefined;
}

/** `postern cache stat`. */
export const CACHE_STAT = defineCommand({
  words: ["cache", "stat"],
  summary: "show the numbers of a cache file",
  about: `\
Shows how many entries a session cache's file holds, how much of it is live, what is damaged, and
which process uses it.

${ABOUT_READING}

${ABOUT_FILE}`,
  options: { json: JSON_OUTPUT },
  operands: [CACHE_FILE],
  example: "postern cache stat btree:/var/lib/postfix/smtpd_scache",
  async run({ json }, [file]) {
    const { inspectFile } = await import("./cache_file.ts");
    const { inspection, owner } = inspectFile(file);
    const facts = inspection.facts();
    const entries = countEntries(inspection.entries(), systemClock.unixSeconds());
    inspection.close();
    const state = { path: inspection.path, owner, facts, entries };
    print(json ? `${asciiJson(jsonOf(state))}\n` : textOf(state));
    return EXIT.ok;
  },
});

/** What is printed, either way. */
interface State {
  path: string;
  owner: number | undefined;
  facts: InspectionFacts;
  entries: EntryFacts;
}

function countEntries(
  entries: Iterable<{ valueBytes: number; expiresAtS: number }>,
  nowS: number,
): EntryFacts {
  let expired = 0;
  let valueBytesMax = 0;
  let first = Infinity;
  let last = -Infinity;
  for (const { valueBytes, expiresAtS } of entries) {
    if (expiresAtS < nowS) expired++;
    if (valueBytes > valueBytesMax) valueBytesMax = valueBytes;
    if (expiresAtS < first) first = expiresAtS;
    if (expiresAtS > last) last = expiresAtS;
  }
  const known = (seconds: number) => Number.isFinite(seconds) ? seconds : undefined;
  return { expired, valueBytesMax, firstExpiryS: known(first), lastExpiryS: known(last) };
}

function jsonOf({ path, owner, facts, entries }: State): Record<string, unknown> {
  return {
    file: path,
    process: owner ?? null,
    file_bytes: facts.fileBytes,
    entries: facts.entries,
    expired_entries: entries.expired,
    live_bytes: facts.liveBytes,
    dead_bytes: facts.deadBytes,
    records: facts.records,
    value_bytes_max: entries.valueBytesMax,
    first_expiry: entries.firstExpiryS ?? null,
    last_expiry: entries.lastExpiryS ?? null,
    damaged_places: facts.damagedPlaces,
    damaged_bytes: facts.damagedBytes,
    unfinished_bytes: facts.unfinishedBytes,
    unreadable_bytes: facts.unreadableBytes,
  };
}

function textOf({ path, owner, facts, entries }: State): string {
  const { fileBytes, liveBytes, deadBytes, damagedBytes, damagedPlaces } = facts;
  const { firstExpiryS, lastExpiryS } = entries;
  const rows: [string, string][] = [
    ["file", path],
    ["used by", owner === undefined ? "nobody" : `process ${owner}`],
    ["size", `${fileBytes} bytes`],
    ["entries", `${facts.entries}, of which ${entries.expired} have expired`],
    ["live", `${liveBytes} bytes`],
    ["dead", `${deadBytes} bytes`],
    ["records", String(facts.records)],
    ["longest value", `${entries.valueBytesMax} bytes`],
  ];
  if (firstExpiryS !== undefined && lastExpiryS !== undefined) {
    rows.push(["first expiry", showTime(firstExpiryS)], ["last expiry", showTime(lastExpiryS)]);
  }
  rows.push([
    "damage",
    damagedPlaces === 0 ? "none" : `${damagedBytes} bytes in ${damagedPlaces} places`,
  ]);
  if (facts.unfinishedBytes > 0) rows.push(["unfinished end", `${facts.unfinishedBytes} bytes`]);
  if (facts.unreadableBytes > 0) rows.push(["unreadable", `${facts.unreadableBytes} bytes`]);
  return rows.map(([name, text]) => `${name.padEnd(16)}${text}\n`).join("");
}
