/**
 * The figures of tlsmgr: requests a second, what survives a crash, and the cost among many entries.
 *
 * @module
 */

import type { AskCommand, AskName } from "./commands.ts";
import { inMemory } from "./memory_folder.ts";
import { BUSY, busyShare, type Run, type Sample, WARM_UP } from "./run.ts";
import type { RowSpec } from "./rows.ts";
import type { Server } from "./servers.ts";

const CONNECTIONS = 8;
/** base64 characters of a session of 1.5 kB. */
const SESSION_CHARS = 2000;
/** Different sessions in turn. */
const KEYS = 1000;

/** Least ratio of requests a second with eight connections. */
const BARS: Readonly<Record<AskName, number>> = {
  lookup: 3,
  update: 10,
  seed: 2.5,
  policy: 2.5,
  tktkey: 2.5,
};
/** Least ratio with one connection, both ends on one processor. */
const BAR_OF_ONE = 2;

const NAMES: Readonly<Record<AskName, string>> = {
  lookup: "lookup, 1.5 kB found",
  update: "update, 1.5 kB",
  seed: "seed",
  policy: "policy",
  tktkey: "tktkey",
};

function askOf(server: Server, name: AskName, connections: number): AskCommand {
  const keys = name === "lookup" || name === "update" ? KEYS : 1;
  return {
    do: "ask",
    socket: server.tlsmgr,
    name,
    connections,
    keys,
    sessionChars: SESSION_CHARS,
  };
}

/** The five requests, on eight connections and on one. */
export async function measureRequests(run: Run): Promise<void> {
  for (const name of Object.keys(BARS) as AskName[]) {
    await measureRequest(run, name, { connections: CONNECTIONS, bar: BARS[name] });
    // For information: what of the ratio is not the disk's.
    if (name === "update") await measureRequest(run, name, { connections: CONNECTIONS });
    await measureRequest(run, name, { connections: 1, bar: BAR_OF_ONE });
  }
}

async function measureRequest(
  run: Run,
  name: AskName,
  { connections, bar }: { connections: number; bar?: number },
): Promise<void> {
  const one = connections === 1;
  const where = one ? "1 conn., one core" : `${connections} conn.`;
  const title = `tlsmgr ${NAMES[name]}, ${where}${bar === undefined ? ", in memory" : ""}`;
  const rows: Record<string, RowSpec> = {
    wall: {
      figure: title,
      unit: "requests/s",
      ...(bar !== undefined && { bar: { of: "ratio", least: bar } as const }),
    },
    ...(!one && { cpu: { figure: title, unit: "requests/CPU-s" } }),
  };
  if (!run.wants(rows)) return;
  const { postfix, postern } = await (bar === undefined ? run.memoryPair() : run.pair());
  const processor = one ? run.processors.server : run.processors.load;
  const load = await run.load(processor);
  const once = async (server: Server): Promise<Sample> => {
    const command = { ...askOf(server, name, connections), ...run.extent(0.5) };
    const measured = await run.measure(server, command, { role: "tlsmgr", processor });
    return {
      wall: measured.done / measured.seconds,
      cpu: measured.done / measured.cpuSeconds,
      // On one core the load has its part of it.
      ...(!one && { [BUSY]: busyShare(measured) }),
    };
  };
  await run.rounds<Server>({
    rows,
    servers: [postfix, postern],
    async warmUp(server) {
      if (name === "lookup") {
        // Something must be there to be found.
        await load.run({ ...askOf(server, "update", 1), count: KEYS });
      }
      await load.run({ ...askOf(server, name, connections), ...run.warmUp(WARM_UP.requests) });
    },
    once,
  });
}

const SURVIVAL: Record<string, RowSpec> = {
  share: {
    figure: "tlsmgr updates found again after SIGKILL in full swing",
    unit: "%",
    bar: { of: "postern", least: 100 },
  },
};
/** How long updates go on before the process is killed. */
const SWING_MS = 300;

/** Kills tlsmgr while it takes updates, and looks for all that it had acknowledged. */
export async function measureSurvival(run: Run): Promise<void> {
  if (!run.wants(SURVIVAL)) return;
  const { postfix, postern } = await run.pair();
  const load = await run.load();
  await run.rounds<Server>({
    rows: SURVIVAL,
    servers: [postfix, postern],
    rounds: 1,
    async once(server) {
      const keys = 1_000_000;
      const updates = load.run({
        ...askOf(server, "update", 1),
        keys,
        mayEnd: true,
        seconds: 10,
      });
      await new Promise((resolve) => setTimeout(resolve, SWING_MS));
      await server.crashTlsmgr();
      const { done } = await updates;
      const lookups = { ...askOf(server, "lookup", 1), keys, mayMiss: true, count: done };
      const { hits } = await load.run(lookups);
      return { share: 100 * hits / done };
    },
  });
}

const CROWD_SIZES: readonly number[] = [100, 1_000, 10_000, 100_000];
/** Sessions of a crowd are small: the number of entries is what counts. */
const CROWD_CHARS = 200;
/** What "flat" is; section 6 names no number. */
const FLAT_MOST = 1.25;

/** The cost of a lookup among more and more entries. */
export async function measureEntries(run: Run): Promise<void> {
  const sizes = run.options.quick ? CROWD_SIZES.slice(0, 2) : CROWD_SIZES;
  const rows: Record<string, RowSpec> = {};
  for (const size of sizes) {
    rows[size] = {
      figure: `tlsmgr lookup among ${size.toLocaleString("en")} entries, in memory`,
      unit: "CPU-µs",
    };
  }
  const last = sizes[sizes.length - 1];
  rows.flat = {
    figure: `tlsmgr lookup: cost at ${last.toLocaleString("en")} over cost at ${sizes[0]} entries`,
    unit: "times",
    bar: { of: "postern", most: FLAT_MOST },
  };
  if (!run.wants(rows)) return;
  // Of their own: the others have entries already.
  const options = { processors: [run.processors.server], workers: 1 };
  const pair = await inMemory(() => run.freshPair(options));
  const load = await run.load();
  const servers: readonly Server[] = [pair.postfix, pair.postern];
  const samples = new Map<string, Record<string, number>[]>(
    servers.map(({ name }) => [name, Array.from({ length: run.options.rounds }, () => ({}))]),
  );
  for (const keys of sizes) {
    const lookupOf = (server: Server): AskCommand => {
      return { ...askOf(server, "lookup", CONNECTIONS), keys };
    };
    for (const server of servers) {
      run.say(`${rows[keys].figure}: ${server.name}`);
      const update = { ...lookupOf(server), name: "update" as const, sessionChars: CROWD_CHARS };
      await load.run({ ...update, count: keys });
      await load.run({ ...lookupOf(server), ...run.warmUp(WARM_UP.requests) });
    }
    for (let round = 0; round < run.options.rounds; round++) {
      for (const server of servers) {
        const command = { ...lookupOf(server), ...run.extent(0.4) };
        const measured = await run.measure(server, command, { role: "tlsmgr" });
        const sample = samples.get(server.name)![round];
        sample[keys] = 1e6 * measured.cpuSeconds / measured.done;
        sample.flat = sample[keys] / sample[sizes[0]];
      }
    }
  }
  run.keep(rows, samples);
}
