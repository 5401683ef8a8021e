/**
 * The figures of a start: how long until somebody is served, and how much memory an idle role takes.
 *
 * postern is started from nothing. A Postfix daemon is not: master(8) listens in its place, and starts it
 * when the first client has connected; so its time is from that connection to the announcement.
 *
 * @module
 */

import { posternBinary } from "../../tests/support/postern.ts";
import { memoryOf, startOn } from "./accounting.ts";
import { CLOCK_MONOTONIC, readClock } from "./c_library.ts";
import type { Run, Sample } from "./run.ts";
import type { RowSpec } from "./rows.ts";
import type { PosternServer, PostfixServer, Role, Server } from "./servers.ts";

const ENTRIES = 10_000;
/** V8 has tidied up after the start by then. */
const SETTLE_MS = 1000;

function rowsOf(role: Role): Record<string, RowSpec> {
  const cache = role === "tlsmgr" ? `, ${ENTRIES.toLocaleString("en")} entries` : "";
  const title = `${role} start${cache}`;
  return {
    listening: {
      figure: `${title}, to listening`,
      unit: "ms",
      ...(role === "tlsmgr" && { bar: { of: "postern", most: 150 } as const }),
    },
    announced: { figure: `${title}, to the first answer`, unit: "ms" },
    resident: {
      figure: `${role} idle${cache}, resident`,
      unit: "MB",
      bar: { of: "postern", most: 90 },
    },
  };
}

/** Starts each role several times. */
export async function measureStarts(run: Run): Promise<void> {
  for (const role of ["tlsmgr", "tlsproxy"] as const) {
    const rows = rowsOf(role);
    if (!run.wants(rows)) continue;
    const pair = await run.freshPair({ processors: run.processors.all, workers: 0 });
    const load = await run.load();
    await run.rounds<Server>({
      rows,
      servers: [pair.postfix, pair.postern],
      async warmUp(server) {
        if (server !== pair.postern) return;
        const update = { do: "ask", name: "update", connections: 8, sessionChars: 2000 } as const;
        await load.run({ ...update, socket: server.tlsmgr, keys: ENTRIES, count: ENTRIES });
        await pair.postern.stopRole(role);
      },
      once: (server) =>
        server === pair.postern
          ? startOurs(run, pair.postern, role)
          : startTheirs(run, pair.postfix, role),
    });
  }
}

function nowNs(): number {
  return readClock(CLOCK_MONOTONIC)!;
}

function socketOf(server: Server, role: Role): string {
  if (role === "tlsmgr") return server.tlsmgr;
  return server.front.by === "tlsproxy" ? server.front.socket : "";
}

async function startOurs(run: Run, server: PosternServer, role: Role): Promise<Sample> {
  const load = await run.load();
  const args = ["--role", role, "--config", server.settingsPath(role)];
  const command = new Deno.Command(posternBinary(), { args, stdout: "null", stderr: "null" });
  const waiting = load.run({ do: "await", socket: socketOf(server, role) });
  let begunNs = 0;
  const child = await startOn(run.processors.all, () => {
    begunNs = nowNs();
    return Promise.resolve(command.spawn());
  });
  const { times } = await waiting;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const { residentKb } = memoryOf([child.pid]);
  child.kill("SIGTERM");
  await child.status;
  return {
    listening: (times!.listening - begunNs) / 1e6,
    announced: (times!.announced - begunNs) / 1e6,
    resident: residentKb / 1024,
  };
}

async function startTheirs(run: Run, server: PostfixServer, role: Role): Promise<Sample> {
  await server.endProcesses(role);
  await server.reload();
  const load = await run.load();
  const begunNs = nowNs();
  const { times } = await load.run({ do: "await", socket: socketOf(server, role) });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const { residentKb } = await server.memory(role);
  return { announced: (times!.announced - begunNs) / 1e6, resident: residentKb / 1024 };
}
