/**
 * tlsproxy: what the log tells of each session, as text and as objects. Every connection has one story,
 * and every story one end.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { LoggedObject } from "../../support/log_schema.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { writeClientCertificates } from "../../support/client_certificates.ts";
import { waitUntil } from "../../support/wait.ts";
import { Bed, type BedOptions, FLAGS } from "./_bed.ts";
import { type Request, requestList } from "./_peers.ts";

const JSON_LOG = { log: { format: "json" } } as const;
const TLS12 = { version: "TLSv1_2" } as const;

function eventsOf(bed: Bed, event: "handshake" | "session"): LoggedObject[] {
  return bed.objects().filter((object) => object.event === event);
}

/** Waits until `count` sessions have ended: their events. */
function ended(bed: Bed, count: number): Promise<LoggedObject[]> {
  return waitUntil(`${count} ends of sessions`, () => {
    const events = eventsOf(bed, "session");
    return events.length >= count ? events : undefined;
  }, { explain: () => bed.tlsproxy.log });
}

/** What ends a session, and how that is told: stage, outcome, reason. */
const ENDS: Readonly<Record<string, { end: (bed: Bed) => Promise<unknown>; told: string }>> = {
  "a probe": {
    async end(bed) {
      const { local } = await bed.accepted({ flags: FLAGS.server | FLAGS.probe });
      await local.close();
    },
    told: "hand-off, probed: closed by client",
  },
  "no request": {
    async end(bed) {
      await (await bed.client()).close();
    },
    told: "hand-off, abandoned: closed by client",
  },
  "half a request": {
    async end(bed) {
      const local = await bed.client();
      await local.send("remote_end");
      await local.close();
    },
    told: "hand-off, abandoned: closed by client",
  },
  "something else than a request": {
    async end(bed) {
      const local = await bed.client();
      await local.send("request\0policy\0\0");
      assertEquals((await local.readEnd()).how, "closed");
    },
    told: "hand-off, abandoned: bad request",
  },
  "a request for the client role": {
    end: (bed) => refused(bed, { flags: FLAGS.client }),
    told: "hand-off, refused: client role",
  },
  "a request for no role": {
    end: (bed) => refused(bed, { flags: 0 }),
    told: "hand-off, refused: bad request",
  },
  "no descriptor": {
    async end(bed) {
      const { local } = await bed.accepted();
      await local.close();
    },
    told: "hand-off, abandoned: closed by client",
  },
  "a descriptor of no use": {
    async end(bed) {
      const { local } = await bed.accepted();
      const pipe = await bed.peers.thing("pipe");
      await local.pass([pipe]);
      assertEquals((await local.readEnd()).how, "closed");
    },
    told: "hand-off, abandoned: bad request",
  },
  "a peer that goes at once": {
    async end(bed) {
      const { local, remote } = await bed.passed();
      await remote.close();
      await local.readEnd();
    },
    told: "handshake, failed: closed by peer",
  },
  "a peer that does not speak TLS": {
    async end(bed) {
      const { local, remote } = await bed.passed();
      await remote.send("EHLO client.example.test\r\n");
      await local.readEnd();
    },
    told: "handshake, failed: not TLS",
  },
  "a peer that says nothing": {
    async end(bed) {
      const { local } = await bed.passed({ handshakeLimitS: 1 });
      await local.readEnd();
    },
    told: "handshake, failed: timeout",
  },
  "a peer without a cipher in common": {
    async end(bed) {
      const { local, remote } = await bed.passed();
      await remote.send(HELLO_WITHOUT_CIPHER);
      await local.readEnd();
    },
    told: "handshake, failed: no shared cipher",
  },
  "a peer that sends an alert": {
    async end(bed) {
      const { local, remote } = await bed.passed();
      await remote.tlsBegin({ ca: bed.ca, ...TLS12 });
      await remote.send(await remote.tlsHello());
      assert(await remote.tlsReadWire() > 0);
      await remote.send(ALERT_UNKNOWN_CA);
      await local.readEnd();
    },
    told: "handshake, failed: alert from peer",
  },
  "the local client": {
    async end(bed) {
      const { local, remote } = await bed.established();
      await local.close();
      await remote.readEnd();
    },
    told: "relay, completed: closed by client",
  },
  "the peer": {
    async end(bed) {
      const { local, remote } = await bed.established();
      await remote.tlsCloseNotify();
      await local.readEnd();
    },
    told: "relay, completed: closed by peer",
  },
  "the peer without close_notify": {
    async end(bed) {
      const { local, remote } = await bed.established({}, TLS12);
      await remote.close();
      await local.readEnd();
    },
    told: "relay, completed: closed by peer",
  },
  "a reset": {
    async end(bed) {
      const { local, remote } = await bed.established();
      await remote.close({ reset: true });
      await local.readEnd();
    },
    told: "relay, broken: connection lost",
  },
  "garbage behind the handshake": {
    async end(bed) {
      const { local, remote } = await bed.established({}, { version: "TLSv1_3" });
      await remote.send("\x17\x03\x03\x00\x40" + "g".repeat(64));
      await local.readEnd();
    },
    told: "relay, broken: protocol error",
  },
};

/** A fatal alert. */
const ALERT_UNKNOWN_CA = Uint8Array.of(21, 3, 3, 0, 2, 2, 48);

/** A TLS 1.2 hello that offers TLS_RSA_WITH_NULL_SHA256 only. */
const HELLO_WITHOUT_CIPHER = (() => {
  const body = [3, 3, ...Array(32).fill(7), 0, 0, 2, 0, 0x3b, 1, 0];
  const message = [1, 0, 0, body.length, ...body];
  return Uint8Array.of(22, 3, 1, 0, message.length, ...message);
})();

async function refused(bed: Bed, over: Partial<Request>): Promise<void> {
  const local = await bed.client();
  await local.send(requestList(bed.request(over)));
  assertEquals(await local.readList(), ["status", "0"]);
  await local.close();
}

const told = ({ stage, outcome, reason }: LoggedObject) => `${stage}, ${outcome}: ${reason}`;

Deno.test("tlsproxy, JSON log: each end of a session is told once, with its reason", async () => {
  await using bed = await Bed.start({ parameters: JSON_LOG });
  let count = 0;
  for (const [name, { end, told: wanted }] of Object.entries(ENDS)) {
    await end(bed).catch((error) => {
      throw new Error(`${name}: ${error}\n${bed.tlsproxy.log}`);
    });
    const events = await ended(bed, ++count);
    assertEquals(events.length, count, `${name}: more than one end was told`);
    assertEquals(told(events[count - 1]), wanted, name);
  }
  const events = eventsOf(bed, "session");
  assertEquals(new Set(events.map(({ session }) => session)).size, count, "Two have one id");
  // Only what got as far as a handshake and failed has a record of its steps.
  for (const event of events) {
    const isFailed = event.outcome === "failed" || event.outcome === "broken";
    assertEquals(event.flight !== undefined, isFailed, JSON.stringify(event));
  }
  const alert = events.find(({ reason }) => reason === "alert from peer")!;
  assertEquals(alert.alert, 48);
});

/** The ends of the sessions of a bed of its own. */
async function endsIn(
  options: BedOptions,
  run: (bed: Bed) => Promise<unknown>,
  count: number,
): Promise<string[]> {
  const parameters = { ...JSON_LOG, ...options.parameters };
  await using bed = await Bed.start({ ...options, parameters });
  await run(bed);
  return (await ended(bed, count)).map(told);
}

Deno.test("tlsproxy, JSON log: sessions over the limit are told", async () => {
  const ends = await endsIn({ role: { max_sessions: 1 } }, async (bed) => {
    const { local } = await bed.accepted();
    await refused(bed, {});
    await local.close();
  }, 2);
  assertEquals(ends, [
    "hand-off, refused: too many sessions",
    "hand-off, abandoned: closed by client",
  ]);
});

Deno.test("tlsproxy, JSON log: requests without tlsmgr are told", async () => {
  const ends = await endsIn({ tlsmgr: false }, (bed) => refused(bed, {}), 1);
  assertEquals(ends, ["hand-off, refused: not available"]);
});

Deno.test("tlsproxy, JSON log: clients without a good certificate are told", async () => {
  await using folder = await TempFolder.make("cc");
  const { ca, clients } = await writeClientCertificates(folder.path);
  const parameters = {
    smtpd_tls_CAfile: ca,
    smtpd_tls_security_level: "encrypt",
    smtpd_tls_req_ccert: true,
    tls: { enforce_req_ccert: "reject" },
  };
  // The bed's own first session shows no certificate.
  const ends = await endsIn({ parameters, tlsmgr: false }, async (bed) => {
    bed.startTlsmgr();
    await waitUntil("the server role", async () => {
      const client = await bed.client();
      await client.send(requestList(bed.request({ flags: FLAGS.server | FLAGS.probe })));
      const [, status] = await client.readList();
      await client.close();
      return status === "1";
    });
    for (const certificate of [undefined, clients.stranger, clients.good]) {
      const { local, remote } = await bed.passed();
      await remote.tls({ ca: bed.ca, ...(certificate !== undefined && { certificate }) });
      if (certificate === clients.good) await local.close();
      else await local.readEnd();
    }
    // A client of TLS 1.3 is done before the service is.
    const good = await waitUntil(
      "the handshake of the good client",
      () => eventsOf(bed, "handshake").find((event) => event.client_certificate === "trusted"),
    );
    assertEquals(
      [good.client_subject_cn, good.client_issuer_cn],
      ["client.example.test", "Client authority"],
    );
    assertMatch(String(good.client_fingerprint), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assertEquals(good.client_signature, "ECDSA-SHA256");
  }, 4);
  assertEquals(ends.filter((end) => end.startsWith("relay")), [
    "relay, rejected: no client certificate",
    "relay, rejected: untrusted certificate",
    "relay, completed: closed by client",
  ]);
});

Deno.test("tlsproxy, JSON log: a session that outlives its time is told when the role ends", async () => {
  const ends = await endsIn({}, async (bed) => {
    await bed.established();
    await bed.passed();
    await bed.accepted();
    assertEquals(await bed.tlsproxy.stop(), 0);
  }, 3);
  assertEquals(ends.toSorted(), [
    "hand-off, abandoned: stopped",
    "handshake, failed: stopped",
    "relay, broken: stopped",
  ]);
});

Deno.test("tlsproxy, JSON log: what a session agreed on and moved is told at both its events", async () => {
  await using bed = await Bed.start({ parameters: JSON_LOG });
  const full = await bed.established({}, { version: "TLSv1_3" });
  await full.local.send("220 mx.example.test ESMTP\r\n");
  await full.remote.read(27);
  await full.remote.tlsWrite("QUIT\r\n");
  await full.local.read(6);
  await full.local.close();
  await ended(bed, 1);
  const id = { version: "TLSv1_2", tickets: false } as const;
  const first = await bed.established({}, id);
  await first.local.close();
  await ended(bed, 2);
  const second = await bed.established({}, { ...id, sessionOf: first.remote });
  await second.local.close();
  await ended(bed, 3);
  bed.tlsmgr!.sessions.clear();
  const third = await bed.established({}, { ...id, sessionOf: first.remote });
  await third.local.close();
  const sessions = await ended(bed, 4);
  const handshakes = eventsOf(bed, "handshake");
  assertEquals(handshakes.map(({ resumed }) => resumed), ["full", "full", "session id", "full"]);
  assertEquals(handshakes.map(({ not_resumed_because: why }) => why), [
    undefined,
    undefined,
    undefined,
    "not in cache",
  ]);
  for (const [i, handshake] of handshakes.entries()) {
    const { severity: _, time: _time, message, event: _event, ...agreed } = handshake;
    assertMatch(String(message), /^Anonymous TLS connection established from /);
    // The end tells again what the handshake told.
    assertEquals({ ...sessions[i], ...agreed }, sessions[i]);
    assertEquals([handshake.peer, handshake.service], [
      [full, first, second, third][i].endpoint,
      "smtpd",
    ]);
    assertEquals(sessions[i].message, `DISCONNECT ${handshake.peer}`);
  }
  const [{ protocol, cipher, cipher_bits: bits, cipher_algorithm_bits: all, group, signature }] =
    handshakes;
  assertEquals([protocol, bits, all], ["TLSv1.3", 256, 256]);
  assertEquals([cipher, group], ["TLS_AES_256_GCM_SHA384", "x25519"]);
  assertMatch(String(signature), /^(ECDSA|RSA-PSS)-SHA(256|384|512)$/);
  const [{ bytes_from_peer: from, bytes_to_peer: to, duration_ms: duration }] = sessions;
  assertEquals([from, to], [6, 27]);
  assert(duration as number > 0);
});

Deno.test("tlsproxy, JSON log: an endpoint that is no name makes no line that is none", async () => {
  await using bed = await Bed.start({ parameters: JSON_LOG });
  const names = ['"},{"forged":"', "\r\n\x1b[2J\x7f\x80\xff", "long".repeat(20_000)];
  for (const endpoint of names) {
    const { local } = await bed.accepted({ endpoint });
    await local.close();
  }
  const sessions = await ended(bed, names.length);
  assertEquals(sessions.slice(0, 2).map(({ peer }) => peer), names.slice(0, 2));
  assertMatch(String(sessions[2].peer), /^(long)+.*…$/);
  assertEquals(sessions[2].shortened, ["peer", "message"]);
  for (const line of bed.tlsproxy.log.split("\n")) {
    assert(new TextEncoder().encode(line).length < 4000);
  }
});

Deno.test("tlsproxy, text log: the steps of a session that failed are a line, from level 1 on", async () => {
  for (const level of [0, 1]) {
    await using bed = await Bed.start({ parameters: { smtpd_tls_loglevel: level } });
    const endpoint = await bed.honestSession();
    await bed.waitForLine(`DISCONNECT ${endpoint}`);
    const failed = await bed.passed();
    await failed.remote.send("EHLO client.example.test\r\n");
    await failed.local.readEnd();
    await bed.waitForLine(`DISCONNECT ${failed.endpoint}`);
    const steps = bed.tlsproxy.log.split("\n").filter((line) => / session \d+ with /.test(line));
    assertEquals(steps.length, level);
    if (level === 0) continue;
    assert(steps[0].includes(` with ${failed.endpoint} (failed: not TLS): `), steps[0]);
    assertMatch(
      steps[0],
      /: \d+\.\d handed over \(before SSL initialization\), .*\d+\.\d failed \(before SSL initialization\)$/,
    );
  }
});
