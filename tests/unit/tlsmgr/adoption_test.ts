import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findDeferred } from "../../../lib/tlsmgr/adoption.ts";
import { goldenHex } from "../../wire/golden.ts";
import { listOf } from "../../wire/lists.ts";
import { ServiceRig } from "./_service_rig.ts";
import { settingsFrom } from "./_setup.ts";

const DATABASE = `smtpd_tls_session_cache_database = "btree:\${data_directory}/scache"\n`;
const MOVED = DATABASE.replace("/scache", "/moved");
const IN_FORCE = { fault: undefined, fixed: [] };
const MISS = "status|4294967295|session|||";
const OFF = "status|4294967294|session|||";
const HIT = "status|0|session|YQ==||";
const POLICY = ["request", "policy", "cache_type", "smtpd"];
const KEY = ["request", "tktkey", "keyname", ""];

const entry = (id: string, cache = "smtpd") => ["cache_type", cache, "cache_id", id];
const update = (
  id: string,
  cache = "smtpd",
) => ["request", "update", ...entry(id, cache), "session", "YQ=="];
const lookup = (id: string, cache = "smtpd") => ["request", "lookup", ...entry(id, cache)];

const policy = (timeoutS: number, cachable = 1) =>
  `status|0|cachable|${cachable}|timeout|${timeoutS}||`;

function filesOf(rig: ServiceRig): string[] {
  return [...Deno.readDirSync(rig.folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".postern")).sort();
}

Deno.test("service: other settings leave connections, entries and ticket keys as they are", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  assertEquals(client.ask(...update("x")), "status|0||");
  const key = client.ask(...KEY);
  assertEquals(rig.adopt(`${DATABASE}smtpd_tls_session_cache_timeout = 7200\n`), IN_FORCE);
  assertEquals(client.ask(...POLICY), policy(7200));
  assertEquals(client.ask(...lookup("x")), HIT);
  assertEquals(client.ask(...KEY), key);
  // The entry keeps the lifetime that it was stored with, others get the new one.
  assertEquals(client.ask(...update("y")), "status|0||");
  rig.clock.advance(3_601_000);
  assertEquals(client.ask(...lookup("x")), MISS);
  assertEquals(client.ask(...lookup("y")), HIT);
});

Deno.test("service: the scan for expired entries follows another timeout", () => {
  using rig = new ServiceRig(`${DATABASE}smtpd_tls_session_cache_timeout = 7200\n`);
  const client = rig.connect();
  rig.adopt(`${DATABASE}smtpd_tls_session_cache_timeout = 120\nsmtpd_tls_loglevel = 2\n`);
  client.ask(...update("x"));
  rig.log.lines.length = 0;
  rig.advance(121_000);
  rig.advance(121_000);
  assert(
    rig.log.lines.some((line) => line.includes("delete smtpd session id=x")),
    "traced as well",
  );
});

Deno.test("service: quotas count from the moment that they are known", () => {
  for (const database of [DATABASE, 'smtpd_tls_session_cache_database = "memory:"\n']) {
    using rig = new ServiceRig(database);
    const client = rig.connect();
    for (const id of ["a", "b", "c"]) client.ask(...update(id));
    assertEquals(rig.adopt(`${database}[cache.smtpd]\nmax_entries = 2\n`), IN_FORCE);
    rig.settle();
    assertEquals(["a", "b", "c"].map((id) => client.ask(...lookup(id))), [MISS, HIT, HIT]);
    assertEquals(rig.adopt(`${database}[cache.smtpd]\nmax_entry_bytes = 1\n`), IN_FORCE);
    assertEquals(client.ask(...update("b")), "status|0||");
    const long = [...update("b").slice(0, -1), "YWFh"];
    assertEquals(client.ask(...long), "status|4294967295||");
  }
});

Deno.test("service: a cache moves, goes and comes", () => {
  using rig = new ServiceRig(DATABASE);
  const client = rig.connect();
  client.ask(...update("x"));
  assertEquals(rig.adopt(MOVED), IN_FORCE);
  assertEquals(client.ask(...lookup("x")), MISS);
  client.ask(...update("y"));
  assertEquals(rig.adopt(""), IN_FORCE);
  assertEquals(client.ask(...POLICY), policy(3600, 0));
  assertEquals(client.ask(...lookup("y")), OFF);
  const smtp = MOVED.replace("smtpd_", "smtp_");
  // What nobody has open any more may be anybody's.
  assertEquals(rig.adopt(DATABASE + smtp), IN_FORCE);
  assertEquals(client.ask(...lookup("x")), HIT);
  assertEquals(client.ask(...lookup("y", "smtp")), HIT);
  assertEquals(filesOf(rig), ["moved.postern", "scache.postern"]);
  assertEquals(rig.adopt(`${DATABASE}smtpd_tls_session_cache_timeout = 0\n`), IN_FORCE);
  assertEquals(client.ask(...POLICY), policy(0, 0));
  assertEquals(client.ask(...KEY), "status|4294967295|keybuf|||");
  assertEquals(rig.adopt(DATABASE), IN_FORCE);
  assertEquals(client.ask(...lookup("x")), HIT);
});

Deno.test("service: of settings that cannot be had not one is taken", () => {
  using rig = new ServiceRig(`${DATABASE}smtpd_tls_session_cache_timeout = 7200\n`);
  const client = rig.connect();
  client.ask(...update("x"));
  const files = filesOf(rig);
  const { fault } = rig.adopt(
    MOVED + DATABASE.replace("smtpd_", "smtp_").replace("/scache", "/nowhere/scache") +
      "smtpd_tls_session_cache_timeout = 120\n",
  );
  assertMatch(fault ?? "", /nowhere/);
  assertEquals(client.ask(...POLICY), policy(7200));
  assertEquals(client.ask(...lookup("x")), HIT);
  assertEquals(client.ask("request", "policy", "cache_type", "smtp"), policy(3600, 0));
  // What was opened in the attempt can be had again.
  assertEquals(rig.adopt(MOVED), IN_FORCE);
  assert(files.length <= filesOf(rig).length);
});

Deno.test("service: a change that was not acknowledged goes to the database that it was for", () => {
  using rig = new ServiceRig(`${DATABASE}[cache]\nsync = "always"\n`);
  const client = rig.connect();
  client.write(listOf(...update("x")));
  rig.reactor.turn(0);
  assertEquals(client.read().bytes.length, 0, "it waits for the disk");
  assertEquals(rig.adopt(`${MOVED}[cache]\nsync = "always"\n`), IN_FORCE);
  while (rig.slowCalls.waiting.length > 0) rig.slowCalls.waiting[0].succeed();
  rig.settle();
  assertEquals(client.read().bytes, goldenHex("update_reply"));
  assertEquals(rig.adopt(`${DATABASE}[cache]\nsync = "always"\n`), IN_FORCE);
  assertEquals(client.ask(...lookup("x")), HIT);
});

Deno.test("service: max_connections and ipc_timeout count for those who come", () => {
  using rig = new ServiceRig();
  const first = rig.connect();
  assertEquals(rig.adopt("ipc_timeout = 7\n[service.tlsmgr]\nmax_connections = 1\n"), IN_FORCE);
  assertEquals(first.ask(...POLICY), policy(3600, 0));
  assert(rig.connectQuietly() !== undefined);
  rig.settle();
  assert(rig.log.lines.some((line) => line.includes("1 are open (max_connections)")));
});

Deno.test("service: another exchange file is begun, and the old one left in order", () => {
  const name = "tls_random_exchange_name";
  const source = 'tls_random_source = ""\n';
  using rig = new ServiceRig(`${source}${name} = "\${data_directory}/one"\n`);
  const before = Deno.readFileSync(`${rig.folder}/one`);
  assertEquals(rig.adopt(`${source}${name} = "\${data_directory}/two"\n`), IN_FORCE);
  assertEquals(Deno.readFileSync(`${rig.folder}/two`).length, 1024);
  const after = Deno.readFileSync(`${rig.folder}/one`);
  assert(before.some((byte, index) => byte !== after[index]), "a last update");
  // Settings that do not touch it leave it alone.
  const two = Deno.readFileSync(`${rig.folder}/two`);
  rig.adopt(`${source}${name} = "\${data_directory}/two"\nsmtpd_tls_loglevel = 2\n`);
  assertEquals(Deno.readFileSync(`${rig.folder}/two`), two);
});

Deno.test("findDeferred() names what only a start can take", () => {
  const deferred = (before: string, after: string) =>
    findDeferred(settingsFrom(before), settingsFrom(after));
  const many = `${DATABASE}tls_random_bytes = 64\nipc_timeout = 7\n`;
  assertEquals(deferred("", many), []);
  const table = '[cache.smtpd]\nsync = "always"\npersist = false\nmax_entries = 3\n';
  assertEquals(deferred("", table).toSorted(), ["cache.smtpd.persist", "cache.smtpd.sync"]);
  const jail = "[service]\nchroot = true\n";
  assertEquals(deferred(jail, many + jail).toSorted(), [
    "smtpd_tls_session_cache_database",
    "tls_random_bytes",
  ]);
  const exit = '[entropy]\non_failure = "exit"\n';
  assertEquals(deferred(exit, `${DATABASE}tls_random_bytes = 64\n${exit}`), ["tls_random_bytes"]);
});

Deno.test("service: what is deferred stays as it was", () => {
  using rig = new ServiceRig(`${DATABASE}[cache.smtpd]\nsync = "never"\n`);
  const wanted = `${DATABASE}[cache.smtpd]\nsync = "always"\nmax_entries = 1\n`;
  for (let time = 0; time < 2; time++) {
    const { fault, fixed } = rig.adopt(wanted);
    assertEquals([fault, fixed], [undefined, ["cache.smtpd.sync"]], "named each time");
  }
  const client = rig.connect();
  assertStringIncludes(client.ask(...update("x")), "status|0|", "nobody waits for the disk");
});
