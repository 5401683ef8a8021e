/**
 * `postern cache purge`: a cache file without entries.
 *
 * @module
 */
import { EXIT } from "../../base/errors.ts";
import { defineCommand } from "../command.ts";
import { print } from "../output.ts";
import { ABOUT_FILE, ABOUT_OWNING, CACHE_FILE } from "./operand.ts";

/** `postern cache purge`. */
export const CACHE_PURGE = defineCommand({
  words: ["cache", "purge"],
  summary: "remove all entries of a cache file",
  about: `\
Empties a session cache's file, so that no client and no server resumes a session of it; the next
connection of each makes a full handshake. The disk's blocks are given back, not overwritten.

${ABOUT_OWNING}

${ABOUT_FILE}`,
  options: {},
  operands: [CACHE_FILE],
  example: "postern cache purge btree:/var/lib/postfix/smtpd_scache",
  async run(_options, [file]) {
    const { purge } = await import("./own_file.ts");
    const { path, bytes } = purge(file);
    print(`${path}: emptied, ${bytes} bytes are gone\n`);
    return EXIT.ok;
  },
});
