/** `postern install` and `postern uninstall` with the compiled executable. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { demandWhole } from "../../../lib/cli/install/whole_file.ts";
import { posternBinary } from "../../support/postern.ts";
import { runCommand } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

/** Everything below `folder`: path, mode and text, or the size of a large file. */
async function snapshot(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      const inner = `${path}/${name}`;
      const { mode, size } = await Deno.lstat(inner);
      const text = isDirectory ? "" : size > 1e6 ? size : await Deno.readTextFile(inner);
      found.push(`${inner.slice(folder.length)} ${(mode! & 0o7777).toString(8)} ${text}`);
      if (isDirectory) await walk(inner);
    }
  };
  await walk(folder);
  return found.sort();
}

const MASTER_CF = `\
smtp      inet  n       -       y       -       -       smtpd
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
  -o smtpd_tls_session_cache_timeout=7200
tlsproxy  unix  -       -       y       -       0       tlsproxy
edge      unix  -       -       y       -       0       tlsproxy
scache    unix  -       -       y       -       1       scache
`;

/** A folder with a prefix, and the files of a Postfix. */
class Site implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly prefix: string;
  readonly postfix: string;

  private constructor(folder: TempFolder) {
    this.folder = folder;
    this.prefix = folder.file("prefix");
    this.postfix = folder.file("postfix");
  }

  static async make(): Promise<Site> {
    const site = new Site(await TempFolder.make("inst"));
    await Deno.mkdir(site.prefix);
    await Deno.mkdir(site.postfix);
    await site.folder.write(
      "postfix/main.cf",
      "compatibility_level = 3.6\nqueue_directory = /srv/queue\nsmtpd_tls_security_level = may\n",
    );
    await site.folder.write("postfix/master.cf", MASTER_CF, 0o640);
    return site;
  }

  install(...args: string[]) {
    return postern(["install", "--prefix", this.prefix, ...args]);
  }

  installOverPostfix(...args: string[]) {
    return this.install("--postfix", "--postfix-folder", this.postfix, ...args);
  }

  uninstall(...args: string[]) {
    return postern(["uninstall", "--prefix", this.prefix, ...args]);
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(this.folder.file(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

Deno.test("postern install --dry-run tells each step, and changes nothing", async () => {
  await using site = await Site.make();
  const before = await snapshot(site.folder.path);
  const dry = await site.installOverPostfix("--dry-run");
  assertEquals([dry.code, dry.stderr], [0, ""]);
  assertEquals(await snapshot(site.folder.path), before);
  const done = await site.installOverPostfix();
  assertEquals([done.code, done.stderr], [0, ""]);
  const [told, end] = dry.stdout.split("Nothing was changed");
  assertEquals(end, ": this was a dry run\n");
  assert(told.split("\n").length > 30, told);
  assertEquals(done.stdout.split("Next, as root:")[0], told);
});

Deno.test("postern uninstall leaves folder and Postfix as they were before postern install", async () => {
  await using site = await Site.make();
  const before = await snapshot(site.folder.path);
  const installed = await site.installOverPostfix();
  assertEquals(installed.code, 0, installed.stderr);
  assert((await snapshot(site.folder.path)).length > before.length + 20);
  const told = await site.uninstall("--dry-run");
  assertEquals(told.code, 0, told.stderr);
  // The one that was installed takes itself away.
  const own = `${site.prefix}/sbin/postern`;
  const undone = await runCommand(own, ["uninstall", "--prefix", site.prefix]);
  assertEquals([undone.code, undone.stderr], [0, ""]);
  assertEquals(await snapshot(site.folder.path), before);
  assertRefusal(await site.uninstall(), 66, /there is no manifest/);
});

Deno.test("postern install puts a working executable and files for all in place", async () => {
  await using site = await Site.make();
  const { code, stderr } = await site.install();
  assertEquals(code, 0, stderr);
  const files = (await snapshot(site.prefix)).map((line) => line.split(" ")[0]);
  for (
    const name of [
      "/etc/postern/postern.toml",
      "/lib/systemd/system/postern-tlsmgr.service",
      "/lib/systemd/system/postern-tlsproxy@.service",
      "/lib/systemd/system/postern-tlsproxy@.socket",
      "/lib/sysusers.d/postern.conf",
      "/lib/tmpfiles.d/postern.conf",
      "/share/man/man8/postern.8",
      "/share/man/man5/postern.toml.5",
      "/share/bash-completion/completions/postern",
      "/share/zsh/site-functions/_postern",
      "/share/fish/vendor_completions.d/postern.fish",
    ]
  ) assert(files.includes(name), `${name}\n${files.join("\n")}`);
  const own = `${site.prefix}/sbin/postern`;
  const sums = await runCommand("sha256sum", [own, posternBinary()]);
  const [copy, original] = sums.stdout.split("\n").map((line) => line.split(" ")[0]);
  assertEquals(copy, original);
  assertEquals((await Deno.stat(own)).mode! & 0o777, 0o755);
  const settings = `${site.prefix}/etc/postern/postern.toml`;
  const example = await postern(["config", "example"]);
  assertEquals(await Deno.readTextFile(settings), example.stdout);
  assertEquals((await runCommand(own, ["config", "check", "--config", settings])).code, 0);
  const unit = await site.read("prefix/lib/systemd/system/postern-tlsmgr.service");
  assertStringIncludes(unit, `\nExecStart=${own} --role tlsmgr --config ${settings}\n`);
});

Deno.test("postern install --role tlsmgr installs the units of that role only", async () => {
  await using site = await Site.make();
  const { code, stdout } = await site.installOverPostfix("--role", "tlsmgr");
  assertEquals(code, 0);
  const units = await Array.fromAsync(Deno.readDir(`${site.prefix}/lib/systemd/system`));
  const names = units.map(({ name }) => name).sort();
  assertEquals(names, ["postern-tlsmgr.service", "postern-tlsmgr.socket"]);
  assertStringIncludes(stdout, ": comments out tlsmgr (line 2)\n");
  assertMatch(await site.read("postfix/master.cf"), /^tlsproxy /m);
  const [, next] = stdout.split("Next, as root:\n");
  assertMatch(next, /^ {4}systemctl enable --now postern-tlsmgr\.socket postern-tlsmgr\.service$/m);
  assertMatch(next, /^ {4}\S+ doctor --config \S+ --role tlsmgr$/m);
});

Deno.test("postern install --postfix takes settings over and comments its services out, instances too", async () => {
  await using site = await Site.make();
  const { code, stdout, stderr } = await site.installOverPostfix();
  assertEquals(code, 0, stderr);
  const settings = await site.read("prefix/etc/postern/postern.toml");
  assertMatch(settings, /^queue_directory = "\/srv\/queue"$/m);
  assertMatch(settings, /^smtpd_tls_session_cache_timeout = "7200"$/m);
  assertMatch(settings, /^\[instance\.edge\]$/m);
  assertMatch(stdout, / postern-tlsproxy@edge\.socket postern-tlsproxy@edge\.service$/m);
  const socket = await site.read("prefix/lib/systemd/system/postern-tlsproxy.socket");
  assertMatch(socket, /^ListenStream=\/srv\/queue\/private\/tlsproxy$/m);
  const marked = MASTER_CF.replace(/^(?:tls|edge| {2}-o).*$/gm, "#postern# $&");
  assertEquals(await site.read("postfix/master.cf"), marked);
  assertEquals((await Deno.stat(`${site.postfix}/master.cf`)).mode! & 0o777, 0o640);
  assertEquals(await site.read("postfix/master.cf.before-postern"), MASTER_CF);
  const again = await site.installOverPostfix();
  assertEquals(again.code, 0, again.stderr);
  assertEquals(await site.read("postfix/master.cf"), marked);
  assertEquals(await site.read("postfix/master.cf.before-postern"), MASTER_CF);
  assertEquals((await site.uninstall()).code, 0);
  assertEquals(await site.read("postfix/master.cf"), MASTER_CF);
});

Deno.test("postern uninstall keeps and names what was changed by hand", async () => {
  await using site = await Site.make();
  assertEquals((await site.installOverPostfix()).code, 0);
  const settings = "prefix/etc/postern/postern.toml";
  await site.folder.write(settings, "# mine\n");
  const master = await site.read("postfix/master.cf");
  await site.folder.write("postfix/master.cf", `${master}mine unix - - n - - mine\n`);
  const { code, stdout, stderr } = await site.uninstall();
  assertEquals([code, stderr], [0, ""]);
  const keeps = stdout.split("\n").filter((line) => line.startsWith("keep "));
  const etc = `${site.prefix}/etc`;
  assertEquals(keeps, [
    `keep     ${site.postfix}/master.cf.before-postern: ${site.postfix}/master.cf was changed by ` +
    "hand since; this is how it was before postern",
    `keep     ${etc}/postern/postern.toml: it was changed by hand`,
    `keep     ${etc}/postern: something else is in it`,
    `keep     ${etc}: something else is in it`,
  ]);
  assertEquals(await site.read(settings), "# mine\n");
  assertEquals(await site.read("postfix/master.cf"), `${MASTER_CF}mine unix - - n - - mine\n`);
  const left = (await snapshot(site.prefix)).map((line) => line.split(" ")[0]);
  assertEquals(left, ["/etc", "/etc/postern", "/etc/postern/postern.toml"]);
});

Deno.test("postern install again is an upgrade that respects what was changed by hand", async () => {
  await using site = await Site.make();
  assertEquals((await site.install()).code, 0);
  const units = "prefix/lib/systemd/system";
  await site.folder.write(`${units}/postern-tlsmgr.service`, "# mine\n");
  await site.folder.write("prefix/sbin/postern", "#!/bin/sh\n");
  await Deno.remove(site.folder.file(`${units}/postern-tlsproxy.service`));
  const { code, stdout, stderr } = await site.install();
  assertEquals([code, stderr], [0, ""]);
  const changes = stdout.split("\n").filter((line) => /^(?:write|replace) /.test(line));
  assertEquals(changes.length, 2, stdout);
  assertMatch(changes[0], /^replace .*\/sbin\/postern \(/);
  assertMatch(changes[1], /^write .*postern-tlsproxy\.service \(/);
  assertMatch(stdout, /^keep .*postern-tlsmgr\.service: it was changed by hand$/m);
  assertEquals(await site.read(`${units}/postern-tlsmgr.service`), "# mine\n");
});

Deno.test("postern install refuses an executable that is not the one of the checksums", async () => {
  await using site = await Site.make();
  const sums = await site.folder.write("sums", `${"0".repeat(64)}\n`);
  const before = await snapshot(site.folder.path);
  assertRefusal(
    await site.install("--sums", sums),
    78,
    /its sha256 is [0-9a-f]{64}, and ".*sums" /,
  );
  assertEquals(await snapshot(site.folder.path), before);
  const { stdout } = await runCommand("sha256sum", [posternBinary()]);
  await site.folder.write("sums", stdout);
  const { code, stderr } = await site.install("--sums", sums, "--dry-run");
  assertEquals(code, 0, stderr);
});

Deno.test("the executable is whole, and a part of it installs nothing", async () => {
  await using site = await Site.make();
  const bytes = await Deno.readFile(posternBinary());
  demandWhole(bytes, "postern");
  const before = await snapshot(site.prefix);
  const part = site.folder.file("postern");
  for (const length of [bytes.length - 1, bytes.length - 1_000_000, 86_000_000]) {
    const cut = bytes.subarray(0, length);
    const refusal = assertThrows(() => demandWhole(cut, "postern"), FatalError);
    assertStringIncludes(refusal.message, "it is cut off");
    await Deno.writeFile(part, cut, { mode: 0o755 });
    const { code } = await runCommand(part, ["install", "--prefix", site.prefix]);
    assert(code !== 0, `a part of ${length} bytes`);
  }
  assertEquals(await snapshot(site.prefix), before);
});

Deno.test("postern install refuses a place that something else has, before it changes any", async () => {
  await using site = await Site.make();
  await site.folder.write("prefix/lib", "no folder\n");
  const before = await snapshot(site.prefix);
  const { code, stderr } = await site.install();
  assertEquals(code, 69, stderr);
  assertMatch(
    stderr,
    /^postern: error: Cannot read "[^"]*\/lib\/[^"]*": a part of its path is no /,
  );
  assertEquals(await snapshot(site.prefix), before);
});

Deno.test("postern install that is stopped by a full disk can be taken back", async () => {
  await using site = await Site.make();
  // The limit of 1 MB lets the manifest pass, and ends the copy of the executable.
  const script = `trap "" XFSZ; ulimit -f 2000; exec "$0" install --prefix "$1"`;
  const { code, stdout, stderr } = await runCommand("sh", [
    ...["-c", script, posternBinary(), site.prefix],
  ]);
  assertEquals(code, 69, stderr);
  assertMatch(stderr, /^postern: error: Cannot write ".*\/sbin\/postern": /);
  assertMatch(stdout, /^folder .*\/sbin$/m);
  const left = (await snapshot(site.prefix)).map((line) => line.split(" ")[0]);
  assertEquals(left, ["/sbin", "/share", "/share/postern", "/share/postern/manifest.json"]);
  const undone = await site.uninstall();
  assertEquals(undone.code, 0, undone.stderr);
  assertEquals(await snapshot(site.prefix), []);
});

Deno.test("postern install knows which options go together", async () => {
  const { code, stderr } = await postern(["install", "--postfix-folder", "/x", "--dry-run"]);
  assertEquals(code, 64);
  assertStringIncludes(stderr, "--postfix-folder goes with --postfix only");
});
