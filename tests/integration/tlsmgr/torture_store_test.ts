/**
 * Goal: SIGKILL loses nothing that was flushed, and brings back nothing that was deleted.
 * Method: a process that works on a file is killed again and again, in the middle of writes and of
 * compactions; what it had promised is known from its seed and its last line.
 */
import { assert, assertEquals } from "@std/assert";
import { nightly } from "../../support/nightly.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { killStores } from "../../support/torture/kills.ts";

/** Files that are worked on at the same time. */
const LANES = 4;
const KILLS_A_LANE = nightly(25, 250);

Deno.test("Store holds every flushed change after each of many SIGKILLs", async () => {
  await using folder = await TempFolder.make("kills");
  const lanes = await Promise.all(
    Array.from(
      { length: LANES },
      (_, lane) =>
        killStores(folder.file(`cache${lane}`), { kills: KILLS_A_LANE, seed: 1 + 1000 * lane }),
    ),
  );
  let cutCompactions = 0;
  for (const counts of lanes) {
    assertEquals(counts.kills, KILLS_A_LANE);
    assert(counts.promised > 10 * KILLS_A_LANE, JSON.stringify(counts));
    assert(counts.compactions > KILLS_A_LANE / 10, JSON.stringify(counts));
    cutCompactions += counts.cutCompactions;
  }
  assert(cutCompactions > 0, "some kills ended a compaction");
});
