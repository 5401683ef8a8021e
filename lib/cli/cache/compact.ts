/**
 * `postern cache compact`: a cache file without what nobody needs.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { EXIT } from "../../base/errors.ts";
import { defineCommand } from "../command.ts";
import { print } from "../output.ts";
import { ABOUT_FILE, ABOUT_OWNING, CACHE_FILE } from "./operand.ts";

/** `postern cache compact`. */
export const CACHE_COMPACT = defineCommand({
  words: ["cache", "compact"],
  summary: "rewrite a cache file without what nobody needs",
  about: `\
Rewrites a session cache's file without older values, deleted and expired entries and damage. The
file is replaced in one step when its successor is whole and on the disk, so that a crash does no
harm; until then both take room. A service does this by itself when it pays.

${ABOUT_OWNING}

${ABOUT_FILE}`,
  options: {},
  operands: [CACHE_FILE],
  example: "postern cache compact btree:/var/lib/postfix/smtpd_scache",
  async run(_options, [file]) {
    const { compact } = await import("./own_file.ts");
    const { path, bytesBefore, bytesAfter, entries } = compact(file, systemClock.unixSeconds());
    print(`${path}: ${bytesBefore} bytes before, ${bytesAfter} after, ${entries} entries\n`);
    return EXIT.ok;
  },
});
