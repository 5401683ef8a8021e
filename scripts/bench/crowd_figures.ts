/**
 * The figures of many idle sessions: the memory that one takes, and what they cost the busy ones.
 *
 * @module
 */

import { type Run, type Sample, WARM_UP } from "./run.ts";
import type { RowSpec } from "./rows.ts";
import { startPair, type TlsServer } from "./servers.ts";

const KIND = { version: "1.3", key: "ECDSA" } as const;
const LANES = 8;
/** What is in flight has been dealt with, and the kernel's books are up to date. */
const SETTLE_MS = 1500;
const BAR_SIZE = 1000;
const BAR_KB = 40;

const kb = (size: number) => `tlsproxy memory, ${size.toLocaleString("en")} idle sessions`;

/** Memory above that of the empty process, all processes together, with more and more sessions. */
export async function measureMemory(run: Run): Promise<void> {
  const sizes = run.options.quick ? [BAR_SIZE] : [BAR_SIZE, 5_000];
  const rows: Record<string, RowSpec> = {
    empty: { figure: kb(0), unit: "MB" },
  };
  for (const size of sizes) {
    rows[`n${size}`] = {
      figure: kb(size),
      unit: "kB each",
      ...(size === BAR_SIZE && { bar: { of: "postern", most: BAR_KB } as const }),
    };
  }
  if (!run.wants(rows)) return;
  // The role as it is installed: on all processors, with its own number of workers.
  await using pair = await startPair({ processors: run.processors.all, workers: 0 });
  const load = await run.load();
  await run.rounds<TlsServer>({
    rows,
    servers: [pair.postfix, pair.postern, ...await run.freshOthers(run.processors.all)],
    rounds: 1,
    async warmUp(server) {
      // Postfix has no process before the first session.
      const sessions = { do: "sessions", front: server.front, kind: KIND } as const;
      await load.run({ ...sessions, lanes: 1, resume: "no", count: 20 });
    },
    async once(server): Promise<Sample> {
      const measure = async () => {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        return (await server.memory("tlsproxy")).shareKb;
      };
      const emptyKb = await measure();
      const sample: Record<string, number> = { empty: emptyKb / 1024 };
      let held = 0;
      for (const size of sizes) {
        const hold = { do: "hold", front: server.front, kind: KIND, lanes: LANES } as const;
        await load.run({ ...hold, count: size - held });
        held = size;
        sample[`n${size}`] = (await measure() - emptyKb) / size;
      }
      await load.run({ do: "release" });
      return sample;
    },
  });
}

/** Section 6 names no number for "flat". */
const FLAT_MOST = 1.25;

/** The cost of a session among more and more idle ones. */
export async function measureNeighbours(run: Run): Promise<void> {
  const sizes = run.options.quick ? [10, 1_000] : [10, 1_000, 5_000];
  const last = sizes[sizes.length - 1];
  const rows: Record<string, RowSpec> = {};
  for (const size of sizes) {
    const figure = `tlsproxy TLS 1.3 resumed, ${size.toLocaleString("en")} idle neighbours`;
    rows[`n${size}`] = { figure, unit: "CPU-µs each" };
  }
  rows.flat = {
    figure: `tlsproxy session: cost among ${last.toLocaleString("en")} over cost among ${sizes[0]}`,
    unit: "times",
    bar: { of: "postern", most: FLAT_MOST },
  };
  if (!run.wants(rows)) return;
  const { postfix, postern } = await run.pair();
  const load = await run.load();
  await run.rounds<TlsServer>({
    rows,
    servers: [postfix, postern],
    rounds: Math.min(run.options.rounds, 2),
    async warmUp(server) {
      const sessions = { do: "sessions", front: server.front, kind: KIND } as const;
      const extent = run.warmUp(WARM_UP.sessions);
      await load.run({ ...sessions, lanes: LANES, resume: "copies", ...extent });
    },
    async once(server): Promise<Sample> {
      const common = { front: server.front, kind: KIND, lanes: LANES } as const;
      const sample: Record<string, number> = {};
      let held = 0;
      for (const size of sizes) {
        await load.run({ do: "hold", ...common, count: size - held });
        held = size;
        const command = {
          do: "sessions",
          ...common,
          resume: "copies",
          ...run.extent(0.8),
        } as const;
        const { done, cpuSeconds } = await run.measure(server, command, { role: "tlsproxy" });
        sample[`n${size}`] = 1e6 * cpuSeconds / done;
      }
      await load.run({ do: "release" });
      return { ...sample, flat: sample[`n${last}`] / sample[`n${sizes[0]}`] };
    },
  });
}
