/**
 * Goal: no failing call makes the store lose what it took as written, answer wrongly, repeat itself,
 * throw or leak.
 * Method: one course of two lives that are killed, run again with each of its calls to the disk failing in
 * each way, alone and with those that follow.
 */
import { assert } from "@std/assert";
import { nightly } from "../../support/nightly.ts";
import { runFaults } from "../../support/torture/faults.ts";

const SEEDS = nightly(1, 12);
const TURNS = nightly(5, 12);

for (const sync of ["never", "interval", "always"] as const) {
  Deno.test(`Store with sync = ${sync} keeps its word when the n-th call fails, for every n`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const counts = runFaults({ seed, sync, turns: TURNS });
      assert(counts.calls > 80 && counts.points > 900, JSON.stringify(counts));
    }
  });
}
