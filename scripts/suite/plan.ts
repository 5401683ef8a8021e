/**
 * Which processes a run consists of: one a check, several a group of tests.
 *
 * A group is dealt out to processes file by file, so that they run side by side. Tests of one process run
 * one after the other: each has the process to itself, its descriptors, its working folder and its limits.
 *
 * @module
 */

/** One process of Deno. */
export interface Job {
  /** What it belongs to: `types`, `unit@newest`. */
  readonly step: string;
  /** The step, and which part of it. */
  readonly title: string;
  /** What Deno is called with; a job of tests gets the path of its report as well. */
  readonly args: readonly string[];
  readonly onNewest: boolean;
  readonly kind: "check" | "tests";
  /** The part of a processor that it keeps busy; the rest of its time it waits for others. */
  readonly load: number;
  /** Why it cannot run: it fails with this sentence. */
  readonly fault?: string;
  /** It runs what this step makes, if that is among the steps. */
  readonly needs?: string;
}

const CHECKED = ["scripts", "tests", "lib", "main.ts"];
const CHECKS: Record<string, () => readonly string[]> = {
  format: () => ["fmt", "--check", "--quiet"],
  lint: () => ["lint", "--quiet"],
  types: () => ["check", "--quiet", ...CHECKED.flatMap(modulesBelow)],
  build: () => ["run", "-A", "scripts/build.ts"],
};

/** How a group of tests is run. */
interface Group {
  /** Processes. */
  readonly parts: number;
  readonly load: number;
  readonly drivesExecutable: boolean;
}

const GROUPS: Readonly<Record<string, Group>> = {
  house: { parts: 1, load: 1, drivesExecutable: false },
  wire: { parts: 1, load: 1, drivesExecutable: false },
  unit: { parts: 4, load: 1, drivesExecutable: false },
  integration: { parts: 8, load: 2 / 3, drivesExecutable: true },
  interop: { parts: 8, load: 1 / 2, drivesExecutable: true },
};

/**
 * All steps in the order in which they begin: what others need first, then what takes longest, so that
 * at the end no process runs alone.
 */
export const ALL: readonly string[] = [
  "build",
  "format",
  "lint",
  "types",
  "integration",
  "interop",
  ...["unit", "wire", "house"],
  ...["types", "unit", "wire", "house"].map((step) => `${step}@newest`),
];

/** Whether there is a step of this name. */
export function isStep(step: string): boolean {
  const [name, version] = step.split("@");
  if (version === undefined) return name in CHECKS || name in GROUPS;
  return version === "newest" && (name === "types" || name in GROUPS);
}

/** The processes that `step` consists of. */
export function planStep(step: string): Job[] {
  const [name, version] = step.split("@");
  const onNewest = version === "newest";
  if (name in CHECKS) {
    return [{ step, title: step, args: CHECKS[name](), onNewest, kind: "check", load: 1 }];
  }
  const { parts, load, drivesExecutable } = GROUPS[name];
  const files = modulesBelow(`tests/${name}`).filter((file) => file.endsWith("_test.ts"));
  // A slow group names each test as it ends, so that the one that hangs can be told.
  const reporter = drivesExecutable ? "pretty" : "dot";
  const hands = dealOut(files, parts);
  return hands.map((hand, index) => ({
    step,
    title: hands.length === 1 ? step : `${step} ${index + 1}/${hands.length}`,
    args: ["test", "-A", "--quiet", "--no-check", `--reporter=${reporter}`, ...hand],
    onNewest,
    kind: "tests",
    load,
    ...(hand.length === 0 ? { fault: `tests/${name} has no test file` } : {}),
    ...(drivesExecutable ? { needs: "build" } : {}),
  }));
}

/** Deals `files` out to `parts` hands like cards: neighbours, which take alike, go to different ones. */
export function dealOut(files: readonly string[], parts: number): string[][] {
  const hands = Array.from({ length: Math.min(parts, Math.max(1, files.length)) }, () => []);
  const dealt: string[][] = hands;
  for (const [index, file] of files.entries()) dealt[index % dealt.length].push(file);
  return dealt;
}

/** All TypeScript modules at or below `path`, sorted. */
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
