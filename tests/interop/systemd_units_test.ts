/** The units of config/systemd, judged by systemd's own tools. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { supportPath } from "../support/paths.ts";
import { posternBinary, type Role, toToml } from "../support/postern.ts";
import { runChecked, runCommand, startProcess } from "../support/process.ts";
import { TempFolder } from "../support/temp_folder.ts";

const UNITS = supportPath("../../config/systemd");
/** Where the units expect the executable. */
const INSTALLED = "/usr/local/sbin/postern";
/** Most exposure that is allowed; systemd calls less than 5 medium and less than 2 safe. */
const EXPOSURE_MAX = 2.0;
const SYSTEMD = { needsPaths: ["/usr/bin/systemd-analyze", "/usr/bin/systemd-sysusers"] };

/** Copies of all units that name the executable under test; a template gets an instance. */
async function copyUnits(folder: TempFolder): Promise<string[]> {
  const copies: string[] = [];
  for await (const { name } of Deno.readDir(UNITS)) {
    const text = await Deno.readTextFile(`${UNITS}/${name}`);
    const copy = name.replace("@.", "@edge.");
    copies.push(await folder.write(copy, text.replaceAll(INSTALLED, posternBinary())));
    if (copy !== name) await folder.write(name, text.replaceAll(INSTALLED, posternBinary()));
  }
  return copies.sort();
}

interopTest("systemd-analyze verify finds nothing to say about the units", async () => {
  await using folder = await TempFolder.make("units");
  const copies = await copyUnits(folder);
  assertEquals(copies.length, 6, copies.join(" "));
  const verified = await runCommand("systemd-analyze", ["verify", "--man=no", ...copies]);
  assertEquals(verified, { code: 0, stdout: "", stderr: "" });
}, SYSTEMD);

interopTest(`systemd-analyze security rates each service ${EXPOSURE_MAX} or lower`, async () => {
  await using folder = await TempFolder.make("units");
  const services = (await copyUnits(folder)).filter((path) => path.endsWith(".service"));
  assertEquals(services.length, 3);
  for (const service of services) {
    const args = ["security", "--offline=yes", "--no-pager", service];
    const { stdout, stderr } = await runCommand("systemd-analyze", args);
    const [, score] = /Overall exposure level for \S+: ([0-9.]+) /.exec(stdout) ?? [];
    assert(score !== undefined, stdout + stderr);
    assert(Number(score) <= EXPOSURE_MAX, `${service}: ${score}\n${stdout}`);
  }
}, SYSTEMD);

interopTest("the units' system-call filter allows what both roles do", async () => {
  await using folder = await TempFolder.make("units");
  for (const role of ["tlsmgr", "tlsproxy"] as const) {
    const text = await Deno.readTextFile(`${UNITS}/postern-${role}.service`);
    const allowed = await allowedCalls(text);
    assert(allowed.has("epoll_wait") && !allowed.has("mount"), `${allowed.size} calls`);
    const used = await usedCalls(folder, role);
    assert(used.includes("epoll_wait"), used.join(" "));
    assertEquals(used.filter((call) => !allowed.has(call)), [], role);
  }
}, SYSTEMD);

interopTest("systemd takes the files of sysusers.d and tmpfiles.d", async () => {
  await using folder = await TempFolder.make("units");
  await Deno.mkdir(folder.file("etc"));
  const root = `--root=${folder.path}`;
  // The user that Postfix's package makes.
  await folder.write("etc/passwd", "postfix:x:112:118::/var/spool/postfix:/usr/sbin/nologin\n");
  await folder.write("etc/group", "postfix:x:118:\n");
  const file = supportPath("../../config/sysusers.d/postern.conf");
  const users = await runCommand("systemd-sysusers", [root, file]);
  assertEquals(users.code, 0, users.stderr);
  assertMatch(await Deno.readTextFile(folder.file("etc/group")), /^postern:x:\d+:$/m);
  const rules = supportPath("../../config/tmpfiles.d/postern.conf");
  const made = await runCommand("systemd-tmpfiles", ["--create", root, rules]);
  assertEquals(made.code, 0, made.stderr);
  const { mode, gid } = await Deno.stat(folder.file("run/postern"));
  assertEquals((mode ?? 0) & 0o777, 0o750);
  const group = await Deno.readTextFile(folder.file("etc/group"));
  assertStringIncludes(group, `postern:x:${gid}:`);
}, SYSTEMD);

interopTest(
  "a role without any privilege serves the socket that systemd holds for it",
  async () => {
    await using folder = await TempFolder.make("units");
    await runChecked("chown", ["postfix", folder.path]);
    const unit = await Deno.readTextFile(`${UNITS}/postern-tlsmgr.socket`);
    const [, name] = /^FileDescriptorName=(.*)$/m.exec(unit)!;
    const settings = await folder.write(
      "postern.toml",
      toToml({
        queue_directory: folder.path,
        data_directory: folder.path,
        smtpd_tls_session_cache_database: "btree:${data_directory}/scache",
        service: { tlsmgr: { control: folder.file("control") } },
      }),
    );
    const socket = folder.file("held");
    const rights = ["--reuid=postfix", "--regid=postfix", "--init-groups", "--no-new-privs"];
    const none = ["--inh-caps=-all", "--bounding-set=-all"];
    const role = [posternBinary(), "--role", "tlsmgr", "--config", settings];
    const service = [...await isolation(), "setpriv", ...rights, ...none, ...role];
    const args = ["-l", socket, `--fdname=${name}`, ...service];
    await using activated = startProcess("systemd-socket-activate", args);
    await activated.waitFor("the socket", () => /Listening on/.exec(activated.stderr) ?? undefined);
    const query = ["query", socket, "policy", "smtpd"];
    const { code, stdout, stderr } = await runCommand(posternBinary(), query);
    assertEquals(code, 0, stderr + activated.stderr);
    assertMatch(stdout, /^cachable +yes$/m);
    // As ExecReload= has it.
    const reload = ["reload", "--role", "tlsmgr", "--config", settings];
    const reloaded = await runCommand(posternBinary(), reload);
    assertEquals(reloaded.code, 0, reloaded.stderr + activated.stderr);
    assertMatch(activated.stderr, /\breload/);
    assertEquals(/\b(?:error|fatal): /.exec(activated.stderr), null, activated.stderr);
    assertEquals((await runCommand(posternBinary(), query)).code, 0, activated.stderr);
    activated.signal("SIGTERM");
    assertEquals(await activated.ended(), 0, activated.stderr);
    assert((await Deno.lstat(socket)).isSocket, "the name is systemd's to remove");
  },
  SYSTEMD,
);

/** As the units have it: no network, and nothing of /proc but processes; nothing where that is forbidden. */
async function isolation(): Promise<string[]> {
  const script = 'mount -t proc -o subset=pid,hidepid=invisible proc /proc && exec "$@"';
  const start = ["unshare", "-n", "-m", "sh", "-c", script, "sh"];
  const { code } = await runCommand(start[0], [...start.slice(1), "true"]);
  return code === 0 ? start : [];
}

/** The calls that the `SystemCallFilter=` lines of a unit leave. */
async function allowedCalls(unit: string): Promise<ReadonlySet<string>> {
  const { stdout } = await runCommand("systemd-analyze", ["syscall-filter", "--no-pager"]);
  const sets = new Map<string, string[]>();
  let members: string[] = [];
  for (const line of stdout.split("\n")) {
    if (line.startsWith("@")) sets.set(line.trim(), members = []);
    else if (/^\s+[@a-z]/.test(line)) members.push(line.trim());
  }
  const expand = (word: string): string[] =>
    word.startsWith("@") ? (sets.get(word) ?? []).flatMap(expand) : [word];
  const allowed = new Set<string>();
  for (const [, not, words] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const call of words.split(" ").flatMap(expand)) {
      if (not === "") allowed.add(call);
      else allowed.delete(call);
    }
  }
  return allowed;
}

/** The calls that a role makes from its start to its end. */
async function usedCalls(folder: TempFolder, role: Role): Promise<string[]> {
  const settings = await folder.write(
    `${role}.toml`,
    toToml({
      queue_directory: folder.path,
      data_directory: folder.path,
      smtpd_tls_security_level: "may",
      smtpd_tls_cert_file: "none",
      smtpd_tls_session_cache_database: `btree:${folder.path}/scache`,
      // The unit has set the user already.
      service: { user: "", [role]: { socket: folder.file(`${role}.socket`) } },
    }),
  );
  const [binary, calls] = [posternBinary(), folder.file(`${role}.calls`)];
  const trace = ["-f", "-qq", "-o", calls, binary, "--role", role, "--config", settings];
  await using strace = startProcess("strace", trace);
  await strace.waitFor("ready", () => /: ready/.exec(strace.stderr) ?? undefined);
  const [, pid] = /\/tls\w+\[(\d+)\]: ready/.exec(strace.stderr) ?? [];
  Deno.kill(Number(pid), "SIGTERM");
  await strace.ended();
  const lines = (await Deno.readTextFile(calls)).split("\n");
  return [...new Set(lines.flatMap((line) => /^\d+ +([a-z]\w*)\(/.exec(line)?.[1] ?? []))];
}
