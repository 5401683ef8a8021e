/**
 * tlsproxy as a process: its limit of sessions, its signals, its socket.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { posternBinary } from "../../support/postern.ts";
import { runCommand } from "../../support/process.ts";
import { waitUntil } from "../../support/wait.ts";
import { assertTalks, Bed, fullSession } from "./_bed.ts";
import { requestList } from "./_peers.ts";

Deno.test("tlsproxy: beyond max_sessions requests are answered with 0, and logged", async () => {
  await using bed = await Bed.start({ role: { max_sessions: 2 } });
  const open = [await bed.established(), await bed.established()];
  const request = bed.request();
  const local = await bed.client();
  await local.send(requestList(request));
  assertEquals(await local.readList(), ["status", "0"]);
  await local.close();
  await bed.waitForLine(`DISCONNECT ${request.endpoint}`);
  for (const session of open) await assertTalks(session);
  for (const session of open) await session.local.close();
  await waitUntil("both to end", () => bed.lines().join().split("DISCONNECT").length === 4);
  const refused = `warning: 2 sessions are open (max_sessions): refusing ${request.endpoint}`;
  await bed.checkMany({
    [open[0].endpoint]: fullSession(open[0].endpoint),
    [open[1].endpoint]: fullSession(open[1].endpoint),
    [request.endpoint]: [
      `CONNECT from ${request.endpoint}`,
      refused,
      `DISCONNECT ${request.endpoint}`,
    ],
  });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`tlsproxy: ${signal} without sessions exits 0 and removes the socket`, async () => {
    await using bed = await Bed.start();
    bed.tlsproxy.signal(signal);
    assertEquals(await bed.ended(), 0);
    await assertRejects(() => Deno.lstat(bed.socket), Deno.errors.NotFound);
    assertEquals(bed.lines(), []);
  });
}

Deno.test("tlsproxy: SIGTERM over and over, to the last moment, exits 0", async () => {
  for (let run = 0; run < 3; run++) {
    await using bed = await Bed.start();
    const ended = bed.ended();
    while (bed.tlsproxy.alive) {
      bed.tlsproxy.signal("SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(await ended, 0);
  }
});

Deno.test("tlsproxy: SIGTERM lets an open session come to its end", async () => {
  await using bed = await Bed.start({ service: { drain_timeout: 300 } });
  const session = await bed.established();
  bed.tlsproxy.signal("SIGTERM");
  await assertTalks(session);
  assert(bed.tlsproxy.alive);
  await session.local.close();
  assertEquals(await session.remote.readEnd(), { data: "", how: "close_notify" });
  assertEquals(await bed.ended(), 0);
  await assertRejects(() => Deno.lstat(bed.socket), Deno.errors.NotFound);
  assertEquals(bed.lines().at(-1), `DISCONNECT ${session.endpoint}`);
});

Deno.test("tlsproxy: while open sessions come to their end, the socket is free for a successor", async () => {
  await using bed = await Bed.start({ service: { drain_timeout: 300 } });
  const session = await bed.established();
  bed.tlsproxy.signal("SIGTERM");
  // Whoever wants to connect must find out at once, and a successor must be able to take the name.
  await waitUntil("connections to be refused", async () => {
    try {
      const peer = await bed.peers.connect(bed.socket);
      await peer.close();
      return false;
    } catch {
      return true;
    }
  }, { timeLimitMs: 5_000 });
  await assertTalks(session);
  await session.local.close();
  assertEquals(await bed.ended(), 0);
});

Deno.test("tlsproxy: a second SIGTERM ends open sessions", async () => {
  await using bed = await Bed.start({ service: { drain_timeout: 300 } });
  const session = await bed.established();
  bed.tlsproxy.signal("SIGTERM");
  await assertTalks(session);
  bed.tlsproxy.signal("SIGTERM");
  assertEquals(await bed.ended(), 0);
  assertEquals((await session.local.readEnd()).data, "");
  assertEquals(bed.lines().at(-1), `DISCONNECT ${session.endpoint}`);
});

Deno.test("tlsproxy: a session that outlasts drain_timeout is ended", async () => {
  await using bed = await Bed.start({ service: { drain_timeout: 1 } });
  const session = await bed.established();
  bed.tlsproxy.signal("SIGTERM");
  assertEquals((await session.local.readEnd()).data, "");
  assertEquals(await bed.ended(), 0);
});

Deno.test("tlsproxy: a socket that SIGKILL has left behind is taken over", async () => {
  await using bed = await Bed.start();
  const session = await bed.established();
  bed.tlsproxy.signal("SIGKILL");
  await bed.ended();
  assert((await Deno.lstat(bed.socket)).isSocket);
  assertEquals((await session.local.readEnd()).data, "");
  await bed.startTlsproxy();
  await bed.warmUp();
  await bed.check([]);
});

Deno.test("tlsproxy: a socket that is served is not taken over", async () => {
  await using bed = await Bed.start();
  const args = ["--role", "tlsproxy", "--config", bed.folder.file("tlsproxy.toml")];
  const second = await runCommand(posternBinary(), args);
  assertEquals(second.code, 78, second.stderr);
  const { stderr } = second;
  assert(
    stderr.includes(`Cannot listen on "${bed.socket}": another process already serves it`),
    stderr,
  );
  // It has looked by connecting, which is a client that closes without a request.
  await bed.check([/^warning: tlsp_get_request_event: receive request attributes: /]);
});
