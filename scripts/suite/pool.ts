/**
 * Runs the processes of a plan, some at a time, and prints of each one line, or all it said if it failed.
 *
 * A process that fails without naming a failed test counts as one failure: nothing passes in silence. One
 * that takes too long is ended, and so are all when this process is told to end.
 *
 * @module
 */

import { nightly } from "../../tests/support/nightly.ts";
import type { Job } from "./plan.ts";
import { emptyOutcome, type Outcome, readReport } from "./report.ts";

/** A process that takes longer hangs; the whole usual run has to end within 15 minutes. */
const TIMEOUT_MS = nightly(600_000, 5_400_000);

/** Loads are fractions, and their sum is inexact. */
const SLACK = 0.01;

/** What became of a job. */
export interface Result {
  readonly job: Job;
  readonly outcome: Outcome;
  readonly seconds: number;
}

/**
 * Runs `jobs` in their order, as many at a time as keep `processors` busy; those that need a step wait
 * for its end.
 */
export async function runJobs(
  jobs: readonly Job[],
  { processors, print }: { processors: number; print: (text: string) => void },
): Promise<Result[]> {
  const waiting = [...jobs];
  const running = new Map<Job, Promise<void>>();
  const results: Result[] = [];
  while (waiting.length > 0 || running.size > 0) {
    const open = [...waiting, ...running.keys()];
    const ready = waiting.findIndex(({ needs }) => open.every(({ step }) => step !== needs));
    const load = [...running.keys()].reduce((sum, job) => sum + job.load, 0);
    if (ready < 0 || (load > 0 && load + waiting[ready].load > processors + SLACK)) {
      await Promise.race(running.values());
      continue;
    }
    const [job] = waiting.splice(ready, 1);
    const run = runJob(job, results).then(({ result, output }) => {
      const { outcome, seconds } = result;
      if (outcome.failed.length > 0) print(`\n== ${job.title} failed\n${output}`);
      print(`   ${job.title}: ${describeOutcome(outcome)} (${seconds.toFixed(1)} s)`);
      results.push(result);
      running.delete(job);
    });
    running.set(job, run);
  }
  return results;
}

async function runJob(
  job: Job,
  before: readonly Result[],
): Promise<{ result: Result; output: string }> {
  const broken = before.find(({ job: { step }, outcome }) =>
    step === job.needs && outcome.failed.length > 0
  );
  const fault = job.fault ?? (broken && `not run: ${job.needs} failed`);
  const started = performance.now();
  const { outcome, output } = fault === undefined
    ? await runDeno(job)
    : { outcome: { ...emptyOutcome(), failed: [fault] }, output: fault };
  return { result: { job, outcome, seconds: (performance.now() - started) / 1000 }, output };
}

/** `3 passed, 0 failed`, with `, 1 skipped` after it if there are any. */
export function describeOutcome({ passed, failed, skipped }: Outcome): string {
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  return `${passed} passed, ${failed.length} failed${skips}`;
}

/** What runs, so that it can be ended. */
const children = new Set<Deno.ChildProcess>();

/** Their reports and what they say; removed after each. */
const folders = new Set<string>();

/** Ends all processes that run, and leaves nothing behind. */
export function endJobs(): void {
  for (const child of children) child.kill("SIGTERM");
  for (const folder of folders) Deno.removeSync(folder, { recursive: true });
}

/** Runs one process to its end; both its outputs are one text. */
async function runDeno(job: Job): Promise<{ outcome: Outcome; output: string }> {
  const folder = Deno.makeTempDirSync({ dir: ".cache", prefix: "job." });
  const report = `${folder}/report.xml`;
  const log = `${folder}/log`;
  folders.add(folder);
  try {
    const args = job.kind === "tests" ? [...job.args, `--junit-path=${report}`] : job.args;
    const complaint = await runToFile(log, args, job.onNewest);
    const outcome = job.kind === "tests"
      ? readReport(readIfThere(report))
      : { ...emptyOutcome(), passed: complaint === undefined ? 1 : 0 };
    if (complaint !== undefined && outcome.failed.length === 0) outcome.failed.push(complaint);
    return { outcome, output: withoutMarks(`${readIfThere(log)}${complaint ?? ""}`) };
  } finally {
    folders.delete(folder);
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Runs the project's Deno, what it says goes to the file `log`. What is wrong with its end, if anything. */
async function runToFile(
  log: string,
  args: readonly string[],
  onNewest: boolean,
): Promise<string | undefined> {
  const child = new Deno.Command("sh", {
    args: ["-c", 'log=$1; shift; exec sh scripts/deno "$@" >"$log" 2>&1', "sh", log, ...args],
    env: { POSTERN_DENO: onNewest ? "newest" : "", NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  children.add(child);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill();
  }, TIMEOUT_MS);
  const { code, signal } = await child.status;
  clearTimeout(timer);
  children.delete(child);
  if (isLate) return `it was ended after ${TIMEOUT_MS / 60_000} minutes`;
  if (signal !== null) return `it was ended by ${signal}`;
  return code === 0 ? undefined : `it ended with code ${code}`;
}

/** `text` without the lines that hold nothing but the mark of one test. */
function withoutMarks(text: string): string {
  return text.split("\n").filter((line) => !/^[.,!]$/.test(line)).join("\n");
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // A process that was ended leaves no report.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
