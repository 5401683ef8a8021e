/**
 * tlsproxy, server role: the step at which the remote peer's connection is handed over.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Bed, failedSession } from "./_bed.ts";
import type { Peer } from "./_peers.ts";

const WRONG = "warning: tlsp_get_fd_event: receive remote SMTP peer file descriptor: ";
const NOT_A_SOCKET = "it is not a connected stream socket";

/** What is passed, and the complaint. */
const CASES: readonly (readonly [string, (bed: Bed) => Promise<Peer[]>, string])[] = [
  ["a byte without a descriptor", () => Promise.resolve([]), "0 descriptors came instead of one"],
  ["two descriptors", (bed) => sockets(bed, 2), "2 descriptors came instead of one"],
  ["four descriptors", (bed) => sockets(bed, 4), "4 descriptors came instead of one"],
  ["a file", async (bed) => [await bed.peers.thing("file")], NOT_A_SOCKET],
  ["a pipe", async (bed) => [await bed.peers.thing("pipe")], NOT_A_SOCKET],
  ["a datagram socket", async (bed) => [await bed.peers.thing("datagram")], NOT_A_SOCKET],
  ["a listening socket", async (bed) => [(await bed.peers.listen()).listener], NOT_A_SOCKET],
];

for (const [what, make, fault] of CASES) {
  Deno.test(`tlsproxy: ${what} in place of one descriptor closes the session`, async () => {
    await using bed = await Bed.start();
    const { endpoint, local } = await bed.accepted();
    const descriptors = await make(bed);
    await local.pass(descriptors);
    for (const descriptor of descriptors) await descriptor.close();
    assertEquals(await local.readEnd(), { data: "", how: "closed" });
    await bed.check([`CONNECT from ${endpoint}`, WRONG + fault, `DISCONNECT ${endpoint}`]);
  });
}

Deno.test("tlsproxy: more descriptors than there is room for are all closed", async () => {
  await using bed = await Bed.start();
  const { endpoint, local } = await bed.accepted();
  const descriptors = await sockets(bed, 20);
  await local.pass(descriptors);
  for (const descriptor of descriptors) await descriptor.close();
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check([
    `CONNECT from ${endpoint}`,
    /^warning: tlsp_get_fd_event: .* \d+ descriptors came instead of one$/,
    `DISCONNECT ${endpoint}`,
  ]);
});

Deno.test("tlsproxy: a socket that was never connected ends the session at once", async () => {
  await using bed = await Bed.start();
  const { endpoint, local } = await bed.accepted();
  const descriptor = await bed.peers.thing("unconnected");
  await local.pass([descriptor]);
  await descriptor.close();
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check(failedSession(endpoint));
});

for (const way of ["close", "halfClose"] as const) {
  Deno.test(`tlsproxy: a client's ${way} in place of the descriptor closes the session`, async () => {
    await using bed = await Bed.start();
    const { endpoint, local } = await bed.accepted();
    await local[way]();
    await bed.check([
      `CONNECT from ${endpoint}`,
      `${WRONG}the connection was closed`,
      `DISCONNECT ${endpoint}`,
    ]);
  });
}

Deno.test("tlsproxy: descriptors that come with the request are not left open", async () => {
  await using bed = await Bed.start();
  const request = bed.request();
  const local = await bed.client();
  const { passed, remote } = await bed.peers.pair();
  await local.pass([passed], `remote_endpoint\0${request.endpoint}\0garbage\0\0\0`);
  await passed.close();
  assertEquals((await local.readEnd()).data, "");
  // With the last descriptor closed, the remote peer sees the end of its connection.
  assertEquals((await remote.readEnd()).data, "");
  await bed.check([
    "warning: unexpected attribute garbage from plaintext (expecting: flags)",
    /^warning: tlsp_get_request_event: receive request attributes: /,
  ]);
});

async function sockets(bed: Bed, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let i = 0; i < count; i++) peers.push((await bed.peers.pair()).passed);
  return peers;
}
