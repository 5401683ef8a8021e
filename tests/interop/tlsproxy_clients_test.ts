/**
 * Clients of many makers at postscreen(8) with our tlsproxy and tlsmgr: each protocol version, each kind
 * of certificate, each way of resumption.
 *
 * What happened is read in the log of tlsproxy, and compared with what the client says. That a dialogue
 * ran inside TLS is read in the log of postscreen(8).
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Forwarder } from "../support/forwarder.ts";
import { interopTest, isInstalled } from "../support/interop.ts";
import { Stations } from "../support/stations.ts";
import { waitUntil } from "../support/wait.ts";
import {
  type Client,
  CLIENTS,
  type Kind,
  KINDS,
  type Version,
  VERSIONS,
  type Way,
  WAYS,
} from "./_clients.ts";

/** Sessions at a time; each waits a second for postscreen's greeting. */
const AT_A_TIME = 10;
/** Fewer cells would not be what this file promises. */
const CELLS_MIN = 90;

/** One combination. */
interface Cell {
  readonly name: string;
  readonly version: Version;
  readonly kind: Kind;
  /** Absent: one full session. */
  readonly way: Way | undefined;
}

/** What tlsproxy has said about a connection. */
interface Logged {
  readonly protocol: string;
  /** Absent of a resumed session of TLS 1.3, where nothing is signed. */
  readonly kind: Kind | undefined;
  readonly way: Way | undefined;
}

function cells(): Cell[] {
  const all: Cell[] = [];
  for (const [name, { can }] of Object.entries(CLIENTS)) {
    for (const version of VERSIONS) {
      const ways = can[version];
      if (typeof ways === "string") continue;
      const able: (Way | undefined)[] = WAYS.filter((way) => ways[way] === true);
      if (able.length === 0) able.push(undefined);
      for (const way of able) for (const kind of KINDS) all.push({ name, version, kind, way });
    }
  }
  return all;
}

interopTest("tlsproxy serves clients of many makers", async (t) => {
  await using stations = await Stations.start({
    rsa: { side: "ours", settings: NO_EC },
    ec: { side: "ours", settings: NO_RSA },
    rsa12: { side: "ours", settings: { ...NO_EC, ...NOT_13 } },
    ec12: { side: "ours", settings: { ...NO_RSA, ...NOT_13 } },
  }, {
    name: "mat",
    tlsmgr: "ours",
    // Some clients say everything at once.
    settings: { postscreen_pipelining_enable: "no" },
  });
  const { postfix } = stations.bed;
  const { ca } = postfix.certificates;
  const prepared = new Map<string, string>();
  const missing = new Map<string, string[]>();
  for (const [name, client] of Object.entries(CLIENTS)) {
    const programs = client.programs.filter((program) => !isInstalled(program));
    if (programs.length > 0) {
      missing.set(name, programs);
      continue;
    }
    const folder = `${postfix.folders.root}/${name}`;
    await Deno.mkdir(folder);
    await client.prepare?.(folder, ca);
    prepared.set(name, folder);
  }
  const done: Cell[] = [];
  const faults: string[] = [];
  const all = cells();
  assert(all.length >= CELLS_MIN, `${all.length} cells`);
  const waiting = all.filter(({ name }) => prepared.has(name));
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      try {
        await run(cell);
        done.push(cell);
      } catch (error) {
        faults.push(`${titleOf(cell)}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }));

  for (const name of Object.keys(CLIENTS)) {
    const programs = missing.get(name)?.join(", ");
    if (programs !== undefined && CLIENTS[name].optional === true) continue;
    await t.step({
      name: programs === undefined ? name : `${name} (skipped: no ${programs})`,
      ignore: programs !== undefined,
      fn: () => {
        const failed = faults.filter((fault) => fault.startsWith(`${name} `));
        assertEquals(failed.join("\n"), "");
        const titles = (list: readonly Cell[]) =>
          list.filter((cell) => cell.name === name).map(titleOf).sort();
        assertEquals(titles(done), titles(all));
      },
    });
  }
  await stations.bed.assertNoProblems();

  async function run(cell: Cell): Promise<void> {
    const { name, version, kind, way } = cell;
    const client: Client = CLIENTS[name];
    const is12 = client.anyVersion === true && version === "TLSv1.2";
    const station = stations.at(is12 ? `${kind}12` as const : kind);
    const folder = await Deno.makeTempDir({ dir: postfix.folders.root });
    await using forwarder = Forwarder.listen(station.port, { startTls: client.onlyTls });
    const order = { port: forwarder.port, ca, version, way, folder };
    const visits = await client.visit(order, prepared.get(name)!);
    const ways = way === undefined ? [undefined] : [undefined, way];
    assertEquals(visits.length, ways.length, `sessions that ${name} tells of`);
    assertEquals(forwarder.endpoints.length, ways.length, "connections");
    assertEquals(forwarder.faults, []);
    for (const [i, endpoint] of forwarder.endpoints.entries()) {
      const logged = await waitUntil(`the lines about ${endpoint}`, async () => {
        const lines = await station.lines();
        return lines.includes(`DISCONNECT ${endpoint}`) && readLines(lines, endpoint);
      });
      const signed = version !== "TLSv1.3" || ways[i] === undefined;
      const wanted = { protocol: version, kind: signed ? kind : undefined, way: ways[i] };
      assertEquals(logged, wanted, endpoint);
      const { protocol = version, resumed = i > 0 } = visits[i];
      assertEquals({ protocol, resumed }, { protocol: version, resumed: i > 0 }, "the client");
      if (!visits[i].mute) await assertTalked(endpoint);
    }
  }

  /** The dialogue went through: postscreen has put the recipient off. */
  async function assertTalked(endpoint: string): Promise<void> {
    const text = `: NOQUEUE: reject: RCPT from ${endpoint}: 450 4.3.2 `;
    await waitUntil(`the recipient from ${endpoint} in the log of postscreen`, async () => {
      return (await postfix.maillog.text()).includes(text);
    });
  }
});

/** `curl TLSv1.2 rsa by ticket`. */
function titleOf({ name, version, kind, way }: Cell): string {
  return `${name} ${version} ${kind} ${way === undefined ? "full" : `by ${way}`}`;
}

/** What the lines say of `endpoint`. */
function readLines(lines: readonly string[], endpoint: string): Logged {
  const from = ` TLS connection established from ${endpoint}`;
  const summary = lines.find((line) => line.includes(from)) ?? "";
  const found = /: (TLSv[\d.]+) with cipher (\S+) .*?(?:server-signature (\S+)|$)/.exec(summary);
  if (found === null) throw new Error(`No handshake with ${endpoint}:\n${lines.join("\n")}`);
  const [, protocol, cipher, signature] = found;
  const reusing = `${endpoint}: Reusing old session`;
  const reused = lines.find((line) => line.startsWith(reusing));
  const way = reused === undefined ? undefined : reused === reusing ? "id" : "ticket";
  if (protocol !== "TLSv1.3") return { protocol, kind: kindOf(cipher), way };
  return { protocol, kind: way === undefined ? kindOf(signature) : undefined, way };
}

/** The kind that signs so, or has such a cipher. */
function kindOf(words: string): Kind {
  return words.includes("ECDSA") ? "ec" : "rsa";
}

const NO_EC = { smtpd_tls_eccert_file: "", smtpd_tls_eckey_file: "" };
const NO_RSA = { smtpd_tls_cert_file: "", smtpd_tls_key_file: "" };
const NOT_13 = { smtpd_tls_protocols: "<=TLSv1.2" };
