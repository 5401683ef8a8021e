/**
 * How many system calls a relayed record costs, counted by strace(1).
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Bed, type Session } from "../integration/tlsproxy/_bed.ts";
import { interopTest } from "../support/interop.ts";
import { startProcess } from "../support/process.ts";
import { waitUntil } from "../support/wait.ts";

const BYTES = 100 * 1024 * 1024;
const RECORD_BYTES = 16 * 1024;
/**
 * One read and one write a record at most, and something for records that come in pieces and for waits
 * in between. One more call a record, such as a read that finds nothing, would make it 3.
 */
const CALLS_PER_RECORD_MAX = 2.2;
const TRIES_MAX = 4;

/** System calls of `pid` while `work` is done, by name. */
async function countCalls(
  pid: number,
  file: string,
  work: () => Promise<void>,
): Promise<Map<string, number>> {
  await using strace = startProcess("strace", ["-f", "-c", "-p", String(pid), "-o", file]);
  await waitUntil("strace to be attached", () => /Process \d+ attached/.test(strace.stderr));
  await work();
  strace.signal("SIGINT");
  await strace.ended();
  const counts = new Map<string, number>();
  for (const line of (await Deno.readTextFile(file)).split("\n")) {
    // % time, seconds, usecs/call, calls, [errors], name
    const columns = line.trim().split(/\s+/);
    if (columns.length >= 5 && /^\d+$/.test(columns[3]) && columns.at(-1) !== "total") {
      counts.set(columns.at(-1)!, Number(columns[3]));
    }
  }
  return counts;
}

for (const direction of ["up", "down"] as const) {
  interopTest(`tlsproxy relays ${direction} with few system calls a record`, async () => {
    await using bed = await Bed.start();
    const session: Session = await bed.established();
    const { local, remote } = session;
    const [from, to] = direction === "up" ? [remote, local] : [local, remote];
    const file = bed.folder.file("calls");
    const pump = async (bytes: number, seed: number) => {
      const sent = from.pump(bytes, seed);
      assertEquals(await to.sink(bytes), await sent);
    };
    // The compiler has its own calls to make before.
    await pump(BYTES / 10, 1);
    const tries: string[] = [];
    let least = Infinity;
    // A busy machine splits what comes into more pieces than there need be, and never into fewer.
    while (least > CALLS_PER_RECORD_MAX && tries.length < TRIES_MAX) {
      const counts = await countCalls(
        bed.tlsproxy.pid,
        file,
        () => pump(BYTES, 2 + tries.length),
      );
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      // What has come together is moved together: up to 64 kB with one call each way.
      assert(total > BYTES / RECORD_BYTES / 4, `strace saw the work: ${total} calls`);
      const perRecord = total / (BYTES / RECORD_BYTES);
      const table = [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
      tries.push(`${perRecord.toFixed(2)} a record: ${table}`);
      least = Math.min(least, perRecord);
    }
    assert(least <= CALLS_PER_RECORD_MAX, tries.join("\n"));
  });
}
