/**
 * The figures of bytes in sessions that are open: bulk data, and round trips.
 *
 * @module
 */

import type { HoldCommand } from "./commands.ts";
import { type Run, type Sample, WARM_UP } from "./run.ts";
import type { RowSpec } from "./rows.ts";
import type { TlsServer } from "./servers.ts";

const KIND = { version: "1.3", key: "ECDSA" } as const;

function holdOf(server: TlsServer, count: number): HoldCommand {
  return { do: "hold", front: server.front, kind: KIND, lanes: 8, count };
}

/** The largest record there is. */
const RECORD_BYTES = 16384;
/** A buffer of a mail program that writes less at a time. */
const BUFFER_BYTES = 4096;

/** Megabytes in a second of the server's processor time, one session, each direction. */
export async function measureBulk(run: Run): Promise<void> {
  for (const pieceBytes of [RECORD_BYTES, BUFFER_BYTES]) {
    for (const direction of ["up", "down"] as const) {
      await measureDirection(run, direction, pieceBytes);
    }
  }
}

async function measureDirection(
  run: Run,
  direction: "up" | "down",
  pieceBytes: number,
): Promise<void> {
  const title = `tlsproxy bulk, ${direction === "up" ? "from" : "to"} the TLS client`;
  const rows: Record<string, RowSpec> = {
    rate: {
      figure: `${title}, ${pieceBytes / 1024} kB writes`,
      unit: "MB/CPU-s",
      ...(pieceBytes === RECORD_BYTES && { bar: { of: "ratio", least: 2.5 } as const }),
    },
  };
  if (!run.wants(rows)) return;
  const load = await run.load();
  await run.rounds({
    rows,
    servers: await run.tlsServers(),
    async warmUp(server) {
      await load.run(holdOf(server, 1));
      await load.run({ do: "bulk", direction, pieceBytes, ...run.warmUp(WARM_UP.bulk) });
      await load.run({ do: "release" });
    },
    async once(server) {
      await load.run(holdOf(server, 1));
      const command = { do: "bulk", direction, pieceBytes, ...run.extent(0.6) } as const;
      const { done, cpuSeconds } = await run.measure(server, command, { role: "tlsproxy" });
      await load.run({ do: "release" });
      return { rate: done / 1e6 / cpuSeconds };
    },
  });
}

/** Sessions that are busy at once. */
const BUSY_SESSIONS = 200;

/** Round trips of one line: one session, on one core and on two; and many sessions at once. */
export async function measureEchoes(run: Run): Promise<void> {
  const { server, load } = run.processors;
  const [p50, p99, p999] = ["p50", "p99", "p99.9"];
  const µs = "µs";
  await measureEcho(run, {
    p50: { figure: `tlsproxy echo ${p50}, one core`, unit: µs, bar: { of: "ratio", most: 1 } },
    p99: { figure: `tlsproxy echo ${p99}, one core`, unit: µs, bar: { of: "ratio", most: 1.5 } },
  }, { sessions: 1, processor: server });
  await measureEcho(run, {
    p50: { figure: `tlsproxy echo ${p50}, a core each`, unit: µs },
    p99: { figure: `tlsproxy echo ${p99}, a core each`, unit: µs },
  }, { sessions: 1, processor: load });
  await measureEcho(run, {
    p50: { figure: `tlsproxy echo ${p50}, ${BUSY_SESSIONS} busy sessions`, unit: µs },
    p999: { figure: `tlsproxy echo ${p999}, ${BUSY_SESSIONS} busy sessions`, unit: µs },
    rate: { figure: `tlsproxy echoes, ${BUSY_SESSIONS} busy sessions`, unit: "echoes/CPU-s" },
  }, { sessions: BUSY_SESSIONS, processor: load });
}

async function measureEcho(
  run: Run,
  rows: Record<string, RowSpec>,
  { sessions, processor }: { sessions: number; processor: number },
): Promise<void> {
  if (!run.wants(rows)) return;
  const load = await run.load(processor);
  await run.rounds({
    rows,
    servers: await run.tlsServers(),
    async warmUp(server) {
      await load.run(holdOf(server, sessions));
      await load.run({ do: "echo", ...run.warmUp(WARM_UP.echoes) });
      await load.run({ do: "release" });
    },
    async once(server): Promise<Sample> {
      await load.run(holdOf(server, sessions));
      const command = { do: "echo", ...run.extent(0.6) } as const;
      const measured = await run.measure(server, command, { role: "tlsproxy", processor });
      await load.run({ do: "release" });
      return { ...measured.latencies, rate: measured.done / measured.cpuSeconds };
    },
  });
}
