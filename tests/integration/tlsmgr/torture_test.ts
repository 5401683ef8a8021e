/** The executable is killed again and again while clients change its cache. */

import { assert, assertEquals } from "@std/assert";
import { nightly } from "../../support/nightly.ts";
import { seededRandom } from "../../support/random.ts";
import { killService } from "../../support/torture/service_kills.ts";

const KILLS = nightly(6, 60);

for (const sync of ["never", "always"]) {
  Deno.test(`tlsmgr with sync = ${sync} keeps every acknowledged change over SIGKILL`, async () => {
    const counts = await killService(KILLS, { random: seededRandom(KILLS), sync });
    assertEquals(counts.kills, KILLS);
    assert(counts.acknowledged > 20 * KILLS && counts.compacted > 0, JSON.stringify(counts));
  });
}
