/**
 * `postern cache list`: the entries of a cache file, a line each.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT } from "../../base/errors.ts";
import { defineCommand } from "../command.ts";
import { switchOption } from "../options.ts";
import { print } from "../output.ts";
import { ENTRY_HEADING, entryJson, entryLine, escapeKey, hashKey } from "./entry_text.ts";
import { ABOUT_FILE, ABOUT_READING, CACHE_FILE, JSON_OUTPUT } from "./operand.ts";

/** Lines are written so many at a time. */
const BATCH_LINES = 1000;

/** `postern cache list`. */
export const CACHE_LIST = defineCommand({
  words: ["cache", "list"],
  summary: "list the entries of a cache file",
  about: `\
Shows each entry of a session cache's file, the one that was stored first before the others: until
when it is valid, the length of its session in bytes, and the beginning of the SHA-256 of its key,
because keys name clients, servers and sessions. Sessions themselves are never shown: whoever has
one can decrypt.

${ABOUT_READING}

${ABOUT_FILE}`,
  options: {
    keys: switchOption("--keys", "keys themselves; \\xNN for what is not printable"),
    json: JSON_OUTPUT,
  },
  operands: [CACHE_FILE],
  example: "postern cache list --keys /var/lib/postfix/smtpd_scache.postern",
  async run({ keys, json }, [file]) {
    const { inspectFile, noteOwner } = await import("./cache_file.ts");
    const inspected = inspectFile(file);
    noteOwner(inspected);
    const nowS = systemClock.unixSeconds();
    if (!json) print(ENTRY_HEADING);
    let batch: Promise<string>[] = [];
    for (const entry of inspected.inspection.entries()) {
      const { key } = entry;
      batch.push(
        keys
          ? Promise.resolve(
            json ? entryJson({ key }, entry, nowS) : entryLine(escapeKey(key), entry, nowS),
          )
          : hashKey(key).then((hash) =>
            json ? entryJson({ key_hash: hash }, entry, nowS) : entryLine(hash, entry, nowS)
          ),
      );
      if (batch.length < BATCH_LINES) continue;
      print((await Promise.all(batch)).join(""));
      batch = [];
    }
    print((await Promise.all(batch)).join(""));
    inspected.inspection.close();
    return EXIT.ok;
  },
});
