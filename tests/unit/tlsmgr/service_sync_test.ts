/** What the service promises about the disk, with syncs that come back when the test says so. */
import { assertEquals } from "@std/assert";
import { toLatin1 } from "../../../lib/base/bytes.ts";
import { ServiceRig } from "./_service_rig.ts";

const DATABASE = 'smtpd_tls_session_cache_database = "btree:${data_directory}/scache"\n';
const OK = "status|0||";

function update(id: string): string[] {
  return ["request", "update", "cache_type", "smtpd", "cache_id", id, "session", "YQ=="];
}

function lookup(id: string): string[] {
  return ["request", "lookup", "cache_type", "smtpd", "cache_id", id];
}

/** Lets the syncs of the start come back. */
function settleSyncs(rig: ServiceRig): void {
  while (rig.slowCalls.waiting.length > 0) {
    rig.slowCalls.succeedAll();
    rig.settle();
  }
}

Deno.test("service: with sync = always an update is acknowledged when the disk has it", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nsync = "always"\n`);
  settleSyncs(rig);
  const first = rig.connect();
  const second = rig.connect();
  assertEquals(first.ask(...update("a")), "");
  assertEquals(rig.slowCalls.waiting.map(({ call }) => call), ["fdatasync"]);
  assertEquals(second.ask(...lookup("a")), "status|0|session|YQ==||", "others do not wait");
  assertEquals(second.ask(...update("b")), "");
  rig.slowCalls.waiting[0].succeed();
  rig.settle();
  assertEquals(first.exchange(new Uint8Array()), OK);
  assertEquals(second.exchange(new Uint8Array()), "", "it came after the sync had begun");
  rig.slowCalls.waiting[0].succeed();
  rig.settle();
  assertEquals(second.exchange(new Uint8Array()), OK);
});

Deno.test("service: with sync = interval an update is acknowledged at once and synced in a second", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  rig.advance(5000);
  settleSyncs(rig);
  assertEquals(client.ask(...update("a")), OK);
  assertEquals(rig.slowCalls.waiting, []);
  rig.advance(999);
  assertEquals(rig.slowCalls.waiting, []);
  rig.advance(1);
  assertEquals(rig.slowCalls.waiting[0].call, "fdatasync");
  settleSyncs(rig);
  rig.advance(5000);
  assertEquals(rig.slowCalls.waiting, [], "nothing has changed since");
});

Deno.test("service: with sync = never nothing is synced", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nsync = "never"\n`);
  assertEquals(rig.connect().ask(...update("a")), OK);
  rig.advance(5000);
  assertEquals(rig.slowCalls.waiting.filter(({ call }) => call === "fdatasync"), []);
});

Deno.test("service: drain() answers first whoever waits for the disk", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nsync = "always"\n`);
  settleSyncs(rig);
  const client = rig.connect();
  client.ask(...update("a"));
  rig.service.drain();
  rig.settle();
  assertEquals([client.read().closed, rig.drained > 0], [false, false]);
  rig.slowCalls.waiting[0].succeed();
  assertEquals(client.exchange(new Uint8Array()), OK + "closed");
  assertEquals(rig.drained > 0, true);
});

Deno.test("service: close() answers whoever waits for the disk", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nsync = "always"\n`);
  settleSyncs(rig);
  const client = rig.connect();
  client.ask(...update("a"));
  rig.service.close();
  const { bytes, closed } = client.read();
  assertEquals([toLatin1(bytes).replaceAll("\0", "|"), closed], [OK, true]);
});

Deno.test("service: a failed sync is said once, answers go on, and a fresh file ends it", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nsync = "always"\n`);
  settleSyncs(rig);
  const client = rig.connect();
  client.ask(...update("a"));
  rig.slowCalls.waiting[0].fail();
  rig.settle();
  assertEquals(client.exchange(new Uint8Array()), "", "the fresh file may come yet");
  settleSyncs(rig);
  assertEquals(client.exchange(new Uint8Array()), OK);
  const file = `cache file "${rig.folder}/scache.postern"`;
  assertEquals(rig.log.lines, [
    `warning: Cannot sync ${file}: its entries go into a fresh file`,
    `Syncing ${file} again`,
  ]);
});
