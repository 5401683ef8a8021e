/** `--instance`: whose settings are meant, and what is refused. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { posternBinary } from "../../support/postern.ts";
import { startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

const SETTINGS = `
syslog_name = "$service_name"
smtpd_tls_loglevel = "0"
[service]
user = ""
[tlsproxy]
smtpd_tls_loglevel = "1"
[service.tlsproxy]
socket = "/run/tlsproxy"
max_sessions = 9
[instance.edge]
role = "tlsproxy"
workers = 2
[instance.edge.parameters]
smtpd_tls_ask_ccert = "yes"
[instance.keys]
role = "tlsmgr"
[instance.keys.parameters]
ipc_timeout = "5s"
`;

/** Writes SETTINGS with a few more at the top; its path behind `--config`. */
async function prepare(folder: TempFolder, text = SETTINGS): Promise<string[]> {
  const top = ["queue_directory", "data_directory"].map((name) => `${name} = "${folder.path}"\n`);
  return ["--config", await folder.write("postern.toml", top.join("") + text)];
}

Deno.test("--instance: one that is not there is refused with those that are", async () => {
  await using folder = await TempFolder.make("inst");
  const config = await prepare(folder);
  for (const words of [[], ["config", "check"], ["config", "show"], ["doctor"]]) {
    const near = await postern([...words, "--instance", "egde", ...config]);
    assertRefusal(near, 78, /Cannot find the instance "egde" in .*postern\.toml$/m);
    assertMatch(near.stderr, /hint: Did you mean edge\? There are edge, keys\n$/);
  }
  const far = await postern(["--instance", "other", ...config]);
  assertMatch(far.stderr, /hint: There are edge, keys\n$/);
  const none = await postern(["--instance", "other", ...await prepare(folder, "")]);
  assertMatch(none.stderr, /hint: There is none in the file\n$/);
});

Deno.test("--instance: one without a role is refused after what is wrong with it", async () => {
  await using folder = await TempFolder.make("inst");
  const config = await prepare(folder, "[instance.edge]\nworkers = 1\n");
  const { code, stderr } = await postern(["--instance", "edge", ...config]);
  assertEquals(code, 78, stderr);
  const [first, second] = stderr.split("\n");
  assertMatch(first, /postern\.toml:3:2: error: instance\.edge: .*it has no role/);
  assertStringIncludes(second, 'Cannot find the instance "edge"');
});

Deno.test("--instance: a --role that it has not is a wrong command line", async () => {
  await using folder = await TempFolder.make("inst");
  const config = await prepare(folder);
  for (const words of [[], ["config", "check"], ["config", "show"], ["doctor"]]) {
    assertRefusal(
      await postern([...words, "--role", "tlsmgr", "--instance", "edge", ...config]),
      64,
      /--role tlsmgr contradicts --instance edge, which is one of tlsproxy in .*postern\.toml$/m,
    );
  }
  assertRefusal(
    await postern(["config", "show", "-d", "--instance", "edge"]),
    64,
    /--instance does not go with -d/,
  );
});

Deno.test("--instance: a start with bad settings names the instance", async () => {
  await using folder = await TempFolder.make("inst");
  const args = ["--instance", "edge", ...await prepare(folder), "-o", "ipc_timeout=soon"];
  const { code, stderr } = await postern(args);
  assertEquals(code, 78, stderr);
  assertMatch(stderr, /^command line: error: ipc_timeout: .*"soon"/);
  assertStringIncludes(stderr, "Cannot start instance edge of tlsproxy: the settings in ");
});

Deno.test("config show --instance: shows what the instance sees, and where it comes from", async () => {
  await using folder = await TempFolder.make("inst");
  const config = await prepare(folder);
  const show = async (...words: string[]) => {
    const { code, stdout, stderr } = await postern(["config", "show", ...words, ...config]);
    assertEquals([code, stderr], [0, ""]);
    return stdout;
  };
  const names = [
    "syslog_name",
    "smtpd_tls_loglevel",
    "smtpd_tls_ask_ccert",
    "instance.edge.socket",
  ];
  const shown = await show("-x", "--instance", "edge", ...names, "instance.edge.max_sessions");
  assertEquals(
    shown,
    'syslog_name = edge\nsmtpd_tls_loglevel = 1\nsmtpd_tls_ask_ccert = yes\n[instance.edge] socket = ""\n' +
      "[instance.edge] max_sessions = 9\n",
  );
  const set = await show("-n", "--instance", "edge");
  assertStringIncludes(set, "\n[instance.edge] workers = 2\n");
  assert(!set.includes("ipc_timeout"), set);
  const all = (await show("--instance", "edge")).split("\n");
  assert(
    all.includes('[instance.edge] socket = ""') && all.includes("[instance.edge] workers = 2"),
  );
  assert(!all.includes("[instance.edge] max_sessions = 9"), "it only repeats [service.tlsproxy]");
  const json = JSON.parse(await show("--json", "--instance", "edge", ...names));
  assertEquals(json.instance, "edge");
  assertEquals(json.parameters.map(({ source }: { source: string }) => source), [
    "file",
    "role",
    "instance",
  ]);
  assertEquals([json.keys[0].name, json.keys[0].source], ["instance.edge.socket", "default"]);
});

Deno.test("config check: takes -o for all services, or for the one that is named", async () => {
  await using folder = await TempFolder.make("inst");
  const config = await prepare(folder);
  const check = (...words: string[]) =>
    postern(["config", "check", ...config, "-o", "max_use=$service_name", ...words]);
  const all = await check();
  assertEquals(all.code, 78);
  assertEquals([...all.stderr.matchAll(/max_use: .*"(\w+)"/g)].map(([, name]) => name), [
    "tlsmgr",
    "tlsproxy",
    "edge",
    "keys",
  ]);
  const one = await check("--instance", "keys");
  assertEquals([...one.stderr.matchAll(/max_use: .*"(\w+)"/g)].map(([, name]) => name), ["keys"]);
});

Deno.test("an instance of tlsmgr does not touch the cache of another one that runs", async () => {
  await using folder = await TempFolder.make("inst");
  const cache = 'smtpd_tls_session_cache_database = "btree:$data_directory/scache"\n';
  const config = await prepare(folder, cache + SETTINGS);
  const checked = await postern(["config", "check", ...config]);
  assertEquals(checked.code, 0, checked.stderr);
  assertMatch(checked.stderr, /The cache of instance keys of tlsmgr is that of tlsmgr too/);
  await Deno.mkdir(folder.file("private"));
  await using first = startProcess(posternBinary(), ["--role", "tlsmgr", ...config]);
  await first.waitFor("readiness", () => /\bready\b/.test(first.stderr));
  const second = await postern(["--instance", "keys", ...config]);
  assert(second.code !== 0, second.stderr);
  assertMatch(second.stderr, /keys\/tlsmgr\[\d+\]: fatal: .*scache\.postern/);
  const other = "smtpd_tls_session_cache_database=btree:$data_directory/other";
  await using third = startProcess(posternBinary(), ["--instance", "keys", ...config, "-o", other]);
  await third.waitFor("readiness", () => /\bready\b/.test(third.stderr));
  const query = await postern(["query", folder.file("private/keys"), "policy", "smtpd"]);
  assertEquals(query.code, 0, query.stderr);
});
