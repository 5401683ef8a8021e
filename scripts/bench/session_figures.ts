/**
 * The figures of whole TLS sessions: begun, shaken hands, one line echoed, closed.
 *
 * @module
 */

import type { SessionsCommand } from "./commands.ts";
import type { ClientKind } from "./openssl.ts";
import { BUSY, busyShare, type Run, WARM_UP } from "./run.ts";
import type { Bar, RowSpec } from "./rows.ts";
import { startPair, type TlsServer } from "./servers.ts";

/** Sessions at a time. */
const LANES = 8;

interface SessionFigure {
  readonly figure: string;
  readonly kind: ClientKind;
  readonly resume: SessionsCommand["resume"];
  readonly bar?: Bar;
}

const FIGURES: readonly SessionFigure[] = [
  {
    figure: "tlsproxy TLS 1.3 full, ECDSA P-256",
    kind: { version: "1.3", key: "ECDSA" },
    resume: "no",
    bar: { of: "ratio", least: 1.5 },
  },
  {
    figure: "tlsproxy TLS 1.3 full, RSA-2048",
    kind: { version: "1.3", key: "RSA" },
    resume: "no",
  },
  {
    figure: "tlsproxy TLS 1.3 resumed",
    kind: { version: "1.3", key: "ECDSA" },
    resume: "copies",
    bar: { of: "ratio", least: 1.7 },
  },
  {
    figure: "tlsproxy TLS 1.2 resumed",
    kind: { version: "1.2", key: "ECDSA" },
    resume: "copies",
    bar: { of: "ratio", least: 2.2 },
  },
];

const UNIT = "sessions/CPU-s";

function sessionsOf(server: TlsServer, figure: SessionFigure): SessionsCommand {
  const { kind, resume } = figure;
  return { do: "sessions", front: server.front, kind, lanes: LANES, resume };
}

/** Sessions in a second of the server's processor time, for each kind of session. */
export async function measureSessions(run: Run): Promise<void> {
  for (const figure of FIGURES) {
    const rows: Record<string, RowSpec> = {
      rate: { figure: figure.figure, unit: UNIT, ...(figure.bar && { bar: figure.bar }) },
    };
    if (!run.wants(rows)) continue;
    const load = await run.load();
    await run.rounds({
      rows,
      servers: (await run.tlsServers()).filter(({ rsa }) => rsa || figure.kind.key !== "RSA"),
      warmUp: (server) => {
        return load.run({ ...sessionsOf(server, figure), ...run.warmUp(WARM_UP.sessions) });
      },
      async once(server) {
        const command = { ...sessionsOf(server, figure), ...run.extent(1) };
        const measured = await run.measure(server, command, { role: "tlsproxy" });
        if (figure.resume === "copies" && measured.hits !== measured.done) {
          throw new Error(
            `Cannot measure ${figure.figure}: ${server.name} resumed ${measured.hits} of ${measured.done}`,
          );
        }
        return { rate: measured.done / measured.cpuSeconds };
      },
    });
  }
}

/** How often a client that uses each ticket once can resume. */
export async function measureChain(run: Run): Promise<void> {
  const rows: Record<string, RowSpec> = {
    share: {
      figure: "tlsproxy TLS 1.3, resumed by a client that uses each ticket once",
      unit: "%",
      bar: { of: "postern", least: 100 },
    },
  };
  if (!run.wants(rows)) return;
  await run.rounds({
    rows,
    servers: await run.tlsServers(),
    rounds: 1,
    async once(server) {
      const [{ kind }] = FIGURES;
      const command = { ...sessionsOf(server, { figure: "", kind, resume: "chain" }), count: 500 };
      const { done, hits } = await run.measure(server, command, { role: "tlsproxy" });
      // The first one in each lane has nothing to bring.
      return { share: 100 * hits / (done - LANES) };
    },
  });
}

/** What a second worker costs and brings. */
export async function measureWorkers(run: Run): Promise<void> {
  const [full, , resumed] = FIGURES;
  const rowsOf = (workers: number, figure: SessionFigure): Record<string, RowSpec> => {
    const title = `${figure.figure}, ${workers} worker${workers === 1 ? "" : "s"}, all cores`;
    return { rate: { figure: title, unit: UNIT }, wall: { figure: title, unit: "sessions/s" } };
  };
  for (const workers of [1, 2]) {
    const wanted = [full, resumed].filter((figure) => run.wants(rowsOf(workers, figure)));
    if (wanted.length === 0) continue;
    await using pair = await startPair({ processors: run.processors.all, workers });
    const load = await run.load();
    for (const figure of wanted) {
      await run.rounds<TlsServer>({
        rows: rowsOf(workers, figure),
        servers: [pair.postfix, pair.postern],
        warmUp: (server) => {
          return load.run({ ...sessionsOf(server, figure), ...run.warmUp(WARM_UP.sessions) });
        },
        async once(server) {
          const command = { ...sessionsOf(server, figure), ...run.extent(1) };
          const measured = await run.measure(server, command, { role: "tlsproxy" });
          return {
            rate: measured.done / measured.cpuSeconds,
            wall: measured.done / measured.seconds,
            [BUSY]: busyShare(measured),
          };
        },
      });
    }
  }
}
