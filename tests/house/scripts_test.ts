/** Checks the parts of the scripts that decide whether a gate may pass. */

import { assert, assertEquals } from "@std/assert";
import {
  compileArguments,
  PERMISSIONS,
  withoutTestPackages,
  WORKER_MODULES,
} from "../../scripts/build.ts";
import { readReport } from "../../scripts/run_tests.ts";

Deno.test("readReport() counts tests and steps and names what failed or was skipped", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.005">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="1">
        <testcase name="one" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="skip &lt;two&gt;" classname="./a_test.ts" time="0.000" line="1" col="34">
            <skipped/>
        </testcase>
        <testcase name="bad" classname="./a_test.ts" time="0.000" line="1" col="85">
            <failure message="Uncaught Error: x">Error: x &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="one &gt; step" classname="./a_test.ts" time="0.000" line="2" col="39"/>
        <testcase name="last" classname="./a_test.ts" time="0.000" line="2" col="66">
        </testcase>
    </testsuite>
</testsuites>`;
  assertEquals(readReport(report), {
    passed: 3,
    failed: ["./a_test.ts: bad"],
    skipped: ["./a_test.ts: skip <two>"],
  });
});

Deno.test("compileArguments() holds what makes the executable safe and whole", () => {
  const args = compileArguments("out");
  assert(args.includes("--no-code-cache"), "code would be loaded from /tmp");
  assert(args.includes("--no-prompt"), "a daemon would ask for a permission");
  for (const module of WORKER_MODULES) assertEquals(args[args.indexOf(module) - 1], "--include");
  for (const flag of PERMISSIONS) assert(args.includes(flag), flag);
  assert(
    !args.includes("-A") && !args.includes("--allow-all"),
    "permissions are listed one by one",
  );
  assertEquals(args.at(-1), "main.ts");
});

Deno.test("withoutTestPackages() leaves what the program imports, and nothing that only tests need", () => {
  const path = new URL("../../scripts/closed_network/deno.lock", import.meta.url);
  const lock = JSON.parse(withoutTestPackages(Deno.readTextFileSync(path)));
  const names = (list: string[]) => list.map((name) => name.replace(/@[^@]*$/, "")).sort();
  assertEquals(names(Object.keys(lock.specifiers)), ["npm:minimist", "npm:smol-toml"]);
  assertEquals(names(Object.keys(lock.npm)), ["minimist", "smol-toml"]);
  assert(!lock.workspace.dependencies.some((name: string) => name.startsWith("npm:")));
});
