/**
 * The map of the cost: the system calls of each kind of work, and the share of each library in its time.
 *
 * It prints the figures of COST.md, which says what they are good for. Calls are counted by strace(1)
 * in one pass, time is sampled by perf(1) in another, because strace slows down what it counts. Without
 * perf only calls are printed.
 *
 * @module
 */

import { isInstalled } from "../../tests/support/interop.ts";
import { type RunningProcess, startProcess } from "../../tests/support/process.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { pin, processorsAllowed } from "./accounting.ts";
import type { Command, Extent } from "./commands.ts";
import { LoadProcess } from "./load_process.ts";
import { describeSetting } from "./machine.ts";
import { WARM_UP } from "./run.ts";
import { PosternServer, type Role } from "./servers.ts";
import { numberText } from "./table.ts";

/** Samples a second; not a divisor of anything that the kernel does regularly. */
const SAMPLES_PER_SECOND = 1997;
const SAMPLED_SECONDS = 3;
const TRACED_SECONDS = 1.5;
/** Calls rarer than this in one piece of work are the start's and the clock's. */
const CALLS_LEAST = 0.01;
const RECORD_BYTES = 16384;

/** One kind of work. */
interface Work {
  readonly name: string;
  readonly role: Role;
  /** What the load does for so long. */
  command(server: PosternServer, extent: Extent): Command;
  readonly warmUp: Extent;
  /** Units of the answer's `done` that make one piece. */
  readonly unit?: number;
  /** What must be there before: a session that is held, entries that can be found. */
  before?(server: PosternServer): Command;
}

const KIND = { version: "1.3", key: "ECDSA" } as const;
const SESSIONS = { do: "sessions", kind: KIND, lanes: 8 } as const;
const ASK = { do: "ask", connections: 8, keys: 1000, sessionChars: 2000 } as const;

const WORKS: readonly Work[] = [
  {
    name: "a full session (TLS 1.3, ECDSA P-256)",
    role: "tlsproxy",
    warmUp: WARM_UP.sessions,
    command: ({ front }, extent) => ({ ...SESSIONS, front, resume: "no", ...extent }),
  },
  {
    name: "a resumed session (TLS 1.3)",
    role: "tlsproxy",
    warmUp: WARM_UP.sessions,
    command: ({ front }, extent) => ({ ...SESSIONS, front, resume: "copies", ...extent }),
  },
  ...(["up", "down"] as const).map((direction): Work => ({
    name: `a relayed record of 16 kB, ${direction === "up" ? "from" : "to"} the TLS client`,
    role: "tlsproxy",
    warmUp: WARM_UP.bulk,
    unit: RECORD_BYTES,
    before: ({ front }) => ({ do: "hold", front, kind: KIND, lanes: 1, count: 1 }),
    command: (_server, extent) => ({ do: "bulk", direction, ...extent }),
  })),
  ...(["update", "lookup", "policy"] as const).map((name): Work => ({
    name: `a tlsmgr request: ${name}`,
    role: "tlsmgr",
    warmUp: WARM_UP.requests,
    before: ({ tlsmgr }) => ({ ...ASK, socket: tlsmgr, name: "update", count: ASK.keys }),
    command: ({ tlsmgr }, extent) => ({ ...ASK, socket: tlsmgr, name, ...extent }),
  })),
];

/** Calls by name, from the table that `strace -c` prints. */
export function callsIn(summary: string): Map<string, number> {
  const calls = new Map<string, number>();
  for (const line of summary.split("\n")) {
    // % time, seconds, usecs/call, calls, errors (or nothing), name.
    const found = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$/.exec(line);
    if (found !== null && found[2] !== "total") calls.set(found[2], Number(found[1]));
  }
  return calls;
}

/** Shares in percent by library, from what `perf report --sort dso -t ';'` prints. */
export function sharesIn(report: string): Map<string, number> {
  const shares = new Map<string, number>();
  for (const line of report.split("\n")) {
    const found = /^\s*([\d.]+)%?\s*;\s*(\S.*?)\s*$/.exec(line);
    if (found === null) continue;
    const name = groupOf(found[2]);
    shares.set(name, (shares.get(name) ?? 0) + Number(found[1]));
  }
  return shares;
}

/** What a name in perf's column "dso" stands for. */
function groupOf(dso: string): string {
  if (/kernel|\[k\]|vmlinux|vdso/.test(dso)) return "the kernel";
  if (/libcrypto/.test(dso)) return "libcrypto";
  if (/libssl/.test(dso)) return "libssl";
  if (/libc[.-]|libpthread|ld-linux/.test(dso)) return "libc";
  if (/^(\[?unknown\]?|\[?anon|\/\/anon|\[JIT\]|perf-\d+\.map)/i.test(dso)) {
    return "compiled JavaScript";
  }
  if (/^postern/.test(dso)) return "V8 and Deno";
  return "the rest";
}

async function stopped(process: RunningProcess): Promise<void> {
  process.signal("SIGINT");
  await process.ended();
}

/** The state of a map: one postern, one load. */
class Survey {
  readonly #server: PosternServer;
  readonly #load: LoadProcess;
  readonly #folder: TempFolder;

  constructor(server: PosternServer, load: LoadProcess, folder: TempFolder) {
    this.#server = server;
    this.#load = load;
    this.#folder = folder;
  }

  async describe(work: Work): Promise<string[]> {
    if (work.before !== undefined) await this.#load.run(work.before(this.#server));
    await this.#load.run(work.command(this.#server, work.warmUp));
    const cost = await this.#cost(work);
    const calls = await this.#calls(work);
    const shares = isInstalled("perf") ? await this.#shares(work) : new Map<string, number>();
    await this.#load.run({ do: "release" });
    const sum = calls.reduce((total, [, count]) => total + count, 0);
    return [
      `### ${work.name}`,
      "",
      `${numberText(cost)} µs of processor time, ${numberText(sum)} system calls.`,
      "",
      "| where | share | µs |",
      "| --- | ---: | ---: |",
      ...[...shares].toSorted(([, a], [, b]) => b - a).map(([name, share]) => {
        return `| ${name} | ${share.toFixed(1)} % | ${numberText(cost * share / 100)} |`;
      }),
      "",
      "| system call | times |",
      "| --- | ---: |",
      ...calls.map(([name, count]) => `| ${name} | ${count.toFixed(2)} |`),
      "",
    ];
  }

  /** Microseconds of a piece. */
  async #cost(work: Work): Promise<number> {
    const before = await this.#server.cpuSeconds(work.role);
    const done = await this.#pieces(work, SAMPLED_SECONDS);
    return 1e6 * (await this.#server.cpuSeconds(work.role) - before) / done;
  }

  /** Calls of a piece, most frequent first. */
  async #calls(work: Work): Promise<[string, number][]> {
    const pid = String(this.#server.pidOf(work.role));
    const tracer = startProcess("strace", ["-f", "-c", "-p", pid]);
    await tracer.waitFor("its hold on the process", () => tracer.stderr.includes("attached"));
    const done = await this.#pieces(work, TRACED_SECONDS);
    await stopped(tracer);
    return [...callsIn(tracer.stderr)].map((
      [name, count],
    ): [string, number] => [name, count / done])
      .filter(([, count]) => count >= CALLS_LEAST).toSorted(([, a], [, b]) => b - a);
  }

  async #shares(work: Work): Promise<Map<string, number>> {
    const data = this.#folder.file("perf.data");
    const pid = String(this.#server.pidOf(work.role));
    const sampler = startProcess("perf", [
      ...["record", "-q", "-e", "cpu-clock", "-F", String(SAMPLES_PER_SECOND)],
      ...["-p", pid, "-o", data],
    ]);
    await this.#pieces(work, SAMPLED_SECONDS);
    await stopped(sampler);
    const args = ["report", "-q", "--stdio", "-i", data, "--sort", "dso", "-t", ";"];
    await using reader = startProcess("perf", args);
    await reader.closeInput();
    await reader.ended();
    return sharesIn(reader.stdout);
  }

  async #pieces(work: Work, seconds: number): Promise<number> {
    const { done } = await this.#load.run(work.command(this.#server, { seconds }));
    return done / (work.unit ?? 1);
  }
}

/** Measures all kinds of work whose names contain `only`, and prints the figures of COST.md. */
export async function printMap(only: string): Promise<void> {
  const [server, load = server] = processorsAllowed();
  await pin(Deno.pid, [load]);
  await using folder = await TempFolder.make("map");
  await using postern = await PosternServer.start({ processors: [server], workers: 1 });
  await using driver = await LoadProcess.start([load]);
  const { date, processor, kernel, versions } = await describeSetting([]);
  console.log(
    `${date.slice(0, 10)}, ${processor}, Linux ${kernel}, OpenSSL ${versions.OpenSSL}, ` +
      `postern ${versions.postern}.\n`,
  );
  const survey = new Survey(postern, driver, folder);
  for (const work of WORKS) {
    if (work.name.includes(only)) console.log((await survey.describe(work)).join("\n"));
  }
}
