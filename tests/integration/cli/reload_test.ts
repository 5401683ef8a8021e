/**
 * `postern reload`: what is in force afterwards, and what is told when nothing changes.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { leaveDeadName } from "../../support/http_visit.ts";
import { Bed as Tlsmgr } from "../tlsmgr/_bed.ts";
import { assertTalks, Bed as Tlsproxy } from "../tlsproxy/_bed.ts";
import { assertRefusal, Bench, postern } from "./_run.ts";

/** Changes a settings file. */
async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  assert(text.includes(from), `${from} is in the settings`);
  await Deno.writeTextFile(path, text.replace(from, to));
}

Deno.test("reload waits until tlsproxy has the settings in force, and nobody's session ends", async () => {
  await using bed = await Tlsproxy.start({ service: { drain_timeout: 2 } });
  const config = bed.folder.file("tlsproxy.toml");
  const open = await bed.established();
  await edit(config, "smtpd_tls_loglevel = 1", "smtpd_tls_loglevel = 0");
  const { code, stdout, stderr } = await postern([
    "reload",
    "--role",
    "tlsproxy",
    "--config",
    config,
  ]);
  assertEquals([code, stdout, stderr], [0, "tlsproxy: the settings are in force\n", ""]);
  const established = () => bed.tlsproxy.log.split("TLS connection established").length;
  const before = established();
  await assertTalks(open);
  await bed.honestSession();
  assertEquals(established(), before, "the new level counts");
  await open.local.close();
});

Deno.test("reload with errors fails, tells all of them once, and leaves the service as it was", async () => {
  await using bed = await Tlsproxy.start({ service: { drain_timeout: 2 } });
  const config = bed.folder.file("tlsproxy.toml");
  const good = await Deno.readTextFile(config);
  const open = await bed.established();
  const cases: [from: string, to: string, told: RegExp][] = [
    [
      "smtpd_tls_loglevel = 1",
      'ipc_timeout = "never"\nsmtpd_tls_ask_ccert = "perhaps"',
      /^\S+tlsproxy\.toml:\d+:\d+: error: ipc_timeout: .*\n\S+: error: smtpd_tls_ask_ccert: /,
    ],
    ["smtpd_tls_loglevel = 1", "no TOML", /tlsproxy\.toml:\d+:\d+: error: /],
    [/smtpd_tls_cert_file = .*/.exec(good)![0], 'smtpd_tls_cert_file = "/no/such"', /\/no\/such/],
  ];
  for (const [from, to, told] of cases) {
    await Deno.writeTextFile(config, good.replace(from, to));
    const result = await postern(["reload", "--role", "tlsproxy", "--config", config]);
    assertEquals([result.code, result.stdout], [78, ""], result.stderr);
    assertMatch(result.stderr, told);
    const report = result.stderr.split("\n").filter((line) => line.startsWith("postern: "));
    assertEquals(report.length, 2, result.stderr);
    assertMatch(report[0], /^postern: error: Cannot reload tlsproxy: /);
    assertMatch(report[1], /^postern: hint: .*settings before stay in force/);
    await assertTalks(open);
    await bed.honestSession();
  }
  await Deno.writeTextFile(config, good);
  assertEquals((await postern(["reload", "--role", "tlsproxy", "--config", config])).code, 0);
  await open.local.close();
  assertEquals(/ fatal: /.exec(bed.tlsproxy.log), null, bed.tlsproxy.log);
});

Deno.test("reload names what takes a restart", async () => {
  await using bed = await Tlsproxy.start();
  const config = bed.folder.file("tlsproxy.toml");
  await edit(config, 'socket_mode = "0666"', 'socket_mode = "0600"\nmetrics = "/run/other"');
  const args = ["reload", "--role", "tlsproxy", "--config", config];
  const { code, stdout, stderr } = await postern(args);
  assertEquals([code, stdout], [0, "tlsproxy: the settings are in force\n"], stderr);
  assertEquals(stderr, "takes a restart: service.socket_mode, service.metrics\n");
});

Deno.test("reload asks tlsmgr, and by the path of its control socket without any settings", async () => {
  await using bed = await Tlsmgr.start();
  const control = `${bed.socket}.control`;
  const { code, stdout, stderr } = await postern(["reload", "--control", control]);
  assertEquals([code, stdout, stderr], [0, `${control}: the settings are in force\n`, ""]);
  await edit(
    bed.folder.file("postern.toml"),
    "socket_mode",
    'max_connections = "many"\nsocket_mode',
  );
  const bad = await postern(["reload", "--control", control]);
  assertEquals([bad.code, bad.stdout], [78, ""], bad.stderr);
  assertStringIncludes(bad.stderr, "max_connections");
  await bed.assertServes();
});

Deno.test("reload says whom it cannot reach, where it looked, and what to do", async () => {
  await using bench = await Bench.make();
  const [, , , config] = await bench.prepare("tlsmgr");
  const alone = await postern(["reload", "--role", "tlsmgr", "--config", config]);
  assertRefusal(
    alone,
    69,
    /Cannot ask tlsmgr: \S+\/tlsmgr\.control: there is no such socket; \/run\//,
  );
  const path = bench.folder.file("dead");
  leaveDeadName(path);
  assertRefusal(await postern(["reload", "--control", path]), 69, /: nobody serves it$/);
  const { code, stderr } = await postern(["reload", "--config", config]);
  assertEquals(code, 69);
  assertMatch(stderr, /Cannot ask tlsmgr: [^]*Cannot ask tlsproxy: /);
});

Deno.test("reload takes one service by name or by path, not both", async () => {
  const both = await postern(["reload", "--control", "/x", "--role", "tlsmgr"]);
  assertRefusal(both, 64, /--control names a service, and so does another option/);
});

Deno.test("reload does not believe a stranger at the socket", async () => {
  await using bench = await Bench.make();
  const path = bench.folder.file("stranger");
  using listener = Deno.listen({ transport: "unix", path });
  const answers = [
    "",
    "220 mail.example ESMTP\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
  ];
  for (const answer of answers) {
    const asked = postern(["reload", "--control", path]);
    const connection = await listener.accept();
    const bytes = new Uint8Array(1000);
    const count = await connection.read(bytes);
    assertStringIncludes(
      new TextDecoder().decode(bytes.subarray(0, count ?? 0)),
      "POST /reload HTTP/1.1\r\nHost: localhost\r\n",
    );
    await connection.write(new TextEncoder().encode(answer));
    connection.close();
    assertRefusal(await asked, 69, /^postern: error: Cannot (?:ask|reload) /);
  }
});
