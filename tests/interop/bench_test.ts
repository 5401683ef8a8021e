/** Runs the benchmark as short as it gets: it must measure both servers, requests and sessions. */

import { assert, assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { supportPath } from "../support/paths.ts";
import { runChecked } from "../support/process.ts";

async function runBench(only: string) {
  // deno-fmt-ignore
  const args = [
    supportPath("../../scripts/deno"), "run", "-A", supportPath("../../scripts/bench.ts"),
    "--quick", "--rounds", "2", "--only", only, "--json", "--with", "",
  ];
  const { stdout } = await runChecked("sh", args);
  return JSON.parse(stdout);
}

interopTest("scripts/bench.ts measures both servers and says whether a bar is met", async () => {
  const { rows, setting, options, failures } = await runBench("seed");
  assertEquals(failures, []);
  assertEquals(options.rounds, 2);
  assertEquals(Object.keys(setting.versions), ["Postfix", "postern", "OpenSSL"]);
  assertEquals(rows.length, 3);
  for (const { figure, medians, ratio, bar, met } of rows) {
    assert(figure.includes("seed"), figure);
    assert(medians.Postfix > 0 && medians.postern > 0, JSON.stringify(medians));
    assert(ratio.min <= ratio.median && ratio.median <= ratio.max, JSON.stringify(ratio));
    assertEquals(typeof met, bar === undefined ? "undefined" : "boolean");
  }
});

interopTest(
  "scripts/bench.ts tells a ticket that the server gave from one that was kept",
  async () => {
    const { rows: [row], failures } = await runBench("uses each ticket once");
    assertEquals(failures, []);
    assertEquals([row.medians.postern, row.met], [100, true]);
    // Postfix gives none with a session that was resumed, so every second one is full.
    assert(row.medians.Postfix > 40 && row.medians.Postfix < 60, `${row.medians.Postfix} %`);
  },
);
