import { assert, assertEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import type { MetricName } from "../../../lib/daemon/numbers/metric_table.ts";
import type { NumberBoard } from "../../../lib/daemon/numbers/number_board.ts";
import { REFRESH_DELAY_MS } from "../../../lib/tlsmgr/numbers.ts";
import { listOf } from "../../wire/lists.ts";
import { ServiceRig } from "./_service_rig.ts";

const DATABASE = `smtpd_tls_session_cache_database = "btree:\${data_directory}/scache"\n`;
const ENTRY = (id: string) => ["cache_type", "smtpd", "cache_id", id];
const UPDATE = (id: string) => ["request", "update", ...ENTRY(id), "session", "YQ=="];
const LOOKUP = (id: string) => ["request", "lookup", ...ENTRY(id)];
const DELETE = (id: string) => ["request", "delete", ...ENTRY(id)];

/** The series of a metric that are not 0, by their label values. */
function valuesOf(board: NumberBoard, name: MetricName): Record<string, number> {
  const family = board.collect().find((one) => one.name === name);
  if (family === undefined || family.type === "histogram") return {};
  const shown = family.samples.filter(({ value }) => value !== 0);
  return Object.fromEntries(
    shown.map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );
}

Deno.test("tlsmgr counts requests by type and status", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  for (const id of ["a", "b"]) client.ask(...UPDATE(id));
  for (const id of ["a", "a", "x"]) client.ask(...LOOKUP(id));
  for (const id of ["b", "b", "b"]) client.ask(...DELETE(id));
  client.ask("request", "seed", "size", "32");
  client.ask("request", "seed", "size", "0");
  client.ask("request", "policy", "cache_type", "bogus");
  client.ask("request", "policy", "cache_type", "smtp");
  client.ask("request", "tktkey", "keyname", "");
  client.ask("request", "frobnicate");
  client.ask("whatever", "lookup");
  client.ask("request", "lookup", "cache_type", "smtpd");
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_requests_total"), {
    "update ok": 2,
    "lookup ok": 2,
    "lookup err": 1,
    "lookup fail": 1,
    "delete ok": 1,
    "delete err": 2,
    "seed ok": 1,
    "seed fail": 1,
    "policy ok": 1,
    "policy fail": 1,
    "tktkey ok": 1,
    "unknown ignored": 1,
    "nameless fail": 1,
  });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_malformed_requests_total"), { "": 2 });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_ticket_keys_made_total"), { "": 1 });
});

Deno.test("tlsmgr counts lookups, updates and deletes by cache, those that are off left out", () => {
  using rig = new ServiceRig(`${DATABASE}smtp_tls_session_cache_database = "memory:"
[cache]
max_entry_bytes = 8
`);
  const client = rig.connect();
  client.ask(...UPDATE("a"));
  client.ask("request", "update", "cache_type", "smtp", "cache_id", "a", "session", "YQ==");
  client.ask("request", "update", ...ENTRY("big"), "session", "YWJjZGVmZ2hpamts");
  for (const type of ["smtpd", "smtp", "lmtp"]) {
    for (const id of ["a", "none"]) {
      client.ask("request", "lookup", "cache_type", type, "cache_id", id);
    }
  }
  client.ask(...DELETE("a"));
  client.ask(...DELETE("a"));
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_lookups_total"), {
    "smtpd hit": 1,
    "smtpd miss": 1,
    "smtp hit": 1,
    "smtp miss": 1,
  });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_updates_total"), {
    "smtpd stored": 1,
    "smtpd refused": 1,
    "smtp stored": 1,
  });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_deletes_total"), {
    "smtpd deleted": 1,
    "smtpd missing": 1,
  });
});

Deno.test("tlsmgr counts one flush for all changes of a turn", () => {
  using rig = new ServiceRig(DATABASE);
  const clients = [rig.connect(), rig.connect()];
  for (const client of clients) client.write(listOf(...UPDATE("a")));
  rig.settle();
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_flushes_total"), { "smtpd ok": 1 });
});

Deno.test("tlsmgr shows what its caches hold a while after something has happened", () => {
  using rig = new ServiceRig(DATABASE + "[cache]\nmax_entries = 3\n");
  const client = rig.connect();
  for (const id of ["a", "b", "c", "d", "e"]) client.ask(...UPDATE(id));
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_entries"), {});
  rig.advance(REFRESH_DELAY_MS);
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_entries"), { smtpd: 3 });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_evicted_entries_total"), { smtpd: 2 });
  const bytes = valuesOf(rig.board, "postern_tlsmgr_cache_bytes");
  assertEquals(bytes["smtpd file"], Deno.statSync(`${rig.folder}/scache.postern`).size);
  assert(bytes["smtpd live"] > 0 && bytes["smtpd dead"] > 0);
});

Deno.test("tlsmgr counts entries whose time is over, found by the scan or by a lookup", () => {
  using rig = new ServiceRig(`${DATABASE}smtpd_tls_session_cache_timeout = "200s"\n`);
  const client = rig.connect();
  client.ask(...UPDATE("a"));
  client.ask(...UPDATE("b"));
  rig.clock.setUnixSeconds(rig.clock.unixSeconds() + 201);
  client.ask(...LOOKUP("a"));
  rig.advance(200_000);
  rig.advance(REFRESH_DELAY_MS);
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_expired_entries_total"), { smtpd: 2 });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_entries"), {});
});

Deno.test("tlsmgr is not woken for its numbers while nothing happens", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  rig.advance(REFRESH_DELAY_MS);
  let armed = 0;
  const after = rig.reactor.after.bind(rig.reactor);
  rig.reactor.after = (delayMs, handler) => {
    armed++;
    return after(delayMs, handler);
  };
  client.ask(...UPDATE("a"));
  const armedByRequest = armed;
  assert(armedByRequest > 0);
  for (let i = 0; i < 10; i++) rig.advance(REFRESH_DELAY_MS);
  assertEquals(armed, armedByRequest);
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_cache_entries"), { smtpd: 1 });
});

Deno.test("tlsmgr counts and shows its clients", () => {
  using rig = new ServiceRig(DATABASE + "[service.tlsmgr]\nmax_connections = 2\n");
  const clients = [rig.connect(), rig.connect()];
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_clients"), { "": 2 });
  rig.connectQuietly();
  rig.settle();
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_connections_total"), {
    accepted: 2,
    refused: 1,
  });
  clients[0].close();
  rig.settle();
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_clients"), { "": 1 });
});

Deno.test("tlsmgr counts what its source of entropy and its exchange file do", () => {
  using rig = new ServiceRig(`tls_random_source = "dev:/nonexistent/random"
tls_random_exchange_name = "\${data_directory}/exch"
`);
  rig.settle();
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_entropy_reseeds_total"), { failed: 1 });
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_entropy_source_up"), {});
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_exchange_updates_total"), { ok: 1 });
});

Deno.test("tlsmgr takes two bytes for no request", () => {
  using rig = new ServiceRig(DATABASE);
  rig.connect().exchange(latin1("x\0"));
  assertEquals(valuesOf(rig.board, "postern_tlsmgr_requests_total"), {});
});
