/** Checks the parts of the scripts that decide whether a gate may pass. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  compileArguments,
  PERMISSIONS,
  withoutTestPackages,
  WORKER_MODULES,
} from "../../scripts/build.ts";
import { ALL, dealOut, isStep, type Job, planStep } from "../../scripts/suite/plan.ts";
import { runJobs } from "../../scripts/suite/pool.ts";
import { readReport } from "../../scripts/suite/report.ts";

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
  const net = args.filter((arg) => arg.startsWith("--allow-net"));
  assertEquals(net, ["--allow-net=127.0.0.0/8,[::1]"], "the loopback, and nothing else");
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

/** All files of tests below `folder`. */
function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return testFiles(`${folder}/${name}`);
    return name.endsWith("_test.ts") ? [`${folder}/${name}`] : [];
  });
}

Deno.test("planStep() gives each file of tests to one process, and misses none", () => {
  for (const group of ["unit", "wire", "house", "integration", "interop"]) {
    assert(isStep(group) && ALL.includes(group), group);
    const planned = planStep(group).flatMap(({ args }) =>
      args.filter((arg) => arg.endsWith("_test.ts"))
    );
    assertEquals(planned.sort(), testFiles(`tests/${group}`).sort());
  }
  const folders = [...Deno.readDirSync("tests")].filter(({ name, isDirectory }) =>
    isDirectory && testFiles(`tests/${name}`).length > 0
  );
  assertEquals(folders.filter(({ name }) => !isStep(name)), [], "folders that no step runs");
});

Deno.test("planStep() lets tests of the executable wait for the build, and no others", () => {
  const waiting = ALL.filter((step) => planStep(step).some(({ needs }) => needs === "build"));
  assertEquals(waiting.sort(), ["integration", "interop"]);
  assert(ALL.every(isStep));
  assertEquals(["all", "build@newest", "unit@oldest", "unit@", ""].filter(isStep), []);
});

Deno.test("dealOut() deals like cards, and makes one empty hand of nothing", () => {
  assertEquals(dealOut(["a", "b", "c", "d", "e"], 2), [["a", "c", "e"], ["b", "d"]]);
  assertEquals(dealOut(["a"], 4), [["a"]]);
  assertEquals(dealOut([], 4), [[]]);
});

function jobOf(step: string, code: string, more: Partial<Job> = {}): Job {
  const args = ["eval", code];
  return { step, title: step, args, onNewest: false, kind: "check", load: 1, ...more };
}

Deno.test("runJobs() counts what fails, shows what it said, and does not run what needs it", async () => {
  const printed: string[] = [];
  const results = await runJobs(
    [
      jobOf("after", "", { needs: "build" }),
      jobOf("build", "console.error('it said this'); Deno.exit(3)"),
      jobOf("good", "console.log('nobody reads this')"),
      jobOf("killed", "Deno.kill(Deno.pid, 'SIGKILL'); for (;;);"),
      jobOf("empty", "", { kind: "tests", fault: "no test file" }),
    ],
    { processors: 2, print: (text) => void printed.push(text) },
  );
  const outcomes = results.map(({ job, outcome }) => [job.step, outcome.passed, outcome.failed]);
  assertEquals(outcomes.sort(), [
    ["after", 0, ["not run: build failed"]],
    ["build", 0, ["it ended with code 3"]],
    ["empty", 0, ["no test file"]],
    ["good", 1, []],
    ["killed", 0, ["it was ended by SIGKILL"]],
  ]);
  const text = printed.join("\n");
  assertMatch(text, /== build failed\nit said this\n/);
  assert(!text.includes("nobody"));
});

Deno.test("runJobs() runs as many as the processors bear, and one that is too heavy alone", async () => {
  const file = Deno.makeTempFileSync();
  const say = (what: string) =>
    `Deno.writeTextFileSync(${JSON.stringify(file)}, "${what}",
    { append: true });`;
  // Each is at work until the other one is, too, or until it has waited in vain.
  const meet = `${say("+")} const read = () => Deno.readTextFileSync(${JSON.stringify(file)});
    for (let i = 0; i < 1_500 && !read().includes("++"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    ${say("-")}`;
  try {
    const pair = [jobOf("a", meet, { load: 1 / 2 }), jobOf("b", meet, { load: 1 / 2 })];
    await runJobs(pair, { processors: 1, print: () => {} });
    assertEquals(Deno.readTextFileSync(file), "++--");
    Deno.truncateSync(file);
    const heavy = [0, 1].map((n) => jobOf(`${n}`, `${say("+")} ${say("-")}`, { load: 3 }));
    await runJobs(heavy, { processors: 2, print: () => {} });
    assertEquals(Deno.readTextFileSync(file), "+-+-");
  } finally {
    Deno.removeSync(file);
  }
});
