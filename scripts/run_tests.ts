/**
 * Runs checks and tests in processes side by side, and adds up what passed and failed.
 *
 * A check (format, lint, types, build) counts as one test. A group that has no test file, or a process
 * that fails without naming a failed test, counts as one failure. Skipped tests are listed by name.
 *
 * @module
 */

import { ALL, isStep, planStep } from "./suite/plan.ts";
import { describeOutcome, endJobs, type Result, runJobs } from "./suite/pool.ts";
import { addOutcome, emptyOutcome, type Outcome } from "./suite/report.ts";

const USAGE = `Usage:
    sh scripts/deno run -A scripts/run_tests.ts STEP...

Steps:
    format lint types build              the checks
    unit wire house integration interop  the tests below tests/ of that name
    STEP@newest                          types or tests on the newest Deno
    all                                  everything, as scripts/test wants it

As many processes run at a time as keep the processors busy, two of which there are at the least;
POSTERN_TEST_PROCESSORS is another number of them. What a process says is shown if it fails.
With POSTERN_REQUIRE_INTEROP=1 a skipped test of interop is a failure.
With POSTERN_NIGHTLY=1 the tests that repeat themselves (fuzzing, torture, random comparisons) do so
many times more, and a process may take 90 minutes instead of 10.
The last line is \`N passed, N failed\`, with \`, N skipped\` after it if there are any.

Example:
    $ sh scripts/deno run -A scripts/run_tests.ts types unit unit@newest
    $ POSTERN_NIGHTLY=1 sh scripts/deno run -A scripts/run_tests.ts unit
`;

/** More are not used: the whole is not long enough for it. */
const PROCESSORS_MAX = 8;

function countProcessors(): number {
  const asked = Number(Deno.env.get("POSTERN_TEST_PROCESSORS"));
  if (Number.isInteger(asked) && asked > 0) return asked;
  return Math.min(PROCESSORS_MAX, Math.max(2, navigator.hardwareConcurrency));
}

/** Whether the newest Deno is here; the bootstrap says why, if it is not. */
function hasNewest(): boolean {
  const version = /^DENO_NEWEST_VERSION=(.*)$/m.exec(Deno.readTextFileSync("scripts/pins.env"))
    ?.[1];
  return [...Deno.readDirSync(".cache/bin")].some((entry) => entry.name === `deno-${version}`);
}

/** What the processes of `step` came to, all in all. */
function sumUp(step: string, results: readonly Result[]): Outcome {
  const sum = emptyOutcome();
  const own = results.filter(({ job }) => job.step === step);
  for (const { job, outcome } of own) {
    addOutcome(sum, {
      ...outcome,
      failed: outcome.failed.map((title) => `${job.title}: ${title}`),
      skipped: outcome.skipped.map((title) => `${step}: ${title}`),
    });
  }
  // Only what could not be run has no process.
  if (own.length === 0) sum.skipped.push(step);
  if (step === "interop" && Deno.env.get("POSTERN_REQUIRE_INTEROP") === "1") {
    sum.failed.push(...sum.skipped.splice(0).map((title) => `${title} (skipped)`));
  }
  return sum;
}

async function runAll(steps: readonly string[]): Promise<void> {
  const isHere = hasNewest();
  const jobs = steps.filter((step) => isHere || !step.endsWith("@newest")).flatMap(planStep);
  const started = performance.now();
  const results = await runJobs(jobs, { processors: countProcessors(), print: console.log });
  const wallSeconds = (performance.now() - started) / 1000;
  console.log("");
  const sum = emptyOutcome();
  for (const step of steps) {
    const outcome = sumUp(step, results);
    const own = results.filter(({ job }) => job.step === step);
    const seconds = own.reduce((total, result) => total + result.seconds, 0);
    console.log(`== ${step}: ${describeOutcome(outcome)} (${seconds.toFixed(1)} s)`);
    addOutcome(sum, outcome);
  }
  console.log("");
  for (const title of sum.skipped) console.log(`skipped: ${title}`);
  for (const title of sum.failed) console.log(`FAILED: ${title}`);
  console.log(`took ${wallSeconds.toFixed(0)} s`);
  console.log(describeOutcome(sum));
  Deno.exitCode = sum.failed.length > 0 ? 1 : 0;
}

if (import.meta.main) {
  const steps = [...new Set(Deno.args.flatMap((step) => step === "all" ? ALL : [step]))];
  const asked = steps.includes("--help") || steps.includes("-h");
  const wrong = steps.filter((step) => !isStep(step));
  if (asked) {
    console.log(USAGE);
  } else if (steps.length === 0 || wrong.length > 0) {
    console.error(
      `run_tests: error: ${
        wrong.length > 0 ? `Unknown step: ${wrong[0]}` : "No step given"
      }\n${USAGE}`,
    );
    Deno.exitCode = 2;
  } else {
    Deno.chdir(new URL("..", import.meta.url));
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      Deno.addSignalListener(signal, () => {
        endJobs();
        Deno.exit(code);
      });
    }
    await runAll(steps);
  }
}
