/**
 * tlsproxy, server role: sessions that go as they should.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { toHex, toLatin1 } from "../../../lib/base/bytes.ts";
import { startProcess } from "../../support/process.ts";
import { waitUntil } from "../../support/wait.ts";
import { assertTalks, Bed, FLAGS, fullSession } from "./_bed.ts";
import { requestList } from "./_peers.ts";

const BULK_BYTES = 20 * 1024 * 1024;
const RSA = "ECDHE-RSA-AES256-GCM-SHA384";
const ECDSA = "ECDHE-ECDSA-AES256-GCM-SHA384";

for (const ciphers of [RSA, ECDSA]) {
  Deno.test(`tlsproxy: TLS 1.2 with ${ciphers}, data both ways`, async () => {
    await using bed = await Bed.start();
    const session = await bed.established({}, { version: "TLSv1_2", ciphers });
    assertEquals(session.handshake.version, "TLSv1.2");
    assertEquals(session.handshake.cipher, ciphers);
    assertEquals(session.handshake.names, ["localhost", "mx.example.test", "127.0.0.1"]);
    await assertTalks(session);
    await session.local.close();
    assertEquals(await session.remote.readEnd(), { data: "", how: "close_notify" });
    await bed.check(fullSession(session.endpoint));
  });
}

for (
  const [algorithm, type] of [
    ["rsa_pss_rsae_sha256", "RSA-PSS"],
    ["ecdsa_secp256r1_sha256", "ECDSA"],
  ] as const
) {
  Deno.test(`tlsproxy: TLS 1.3 with a signature of type ${type}, data both ways`, async () => {
    await using bed = await Bed.start();
    const { endpoint, local } = await bed.accepted();
    const { listener, port } = await bed.peers.listen();
    const ca = await bed.folder.write("trusted.pem", bed.ca);
    // deno-fmt-ignore
    await using remote = startProcess("openssl", [
      "s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-sigalgs", algorithm,
      "-CAfile", ca, "-verify_return_error", "-verify_hostname", "localhost", "-nocommands",
      "-no_ign_eof",
    ], { env: { OPENSSL_CONF: "/dev/null" } });
    const passed = await listener.accept();
    await local.pass([passed]);
    await passed.close();
    await remote.waitFor("the handshake", () => /^New, TLSv1\.3, Cipher/m.test(remote.stdout));
    assert(remote.stdout.includes(`Peer signature type: ${type}\n`), remote.stdout);
    await remote.write("EHLO client.example.test\n");
    assertEquals(await local.read(25), "EHLO client.example.test\n");
    await local.send("250 mx.example.test\n");
    await remote.waitFor("the reply", () => remote.stdout.includes("250 mx.example.test\n"));
    await local.close();
    await remote.ended();
    await bed.check(fullSession(endpoint));
  });
}

for (const version of ["TLSv1_2", "TLSv1_3"] as const) {
  Deno.test(`tlsproxy: ${BULK_BYTES} bytes each way at once over ${version}`, async () => {
    await using bed = await Bed.start();
    const { endpoint, local, remote } = await bed.established({}, { version });
    const down = local.pump(BULK_BYTES, 1);
    const up = remote.pump(BULK_BYTES, 2);
    // Nobody reads: what tlsproxy takes is bounded, so both senders come to a stop.
    const stuck = await waitUntil("both senders to be stuck", async () => {
      const before = [await local.pumped(), await remote.pumped()];
      for (let look = 0; look < 20; look++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        const after = [await local.pumped(), await remote.pumped()];
        if (after[0] !== before[0] || after[1] !== before[1]) return undefined;
      }
      return before;
    });
    assert(stuck[0] < BULK_BYTES && stuck[1] < BULK_BYTES, `Taken with no reader: ${stuck}`);
    const atRemote = remote.sink(BULK_BYTES);
    const atLocal = local.sink(BULK_BYTES);
    assertEquals(await atRemote, await down);
    assertEquals(await atLocal, await up);
    await local.close();
    assertEquals(await remote.readEnd(), { data: "", how: "close_notify" });
    await bed.check(fullSession(endpoint));
  });
}

Deno.test("tlsproxy: keys change again and again in the middle of bulk data", async () => {
  await using bed = await Bed.start();
  const { endpoint, local } = await bed.accepted();
  const { listener, port } = await bed.peers.listen();
  const file = bed.folder.file("received");
  const client = `openssl s_client -connect 127.0.0.1:${port} -tls1_3 > ${file}`;
  await using remote = startProcess("sh", ["-c", client], { env: { OPENSSL_CONF: "/dev/null" } });
  const passed = await listener.accept();
  await local.pass([passed]);
  await passed.close();
  await local.send("BEGIN\n");
  const received = async () => (await Deno.stat(file)).size;
  const hash = local.pump(BULK_BYTES, 1);
  let changes = 0;
  while (await received() < BULK_BYTES) {
    // The client changes its keys, and asks for the same: the answer goes between the records.
    await remote.write("K\n");
    changes++;
    await remote.waitFor("the change", () => remote.stderr.split("KEYUPDATE").length > changes);
  }
  const expected = await hash;
  await remote.write("behind the last change\n");
  assertEquals(await local.read(23), "behind the last change\n");
  await local.close();
  await remote.ended();
  const all = await Deno.readFile(file);
  const start = toLatin1(all.subarray(0, 65536)).indexOf("BEGIN\n") + 6;
  const bytes = all.subarray(start, start + BULK_BYTES);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assertEquals(toHex(digest).toLowerCase(), expected);
  assert(changes > 2, `${changes} changes of keys`);
  await bed.check(fullSession(endpoint));
});

Deno.test("tlsproxy: sessions are resumed with a TLS 1.2 id, a TLS 1.2 ticket and TLS 1.3", async () => {
  await using bed = await Bed.start();
  for (
    const offer of [
      { version: "TLSv1_2", tickets: false },
      { version: "TLSv1_2" },
      { version: "TLSv1_3" },
    ] as const
  ) {
    const first = await bed.established({}, offer);
    assertEquals(first.handshake.resumed, false);
    // A TLS 1.3 ticket is read together with the first data.
    await assertTalks(first);
    const stored = offer.version === "TLSv1_3" || "tickets" in offer;
    await waitUntil("the session to be stored", () => bed.tlsmgr!.sessions.size > 0 || !stored);
    const second = await bed.established({}, { ...offer, sessionOf: first.remote });
    assertEquals(second.handshake.resumed, true, JSON.stringify(offer));
    await assertTalks(second);
    const lines = [
      fullSession(first.endpoint)[0],
      fullSession(first.endpoint)[1],
      ...fullSession(second.endpoint),
      fullSession(first.endpoint)[2],
    ];
    await second.local.close();
    await bed.waitForLine(`DISCONNECT ${second.endpoint}`);
    await first.local.close();
    await bed.check(lines);
  }
});

Deno.test("tlsproxy: a list A that comes byte by byte is a request like any other", async () => {
  await using bed = await Bed.start();
  const request = bed.request();
  const local = await bed.client();
  await local.send(requestList(request), 1);
  assertEquals(await local.readList(), ["status", "1"]);
  const { passed, remote } = await bed.peers.pair();
  await local.pass([passed]);
  await passed.close();
  await remote.tls({ ca: bed.ca });
  await assertTalks({ local, remote });
  await local.close();
  await bed.check(fullSession(request.endpoint));
});

Deno.test("tlsproxy: plaintext that follows the descriptor at once comes out of TLS", async () => {
  await using bed = await Bed.start();
  const { endpoint, local } = await bed.accepted();
  const { passed, remote } = await bed.peers.pair();
  // The first byte belongs to the hand-over, the second one is plaintext already.
  await local.pass([passed], "\x00220 mx");
  await passed.close();
  await remote.tlsBegin({ ca: bed.ca });
  await remote.send(await remote.tlsHello());
  await local.send(".example.test");
  await remote.tlsReadWire();
  await local.send(" ESMTP\r\n");
  await remote.tlsHandshake();
  assertEquals(await remote.read(27), "220 mx.example.test ESMTP\r\n");
  await local.close();
  assertEquals(await remote.readEnd(), { data: "", how: "close_notify" });
  await bed.check(fullSession(endpoint));
});

Deno.test("tlsproxy: SEND_CONTEXT gives 22 attributes before the first decrypted byte", async () => {
  await using bed = await Bed.start();
  const { endpoint, local, remote } = await bed.passed({ flags: FLAGS.server | FLAGS.context });
  await remote.tlsBegin({ ca: bed.ca, version: "TLSv1_3" });
  const { cipher } = await remote.tlsHandshake();
  await remote.tlsWrite("EHLO client.example.test\r\n");
  const words = await local.readList();
  const names = words.filter((_, i) => i % 2 === 0);
  const context = Object.fromEntries(names.map((name, i) => [name, words[2 * i + 1]]));
  assertEquals(names, CONTEXT_NAMES);
  assertEquals(context.cipher_protocol, "TLSv1.3");
  assertEquals(context.cipher_name, cipher);
  assertEquals(context.peer_status, "0");
  assertEquals(context.namaddr, endpoint);
  assertEquals(await local.read(26), "EHLO client.example.test\r\n");
  await local.close();
  await bed.check(fullSession(endpoint));
});

/** Postfix 3.7: tls/tls_proxy_context_print.c. */
// deno-fmt-ignore
const CONTEXT_NAMES = [
  "peer_CN", "issuer_CN", "peer_fingerprint", "peer_pubkey_fingerprint", "level", "peer_status",
  "cipher_protocol", "cipher_name", "cipher_usebits", "cipher_algbits", "key_exchange",
  "key_exchange_curve", "key_exchange_bits", "clnt_signature", "clnt_signature_curve",
  "clnt_signature_bits", "clnt_signature_digest", "srvr_signature", "srvr_signature_curve",
  "srvr_signature_bits", "srvr_signature_digest", "namaddr",
];
