/**
 * tlsproxy, server role: requests that are wrong, incomplete or not for this service.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { encodeList } from "../../support/attr_client.ts";
import { goldenList } from "../../wire/golden.ts";
import { assertTalks, Bed, FLAGS, fullSession, type Line } from "./_bed.ts";
import { latin1Text, requestList } from "./_peers.ts";

const NOT_RECEIVED = "warning: tlsp_get_request_event: receive request attributes: ";

Deno.test("tlsproxy: list B of a 3.12 client is read, and its settings ignored when told so", async () => {
  await using bed = await Bed.start({ service: { settings_from_request: "ignore" } });
  const settings = goldenList("server_settings_3_12");
  const request = bed.request();
  const local = await bed.client();
  await local.send(latin1Text(requestList(request)) + latin1Text(settings));
  assertEquals(await local.readList(), ["status", "1"]);
  const { passed, remote } = await bed.peers.pair();
  await local.pass([passed]);
  await passed.close();
  await remote.tls({ ca: bed.ca });
  await assertTalks({ local, remote });
  await local.close();
  await bed.check(fullSession(request.endpoint));
});

Deno.test("tlsproxy: lists A and B in small pieces are one request", async () => {
  await using bed = await Bed.start({ service: { settings_from_request: "ignore" } });
  const request = bed.request();
  const local = await bed.client();
  const listA = latin1Text(requestList(request));
  const listB = latin1Text(goldenList("server_settings_3_12"));
  // The sender flushes both at once; a piece ends inside list B, and then many more.
  await local.send(listA + listB.slice(0, 1));
  await local.send(listB.slice(1), 7);
  assertEquals(await local.readList(), ["status", "1"]);
  await local.close();
  await bed.check([
    `CONNECT from ${request.endpoint}`,
    "warning: tlsp_get_fd_event: receive remote SMTP peer file descriptor: the connection was closed",
    `DISCONNECT ${request.endpoint}`,
  ]);
});

Deno.test("tlsproxy: a probe is answered with 1 and stays until the client closes", async () => {
  await using bed = await Bed.start();
  const request = bed.request({ flags: FLAGS.server | FLAGS.probe });
  const local = await bed.client();
  await local.send(requestList(request));
  assertEquals(await local.readList(), ["status", "1"]);
  // Another session from beginning to end: the probe's connection is still there afterwards.
  const other = await bed.honestSession();
  await bed.waitForLine(`DISCONNECT ${other}`);
  assertEquals(bed.lines(), [`CONNECT from ${request.endpoint}`, ...bed.lines().slice(1)]);
  assertEquals(bed.lines().length, 4, bed.lines().join("\n"));
  await local.halfClose();
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check([
    `CONNECT from ${request.endpoint}`,
    ...fullSession(other),
    `DISCONNECT ${request.endpoint}`,
  ]);
});

for (
  const [what, flags, direction, complaint] of [
    ["the client role", FLAGS.client, "to", "TLS client role is disabled by configuration"],
    ["no role", 0, "(bogus_direction)", "tlsp_get_request_event: bad request flags: 0x0"],
    ["both roles", 3, "(bogus_direction)", "tlsp_get_request_event: bad request flags: 0x3"],
    [
      "no role in a probe",
      8,
      "(bogus_direction)",
      "tlsp_get_request_event: bad request flags: 0x8",
    ],
  ] as const
) {
  Deno.test(`tlsproxy: a request for ${what} is answered with 0`, async () => {
    await using bed = await Bed.start();
    const request = bed.request({ flags });
    const local = await bed.client();
    await local.send(requestList(request));
    assertEquals(await local.readList(), ["status", "0"]);
    await local.close();
    await bed.check([
      `CONNECT ${direction} ${request.endpoint}`,
      `warning: ${complaint}`,
      `DISCONNECT ${request.endpoint}`,
    ]);
  });
}

/** Requests that end the connection at once, and what is logged. */
const GARBAGE: readonly (readonly [string, string | Uint8Array, readonly Line[]])[] = [
  [
    "a list of another protocol",
    encodeList([["request", "seed"], ["size", "32"]]),
    [
      "warning: unexpected attribute request from plaintext (expecting: remote_endpoint)",
      /^warning: tlsp_get_request_event: receive request attributes: /,
    ],
  ],
  [
    "an empty list",
    "\0",
    [
      "warning: missing attribute remote_endpoint in input from plaintext",
      /^warning: tlsp_get_request_event: receive request attributes: /,
    ],
  ],
  [
    "a list without its last attribute",
    encodeList([
      ["remote_endpoint", "[192.0.2.9]:9"],
      ["flags", "1"],
      ["timeout", "300"],
      ["timeout", "300"],
    ]),
    [
      "warning: missing attribute serverid in input from plaintext",
      /^warning: tlsp_get_request_event: receive request attributes: /,
    ],
  ],
  [
    "flags that are no number",
    encodeList([
      ["remote_endpoint", "[192.0.2.9]:9"],
      ["flags", "server"],
      ["timeout", "300"],
      ["timeout", "300"],
      ["serverid", "smtpd"],
    ]),
    [/^warning: /, /^warning: tlsp_get_request_event: receive request attributes: /],
  ],
  [
    "a name and a value that are each longer than a list may be",
    "a".repeat(2 * 1024 * 1024),
    [/^warning: tlsp_get_request_event: receive request attributes: /],
  ],
];

for (const [what, bytes, expected] of GARBAGE) {
  Deno.test(`tlsproxy: ${what} instead of a request closes the connection`, async () => {
    await using bed = await Bed.start();
    const local = await bed.client();
    try {
      await local.send(bytes);
    } catch (error) {
      // The other side need not take all of it.
      if (!/BrokenPipe|ConnectionReset/.test(String(error))) throw error;
    }
    assertEquals((await local.readEnd()).data, "");
    await bed.check(expected);
  });
}

Deno.test("tlsproxy: garbage behind list A is a list B that is not one", async () => {
  await using bed = await Bed.start();
  const request = bed.request();
  const local = await bed.client();
  await local.send(latin1Text(requestList(request)) + "garbage\0and\0\0");
  assertEquals((await local.readEnd()).data, "");
  await bed.check([
    `CONNECT from ${request.endpoint}`,
    "warning: unexpected attribute garbage from plaintext (expecting: config_file)",
    /^warning: tlsp_get_request_event: receive server TLS settings: /,
    `DISCONNECT ${request.endpoint}`,
  ]);
});

for (
  const [what, count, expected] of [
    ["no byte", 0, `${NOT_RECEIVED}the connection was closed`],
    [
      "half a name",
      5,
      `${NOT_RECEIVED}premature end-of-input on plaintext while reading input attribute name`,
    ],
    [
      "half a value",
      40,
      `${NOT_RECEIVED}premature end-of-input on plaintext while reading input attribute value`,
    ],
  ] as const
) {
  Deno.test(`tlsproxy: a client that closes after ${what} of its request is let go`, async () => {
    await using bed = await Bed.start();
    const local = await bed.client();
    if (count > 0) {
      await local.send(requestList(bed.request()).subarray(0, count - 18 * +(count > 20)));
    }
    await local.close();
    await bed.check([expected]);
  });
}

Deno.test("tlsproxy: a client that closes before the announcement is let go", async () => {
  await using bed = await Bed.start();
  const local = await bed.peers.connect(bed.socket);
  await local.close();
  await bed.check([/^warning: tlsp_get_request_event: receive request attributes: /]);
});

Deno.test("tlsproxy: half a list and then silence is cut off, and delays nobody", async () => {
  await using bed = await Bed.start();
  const local = await bed.client();
  await local.send(requestList(bed.request()).subarray(0, 30));
  const others = [await bed.honestSession(), await bed.honestSession()];
  assertEquals(await local.readEnd(), { data: "", how: "closed" });
  await bed.check([
    ...others.flatMap(fullSession),
    `${NOT_RECEIVED}timeout on plaintext: the list was not complete after 5 s`,
  ]);
});

Deno.test("tlsproxy: what a client says about itself cannot forge a log line", async () => {
  await using bed = await Bed.start();
  const local = await bed.client();
  await local.send(
    requestList(bed.request({ endpoint: "[192.0.2.1]:1\npostfix: forged", flags: 0 })),
  );
  assertEquals(await local.readList(), ["status", "0"]);
  await local.close();
  await bed.check([
    "CONNECT (bogus_direction) [192.0.2.1]:1?postfix: forged",
    "warning: tlsp_get_request_event: bad request flags: 0x0",
    "DISCONNECT [192.0.2.1]:1?postfix: forged",
  ]);
});
