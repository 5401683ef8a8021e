/**
 * Goal: whatever is done in whatever order, with whatever quotas, the store answers as its model does.
 * Method: courses from fast-check on both; one that fails is shrunk, and its message has the seed.
 */
import { assert, assertEquals } from "@std/assert";
import { nightly } from "../../support/nightly.ts";
import { runModel } from "../../support/torture/model.ts";

const SEQUENCES = nightly(800, 20_000);

Deno.test("Store agrees with its model over expiry, eviction, compactions, ends and kills", () => {
  const counts = runModel(SEQUENCES, 7);
  assertEquals(counts.sequences, SEQUENCES);
  assert(counts.operations > 30 * SEQUENCES, "courses are long");
  for (const what of ["compactions", "evictions", "reopenings"] as const) {
    assert(counts[what] > SEQUENCES / 5, `${counts[what]} ${what}`);
  }
});
