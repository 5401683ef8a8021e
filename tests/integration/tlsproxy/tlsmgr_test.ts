/**
 * tlsproxy, server role: a tlsmgr that is missing, slow, wrong or goes away.
 *
 * What tlsmgr does is never a session's fault: handshakes become full ones, and nobody waits for long.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { waitUntil } from "../../support/wait.ts";
import { assertTalks, Bed, fullSession } from "./_bed.ts";
import { requestList, type TlsOffer } from "./_peers.ts";

const TROUBLE = "warning: problem talking to server private/tlsmgr: ";
/** Resumes from tlsmgr's cache, so that each offer of a session is a question to tlsmgr. */
const WITH_ID: Omit<TlsOffer, "ca"> = { version: "TLSv1_2", tickets: false };

Deno.test("tlsproxy without tlsmgr: status 0, and it recovers when tlsmgr comes up", async () => {
  await using bed = await Bed.start({ tlsmgr: false });
  const request = bed.request();
  const local = await bed.client();
  await local.send(requestList(request));
  assertEquals(await local.readList(), ["status", "0"]);
  await local.close();
  await bed.waitForLine(`DISCONNECT ${request.endpoint}`);
  assertEquals(bed.lines(), [
    `CONNECT from ${request.endpoint}`,
    ...bed.lines().slice(1, -1),
    `DISCONNECT ${request.endpoint}`,
  ]);
  const text = bed.tlsproxy.log;
  assert(
    text.includes(`${TROUBLE}connect to ${bed.tlsmgrSocket}: No such file or directory`),
    text,
  );
  assert(text.includes("warning: no entropy for TLS key generation: disabling TLS support"), text);

  bed.startTlsmgr();
  await waitUntil("the server role to be available", async () => {
    const client = await bed.client();
    await client.send(requestList(bed.request({ flags: 9 })));
    const [, status] = await client.readList();
    await client.close();
    return status === "1";
  });
  await bed.warmUp();
  await bed.check([]);
});

Deno.test("tlsproxy: a session that waits for a slow tlsmgr delays no other, and goes on without it", async () => {
  await using bed = await Bed.start();
  const first = await bed.established({}, WITH_ID);
  await waitUntil("the session to be stored", () => bed.tlsmgr!.requests.includes("update"));
  await first.local.close();
  await bed.waitForLine(`DISCONNECT ${first.endpoint}`);

  bed.tlsmgr!.behave = (name) => name === "lookup" ? "hold" : "answer";
  const waiting = await bed.passed();
  let shaken = false;
  const handshake = waiting.remote.tls({ ca: bed.ca, ...WITH_ID, sessionOf: first.remote })
    .finally(() => shaken = true);
  await waitUntil("the question to tlsmgr", () => bed.tlsmgr!.held === 1);
  // A session that needs nothing of tlsmgr runs from beginning to end meanwhile.
  const other = await bed.established();
  await assertTalks(other);
  await other.local.close();
  await bed.waitForLine(`DISCONNECT ${other.endpoint}`);
  assertEquals(shaken, false, "The session did not wait for tlsmgr");

  // tlsmgr does not answer at all, and the handshake comes to its end: a full one.
  assertEquals((await handshake).resumed, false);
  assertEquals(bed.tlsmgr!.held, 1);
  await assertTalks(waiting);
  await waiting.local.close();
  await bed.waitForLine(`DISCONNECT ${waiting.endpoint}`);
  const seen = bed.lines();

  // The late answer belongs to a question that was given up: the next one gets its own.
  bed.tlsmgr!.release();
  bed.tlsmgr!.behave = () => "answer";
  const resumed = await bed.established({}, { ...WITH_ID, sessionOf: first.remote });
  assertEquals(resumed.handshake.resumed, true);
  await resumed.local.close();
  const late = `${TROUBLE}no reply to a "lookup" request in time`;
  await bed.checkMany({
    "": [],
    [first.endpoint]: fullSession(first.endpoint),
    [other.endpoint]: fullSession(other.endpoint),
    // Between the session's lines, because the session waited for it.
    [waiting.endpoint]: fullSession(waiting.endpoint).toSpliced(1, 0, late),
    [resumed.endpoint]: fullSession(resumed.endpoint),
  });
  assertEquals(seen.filter((line) => line.startsWith("warning: ")), [late]);
});

Deno.test("tlsproxy: a remote peer that goes while tlsmgr is asked is let go at once", async () => {
  await using bed = await Bed.start();
  const first = await bed.established({}, WITH_ID);
  await waitUntil("the session to be stored", () => bed.tlsmgr!.requests.includes("update"));
  await first.local.close();
  bed.tlsmgr!.behave = (name) => name === "lookup" ? "hold" : "answer";
  const { endpoint, local, remote } = await bed.passed();
  await remote.tlsBegin({ ca: bed.ca, ...WITH_ID, sessionOf: first.remote });
  await remote.send(await remote.tlsHello());
  await waitUntil("the question to tlsmgr", () => bed.tlsmgr!.held === 1);
  await remote.close({ reset: true });
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  assertEquals(bed.tlsmgr!.held, 1, "The session lasted until tlsmgr had answered");
  bed.tlsmgr!.release();
  bed.tlsmgr!.behave = () => "answer";
  await bed.check([
    ...fullSession(first.endpoint),
    `CONNECT from ${endpoint}`,
    `TLS handshake failed for service=smtpd peer=${endpoint}`,
    `DISCONNECT ${endpoint}`,
  ]);
});

Deno.test("tlsproxy: tlsmgr dies, full handshakes go on; it comes back, sessions are resumed", async () => {
  await using bed = await Bed.start();
  const open = await bed.established();
  const first = await bed.established({}, WITH_ID);
  await waitUntil("the session to be stored", () => bed.tlsmgr!.requests.includes("update"));
  const stored = new Map(bed.tlsmgr!.sessions);
  assert(stored.size > 0);
  await bed.tlsmgr!.stop();

  const second = await bed.established({}, { ...WITH_ID, sessionOf: first.remote });
  assertEquals(second.handshake.resumed, false);
  await assertTalks(second);
  await assertTalks(open);
  for (const { local } of [open, first, second]) await local.close();
  await waitUntil("all to be closed", () => bed.lines().join().split("DISCONNECT").length === 4);

  const tlsmgr = bed.startTlsmgr();
  for (const [key, session] of stored) tlsmgr.sessions.set(key, session);
  const resumed = await waitUntil("a session to be resumed", async () => {
    const again = await bed.established({}, { ...WITH_ID, sessionOf: first.remote });
    await again.local.close();
    return again.handshake.resumed;
  });
  assertEquals(resumed, true);
  const troubles = bed.lines().filter((line) => line.startsWith("warning: "));
  assert(
    troubles.length >= 1 && troubles.every((line) => line.startsWith(TROUBLE)),
    troubles.join(),
  );
  await bed.warmUp();
  await bed.check([]);
});

for (
  const [what, garbage] of [
    ["a reply of another kind", "protocol\0tlsmgr_protocol\0\0"],
    ["bytes without a list in them", "\xff".repeat(100) + "\0\0\0\0"],
    ["a session that is none", "status\x000\0session\0bm90IGEgc2Vzc2lvbg==\0\0"],
    ["a session that is not base64", "status\x000\0session\0!!!!\0\0"],
    ["a reply nobody asked for behind the good one", "status\x001\0session\0\0\0status\x000\0\0"],
  ] as const
) {
  Deno.test(`tlsproxy: ${what} from tlsmgr makes a full handshake`, async () => {
    await using bed = await Bed.start();
    const first = await bed.established({}, WITH_ID);
    await waitUntil("the session to be stored", () => bed.tlsmgr!.requests.includes("update"));
    await first.local.close();
    await bed.waitForLine(`DISCONNECT ${first.endpoint}`);
    const bytes = Uint8Array.from(garbage, (character) => character.charCodeAt(0));
    bed.tlsmgr!.behave = (name) => name === "lookup" ? bytes : "answer";
    const second = await bed.established({}, { ...WITH_ID, sessionOf: first.remote });
    assertEquals(second.handshake.resumed, false);
    await assertTalks(second);
    await second.local.close();
    await bed.waitForLine(`DISCONNECT ${second.endpoint}`);
    const problems = bed.lines().filter((line) => line.startsWith("warning: "));
    assert(problems.every((line) => line.startsWith(TROUBLE)), problems.join("\n"));
    assert(problems.length <= 1, problems.join("\n"));
    // The connection on which it came is given up; another one is as good as ever.
    bed.tlsmgr!.behave = () => "answer";
    await waitUntil("a session to be resumed", async () => {
      const again = await bed.established({}, { ...WITH_ID, sessionOf: first.remote });
      await again.local.close();
      return again.handshake.resumed;
    });
    await bed.warmUp();
    await bed.check([]);
  });
}

Deno.test("tlsproxy: a ticket key of the wrong size means no tickets, and no failed handshake", async () => {
  await using bed = await Bed.start({ tlsmgr: false });
  const tlsmgr = bed.startTlsmgr({ cachable: false });
  const short = new TextEncoder().encode("status\x000\0keybuf\0c2hvcnQ=\0\0");
  tlsmgr.behave = (name) => name === "tktkey" ? short : "answer";
  await waitUntil("the server role to be available", async () => {
    const client = await bed.client();
    await client.send(requestList(bed.request({ flags: 9 })));
    const [, status] = await client.readList();
    await client.close();
    return status === "1";
  });
  await bed.warmUp();
  for (const version of ["TLSv1_2", "TLSv1_3"] as const) {
    const first = await bed.established({}, { version });
    await assertTalks(first);
    await first.local.close();
    await bed.check(fullSession(first.endpoint));
  }
  assert(tlsmgr.requests.includes("tktkey"));
});

Deno.test("tlsproxy: something that is not a tlsmgr behind the socket is not believed", async () => {
  await using bed = await Bed.start({ tlsmgr: false });
  const tlsmgr = bed.startTlsmgr();
  tlsmgr.announcement = new TextEncoder().encode("protocol\0anvil_protocol\0\0");
  const request = bed.request();
  const local = await bed.client();
  await local.send(requestList(request));
  assertEquals(await local.readList(), ["status", "0"]);
  await local.close();
  await bed.waitForLine(`DISCONNECT ${request.endpoint}`);
  assertEquals(tlsmgr.requests, []);
});
