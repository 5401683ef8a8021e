/**
 * Times postern's two roles beside Postfix's own daemons, and proxies that do the same work, in one run.
 *
 * Both servers get equal settings (bench/servers.ts) and the same load in turn, A B A B, through the
 * same kinds of sockets, from a program of its own (bench/load.ts) that runs on another processor where
 * there are two. Figures per CPU-second count the server's own processor time (bench/accounting.ts) and
 * hardly depend on what else the machine does; for figures by the clock the table says how busy the
 * server's processor was: near 100 %, it was not the load that was too slow.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { pin, processorsAllowed } from "./bench/accounting.ts";
import { measureMemory, measureNeighbours } from "./bench/crowd_figures.ts";
import { onEndSignals } from "./bench/end_signals.ts";
import { describeSetting, machineBusySeconds, type Setting } from "./bench/machine.ts";
import { FOLDER_VARIABLE, runInMemory } from "./bench/memory_folder.ts";
import { printMap } from "./bench/map.ts";
import { PROXY_NAMES } from "./bench/other_servers.ts";
import { resultOf, type RowResult } from "./bench/rows.ts";
import { parseOptions } from "./bench/options.ts";
import { type Options, Run, WARM_UP } from "./bench/run.ts";
import { measureChain, measureSessions, measureWorkers } from "./bench/session_figures.ts";
import { measureStarts } from "./bench/start_figures.ts";
import { missedBars, tableLines } from "./bench/table.ts";
import { measureEntries, measureRequests, measureSurvival } from "./bench/tlsmgr_figures.ts";
import { measureBulk, measureEchoes } from "./bench/traffic_figures.ts";

const USAGE = `Usage:
    deno task bench [--quick] [--json] [--only TEXT] [--rounds N] [--with NAMES] [--folder DIR]
    deno task bench --map [--only TEXT]

Prints one line a figure: Postfix, postern, the ratio of the two, its spread over the rounds, the bar and
whether it is met. Needs root, Debian's Postfix, taskset and dist/postern: run \`deno task build\` before.
POSTERN_BINARY names another executable. A whole run takes a quarter of an hour.

    --quick     short and rough, 3 rounds: shows within two minutes that everything works
    --json      one JSON object: rows, bars, versions, machine, date
    --only      figures whose names contain TEXT
    --rounds    how often each server has its turn (5)
    --with      further columns, of ${PROXY_NAMES.join(",")}; without it those that are installed,
                and none with --quick; "" for none
    --folder    where the servers keep their caches, but for the rows that say "in memory"; of importance
                for updates, because Postfix waits for its disk at each of them ($TMPDIR or /tmp)
    --map       instead of the table: where postern's time goes, by strace and perf; the figures of
                scripts/bench/COST.md
`;

/** In the table's order. */
const FIGURES: readonly ((run: Run) => Promise<void>)[] = [
  measureRequests,
  measureSurvival,
  measureSessions,
  measureChain,
  measureBulk,
  measureEchoes,
  measureMemory,
  measureStarts,
  measureNeighbours,
  measureWorkers,
  measureEntries,
];

/** What came of a run. */
interface Report {
  readonly setting: Setting;
  readonly folder: string;
  readonly warmUp: typeof WARM_UP;
  readonly options: Options;
  readonly seconds: number;
  /** Part of all processors that was busy while the run lasted. */
  readonly machineBusy: number;
  readonly rows: readonly RowResult[];
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

async function measure(options: Options, folder: string): Promise<Report> {
  const processors = processorsAllowed();
  const setting = await describeSetting(options.others);
  const begun = { ms: performance.now(), busy: machineBusySeconds() };
  const rows: RowResult[] = [];
  const failures: string[] = [];
  {
    await using run = new Run(options, processors);
    using _end = onEndSignals(() => run.interrupt());
    // Reading what servers log is work too, and must not be done where they run.
    await pin(Deno.pid, [run.processors.load]);
    for (const figure of FIGURES) {
      try {
        await figure(run);
      } catch (error) {
        // The others are still worth having; the exit code tells.
        failures.push(error instanceof Error ? error.message : String(error));
        await run.dropLoads();
      }
      if (run.isInterrupted) break;
    }
    rows.push(...run.rows.map(resultOf));
  }
  const seconds = (performance.now() - begun.ms) / 1000;
  const machineBusy = (machineBusySeconds() - begun.busy) / seconds / setting.processors;
  return { setting, folder, warmUp: WARM_UP, options, seconds, machineBusy, rows, failures };
}

function reportLines(report: Report): string[] {
  const { setting, options, rows, folder } = report;
  const { requests, sessions, echoes } = WARM_UP;
  const versions = Object.entries(setting.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...tableLines(rows, options.others),
    "",
    `${setting.date}, ${setting.processors} × ${setting.processor}, Linux ${setting.kernel}`,
    versions.join(", "),
    `medians of ${options.rounds} rounds after a warm-up of ${requests.count} requests, ` +
    `${sessions.count} sessions or ${echoes.count} echoes${
      options.quick ? ", a tenth of it" : ""
    }; ` +
    `caches in ${folder}`,
    `${Math.round(report.seconds)} s; the machine's processors were ` +
    `${Math.round(100 * report.machineBusy)} % busy`,
    "busy %: Postfix's and postern's share of their processor; near 100, the load was fast enough",
    ...missedBars(rows),
    ...report.failures.map((failure) => `failed: ${failure}`),
  ];
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    boolean: ["quick", "json", "help", "map"],
    string: ["only", "rounds", "with", "folder"],
  });
  if (args.help) return console.log(USAGE);
  const options = parseOptions(args);
  if (Deno.env.get(FOLDER_VARIABLE) === undefined) {
    const code = await runInMemory(new URL(import.meta.url).pathname);
    if (code !== undefined) Deno.exit(code);
  }
  // Where the harness of the tests makes its instances.
  if (args.folder !== undefined) Deno.env.set("TMPDIR", args.folder);
  const folder = Deno.env.get("TMPDIR") ?? "/tmp";
  if (args.map) return await printMap(options.only);
  const report = await measure(options, folder);
  if (args.json) console.log(JSON.stringify(report, null, 2));
  else console.log(reportLines(report).join("\n"));
  if (report.failures.length > 0) Deno.exitCode = 1;
}

if (import.meta.main) await main();
