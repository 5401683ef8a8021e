/**
 * The long mode of the store's tests, on fresh seeds: the same checks as in the suite, again and again.
 *
 * A round does some of each kind with seeds that follow from the round's; a loss ends everything with the
 * command that repeats the round and the kind.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { systemClock } from "../lib/base/clock.ts";
import { posternBinary } from "../tests/support/postern.ts";
import { seededRandom } from "../tests/support/random.ts";
import { TempFolder } from "../tests/support/temp_folder.ts";
import { runCrashCourse } from "../tests/support/torture/crash_course.ts";
import { runFaults } from "../tests/support/torture/faults.ts";
import { killStores } from "../tests/support/torture/kills.ts";
import { runModel } from "../tests/support/torture/model.ts";
import { killService } from "../tests/support/torture/service_kills.ts";

const USAGE = `Usage:
    sh scripts/torture [--minutes N] [--rounds N] [--seed N] [--only KIND]

    --minutes N   go on for this long (1)
    --rounds N    so many rounds at most
    --seed N      the first round's seed; without it one that was not used before
    --only KIND   one of kills, service, faults, crashes, model

Example:
    $ sh scripts/torture --minutes 10
`;

const SYNC_POLICIES = ["never", "interval", "always"] as const;
/** Files whose processes are killed at the same time. */
const KILL_LANES = 2;

/** What a kind adds to the counts in one round. */
type Counts = Record<string, number>;
type Kind = (seed: number) => Counts | Promise<Counts>;

const KINDS: Readonly<Record<string, Kind>> = {
  kills: async (seed) => {
    await using folder = await TempFolder.make("torture");
    const lanes = await Promise.all(Array.from({ length: KILL_LANES }, (_, lane) => {
      const path = folder.file(`cache${lane}`);
      return killStores(path, { kills: 10, seed: 1000 * seed + 100 * lane });
    }));
    const sum = (name: keyof (typeof lanes)[number]) =>
      lanes.reduce((total, counts) => total + counts[name], 0);
    return {
      "kills of a store's process": sum("kills"),
      "  in the middle of a compaction": sum("cutCompactions"),
      "  changes promised before": sum("promised"),
    };
  },
  service: async (seed) => {
    const random = seededRandom(seed);
    const counts = await killService(4, { random, sync: SYNC_POLICIES[random(3)] });
    return {
      "kills of the tlsmgr service": counts.kills,
      "  changes acknowledged before": counts.acknowledged,
      "  lives with a compaction": counts.compacted,
    };
  },
  faults: (seed) => {
    const random = seededRandom(seed);
    const sync = SYNC_POLICIES[random(3)];
    return { "fault points": runFaults({ seed, sync, turns: 4 + random(10) }).points };
  },
  crashes: (seed) => {
    const counts = { "crash states": 0, "  courses": 0, "  compactions": 0 };
    for (const sync of SYNC_POLICIES) {
      for (const failsSyncs of [false, true]) {
        const { states, compactions } = runCrashCourse(seededRandom(seed), { sync, failsSyncs });
        counts["crash states"] += states;
        counts["  courses"]++;
        counts["  compactions"] += compactions;
      }
    }
    return counts;
  },
  model: (seed) => {
    const counts = runModel(500, seed);
    return {
      "model sequences": counts.sequences,
      "  operations": counts.operations,
      "  compactions in them": counts.compactions,
      "  evictions": counts.evictions,
      "  ends and kills": counts.reopenings,
    };
  },
};

interface Options {
  minutes: number;
  rounds: number;
  seed: number;
  kinds: readonly string[];
}

async function torture(options: Options): Promise<void> {
  const { seed, rounds, kinds } = options;
  const start = systemClock.monotonicMs();
  const end = start + options.minutes * 60_000;
  const total: Counts = {};
  for (let round = 0; round < rounds && systemClock.monotonicMs() < end; round++) {
    for (const kind of kinds) {
      if (round > 0 && systemClock.monotonicMs() >= end) break;
      try {
        const counts = await KINDS[kind](seed + round);
        for (const [name, count] of Object.entries(counts)) {
          total[name] = (total[name] ?? 0) + count;
        }
      } catch (error) {
        clearProgress();
        printCounts(total, options, start);
        console.log(`${"losses".padEnd(34)}1\n`);
        console.error(error);
        console.error(
          `torture: error: A loss. It is shown again by:\n` +
            `    sh scripts/torture --seed ${seed + round} --rounds 1 --only ${kind}`,
        );
        Deno.exit(1);
      }
      showProgress(kind, round, start);
    }
  }
  clearProgress();
  printCounts(total, options, start);
  console.log(`${"losses".padEnd(34)}0`);
}

const text = new TextEncoder();

function showProgress(kind: string, round: number, start: number): void {
  if (!Deno.stderr.isTerminal()) return;
  const seconds = Math.round((systemClock.monotonicMs() - start) / 1000);
  Deno.stderr.writeSync(text.encode(`\r\x1b[K${seconds} s: round ${round}, ${kind}`));
}

function clearProgress(): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(text.encode("\r\x1b[K"));
}

function printCounts(counts: Counts, { seed }: Options, start: number): void {
  const minutes = ((systemClock.monotonicMs() - start) / 60_000).toFixed(1);
  console.log(`${minutes} minutes, first seed ${seed}`);
  for (const [name, count] of Object.entries(counts)) console.log(`${name.padEnd(34)}${count}`);
}

function hasBinary(): boolean {
  try {
    return Deno.statSync(posternBinary()).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What the arguments ask for, or what is wrong with them. */
function readArguments(): Options | string {
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    string: ["minutes", "rounds", "seed", "only"],
    unknown: (arg) => void unknown.push(arg),
  });
  if (unknown.length > 0) return `Unknown argument: ${unknown[0]}`;
  const { minutes = "1", rounds = "Infinity", only } = args;
  const seed = args.seed ?? String(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000);
  const numbers = { minutes: Number(minutes), rounds: Number(rounds), seed: Number(seed) };
  for (const [name, number] of Object.entries(numbers)) {
    if (!(number > 0)) return `--${name} needs a number above 0`;
  }
  if (only !== undefined && !(only in KINDS)) return `Unknown kind: ${only}`;
  const kinds = only !== undefined ? [only] : Object.keys(KINDS).filter((kind) => {
    if (kind !== "service" || hasBinary()) return true;
    console.error("torture: the service is left out: build the executable first");
    return false;
  });
  return { ...numbers, kinds };
}

if (import.meta.main) {
  if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) {
    console.log(USAGE);
  } else {
    const options = readArguments();
    if (typeof options === "string") {
      console.error(`torture: error: ${options}\n${USAGE}`);
      Deno.exit(2);
    }
    await torture(options);
  }
}
