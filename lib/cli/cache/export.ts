/**
 * `postern cache export`: what is in a cache, for other programs, without what must not leave it.
 *
 * The sessions stay behind. An export ends up in tickets, mails and backups, and a session in it would
 * decrypt recorded connections and let its holder resume as the client. Nothing needs them there: who
 * moves a cache to another machine copies the file itself, which keeps its mode.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT } from "../../base/errors.ts";
import { defineCommand } from "../command.ts";
import { print } from "../output.ts";
import { entryJson } from "./entry_text.ts";
import { ABOUT_FILE, ABOUT_READING, CACHE_FILE } from "./operand.ts";

/** Lines are written so many at a time. */
const BATCH_LINES = 1000;

/** `postern cache export`. */
export const CACHE_EXPORT = defineCommand({
  words: ["cache", "export"],
  summary: "write keys, times and sizes of a cache file as JSON lines",
  about: `\
Writes a line of JSON for each entry of a session cache's file, the one that was stored first before
the others: its key (a character a byte), the length of its session in bytes, until when it is valid
(unix seconds), and whether that time is over.

Sessions are left out: whoever has one can decrypt. To move a cache, copy its file while no service
uses it.

${ABOUT_READING}

${ABOUT_FILE}`,
  options: {},
  operands: [CACHE_FILE],
  example: "postern cache export /var/lib/postfix/smtpd_scache.postern > entries.json",
  async run(_options, [file]) {
    const { inspectFile, noteOwner } = await import("./cache_file.ts");
    const inspected = inspectFile(file);
    noteOwner(inspected);
    const nowS = systemClock.unixSeconds();
    let batch: string[] = [];
    for (const entry of inspected.inspection.entries()) {
      batch.push(entryJson({ key: entry.key }, entry, nowS));
      if (batch.length < BATCH_LINES) continue;
      print(batch.join(""));
      batch = [];
    }
    print(batch.join(""));
    inspected.inspection.close();
    return EXIT.ok;
  },
});
