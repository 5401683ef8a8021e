/**
 * `postern cache verify`: whether every record of a cache file is intact.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import type { InspectionFacts } from "../../store/inspect.ts";
import { defineCommand } from "../command.ts";
import { print } from "../output.ts";
import { asciiJson } from "./entry_text.ts";
import { ABOUT_FILE, ABOUT_READING, CACHE_FILE, JSON_OUTPUT } from "./operand.ts";

/** `postern cache verify`. */
export const CACHE_VERIFY = defineCommand({
  words: ["cache", "verify"],
  summary: "prove every record of a cache file",
  about: `\
Reads a session cache's file from end to end and proves each record by its checksum. The exit code
is 0 if all are intact, and 78 if something between them is not, or the file is no cache file. An
unfinished record at the end is no damage: a crash leaves one, and the next start cuts it off.

${ABOUT_READING}

${ABOUT_FILE}`,
  options: { json: JSON_OUTPUT },
  operands: [CACHE_FILE],
  example: "postern cache verify /var/lib/postfix/smtpd_scache.postern",
  async run({ json }, [file]) {
    const { inspectFile, noteOwner } = await import("./cache_file.ts");
    const inspected = inspectFile(file);
    const { inspection, owner } = inspected;
    const facts = inspection.facts();
    inspection.close();
    const isIntact = facts.damagedPlaces === 0 && facts.unreadableBytes === 0;
    if (json) {
      print(`${asciiJson(jsonOf(inspection.path, isIntact, facts))}\n`);
    } else {
      noteOwner(inspected);
      if (isIntact) print(`${inspection.path}: ok, ${facts.records} records are intact\n`);
      if (facts.unfinishedBytes > 0) print(unfinished(inspection.path, owner, facts));
    }
    if (isIntact) return EXIT.ok;
    throw new FatalError(`Cannot prove all of "${inspection.path}": ${describe(facts)}`, {
      hint: "Intact entries go on being served; `postern cache compact` drops what is not intact",
    });
  },
});

function describe({ damagedBytes, damagedPlaces, unreadableBytes }: InspectionFacts): string {
  const parts: string[] = [];
  if (damagedPlaces > 0) parts.push(`${damagedBytes} bytes in ${damagedPlaces} places are damaged`);
  if (unreadableBytes > 0) parts.push(`${unreadableBytes} bytes cannot be read from the disk`);
  return parts.join(", ");
}

function unfinished(path: string, owner: number | undefined, facts: InspectionFacts): string {
  const why = owner === undefined ? "is unfinished" : "is being written";
  return `${path}: the end, ${facts.unfinishedBytes} bytes, ${why}\n`;
}

function jsonOf(path: string, isIntact: boolean, facts: InspectionFacts): Record<string, unknown> {
  return {
    file: path,
    intact: isIntact,
    records: facts.records,
    damaged_places: facts.damagedPlaces,
    damaged_bytes: facts.damagedBytes,
    unfinished_bytes: facts.unfinishedBytes,
    unreadable_bytes: facts.unreadableBytes,
  };
}
