import { assert, assertEquals, assertMatch } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import {
  type Client,
  Clients,
  SILENT_MIN_MS,
  UNFINISHED_BYTES_MAX,
} from "../../../lib/tlsmgr/clients.ts";
import { listOf } from "../../wire/lists.ts";
import { ServiceRig } from "./_service_rig.ts";

const POLICY = ["request", "policy", "cache_type", "lmtp"];
const POLICY_REPLY = "status|0|cachable|0|timeout|3600||";
const ENTRY = ["cache_type", "smtpd", "cache_id", "x"];
const DATABASE = `smtpd_tls_session_cache_database = "btree:\${data_directory}/scache"\n`;

/** Clients whose connections do what the test says. */
class Bench {
  now = 1_000_000;
  readonly faults: string[] = [];
  readonly closed: string[] = [];
  readonly waiting: (() => void)[] = [];
  readonly clients: Clients;

  constructor(max: number) {
    this.clients = new Clients({
      max,
      nowMs: () => this.now,
      after: (delayMs, handler) => {
        assertEquals(delayMs, SILENT_MIN_MS);
        this.waiting.push(handler);
      },
      fault: (text) => this.faults.push(text),
    });
  }

  /** Adds a connection that was used `silentMs` ago. */
  add(name: string, silentMs: number, unfinishedBytes = 0): Client {
    const client: Client = {
      usedAtMs: this.now - silentMs,
      isIdle: unfinishedBytes === 0,
      unfinishedBytes,
      close: () => {
        this.closed.push(name);
        this.clients.remove(client);
        this.clients.hold(-unfinishedBytes);
      },
    };
    this.clients.add(client);
    if (unfinishedBytes > 0) this.clients.hold(unfinishedBytes);
    return client;
  }
}

Deno.test("Clients: as long as there are places nobody is closed", () => {
  const bench = new Bench(3);
  bench.add("a", 1e9);
  bench.add("b", 1e9);
  assertEquals([bench.clients.findPlace(), bench.closed, bench.faults], [true, [], []]);
});

Deno.test("Clients: the one that was silent longest makes room", () => {
  const bench = new Bench(3);
  bench.add("a", 5000);
  bench.add("b", 7200);
  bench.add("c", 6000);
  assertEquals([bench.clients.findPlace(), bench.closed], [true, ["b"]]);
  assertMatch(bench.faults[0], /silent for 7 seconds, 3 are open \(max_connections\)/);
});

Deno.test("Clients: a connection that was just used, or is in use, is not taken", () => {
  const bench = new Bench(2);
  bench.add("just used", SILENT_MIN_MS - 1);
  bench.add("in a request", 1e9, 10);
  assertEquals([bench.clients.findPlace(), bench.closed], [false, []]);
  assertMatch(bench.faults[0], /^too many connections: closing one unread, 2 are open/);
  bench.now++;
  assertEquals([bench.clients.findPlace(), bench.closed], [true, ["just used"]]);
});

Deno.test("Clients: descriptors are given back sixteen at a time, the longest silent first", () => {
  const bench = new Bench(100);
  for (let i = 0; i < 20; i++) bench.add(String(i), 10_000 + i);
  bench.add("used", 0);
  bench.clients.giveBack();
  assertEquals(bench.closed, Array.from({ length: 16 }, (_, i) => String(19 - i)));
  assertEquals(bench.clients.count, 5);
  bench.clients.giveBack();
  assertEquals([bench.clients.count, bench.waiting.length], [1, 0]);
});

Deno.test("Clients: descriptors are given back as soon as somebody has been silent", () => {
  const bench = new Bench(100);
  bench.clients.giveBack();
  assertEquals(bench.waiting.length, 0);
  const busy = bench.add("busy", 0);
  bench.add("silent", 0);
  bench.clients.giveBack();
  bench.clients.giveBack();
  assertEquals([bench.closed, bench.waiting.length], [[], 1]);
  bench.now += SILENT_MIN_MS;
  Object.assign(busy, { usedAtMs: bench.now });
  bench.waiting.shift()!();
  assertEquals([bench.closed, bench.waiting.length], [["silent"], 0]);
});

Deno.test("Clients: of too many unfinished requests the largest is ended", () => {
  const bench = new Bench(100);
  const size = 1 << 20;
  bench.add("larger", 0, size + 1);
  for (let i = 1; i < UNFINISHED_BYTES_MAX / size; i++) bench.add(String(i), 0, size);
  assertEquals(bench.closed, ["larger"]);
  assertMatch(bench.faults[0], /^too many unfinished requests: .* 1048577 bytes of one$/);
  bench.add("last", 0, size);
  assertEquals(bench.closed, ["larger"]);
});

Deno.test("service: a client in need gets the place of one that says nothing", () => {
  using rig = new ServiceRig("[service.tlsmgr]\nmax_connections = 3\n");
  const silent = [rig.connect(), rig.connect(), rig.connect()];
  rig.advance(3000);
  assertEquals(silent[0].ask(...POLICY), POLICY_REPLY);
  rig.advance(2000);
  assertEquals(rig.connect().ask(...POLICY), POLICY_REPLY);
  assertEquals(silent.map((client) => client.read().closed), [false, true, false]);
  assertMatch(rig.log.lines.join("\n"), /^warning: too many connections: .* silent for 5 seconds/);
});

Deno.test("service: a client that does not take its answer is waited for, up to 100 seconds", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nmax_entry_bytes = 0\n`);
  const storing = rig.connect();
  const session = "A".repeat(1 << 18);
  // Larger than a socket's buffer: written as the service takes it.
  const update = listOf("request", "update", ...ENTRY, "session", session);
  for (let at = 0; at < update.length; at += 65_536) {
    storing.exchange(update.slice(at, at + 65_536));
  }
  const [slow, quick] = [rig.connect(), rig.connect()];
  slow.write(listOf("request", "lookup", ...ENTRY));
  rig.settle();
  slow.write(listOf("request", "lookup", ...ENTRY));
  rig.advance(99_000);
  assertEquals(quick.ask(...POLICY), POLICY_REPLY);
  rig.advance(1000);
  const { bytes, closed } = slow.read();
  assert(bytes.length > 0 && bytes.length < session.length, `${bytes.length} bytes of one answer`);
  assertEquals(closed, true);
  assertEquals(rig.log.lines, [
    "warning: timeout on tlsmgr socket while sending: not taken after 100 seconds",
  ]);
  assertEquals(quick.ask(...POLICY), POLICY_REPLY);
});

Deno.test("service: drain() lets an answer that has begun end", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nmax_entry_bytes = 0\n`);
  const client = rig.connect();
  const session = "A".repeat(1 << 19);
  const update = listOf("request", "update", ...ENTRY, "session", session);
  for (let at = 0; at < update.length; at += 65_536) client.exchange(update.slice(at, at + 65_536));
  client.write(listOf("request", "lookup", ...ENTRY));
  rig.settle();
  rig.service.drain();
  rig.settle();
  assertEquals(rig.drained, 0);
  let length = 0;
  for (let turn = 0; turn < 100; turn++) {
    const { bytes, closed } = client.read();
    length += bytes.length;
    if (closed) break;
    rig.settle();
  }
  assertEquals(length, session.length + latin1("status|0|session|||").length);
  assert(rig.drained > 0);
});

Deno.test("service: what a client pipelines costs one request a turn", () => {
  using rig = new ServiceRig();
  const [greedy, honest] = [rig.connect(), rig.connect()];
  const flood = latin1("request\0seed\0size\x00255\0\0".repeat(2000));
  for (let turn = 0; turn < 20; turn++) {
    greedy.write(flood);
    honest.write(listOf(...POLICY));
    rig.reactor.turn(0);
    assertEquals(honest.read().bytes.length, POLICY_REPLY.length);
    assertEquals(greedy.read().bytes.length, "status|0|seed|||".length + 340);
  }
});
