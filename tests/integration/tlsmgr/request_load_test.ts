/**
 * A thousand clients, greedy ones and ones that take no answers, against the executable.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { AttrClient, type Attribute, encodeList } from "../../support/attr_client.ts";
import { runChecked } from "../../support/process.ts";
import { waitUntil } from "../../support/wait.ts";
import { Bed, entryRequest, POLICY, POLICY_REPLY, WITH_DATABASE } from "./_bed.ts";

const CLIENTS = 1000;
const SESSION = btoa("s".repeat(1500));

/** Connects `count` clients, some at a time, so that the listener's queue is never full. */
async function connectMany(bed: Bed, count: number): Promise<AttrClient[]> {
  const clients: AttrClient[] = [];
  while (clients.length < count) {
    const batch = Math.min(50, count - clients.length);
    clients.push(...await Promise.all(Array.from({ length: batch }, () => bed.connect())));
  }
  return clients;
}

function closeAll(clients: readonly AttrClient[]): void {
  for (const client of clients) client[Symbol.dispose]();
}

Deno.test(`tlsmgr serves ${CLIENTS} clients at once by its default limit`, async (t) => {
  await using bed = await Bed.start();
  const descriptors = await bed.tlsmgr.countDescriptors();
  const clients = await connectMany(bed, CLIENTS);
  try {
    await t.step("all of them ask at the same time", async () => {
      assertEquals(await bed.tlsmgr.countDescriptors(), descriptors + CLIENTS);
      await Promise.all(clients.map(async (client, index) => {
        const own = btoa(`session of client ${index}`);
        const stored = await client.ask(entryRequest("update", `client ${index}`, own));
        assertEquals(stored.attributes, [["status", "0"]]);
        const found = await client.ask(entryRequest("lookup", `client ${index}`));
        assertEquals(found.attributes, [["status", "0"], ["session", own]]);
      }));
    });

    await t.step("each of them has sent half a request", async () => {
      const request = encodeList(entryRequest("update", "half", SESSION));
      for (const client of clients) await client.writeBytes(request.subarray(0, 700));
      for (const client of clients) await client.writeBytes(request.subarray(700));
      for (const client of clients) {
        assertEquals((await client.readList()).attributes, [["status", "0"]]);
      }
    });

    assertEquals(bed.tlsmgr.problems(), []);
  } finally {
    closeAll(clients);
  }
  await bed.descriptorsBackTo(descriptors);
  await bed.assertServes();
});

Deno.test("tlsmgr at max_connections takes the place of whoever is silent longest", async () => {
  await using bed = await Bed.start(WITH_DATABASE, { max_connections: 20 });
  const clients = await connectMany(bed, 20);
  try {
    // Refused until the first one has been silent for a second, while the others are not.
    using extra = await waitUntil("a place", async () => {
      for (const client of clients.slice(1)) await client.ask(POLICY);
      return await bed.connect().catch(() => undefined);
    });
    assertEquals((await extra.ask(POLICY)).attributes, POLICY_REPLY);
    assertEquals((await clients[0].readToEnd()).length, 0);
    for (const client of clients.slice(1)) {
      assertEquals((await client.ask(POLICY)).attributes, POLICY_REPLY);
    }
    await bed.tlsmgr.waitForLog(/too many connections: closing one that was silent for \d+ s/);
  } finally {
    closeAll(clients);
  }
});

Deno.test("tlsmgr goes on when descriptors run out, and says so", async () => {
  await using bed = await Bed.start();
  const own = await bed.tlsmgr.countDescriptors();
  const limit = own + 20;
  await runChecked("prlimit", ["--pid", String(bed.tlsmgr.pid), `--nofile=${limit}:${limit}`]);
  const clients: AttrClient[] = [];
  try {
    // More than there is room for: the last ones wait until those that are silent have been closed.
    for (let i = 0; i < 60; i++) clients.push(await AttrClient.connect(bed.socket));
    await bed.tlsmgr.waitForLog(/warning: cannot accept connections: Too many open files; trying/);
    const last = clients.at(-1)!;
    await last.readList();
    assertEquals((await last.ask(entryRequest("update", "id", SESSION))).attributes, [
      ["status", "0"],
    ]);
  } finally {
    closeAll(clients);
  }
  await bed.assertServes();
  await bed.descriptorsBackTo(own);
});

Deno.test("tlsmgr serves others while one client sends thousands of requests at once", async () => {
  await using bed = await Bed.start();
  using greedy = await bed.connect();
  const flood = encodeList([["request", "seed"], ["size", "255"]]);
  const many = new Uint8Array(2000 * flood.length);
  for (let i = 0; i < 2000; i++) many.set(flood, i * flood.length);
  let flooding = true;
  let answers = 0;
  const reading = (async () => {
    try {
      for (;;) {
        await greedy.readList();
        answers++;
      }
    } catch (error) {
      if (flooding) throw error;
    }
  })();
  const writing = (async () => {
    while (flooding) await greedy.writeBytes(many);
  })();
  using honest = await bed.connect();
  for (let i = 0; i < 500; i++) {
    const list: Attribute[] = entryRequest("update", `id ${i % 10}`, SESSION);
    assertEquals((await honest.ask(list)).attributes, [["status", "0"]]);
    assertEquals((await honest.ask(POLICY)).attributes, POLICY_REPLY);
  }
  flooding = false;
  await writing;
  await greedy.closeWrite();
  await reading;
  assert(answers > 0);
});

Deno.test("tlsmgr keeps one answer for a client that takes none, however much it asks", async () => {
  await using bed = await Bed.start();
  using storing = await bed.connect();
  await storing.ask(entryRequest("update", "large", btoa("x".repeat(60_000))));
  const before = await bed.tlsmgr.anonymousKb();
  const greedy = await connectMany(bed, 20);
  try {
    const lookup = encodeList(entryRequest("lookup", "large"));
    // 200 answers of 80 kB to each of them would be 320 MB.
    for (let i = 0; i < 200; i++) {
      for (const client of greedy) await client.writeBytes(lookup);
      if (i % 20 === 0) await bed.assertServes();
    }
    const grownKb = await bed.tlsmgr.anonymousKb() - before;
    assert(grownKb < 100_000, `${grownKb} kB more`);
    for (const client of greedy) {
      assertEquals((await client.readList()).attributes[1][1].length, 80_000);
    }
  } finally {
    closeAll(greedy);
  }
  assertEquals(bed.tlsmgr.problems(), []);
});
