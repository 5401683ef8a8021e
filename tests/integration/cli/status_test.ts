/**
 * `postern status`: what people and scripts see of running services.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { supportPath } from "../../support/paths.ts";
import { posternBinary, toToml } from "../../support/postern.ts";
import { startProcess } from "../../support/process.ts";
import { waitUntil } from "../../support/wait.ts";
import { Bed as Tlsmgr, entryRequest } from "../tlsmgr/_bed.ts";
import { Bed as Tlsproxy } from "../tlsproxy/_bed.ts";
import { assertRefusal, Bench, postern } from "./_run.ts";

/** The rows of a text by name; a row without one goes on with the one before. */
function rowsOf(text: string): Record<string, string> {
  const rows: Record<string, string> = {};
  let name = "";
  for (const line of text.split("\n").slice(1)) {
    if (line === "") continue;
    const [, found, rest] = /^ {2}(.{14})(.*)$/.exec(line) ?? [];
    assert(found !== undefined, `a row: ${JSON.stringify(line)}`);
    if (found.trim() !== "") name = found.trim();
    rows[name] = rows[name] === undefined ? rest : `${rows[name]}\n${rest}`;
  }
  return rows;
}

function settingsOf(bed: Tlsproxy): string[] {
  return ["--role", "tlsproxy", "--config", bed.folder.file("tlsproxy.toml")];
}

Deno.test("status shows what tlsproxy does", async () => {
  await using bed = await Tlsproxy.start({ service: { drain_timeout: 2 } });
  await bed.honestSession();
  const open = await bed.established();
  const { code, stdout, stderr } = await postern(["status", ...settingsOf(bed)]);
  assertEquals([code, stderr], [0, ""]);
  const pattern =
    /^tlsproxy: serving, since 20\S+Z \(\d+ s\), process (\d+), postern \d+\.\d+\.\d+\n/;
  assertEquals(Number(pattern.exec(stdout)?.[1]), bed.tlsproxy.pid, stdout);
  const rows = rowsOf(stdout);
  assertEquals(rows.socket, bed.socket);
  assertMatch(rows.settings, /^\S+\/tlsproxy\.toml, in force since 20\S+Z$/);
  assertEquals(rows.threads, "1");
  assertMatch(rows.watchdog, /^\S.* left of \S.*$/);
  assertMatch(rows["event loop"], /^a turn takes \d/);
  assertMatch(rows.process, /^\d+\.\d MiB, \d+ descriptors, \d.* of processor time$/);
  assertMatch(rows.sessions, /^1 open: 1 relaying\n2 ended: 2 completed$/);
  assertMatch(rows.handshakes, /^3 done, \d\S* m?s each: 3 TLSv1\.3$/);
  assertMatch(rows.resumption, /^0\.0 % of all handshakes$/);
  assertMatch(rows.payload, /^\d+ B from peers, \d+ B to peers$/);
  assertMatch(rows.tlsmgr, /^\d+ questions: /);
  assertMatch(
    rows.certificates,
    /^20\S+Z \([^)]+ left\): \/CN=localhost, .*rsa\.pem.*\n20/,
  );
  await open.local.close();
});

Deno.test("status shows what tlsmgr does, and the last reload", async () => {
  await using bed = await Tlsmgr.start();
  using client = await bed.connect();
  await client.ask(entryRequest("update", "a", "c2Vzc2lvbg=="));
  await client.ask(entryRequest("lookup", "a"));
  await client.ask(entryRequest("lookup", "b"));
  const args = ["--role", "tlsmgr", "--config", bed.folder.file("postern.toml")];
  assertEquals((await postern(["reload", ...args])).code, 0);
  // What a cache holds is shown a moment later.
  const rows = await waitUntil("the entry", async () => {
    const { code, stdout, stderr } = await postern(["status", ...args]);
    assertEquals([code, stderr], [0, ""]);
    const shown = rowsOf(stdout);
    return shown["cache smtpd"].startsWith("1 entries") && shown;
  });
  assertEquals(rows.clients, "1 connected, 1 accepted, 0 refused");
  assertEquals(rows.requests, "3: 2 lookup, 1 update");
  assertMatch(
    rows["cache smtpd"],
    /^1 entries, \d+ B, \d+ B on disk\n50\.0 % of 2 lookups found one/,
  );
  assertMatch(rows["ticket keys"], /^\d+ made$/);
  assertMatch(rows.entropy, /^\S+: answers: \d+ ok$/);
  assertMatch(rows["last reload"], /^20\S+Z: done$/);
});

Deno.test("status shows a reload that failed, and a service that drains is no success", async () => {
  await using bed = await Tlsproxy.start({ service: { drain_timeout: 300 } });
  const open = await bed.established();
  const config = bed.folder.file("tlsproxy.toml");
  const good = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, `oops = \n${good}`);
  assertEquals((await postern(["reload", ...settingsOf(bed)])).code, 78);
  // The settings that have errors do not hide where the service is.
  const bad = await postern(["status", ...settingsOf(bed)]);
  assertEquals(bad.code, 0, bad.stderr);
  assertMatch(rowsOf(bad.stdout)["last reload"], /^20\S+Z: refused: the settings have errors/);
  await Deno.writeTextFile(config, good);
  bed.tlsproxy.signal("SIGTERM");
  await bed.tlsproxy.waitForLog(/./);
  for (;;) {
    const draining = await postern(["status", ...settingsOf(bed)]);
    if (draining.code === 0) continue;
    assertEquals(draining.code, 69, draining.stderr);
    assertMatch(draining.stdout, /^tlsproxy: draining, /);
    assertStringIncludes(rowsOf(draining.stdout).sessions, "1 open");
    break;
  }
  await open.local.close();
});

Deno.test("status --json is one object a line with all numbers", async () => {
  await using bed = await Tlsmgr.start();
  await bed.assertServes();
  const control = `${bed.socket}.control`;
  const { code, stdout } = await postern(["status", "--json", "--control", control]);
  assertEquals([code, stdout.split("\n").length], [0, 2]);
  const status = JSON.parse(stdout);
  const { role, instance, state, well, pid, socket, settings, crews, reload } = status;
  assertEquals({ role, instance, state, well, pid, socket, settings, crews, reload }, {
    role: "tlsmgr",
    instance: null,
    state: "serving",
    well: true,
    pid: bed.tlsmgr.pid,
    socket: bed.socket,
    settings: bed.folder.file("postern.toml"),
    crews: [{ state: "serving", threads: 1 }],
    reload: null,
  });
  const policies = status.numbers.postern_tlsmgr_requests_total
    .find(({ labels }: { labels: Record<string, string> }) =>
      labels.type === "policy" && labels.status === "ok"
    );
  assertEquals(policies.value, 1);
});

Deno.test("status asks both roles when none is named, and says which one cannot be reached", async () => {
  await using bed = await Tlsmgr.start();
  const text = await Deno.readTextFile(bed.folder.file("postern.toml"));
  const config = await bed.folder.write(
    "both.toml",
    `queue_directory = "${bed.folder.path}"\n${text}`,
  );
  const { code, stdout, stderr } = await postern(["status", "--config", config]);
  assertEquals(code, 69, stderr);
  assertMatch(stdout, /^tlsmgr: serving, /);
  assertMatch(
    stderr,
    /^postern: error: Cannot ask tlsproxy: \S+\/private\/tlsproxy\.control: there is no such socket; .*\npostern: hint: See that it runs/,
  );
  const off = await bed.folder.write(
    "off.toml",
    toToml({ service: { tlsmgr: { control: "off" } } }),
  );
  const refused = await postern(["status", "--role", "tlsmgr", "--config", off]);
  assertRefusal(refused, 69, /its settings say that it has no control socket/);
});

Deno.test("status --watch goes on until it is interrupted, with rates from the second look on", async () => {
  await using bed = await Tlsmgr.start();
  const args = ["status", "--control", `${bed.socket}.control`, "--watch", "0.1"];
  await using watching = startProcess(posternBinary(), args);
  const looks = () => watching.stdout.split("tlsmgr: serving").length - 1;
  await watching.waitFor("three looks", () => looks() >= 3);
  watching.signal("SIGINT");
  assertEquals(await watching.ended(), 0, watching.stderr);
  const [, first, second] = watching.stdout.split("tlsmgr: serving");
  assert(!/\d\/s\)/.test(first), first);
  assertMatch(second, /requests +0 \(0\.0\/s\)/);
  assertMatch(second, /process .* % of a processor\n/);
  assertEquals(watching.stdout.includes("\x1b"), false, "it is no terminal");
});

Deno.test("status --watch ends when nobody reads any more, and at once when there is nothing", async () => {
  await using bed = await Tlsmgr.start();
  const command = `"$0" status --control "$1" --watch=0.1 | head -n 1; echo "$?"`;
  await using piped = startProcess("bash", [
    ...["-c", `set -o pipefail; ${command}`],
    ...[posternBinary(), `${bed.socket}.control`],
  ]);
  assertEquals(await piped.ended(), 0);
  assertMatch(piped.stdout, /^tlsmgr: serving, .*\n0\n$/);
  assertEquals(piped.stderr, "");
  const nothing = await postern(["status", "--control", bed.folder.file("none"), "--watch"]);
  assertRefusal(nothing, 69, /there is no such socket/);
});

Deno.test("status has colours on a terminal, not with NO_COLOR, and --watch writes the screen anew", async () => {
  await using bed = await Tlsmgr.start();
  const script = supportPath("../integration/cli/_terminal.py");
  const args = [script, posternBinary(), "status", "--control", `${bed.socket}.control`];
  const run = (more: string[], env: Record<string, string>) =>
    startProcess("python3", [...args, ...more], { env: { NO_COLOR: "", ...env } });
  await using coloured = run([], {});
  assertEquals(await coloured.ended(), 0, coloured.stdout);
  assertStringIncludes(coloured.stdout, "\x1b[1mtlsmgr\x1b[0m: \x1b[32mserving, ");
  await using plain = run([], { NO_COLOR: "1" });
  assertEquals(await plain.ended(), 0, plain.stdout);
  assertEquals(plain.stdout.includes("\x1b"), false);
  await using watching = run(["--watch=0.1"], {});
  await watching.waitFor("two looks", () => watching.stdout.split("\x1b[H\x1b[2J").length > 2);
  await watching.write("interrupt\n");
  assertEquals(await watching.ended(), 0, watching.stdout);
});

Deno.test("status refuses a time to watch that is none", async () => {
  for (const text of ["0", "never", "-1", "1e9", "100000"]) {
    assertRefusal(
      await postern(["status", `--watch=${text}`]),
      64,
      /^postern: error: --watch is "[^"]*"$/,
    );
  }
});

Deno.test("status finds no settings file, and says so", async () => {
  await using bench = await Bench.make();
  const missing = await postern(["status", "--config", bench.folder.file("none.toml")]);
  assertRefusal(missing, 66, /Cannot read settings file/);
});
