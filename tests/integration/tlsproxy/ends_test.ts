/**
 * tlsproxy, server role: how sessions end (tlsproxy.c tlsp_strategy()), and what is still delivered.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { waitUntil } from "../../support/wait.ts";
import { assertTalks, Bed, complaint, fullSession } from "./_bed.ts";
import type { Peer } from "./_peers.ts";

const GOODBYE = "221 2.0.0 Bye\r\n";
const QUIT = "QUIT\r\n";

for (const way of ["close", "halfClose"] as const) {
  Deno.test(`tlsproxy: ${way} of the local client becomes close_notify behind its last bytes`, async () => {
    await using bed = await Bed.start();
    const { endpoint, local, remote } = await bed.established();
    await local.send(GOODBYE);
    await local[way]();
    assertEquals(await remote.readEnd(), { data: GOODBYE, how: "close_notify" });
    // A half-close is a full one: the other direction is over too.
    if (way === "halfClose") assertEquals(await local.readEnd(), { data: "", how: "closed" });
    await bed.check(fullSession(endpoint));
  });

  for (const bufferBytes of [16_384, 65_536, 262_144]) {
    Deno.test(`tlsproxy: ${way} of the local client behind ${bufferBytes} stuck bytes loses none`, async () => {
      await using bed = await Bed.start();
      const { endpoint, local, remote } = await bed.passed({}, { bufferBytes });
      await remote.tls({ ca: bed.ca });
      const sent = await local.fill(1);
      await local[way]();
      // The remote peer begins to read when the local client has long gone.
      assertEquals(await remote.sinkEnd(), { ...sent, how: "close_notify" });
      await bed.check(fullSession(endpoint));
    });
  }
}

Deno.test("tlsproxy: a local client that goes without reading ends the session", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.established();
  await remote.tlsWrite(QUIT);
  await remote.tlsWrite(QUIT);
  // Bytes that were delivered and not read: the kernel reports a reset instead of an end.
  await local.read(1);
  await local.close();
  assertEquals(await remote.readEnd(), { data: "", how: "close_notify" });
  await bed.check(fullSession(endpoint));
});

Deno.test("tlsproxy: close_notify of the remote peer ends the session behind its last bytes", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.established();
  await remote.tlsWrite(QUIT);
  await remote.tlsCloseNotify();
  assertEquals(await local.readEnd(), { data: QUIT, how: "closed" });
  // No close_notify is sent back.
  assertEquals(await remote.readEnd(), { data: "", how: "closed" });
  await bed.check(fullSession(endpoint));
});

for (const way of ["close", "halfClose"] as const) {
  Deno.test(`tlsproxy: ${way} of the remote peer without close_notify is an end like any other`, async () => {
    await using bed = await Bed.start();
    // TLS 1.2: no ticket comes that would be left unread and turn the close into a reset.
    const { endpoint, local, remote } = await bed.established({}, { version: "TLSv1_2" });
    await remote.tlsWrite(QUIT);
    await remote[way]();
    assertEquals(await local.readEnd(), { data: QUIT, how: "closed" });
    await bed.check(fullSession(endpoint));
  });
}

Deno.test("tlsproxy: close_notify and all before it reach a local client that reads late", async () => {
  await using bed = await Bed.start();
  // TLS 1.2: an unread ticket would turn the close into a reset.
  const { endpoint, local, remote } = await bed.established({}, { version: "TLSv1_2" });
  const count = 3_000_000;
  const sent = remote.pump(count, 2).then(async (hash) => {
    await remote.tlsCloseNotify();
    await remote.close();
    return hash;
  });
  // What the local client has not read by then is in socket buffers on the way.
  await stuckOrDone(remote, count);
  const received = await local.sinkEnd();
  assertEquals(received, { count, hash: await sent, how: "closed" });
  await bed.check(fullSession(endpoint));
});

/** Waits until the pump makes no more progress, for want of room or of work. */
async function stuckOrDone(peer: Peer, count: number): Promise<void> {
  let last = -1;
  let unchanged = 0;
  await waitUntil("the pump to stop", async () => {
    const pumped = await peer.pumped();
    unchanged = pumped === last ? unchanged + 1 : 0;
    last = pumped;
    return unchanged >= 20 || pumped === count;
  });
}

Deno.test("tlsproxy: a reset by the remote peer ends the session", async () => {
  await using bed = await Bed.start();
  const session = await bed.established();
  await assertTalks(session);
  await session.remote.close({ reset: true });
  assertEquals(await session.local.readEnd(), { data: "", how: "closed" });
  const [connect, handshake, disconnect] = fullSession(session.endpoint);
  const reset = /^lost connection with .*: Connection reset by peer$/;
  await bed.check([connect, handshake, reset, disconnect]);
});

Deno.test("tlsproxy: garbage in the data phase ends the session behind what was good", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.established({}, { version: "TLSv1_3" });
  await remote.tlsWrite(QUIT);
  await remote.send("\x17\x03\x03\x00\x40" + "g".repeat(64));
  assertEquals(await local.readEnd(), { data: QUIT, how: "closed" });
  const [connect, handshake, disconnect] = fullSession(endpoint);
  const complaints = [complaint("decryption failed or bad record mac")];
  await bed.check([connect, handshake, ...complaints, disconnect]);
});

Deno.test("tlsproxy: an idle session ends at list A's session limit and ten seconds", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.established({ sessionLimitS: 1 });
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  const [connect, handshake, disconnect] = fullSession(endpoint);
  const timeout = `warning: ciphertext read/write timeout for ${endpoint}`;
  await bed.check([connect, handshake, timeout, disconnect]);
  assert((await remote.readEnd()).how !== "reset");
});
