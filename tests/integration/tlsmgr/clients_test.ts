/**
 * Many clients, slow ones, and ones that leave: what one of them does is nothing to the others.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { AttrClient, encodeList } from "../../support/attr_client.ts";
import { Bed, entryRequest } from "./_bed.ts";

const SESSION = btoa("s".repeat(1500));

Deno.test("tlsmgr serves 300 clients at once, each with what it asked for", async () => {
  await using bed = await Bed.start();
  const descriptors = await bed.tlsmgr.countDescriptors();
  const clients = await Promise.all(Array.from({ length: 300 }, () => bed.connect()));
  try {
    await Promise.all(clients.map(async (client, index) => {
      const session = btoa(`session of client ${index}`);
      for (let round = 0; round < 3; round++) {
        const id = `client ${index} round ${round}`;
        const stored = await client.ask(entryRequest("update", id, session));
        assertEquals(stored.attributes, [["status", "0"]]);
        const found = await client.ask(entryRequest("lookup", id));
        assertEquals(found.attributes, [["status", "0"], ["session", session]]);
      }
    }));
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
  await bed.descriptorsBackTo(descriptors);
  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test("tlsmgr does not wait for clients with half a list", async () => {
  await using bed = await Bed.start();
  const request = encodeList(entryRequest("update", "half", SESSION));
  const slow: AttrClient[] = [];
  try {
    for (let cut = 1; cut < request.length; cut += 41) {
      const client = await bed.connect();
      slow.push(client);
      await client.writeBytes(request.subarray(0, cut));
      await bed.assertServes();
    }
    for (const [index, client] of slow.entries()) {
      await client.writeBytes(request.subarray(1 + 41 * index));
      assertEquals((await client.readList()).attributes, [["status", "0"]]);
    }
  } finally {
    for (const client of slow) client[Symbol.dispose]();
  }
  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test("tlsmgr does not wait for a client that takes no answers", async () => {
  await using bed = await Bed.start();
  using storing = await bed.connect();
  await storing.ask(entryRequest("update", "large", btoa("x".repeat(60_000))));
  using greedy = await bed.connect();
  const lookup = encodeList(entryRequest("lookup", "large"));
  // 1.6 MB of answers, more than the socket holds: the service stops reading from this client.
  for (let i = 0; i < 20; i++) {
    await greedy.writeBytes(lookup);
    await bed.assertServes();
  }
  const first = await greedy.readList();
  assertEquals(first.attributes[1][1].length, 80_000);
});

Deno.test("tlsmgr forgets clients that leave at any byte of a request", async () => {
  await using bed = await Bed.start();
  const descriptors = await bed.tlsmgr.countDescriptors();
  const request = encodeList(entryRequest("update", "id", btoa("abc")));
  let cuts = 0;
  for (let cut = 0; cut <= request.length; cut++) {
    const client = await bed.connect();
    await client.writeBytes(request.subarray(0, cut));
    client[Symbol.dispose]();
    if (cut > 0 && cut < request.length) cuts++;
  }
  // Before the announcement is read, too.
  (await AttrClient.connect(bed.socket))[Symbol.dispose]();
  await bed.descriptorsBackTo(descriptors);
  await bed.assertServes();
  // Its end tells of lines that repeat the one before them.
  assertEquals(await bed.tlsmgr.stop(), 0);
  let endings = 0;
  for (const line of bed.tlsmgr.problems()) {
    assertMatch(line, /premature end-of-input on tlsmgr socket|last message repeated/);
    endings += Number(/repeated (\d+) times/.exec(line)?.[1] ?? 1);
  }
  assertEquals(endings, cuts);
});
