import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { goldenHex } from "../../wire/golden.ts";
import { listOf } from "../../wire/lists.ts";
import { ServiceRig } from "./_service_rig.ts";

const DATABASE = `smtpd_tls_session_cache_database = "btree:\${data_directory}/scache"\n`;
const ENTRY = ["cache_type", "smtpd", "cache_id", "x"];
const UPDATE = ["request", "update", ...ENTRY, "session", "YQ=="];
const LOOKUP = ["request", "lookup", ...ENTRY];
const POLICY = ["request", "policy", "cache_type", "smtpd"];
const POLICY_REPLY = "status|0|cachable|0|timeout|3600||";

Deno.test("service: the announcement comes first, once and unasked", () => {
  using rig = new ServiceRig();
  const client = rig.connectQuietly();
  rig.settle();
  assertEquals(client.read(), { bytes: goldenHex("tlsmgr_announcement"), closed: false });
  assertEquals(client.ask(...POLICY), POLICY_REPLY);
});

Deno.test("service: an update is acknowledged after it was written, at the end of the turn", () => {
  using rig = new ServiceRig(DATABASE);
  const clients = [rig.connect(), rig.connect()];
  const bytesBefore = Deno.statSync(`${rig.folder}/scache.postern`).size;
  const seen: [reply: number, fileGrown: boolean][] = [];
  rig.beforeTurnEnd = () => {
    const size = Deno.statSync(`${rig.folder}/scache.postern`).size;
    seen.push([clients[0].read().bytes.length, size > bytesBefore]);
  };
  for (const client of clients) client.write(listOf(...UPDATE));
  rig.reactor.turn(0);
  assertEquals(seen, [[0, false]]);
  assert(Deno.statSync(`${rig.folder}/scache.postern`).size > bytesBefore);
  for (const client of clients) assertEquals(client.read().bytes, goldenHex("update_reply"));
});

Deno.test("service: answers that promise nothing do not wait for the end of the turn", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  let bytes = 0;
  rig.beforeTurnEnd = () => bytes += client.read().bytes.length;
  client.write(listOf(...LOOKUP));
  rig.reactor.turn(0);
  assertEquals(bytes, goldenHex("lookup_reply_miss").length);
});

Deno.test("service: what was acknowledged is there for another process", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  assertEquals(client.ask(...UPDATE), "status|0||");
  assertEquals(client.ask("request", "delete", ...ENTRY), "status|0||");
  assertEquals(client.ask(...LOOKUP), "status|4294967295|session|||");
  assertEquals(client.ask(...UPDATE), "status|0||");
  rig.service.close();
  const folder = `${rig.folder}/other`;
  Deno.mkdirSync(folder);
  Deno.renameSync(`${rig.folder}/scache.postern`, `${folder}/scache.postern`);
  using other = new ServiceRig(DATABASE, folder);
  assertEquals(other.connect().ask(...LOOKUP), "status|0|session|YQ==||");
});

Deno.test("service: a request is served however it is cut", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  const bytes = listOf(...POLICY);
  for (let cut = 1; cut < bytes.length; cut++) {
    assertEquals([cut, client.exchange(bytes.slice(0, cut))], [cut, ""]);
    assertEquals([cut, client.exchange(bytes.slice(cut))], [cut, POLICY_REPLY]);
  }
  for (const byte of bytes.slice(0, -1)) {
    assertEquals(client.exchange(new Uint8Array([byte])), "");
  }
  assertEquals(client.exchange(bytes.slice(-1)), POLICY_REPLY);
  assertEquals(rig.log.lines, []);
});

Deno.test("service: what arrives behind a request is lost, and the next request is served", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  const [policy, seed] = [listOf(...POLICY), listOf("request", "seed", "size", "1")];
  assertEquals(client.exchange(new Uint8Array([...policy, ...seed])), POLICY_REPLY);
  const unknown = listOf("request", "verify");
  assertEquals(client.exchange(new Uint8Array([...unknown, ...seed])), "");
  assertEquals(client.ask(...POLICY), POLICY_REPLY);
});

Deno.test("service: the wake-up trigger closes the connection, in one piece or two, silently", () => {
  using rig = new ServiceRig();
  assertEquals(rig.connect().exchange(goldenHex("wake_up_trigger")), "closed");
  const client = rig.connect();
  assertEquals(client.exchange(latin1("W")), "");
  assertEquals(client.exchange(latin1("\0")), "closed");
  assertEquals(rig.log.lines, []);
});

Deno.test("service: other short strings are nothing", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  for (const text of ["\0", "\0\0", "X\0", "w\0"]) assertEquals(client.exchange(latin1(text)), "");
  assertEquals(client.ask(...POLICY), POLICY_REPLY);
  assertEquals(rig.log.lines, []);
});

Deno.test("service: what only begins like a trigger is a list", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  assertEquals(client.exchange(latin1("W\0x\0\0")), "status|4294967294||");
  assertEquals(client.exchange(latin1("\0\0\0")), "status|4294967294||");
  assertEquals(rig.log.take(), [
    "warning: unexpected attribute W from tlsmgr socket (expecting: request)",
    "warning: missing attribute request in input from tlsmgr socket",
  ]);
});

Deno.test("service: half a list is waited for, up to 100 seconds from its first byte", () => {
  using rig = new ServiceRig();
  const slow = rig.connect();
  const other = rig.connect();
  assertEquals(slow.exchange(latin1("request\0pol")), "");
  rig.advance(60_000);
  assertEquals(slow.exchange(latin1("icy\0cache_type")), "");
  assertEquals(other.ask(...POLICY), POLICY_REPLY);
  rig.advance(39_000);
  assertEquals(slow.read().closed, false);
  rig.advance(1_000);
  assertEquals(slow.read().closed, true);
  assertMatch(rig.log.lines.join("\n"), /^warning: timeout on tlsmgr socket while reading.*100 s/);
  assertEquals(other.ask(...POLICY), POLICY_REPLY);
});

Deno.test("service: ipc_timeout shortens the wait for a list", () => {
  using rig = new ServiceRig("ipc_timeout = 7\n");
  const client = rig.connect();
  client.exchange(latin1("re"));
  rig.advance(6_999);
  assertEquals(client.read().closed, false);
  rig.advance(1);
  assertEquals(client.read().closed, true);
});

Deno.test("service: an idle client may stay for ever", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  rig.advance(30 * 86_400_000);
  assertEquals(client.ask(...POLICY), POLICY_REPLY);
});

for (const [bytes, pending] of [["request\0policy\0cache", "name"], ["request\0see", "value"]]) {
  Deno.test(`service: an end in the middle of a ${pending} is worth a warning`, () => {
    using rig = new ServiceRig();
    const client = rig.connect();
    client.exchange(latin1(bytes));
    client.close();
    rig.settle();
    assertEquals(rig.log.lines, [
      `warning: premature end-of-input on tlsmgr socket while reading input attribute ${pending}`,
    ]);
  });
}

Deno.test("service: an update whose client has gone is carried out", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  client.write(listOf(...UPDATE));
  client.close();
  rig.settle();
  assertEquals(rig.connect().ask(...LOOKUP), "status|0|session|YQ==||");
  assertEquals(rig.log.lines, []);
});

Deno.test("service: a list of too many attributes ends the connection", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  assertEquals(client.exchange(latin1("a\0b\0".repeat(1001))), "closed");
  assertEquals(rig.log.lines, [
    "warning: unreasonable input from tlsmgr socket: too many attributes",
  ]);
});

Deno.test("service: a session above the limit is not stored, and the connection goes on", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nmax_entry_bytes = 6\n`);
  const client = rig.connect();
  const store = (session: string) => client.ask("request", "update", ...ENTRY, "session", session);
  assertEquals(store("AAAAAAAA"), "status|0||");
  assertEquals(store("AAAAAAAAAA=="), "status|4294967295||");
  assertEquals(client.ask(...LOOKUP), "status|0|session|AAAAAAAA||");
});

Deno.test("service: connections beyond max_connections are closed, and room is found again", () => {
  using rig = new ServiceRig("[service.tlsmgr]\nmax_connections = 2\n");
  const clients = [rig.connect(), rig.connect()];
  const third = rig.connectQuietly();
  rig.settle();
  const { bytes, closed } = third.read();
  assertEquals([bytes.length, closed], [0, true]);
  assertMatch(rig.log.lines[0], /^warning: too many connections: .*max_connections/);
  clients[0].close();
  rig.settle();
  assertEquals(rig.connect().ask(...POLICY), POLICY_REPLY);
});

Deno.test("service: a client cannot flood the log", () => {
  using rig = new ServiceRig();
  const client = rig.connect();
  for (let i = 0; i < 300; i++) client.ask("request", "policy", "cache_type", "nix");
  assertEquals(rig.log.lines.length, 100);
  rig.advance(10_000);
  assertEquals(rig.log.lines.length, 101);
  assertMatch(rig.log.lines[100], /left out 200 more warnings/);
});

Deno.test("service: expired entries are removed by scans, a timeout apart", () => {
  using rig = new ServiceRig(
    `${DATABASE}smtpd_tls_loglevel = "cache"\nsmtpd_tls_session_cache_timeout = 120\n`,
  );
  const client = rig.connect();
  client.ask(...UPDATE);
  rig.log.take();
  rig.advance(120_000);
  assertEquals(rig.log.take(), [
    "tlsmgr_cache_run_event: start TLS smtpd session cache cleanup",
  ]);
  rig.advance(120_000);
  assertEquals(rig.log.take(), [
    "tlsmgr_cache_run_event: start TLS smtpd session cache cleanup",
    "delete smtpd session id=x",
  ]);
});

Deno.test("service: ticket keys are the same for all clients and follow the clock", () => {
  using rig = new ServiceRig();
  const [one, other] = [rig.connect(), rig.connect()];
  const first = one.ask("request", "tktkey", "keyname", "");
  assertEquals(first.length, goldenHex("tktkey_reply").length);
  assertEquals(other.ask("request", "tktkey", "keyname", ""), first);
  // 16 bytes of base64 are the name in 22 characters, of which the last holds bits of the next byte.
  const name = first.slice("status|0|keybuf|".length).slice(0, 21);
  rig.advance(1_800_000);
  const second = other.ask("request", "tktkey", "keyname", "");
  assert(second !== first);
  const byName = ["A", "Q", "g", "w"].map((last) =>
    one.ask("request", "tktkey", "keyname", `${name}${last}==`)
  );
  assertEquals(byName.filter((reply) => reply === first).length, 1);
});

Deno.test("service: drain() closes idle clients and lets a request that has begun end", () => {
  using rig = new ServiceRig(DATABASE);
  const [idle, busy] = [rig.connect(), rig.connect()];
  const update = listOf(...UPDATE);
  busy.exchange(update.slice(0, 20));
  rig.service.drain();
  rig.settle();
  assertEquals([idle.read().closed, busy.read().closed, rig.drained], [true, false, 0]);
  const late = rig.connectQuietly();
  assertEquals(busy.exchange(update.slice(20)), "status|0||closed");
  assert(rig.drained > 0);
  assertEquals(late.read().bytes.length, 0);
});

Deno.test("service: close() closes every connection and may be called again", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  client.write(listOf(...UPDATE));
  rig.service.close();
  rig.service.close();
  rig.settle();
  assertEquals(client.read().closed, true);
});

Deno.test("makeTlsmgrService() refuses a database that cannot be opened", () => {
  assertThrows(
    () => new ServiceRig(`smtpd_tls_session_cache_database = "btree:/nonexistent/x"\n`),
    FatalError,
    "/nonexistent/x.postern",
  );
});
