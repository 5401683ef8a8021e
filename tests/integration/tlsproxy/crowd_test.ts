/**
 * tlsproxy, server role: many peers at once, most of them no use, and few descriptors.
 *
 * The crowd is handed over by this process itself, through the system's calls.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { beginSession, type Ends } from "../../../lib/cli/demo/hand_over.ts";
import { closeDescriptor, receive, sendWhole } from "../../../lib/net/stream.ts";
import { nightly } from "../../support/nightly.ts";
import { anonymousKbOf, countDescriptorsOf, cpuSecondsOf } from "../../support/process.ts";
import { TlsClient } from "../../support/tls_client.ts";
import { waitUntil } from "../../support/wait.ts";
import { assertTalks, Bed } from "./_bed.ts";

const SILENT = 1_000;
const DRIBBLING = 100;
/** Seconds that the crowd has for its handshakes. */
const HANDSHAKE_LIMIT_S = 5;

/** A ClientHello, as far as a dribbler gets with it. */
function clientHello(): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(5 + 300);
  // Handshake record of TLS 1.0, 300 bytes; a ClientHello of 296.
  record.set([0x16, 0x03, 0x01, 0x01, 0x2c, 0x01, 0x00, 0x01, 0x28, 0x03, 0x03]);
  return record;
}

/**
 * As many things as wanted, with a rest now and then: while this process works, nobody reads what tlsproxy
 * logs, and lines that find no room are lost.
 */
async function crowdOf<T>(size: number, make: () => T): Promise<T[]> {
  const crowd: T[] = [];
  while (crowd.length < size) {
    crowd.push(make());
    if (crowd.length % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return crowd;
}

/** Whether tlsproxy has closed the local end. */
function isOver(ends: Ends): boolean {
  return receive(ends.local, new Uint8Array(1), 1) === 0;
}

function release(ends: Ends): void {
  closeDescriptor(ends.local);
  closeDescriptor(ends.remote);
}

Deno.test("tlsproxy: a thousand silent and a hundred dribbling peers delay nobody, and go", async () => {
  await using bed = await Bed.start({ role: { max_sessions: 2_000 } });
  const { pid } = bed.tlsproxy;
  const base = await countDescriptorsOf(pid);
  const crowd = await crowdOf(
    SILENT + DRIBBLING,
    () => beginSession(bed.socket, { handshakeTimeoutS: HANDSHAKE_LIMIT_S }),
  );
  const dribblers = crowd.slice(SILENT);
  const hello = clientHello();
  let sent = 0;
  while (!crowd.every(isOver)) {
    // A dribbler may have been let go already.
    for (const { remote } of dribblers) sendWhole(remote, hello.slice(sent, sent + 1));
    sent++;
    await bed.honestSession();
  }
  assert(sent > 1, "dribblers got to dribble");
  for (const ends of crowd) release(ends);
  // Each of them is told of, but for lines that found no room in the pipe, and those are counted.
  const toldOf = () => {
    const lines = bed.lines();
    const late = lines.filter((line) => line.startsWith("warning: ciphertext read/write timeout"));
    const lost = lines.map((line) => /^warning: (\d+) log lines were lost$/.exec(line)?.[1]);
    return { late: late.length, lost: lost.reduce((sum, count) => sum + Number(count ?? 0), 0) };
  };
  // What the log says is read later than that the ends are closed.
  await waitUntil("a line about each of the crowd", () => {
    const { late, lost } = toldOf();
    return late + lost >= crowd.length;
  }, { explain: () => JSON.stringify(toldOf()) });
  const { late } = toldOf();
  assert(late <= crowd.length, `${late} lines about a time limit`);
  await waitUntil("the descriptors of the crowd to be closed", async () => {
    return await countDescriptorsOf(pid) <= base + 1;
  });
});

Deno.test("tlsproxy: the memory of a crowd is used again by the next one", async () => {
  await using bed = await Bed.start({ role: { max_sessions: 2_000 } });
  const { pid } = bed.tlsproxy;
  const size = nightly(300, 1_000);
  const ownKb: number[] = [];
  for (let round = 0; round < 6; round++) {
    const crowd = await crowdOf(size, () => beginSession(bed.socket));
    let released = 0;
    await crowdOf(size, () => release(crowd[released++]));
    await waitUntil("the crowd to be gone", () => {
      return bed.lines().filter((line) => line.startsWith("DISCONNECT")).length >=
        (round + 1) * size;
    });
    ownKb.push(await anonymousKbOf(pid));
  }
  // Each session has about 30 kB while it lasts; keeping a third of that would show.
  const growth = ownKb[5] - ownKb[2];
  assert(growth < 3 * size * 10, `memory of its own, kB: ${ownKb}`);
});

Deno.test("tlsproxy: many sessions are open at once, and each of them works", async () => {
  const size = nightly(500, 4_500);
  await using bed = await Bed.start({ role: { max_sessions: 5_000 } });
  const sessions = await crowdOf(size, () => {
    const ends = beginSession(bed.socket, { sessionTimeoutS: 300, handshakeTimeoutS: 100 });
    return { ends, client: new TlsClient(ends.remote) };
  });
  const waiting = new Set(sessions);
  await waitUntil(`${size} handshakes`, () => {
    for (const session of waiting) {
      const step = session.client.handshake();
      if (step !== "waiting") waiting.delete(session);
      assert(step !== "failed", session.client.errors.join());
    }
    return waiting.size === 0;
  });
  const hello = new TextEncoder().encode("EHLO x\r\n") as Uint8Array<ArrayBuffer>;
  for (const { client } of sessions) assertEquals(client.write(hello), hello.length);
  for (const { ends } of sessions) {
    const into = new Uint8Array(64);
    const count = await waitUntil("what the peer has said", () => {
      const got = receive(ends.local, into, into.length);
      return got > 0 ? got : undefined;
    });
    assertEquals(new TextDecoder().decode(into.subarray(0, count)), "EHLO x\r\n");
  }
  for (const { ends, client } of sessions) {
    client[Symbol.dispose]();
    release(ends);
  }
  await bed.honestSession();
});

Deno.test("tlsproxy: at the limit of descriptors nobody is lost for good, and nothing spins", async () => {
  await using bed = await Bed.start({ role: { max_sessions: 2_000 } });
  const { pid } = bed.tlsproxy;
  const spare = 10;
  const limit = await countDescriptorsOf(pid) + spare;
  const limited = await new Deno.Command("prlimit", {
    args: ["--pid", String(pid), `--nofile=${limit}:${limit}`],
  }).output();
  assertEquals(limited.code, 0);
  const connections: Deno.UnixConn[] = [];
  for (let i = 0; i < 2 * spare; i++) {
    connections.push(await Deno.connect({ transport: "unix", path: bed.socket }));
  }
  await bed.waitForLine(/^warning: cannot accept connections: .*; trying again$/);
  const before = await cpuSecondsOf(pid);
  const told = bed.lines().filter((line) => line.includes("cannot accept connections")).length;
  // Long enough for a loop without a rest to use up a good part of it.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const used = await cpuSecondsOf(pid) - before;
  assert(used < 0.5, `${used} s of processor time while no connection can be accepted`);
  const again = bed.lines().filter((line) => line.includes("cannot accept connections")).length;
  assert(again - told < 20, `${again - told} lines in a second`);
  for (const connection of connections) connection.close();
  const { local, remote } = await bed.established();
  await assertTalks({ local, remote });
});
