/**
 * Runs checks and tests in groups, each in a process of its own, and adds up what passed and failed.
 *
 * A check (format, lint, types, build) counts as one test. A group that has no test file, or whose
 * process fails without naming a failed test, counts as one failure: nothing passes in silence. Skipped
 * tests are listed by name.
 *
 * @module
 */

import { nightly } from "../tests/support/nightly.ts";

const USAGE = `Usage:
    sh scripts/deno run -A scripts/run_tests.ts STEP...

Steps:
    format lint types build              the checks
    unit wire house integration interop  the tests below tests/ of that name
    STEP@newest                          types or tests on the newest Deno
    all                                  everything, as scripts/test wants it

With POSTERN_REQUIRE_INTEROP=1 a skipped test of interop is a failure.
With POSTERN_NIGHTLY=1 the tests that repeat themselves (fuzzing, torture, random comparisons) do so
many times more, and a step may take 90 minutes instead of 10.
The last line is \`N passed, N failed\`, with \`, N skipped\` after it if there are any.

Example:
    $ sh scripts/deno run -A scripts/run_tests.ts types unit unit@newest
    $ POSTERN_NIGHTLY=1 sh scripts/deno run -A scripts/run_tests.ts unit
`;

const CHECKED = ["scripts", "tests", "lib", "main.ts"];
const CHECKS: Record<string, () => readonly string[]> = {
  format: () => ["fmt", "--check", "--quiet"],
  lint: () => ["lint", "--quiet"],
  types: () => ["check", "--quiet", ...CHECKED.flatMap(modulesBelow)],
  build: () => ["run", "-A", "scripts/build.ts"],
};
const TEST_GROUPS: readonly string[] = ["unit", "wire", "house", "integration", "interop"];
const ALL: readonly string[] = [
  ...Object.keys(CHECKS),
  ...TEST_GROUPS,
  ...["types", "unit", "wire", "house"].map((step) => `${step}@newest`),
];

/** A step that takes longer hangs; the whole usual run has to end within 15 minutes. */
const STEP_TIMEOUT_MS = nightly(600_000, 5_400_000);

/** What one step came to. */
export interface Outcome {
  passed: number;
  failed: string[];
  skipped: string[];
}

/** All TypeScript modules at or below `path`. */
function modulesBelow(path: string): string[] {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  if (info.isFile) return path.endsWith(".ts") ? [path] : [];
  return [...Deno.readDirSync(path)].map((entry) => `${path}/${entry.name}`).sort()
    .flatMap(modulesBelow);
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(lt|gt|quot|apos|amp));/g,
    (_, decimal, hex, name) =>
      name ? named[name] : String.fromCodePoint(Number(decimal ?? `0x${hex}`)),
  );
}

/** Reads the JUnit report of `deno test`: one `testcase` a test and a step of a test. */
export function readReport(xml: string): Outcome {
  const outcome: Outcome = { passed: 0, failed: [], skipped: [] };
  const testcase =
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, name, file, content = ""] of xml.matchAll(testcase)) {
    const title = `${unescapeXml(file)}: ${unescapeXml(name)}`;
    if (/<(failure|error)\b/.test(content)) outcome.failed.push(title);
    else if (/<skipped\b/.test(content)) outcome.skipped.push(title);
    else outcome.passed++;
  }
  return outcome;
}

/** Prints the lines of `stream`, without those that hold nothing but the mark of one test. */
async function printLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!/^[.,!]$/.test(line)) console.log(line);
  }
  if (rest !== "") console.log(rest);
}

/** Runs the project's Deno; what it prints goes through. Answers whether it succeeded. */
async function runDeno(args: readonly string[], onNewest: boolean): Promise<boolean> {
  const child = new Deno.Command("sh", {
    args: ["scripts/deno", ...args],
    env: { POSTERN_DENO: onNewest ? "newest" : "", NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => {
    console.log(`Ended after ${STEP_TIMEOUT_MS / 60_000} minutes: deno ${args.join(" ")}`);
    child.kill();
  }, STEP_TIMEOUT_MS);
  await printLines(child.stdout);
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

async function runTests(group: string, onNewest: boolean): Promise<Outcome> {
  const folder = `tests/${group}`;
  if (!modulesBelow(folder).some((file) => file.endsWith("_test.ts"))) {
    return { passed: 0, failed: [`${folder} has no test file`], skipped: [] };
  }
  const report = Deno.makeTempFileSync({ dir: ".cache", prefix: "report.", suffix: ".xml" });
  try {
    // The slow groups name each test as it ends, so that a hanging one can be seen.
    const reporter = group === "integration" || group === "interop" ? "pretty" : "dot";
    const args = ["test", "-A", "--quiet", "--no-check", `--reporter=${reporter}`];
    // They mostly wait for postscreen's greet delay, each with a Postfix of its own.
    if (group === "interop") args.push("--parallel");
    args.push(`--junit-path=${report}`);
    const succeeded = await runDeno([...args, folder], onNewest);
    const outcome = readReport(Deno.readTextFileSync(report));
    if (!succeeded && outcome.failed.length === 0) {
      outcome.failed.push(`${folder} ended with an error, see above`);
    }
    return outcome;
  } finally {
    Deno.removeSync(report);
  }
}

async function runStep(step: string): Promise<Outcome> {
  const [name, version] = step.split("@");
  const onNewest = version === "newest";
  if (!(name in CHECKS)) return await runTests(name, onNewest);
  const succeeded = await runDeno(CHECKS[name](), onNewest);
  return succeeded
    ? { passed: 1, failed: [], skipped: [] }
    : { passed: 0, failed: ["see above"], skipped: [] };
}

function isStep(step: string): boolean {
  const [name, version] = step.split("@");
  if (version === undefined) return name in CHECKS || TEST_GROUPS.includes(name);
  return version === "newest" && (name === "types" || TEST_GROUPS.includes(name));
}

/** Whether the newest Deno is here; the bootstrap says why, if it is not. */
function hasNewest(): boolean {
  const version = /^DENO_NEWEST_VERSION=(.*)$/m.exec(Deno.readTextFileSync("scripts/pins.env"))
    ?.[1];
  return [...Deno.readDirSync(".cache/bin")].some((entry) => entry.name === `deno-${version}`);
}

async function runAll(steps: readonly string[]): Promise<void> {
  const required = Deno.env.get("POSTERN_REQUIRE_INTEROP") === "1";
  const sum: Outcome = { passed: 0, failed: [], skipped: [] };
  for (const step of steps) {
    console.log(`\n== ${step}`);
    const started = performance.now();
    const outcome = step.endsWith("@newest") && !hasNewest()
      ? { passed: 0, failed: [], skipped: [step] }
      : await runStep(step);
    if (step === "interop" && required) {
      outcome.failed.push(...outcome.skipped.splice(0).map((title) => `${title} (skipped)`));
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `== ${step}: ${outcome.passed} passed, ${outcome.failed.length} failed, ` +
        `${outcome.skipped.length} skipped (${seconds} s)`,
    );
    sum.passed += outcome.passed;
    sum.failed.push(...outcome.failed.map((title) => `${step}: ${title}`));
    sum.skipped.push(...outcome.skipped.map((title) => `${step}: ${title}`));
  }
  console.log("");
  for (const title of sum.skipped) console.log(`skipped: ${title}`);
  for (const title of sum.failed) console.log(`FAILED: ${title}`);
  const skips = sum.skipped.length > 0 ? `, ${sum.skipped.length} skipped` : "";
  console.log(`${sum.passed} passed, ${sum.failed.length} failed${skips}`);
  Deno.exitCode = sum.failed.length > 0 ? 1 : 0;
}

if (import.meta.main) {
  const steps = Deno.args.flatMap((step) => step === "all" ? ALL : [step]);
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
    await runAll(steps);
  }
}
