/**
 * The six requests, and what is no request, through the socket of the executable.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { AttrClient, type Attribute, encodeList } from "../../support/attr_client.ts";
import { Bed, entryRequest, POLICY, POLICY_REPLY, STATUS, WITH_DATABASE } from "./_bed.ts";

const SESSION = btoa("a session, which is opaque here");

/** Bytes behind base64 text. */
function sizeOf(text: string): number {
  return atob(text).length;
}

Deno.test("tlsmgr answers all six requests on one connection", async (t) => {
  await using bed = await Bed.start();
  using client = await bed.connect();
  const ask = async (...list: Attribute[]) => (await client.ask(list)).attributes;

  await t.step("seed", async () => {
    const [status, seed] = await ask(["request", "seed"], ["size", "32"]);
    assertEquals([status, seed[0], sizeOf(seed[1])], [["status", "0"], "seed", 32]);
    const [, other] = await ask(["request", "seed"], ["size", "32"]);
    assertNotEquals(seed[1], other[1]);
    const [, long] = await ask(["request", "seed"], ["size", "255"]);
    assertEquals(sizeOf(long[1]), 255);
  });

  await t.step("policy", async () => {
    const smtpd = await ask(["request", "policy"], ["cache_type", "smtpd"]);
    assertEquals(smtpd, [["status", "0"], ["cachable", "1"], ["timeout", "3600"]]);
    assertEquals(await ask(...POLICY), POLICY_REPLY);
  });

  await t.step("lookup, update, delete", async () => {
    const miss: Attribute[] = [["status", STATUS.err], ["session", ""]];
    assertEquals(await ask(...entryRequest("lookup", "id")), miss);
    assertEquals(await ask(...entryRequest("delete", "id")), [["status", STATUS.err]]);
    assertEquals(await ask(...entryRequest("update", "id", SESSION)), [["status", "0"]]);
    assertEquals(
      await ask(...entryRequest("lookup", "id")),
      [["status", "0"], ["session", SESSION]],
    );
    assertEquals(await ask(...entryRequest("delete", "id")), [["status", "0"]]);
    assertEquals(await ask(...entryRequest("lookup", "id")), miss);
  });

  await t.step("tktkey", async () => {
    const [status, key] = await ask(["request", "tktkey"], ["keyname", ""]);
    assertEquals([status, sizeOf(key[1])], [["status", "0"], 88]);
    const name = btoa(atob(key[1]).slice(0, 16));
    assertEquals(await ask(["request", "tktkey"], ["keyname", name]), [status, key]);
    const unknown = await ask(["request", "tktkey"], ["keyname", btoa("0123456789abcdef")]);
    assertEquals(unknown, [["status", STATUS.err], ["keybuf", ""]]);
    using other = await bed.connect();
    const list: Attribute[] = [["request", "tktkey"], ["keyname", ""]];
    assertEquals((await other.ask(list)).attributes, [status, key]);
  });

  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test("tlsmgr is served by requests in which every byte is a segment of its own", async (t) => {
  await using bed = await Bed.start();
  using client = await bed.connect();
  const send = async (...list: Attribute[]) => {
    for (const byte of encodeList(list)) await client.writeBytes(new Uint8Array([byte]));
    return (await client.readList()).attributes;
  };
  const entry = (name: string, session?: string) => send(...entryRequest(name, "id", session));

  await t.step("all six requests", async () => {
    const [seedStatus, seed] = await send(["request", "seed"], ["size", "16"]);
    assertEquals([seedStatus, sizeOf(seed[1])], [["status", "0"], 16]);
    assertEquals(await send(...POLICY), POLICY_REPLY);
    assertEquals(await entry("update", SESSION), [["status", "0"]]);
    assertEquals(await entry("lookup"), [["status", "0"], ["session", SESSION]]);
    assertEquals(await entry("delete"), [["status", "0"]]);
    const [keyStatus, key] = await send(["request", "tktkey"], ["keyname", ""]);
    assertEquals([keyStatus, sizeOf(key[1])], [["status", "0"], 88]);
  });
  assertEquals(bed.tlsmgr.problems(), []);

  await t.step("a bad request", async () => {
    assertEquals(await send(["size", "1"], ["request", "seed"]), [["status", STATUS.fail]]);
  });
});

Deno.test("tlsmgr says nothing of earlier answers when a request fails", async () => {
  await using bed = await Bed.start();
  using honest = await bed.connect();
  await honest.ask(entryRequest("update", "id", SESSION));
  const good: Attribute[][] = [
    entryRequest("lookup", "id"),
    [["request", "seed"], ["size", "200"]],
    [["request", "tktkey"], ["keyname", ""]],
  ];
  const [fail, err] = [["status", STATUS.fail], ["status", STATUS.err]] as const;
  const bad: [Attribute[], Attribute[]][] = [
    [[["request", "lookup"]], [fail, ["session", ""]]],
    [[["request", "lookup"], ["cache_type", "smtpd"]], [fail, ["session", ""]]],
    [[["request", "lookup"], ["cache_id", "id"], ["cache_type", "smtpd"]], [fail, ["session", ""]]],
    [[["request", "lookup"], ["cache_type", "x"], ["cache_id", "id"]], [fail, ["session", ""]]],
    [entryRequest("lookup", "other"), [err, ["session", ""]]],
    [[["request", "seed"]], [fail, ["seed", ""]]],
    [[["request", "seed"], ["size", "many"]], [fail, ["seed", ""]]],
    [[["request", "seed"], ["size", "256"]], [fail, ["seed", ""]]],
    [[["request", "tktkey"]], [fail, ["keybuf", ""]]],
    [[["request", "tktkey"], ["keyname", "*"]], [fail, ["keybuf", ""]]],
    [[["request", "tktkey"], ["keyname", btoa("0123456789abcdef")]], [err, ["keybuf", ""]]],
    [[["request", "policy"]], [fail, ["cachable", "0"], ["timeout", "0"]]],
    [[["request", "update"]], [fail]],
    [[["request", "delete"]], [fail]],
    [[["session", SESSION]], [fail]],
  ];
  using other = await bed.connect();
  for (const [request, reply] of bad) {
    for (const list of good) assertEquals((await honest.ask(list)).attributes[0][1], STATUS.ok);
    // On the connection that had the good answers, and on another one.
    assertEquals((await honest.ask(request)).attributes, reply);
    assertEquals((await other.ask(request)).attributes, reply);
  }
});

Deno.test("tlsmgr stores and finds sessions of all sizes up to the limit", async () => {
  await using bed = await Bed.start();
  using client = await bed.connect();
  for (const size of [0, 1, 2, 3, 1500, 4095, 4096, 65_535, 65_536]) {
    const session = btoa("\xfb".repeat(size));
    const stored = await client.ask(entryRequest("update", `id ${size}`, session));
    assertEquals([size, stored.attributes], [size, [["status", "0"]]]);
  }
  for (const size of [0, 1, 2, 3, 1500, 4095, 4096, 65_535, 65_536]) {
    const session = btoa("\xfb".repeat(size));
    const found = await client.ask(entryRequest("lookup", `id ${size}`));
    assert(found.attributes[1][1] === session, `a session of ${size} bytes comes back`);
  }
  const tooLarge = await client.ask(entryRequest("update", "large", btoa("x".repeat(65_537))));
  assertEquals(tooLarge.attributes, [["status", STATUS.err]]);
  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test("tlsmgr survives what is no request, says so once each, and serves on", async (t) => {
  await using bed = await Bed.start();
  const descriptors = await bed.tlsmgr.countDescriptors();
  const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

  await t.step("garbage without an end is cut off at the limit", async () => {
    using client = await bed.connect();
    // The service closes before it has read all of it, and then the rest cannot be written.
    const written = client.writeBytes(new Uint8Array(4 << 20).fill(0x61)).catch((error) => error);
    await bed.tlsmgr.waitForLog(/warning: unreasonable input from tlsmgr socket: list too long/);
    assert(await written instanceof Error);
  });

  await t.step("garbage that is a list gets a failure", async () => {
    using client = await bed.connect();
    await client.writeBytes(latin1("\xff\xfe\0\x80\0\0"));
    assertEquals((await client.readList()).attributes, [["status", STATUS.fail]]);
    assertEquals((await client.ask(POLICY)).attributes, POLICY_REPLY);
    await bed.tlsmgr.waitForLog(/warning: unexpected attribute .* \(expecting: request\)/);
  });

  await t.step("an unknown request gets no reply", async () => {
    using client = await bed.connect();
    await client.writeBytes(encodeList([["request", "verify"]]));
    // The reply that comes is that of the second request; it may not be lost behind the first.
    await bed.assertServes();
    assertEquals((await client.ask(POLICY)).attributes, POLICY_REPLY);
  });

  await t.step("a line break in a warning is not one in the log", async () => {
    using client = await bed.connect();
    await client.ask([["request", "policy"], ["cache_type", "x\npostfix/tlsmgr: forged"]]);
    await bed.tlsmgr.waitForLog(/bogus cache type "x\?postfix\/tlsmgr: forged" in "policy"/);
  });

  await t.step("the wake-up trigger closes without a word", async () => {
    const before = bed.tlsmgr.problems();
    using client = await AttrClient.connect(bed.socket);
    await client.readList();
    await client.writeBytes(latin1("W"));
    await bed.assertServes();
    await client.writeBytes(latin1("\0"));
    assertEquals((await client.readToEnd()).length, 0);
    assertEquals(bed.tlsmgr.problems(), before);
  });

  await bed.assertServes();
  await bed.descriptorsBackTo(descriptors);
  assertEquals(bed.tlsmgr.problems().length, 3);
});

Deno.test("tlsmgr logs cache operations when the log level asks for it", async () => {
  await using bed = await Bed.start({ ...WITH_DATABASE, smtpd_tls_loglevel: 2 });
  using client = await bed.connect();
  await client.ask(entryRequest("update", "id", SESSION));
  await client.ask(entryRequest("lookup", "id"));
  await client.ask(entryRequest("delete", "id"));
  const size = sizeOf(SESSION);
  const lines = bed.tlsmgr.log.trimEnd().split("\n").map((line) => line.replace(/^.*?\]: /, ""));
  assertEquals(lines.filter((line) => /session id=/.test(line)), [
    `put smtpd session id=id [data ${size} bytes]`,
    "lookup smtpd session id=id",
    "delete smtpd session id=id",
  ]);
  assertMatch(bed.tlsmgr.log, /: open smtpd TLS cache btree:\S+\/smtpd_scache\n/);
});
