/**
 * tlsproxy, server role: remote peers that do not shake hands as they should.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Bed, complaint, failedSession, fullSession, type Line, type Session } from "./_bed.ts";

Deno.test("tlsproxy: garbage instead of a ClientHello ends the session without a word to the client", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed();
  await remote.send("EHLO client.example.test\r\n");
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check(failedSession(endpoint, complaint("wrong version number")));
});

Deno.test("tlsproxy: a remote peer that closes at once ends the session", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed();
  await remote.close();
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check(failedSession(endpoint));
});

Deno.test("tlsproxy: a remote peer that resets at once ends the session", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed();
  await remote.close({ reset: true });
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  const reset = /^lost connection with .*: Connection reset by peer$/;
  await bed.check(failedSession(endpoint, reset));
});

Deno.test("tlsproxy: a remote peer that had gone before it was handed over ends the session", async () => {
  await using bed = await Bed.start();
  const { endpoint, local } = await bed.accepted();
  const { passed, remote } = await bed.peers.pair();
  await remote.close();
  await local.pass([passed]);
  await passed.close();
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check(failedSession(endpoint));
});

for (const version of ["TLSv1_2", "TLSv1_3"] as const) {
  Deno.test(`tlsproxy: a remote peer that closes in mid-handshake ends the session (${version})`, async () => {
    await using bed = await Bed.start();
    const { endpoint, local, remote } = await bed.passed();
    await remote.tlsBegin({ ca: bed.ca, version });
    await remote.send(await remote.tlsHello());
    assert(await remote.tlsReadWire() > 0);
    await remote.close();
    assertEquals(await local.readEnd(), { data: "", how: "closed" });
    const [connect, ...rest] = failedSession(endpoint);
    // What of the server's flight was not read turns the close into a reset, or not.
    await bed.waitForLine(rest[1]);
    const seen = bed.lines().filter((line) => line.includes("Connection reset by peer"));
    assert(seen.length <= 1);
    await bed.check([connect, ...seen, ...rest]);
  });
}

Deno.test("tlsproxy: a remote peer that closes in its ClientHello ends the session", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed();
  await remote.tlsBegin({ ca: bed.ca });
  await remote.send((await remote.tlsHello()).slice(0, 100));
  await remote.halfClose();
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check(failedSession(endpoint));
});

Deno.test("tlsproxy: a ClientHello that comes byte by byte is a ClientHello", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed();
  await remote.tlsBegin({ ca: bed.ca });
  await remote.send(await remote.tlsHello(), 1);
  await remote.tlsHandshake();
  await local.close();
  assertEquals(await remote.readEnd(), { data: "", how: "close_notify" });
  await bed.check(fullSession(endpoint));
});

Deno.test("tlsproxy: a silent remote peer is let go at list A's handshake limit", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed({ handshakeLimitS: 1 });
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  assertEquals(await remote.readEnd(), { data: "", how: "closed" });
  const timeout = `warning: ciphertext read/write timeout for ${endpoint}`;
  await bed.check(failedSession(endpoint, timeout));
});

Deno.test("tlsproxy: a remote peer that dribbles is let go at list A's handshake limit", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed({ handshakeLimitS: 1 });
  await remote.tlsBegin({ ca: bed.ca });
  const hello = await remote.tlsHello();
  let over = false;
  const ended = local.readEnd().finally(() => over = true);
  for (let at = 0; at < hello.length - 1 && !over; at++) {
    try {
      await remote.send(hello[at]);
    } catch (error) {
      if (!/BrokenPipe|ConnectionReset/.test(String(error))) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(await ended, { data: "", how: "closed" });
  const timeout = `warning: ciphertext read/write timeout for ${endpoint}`;
  await bed.check(failedSession(endpoint, timeout));
});

Deno.test("tlsproxy: a client that goes during the handshake is noticed after it", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed();
  await remote.tlsBegin({ ca: bed.ca });
  await local.send("220 early\r\n");
  await local.close();
  await remote.tlsHandshake();
  assertEquals(await remote.readEnd(), { data: "220 early\r\n", how: "close_notify" });
  await bed.check(fullSession(endpoint));
});

Deno.test("tlsproxy: a peer that knows no common protocol or cipher ends the session", async () => {
  await using bed = await Bed.start({ parameters: { smtpd_tls_protocols: ">=TLSv1.3" } });
  const { endpoint, local, remote } = await bed.passed();
  await remote.tlsBegin({ ca: bed.ca, version: "TLSv1_2" });
  await remote.send(await remote.tlsHello());
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check(failedSession(endpoint, complaint("unsupported protocol")));
});

/** Ways to break off a session, and the reason that OpenSSL gives, if any. */
const FAULTS: readonly {
  at: string;
  reason: string | undefined;
  break: (bed: Bed, session: Session) => Promise<void>;
}[] = [
  {
    at: "instead of the ClientHello",
    reason: "wrong version number",
    break: (_bed, { remote }) => remote.send("EHLO client.example.test\r\n"),
  },
  {
    at: "inside the ClientHello",
    reason: "",
    break: async (bed, { remote }) => {
      await remote.tlsBegin({ ca: bed.ca });
      const hello = await remote.tlsHello();
      await remote.send(hello.slice(0, 60) + "\xff".repeat(hello.length - 60));
    },
  },
  {
    at: "after the server's TLS 1.3 flight",
    reason: "decryption failed or bad record mac",
    break: async (bed, { remote }) => {
      await remote.tlsBegin({ ca: bed.ca, version: "TLSv1_3" });
      await remote.send(await remote.tlsHello());
      await remote.tlsReadWire();
      await remote.send("\x17\x03\x03\x00\x40" + "g".repeat(64));
    },
  },
  {
    at: "instead of the TLS 1.2 key exchange",
    reason: "",
    break: async (bed, { remote }) => {
      await remote.tlsBegin({ ca: bed.ca, version: "TLSv1_2" });
      await remote.send(await remote.tlsHello());
      await remote.tlsReadWire();
      await remote.send("\x16\x03\x03\x00\x08\x10\x00\x00\x04garb");
    },
  },
  {
    at: "in place of the rest of the handshake, as an alert",
    reason: "alert handshake failure",
    break: async (bed, { remote }) => {
      await remote.tlsBegin({ ca: bed.ca, version: "TLSv1_2" });
      await remote.send(await remote.tlsHello());
      await remote.tlsReadWire();
      await remote.send("\x15\x03\x03\x00\x02\x02\x28");
    },
  },
];

Deno.test("tlsproxy: garbage at any point of other handshakes does not touch an open session", async () => {
  const bytes = 100 * 1024 * 1024;
  await using bed = await Bed.start();
  const good = await bed.established();
  const down = good.local.pump(bytes, 5);
  const up = good.remote.pump(bytes, 6);
  const atLocal = good.local.sink(bytes);
  const expected: Record<string, Line[]> = {};
  for (let round = 0; round < 3; round++) {
    for (const fault of FAULTS) {
      const session = await bed.passed();
      await fault.break(bed, session);
      assertEquals((await session.local.readEnd()).data, "", fault.at);
      const complaints = fault.reason === undefined ? [] : [complaint(fault.reason)];
      expected[session.endpoint] = failedSession(session.endpoint, ...complaints);
    }
  }
  assertEquals(await good.remote.sink(bytes), await down);
  assertEquals(await atLocal, await up);
  await good.local.close();
  expected[good.endpoint] = fullSession(good.endpoint);
  await bed.checkMany(expected);
});

Deno.test("tlsproxy: sessions that fail side by side are blamed for their own faults only", async () => {
  await using bed = await Bed.start();
  const sessions = await Promise.all(
    [...FAULTS, ...FAULTS].map(async (fault) => ({ fault, session: await bed.passed() })),
  );
  await Promise.all(sessions.map(({ fault, session }) => fault.break(bed, session)));
  const expected: Record<string, Line[]> = {};
  for (const { fault, session } of sessions) {
    await session.local.readEnd();
    const complaints = fault.reason === undefined ? [] : [complaint(fault.reason)];
    expected[session.endpoint] = failedSession(session.endpoint, ...complaints);
  }
  await bed.checkMany(expected);
});
