/**
 * Times postern's two roles beside Postfix's own, in one run, with equal settings and the same load.
 *
 * Both serve in a private Postfix instance each; the load goes to one and the other in turn, A B A B.
 * What counts is the work done in a second of the server's own processor time (utime + stime, reaped
 * children of master included), because that hardly depends on what else the machine does. The load
 * program's own speed does not enter into it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { ListPrinter } from "../lib/attr/print.ts";
import type { ListScanner } from "../lib/attr/scan.ts";
import type { Bytes } from "../lib/base/bytes.ts";
import { systemClock } from "../lib/base/clock.ts";
import { makeSession } from "../lib/cli/demo/session.ts";
import { AttrChannel, type AttrChannelHandler } from "../lib/net/attr_channel.ts";
import { connectUnix } from "../lib/net/stream.ts";
import { type AskName, printAsk, TlsmgrAsk } from "../lib/proto/tlsmgr.ts";
import { Reactor } from "../lib/reactor/reactor.ts";
import { ClientContext, type ClientSession, freeSession } from "../lib/tls/client.ts";
import { cpuSecondsOf } from "../tests/support/process.ts";
import { Testbed } from "../tests/support/testbed.ts";

const USAGE = `Usage:
    deno task bench [--quick] [--json] [--only TEXT]

Prints, for each figure, Postfix's, postern's and the ratio: work done in a second of server processor
time, the median of several rounds, with the smallest and largest ratio. Needs root, and Postfix from
Debian; builds nothing: run \`deno task build\` before.

    --quick   a tenth of the load and three rounds; shows that everything works
    --json    one JSON object instead of the table
    --only    figures whose names contain TEXT
`;

const CONNECTIONS = 8;
const SESSION_BYTES = 1500;
const ECHO_BYTES = 64;

interface Side {
  readonly bed: Testbed;
  /** Processor seconds used so far by whoever serves. */
  tlsmgrSeconds(): Promise<number>;
  tlsproxySeconds(): Promise<number>;
}

/** One line of the table. */
interface Row {
  readonly figure: string;
  /** Work per server-CPU-second, one number a round. */
  readonly postfix: number[];
  readonly postern: number[];
}

/** Sends the same request over several connections until `count` replies have come. */
function askMany(socket: string, request: Bytes, count: number): void {
  const reactor = new Reactor(systemClock);
  let sent = 0;
  let received = 0;
  const limits = { bytesMax: 1 << 20, attributesMax: 16 };
  class Asker implements AttrChannelHandler {
    readonly channel: AttrChannel;
    constructor(fd: number) {
      this.channel = new AttrChannel(reactor, fd, this, { limits, listLimitMs: 60_000 });
    }
    // The first list is the announcement.
    #announced = false;
    list(_scanner: ListScanner): "next" {
      if (this.#announced) received++;
      this.#announced = true;
      if (sent < count) {
        sent++;
        this.channel.send(request);
      } else if (received === count) {
        reactor.stop();
      }
      return "next";
    }
    ended(): void {
      throw new Error("Cannot measure tlsmgr: it closed a connection");
    }
  }
  const askers = Array.from({ length: CONNECTIONS }, () => new Asker(connectUnix(socket)));
  reactor.run();
  for (const asker of askers) asker.channel.close();
  reactor.close();
}

function requestFor(name: AskName): Bytes {
  const ask = new TlsmgrAsk();
  ask.size = 32;
  ask.cacheType = "smtpd";
  ask.cacheId = "0137E3280E443F347F01B5EDA702862B581E1326ADF454FC2FBF3A988BDFD5A5&s=smtpd&l=1";
  ask.session.set(new Uint8Array(SESSION_BYTES).map((_, i) => i));
  return printAsk(new ListPrinter(), name, ask).slice();
}

/** One kind of TLS session. */
interface SessionKind {
  readonly figure: string;
  readonly version: "TLSv1.2" | "TLSv1.3";
  readonly resumed: boolean;
}

const SESSION_KINDS: readonly SessionKind[] = [
  { figure: "tlsproxy TLS 1.3 full, ECDSA", version: "TLSv1.3", resumed: false },
  { figure: "tlsproxy TLS 1.3 resumed", version: "TLSv1.3", resumed: true },
  { figure: "tlsproxy TLS 1.2 resumed (ticket)", version: "TLSv1.2", resumed: true },
];

/**
 * Makes `count` sessions one after the other; how many of them were resumed.
 *
 * It works without waiting for promises, so it stops now and then to let the harness read what the
 * servers log.
 */
async function makeSessions(socket: string, kind: SessionKind, count: number): Promise<number> {
  const context = new ClientContext({ version: kind.version, tickets: true, cipherList: "" });
  let session: ClientSession | undefined;
  let resumed = 0;
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
    const made = makeSession(socket, { context, resume: session, echoBytes: ECHO_BYTES });
    if (made.handshake.resumed) resumed++;
    if (session !== undefined) freeSession(session);
    session = undefined;
    if (kind.resumed) session = made.session;
    else freeSession(made.session);
  }
  if (session !== undefined) freeSession(session);
  context.close();
  return resumed;
}

/** Work per processor second of `seconds` while `work` runs. */
async function rate(
  seconds: () => Promise<number>,
  count: number,
  work: () => void | Promise<void>,
) {
  const before = await seconds();
  await work();
  return count / Math.max(await seconds() - before, 0.001);
}

async function measure(
  sides: { postfix: Side; postern: Side },
  options: { scale: number; rounds: number; only: string },
) {
  const { scale, rounds, only } = options;
  const rows: Row[] = [];
  const run = async (
    figure: string,
    one: (side: Side) => Promise<number>,
  ) => {
    if (!figure.includes(only)) return;
    const row: Row = { figure, postfix: [], postern: [] };
    await one(sides.postfix);
    await one(sides.postern);
    for (let round = 0; round < rounds; round++) {
      row.postfix.push(await one(sides.postfix));
      row.postern.push(await one(sides.postern));
    }
    rows.push(row);
  };
  for (const name of ["update", "lookup", "seed", "policy", "tktkey"] as const) {
    const request = requestFor(name);
    const count = Math.round((name === "update" ? 10_000 : 40_000) * scale);
    await run(`tlsmgr ${name}, ${CONNECTIONS} connections`, (side) => {
      const socket = side.bed.postfix.socketPath("tlsmgr");
      return rate(() => side.tlsmgrSeconds(), count, () => askMany(socket, request, count));
    });
  }
  for (const kind of SESSION_KINDS) {
    const count = Math.round(1_000 * scale);
    const shares: Record<string, number> = {};
    await run(kind.figure, (side) => {
      const socket = side.bed.postfix.socketPath("tlsproxy");
      return rate(() => side.tlsproxySeconds(), count, async () => {
        const who = side === sides.postern ? "postern" : "Postfix";
        shares[who] = await makeSessions(socket, kind, count) / count;
      });
    });
    if (kind.resumed) {
      for (const [who, share] of Object.entries(shares)) {
        console.error(`${kind.figure}: ${who} resumed ${(100 * share).toFixed(0)} %`);
      }
    }
  }
  return rows;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function describe(row: Row) {
  const ratios = row.postern.map((ours, i) => ours / row.postfix[i]);
  return {
    figure: row.figure,
    postfix: Math.round(median(row.postfix)),
    postern: Math.round(median(row.postern)),
    ratio: Number(median(ratios).toFixed(2)),
    ratioMin: Number(Math.min(...ratios).toFixed(2)),
    ratioMax: Number(Math.max(...ratios).toFixed(2)),
  };
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, { boolean: ["quick", "json", "help"], string: ["only"] });
  if (args.help) return console.log(USAGE);
  const options = { name: "bench", settings: { smtpd_tls_loglevel: "0" } };
  await using postfixBed = await Testbed.start({
    ...options,
    tlsmgr: "postfix",
    tlsproxy: "postfix",
  });
  await using posternBed = await Testbed.start({ ...options, tlsmgr: "ours", tlsproxy: "ours" });
  const sides = {
    postfix: {
      bed: postfixBed,
      // Both daemons are master's children; only one of them is busy at a time.
      tlsmgrSeconds: () => postfixBed.postfix.cpuSeconds(),
      tlsproxySeconds: () => postfixBed.postfix.cpuSeconds(),
    },
    postern: {
      bed: posternBed,
      tlsmgrSeconds: () => cpuSecondsOf(posternBed.tlsmgr!.pid),
      tlsproxySeconds: () => cpuSecondsOf(posternBed.tlsproxy!.pid),
    },
  };
  const rows = (await measure(sides, {
    scale: args.quick ? 0.1 : 1,
    rounds: args.quick ? 3 : 5,
    only: args.only ?? "",
  })).map(describe);
  if (args.json) return console.log(JSON.stringify({ unit: "per server-CPU-second", rows }));
  console.log(
    "work per server-CPU-second, medians".padEnd(38),
    "   Postfix    postern  ratio (min–max)",
  );
  for (const { figure, postfix, postern, ratio, ratioMin, ratioMax } of rows) {
    console.log(
      figure.padEnd(38),
      String(postfix).padStart(10),
      String(postern).padStart(10),
      `  ${ratio.toFixed(2)} (${ratioMin.toFixed(2)}–${ratioMax.toFixed(2)})`,
    );
  }
}

await main();
