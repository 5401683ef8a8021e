/** What the executable says and answers before anything is started. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { posternBinary } from "../../support/postern.ts";
import { runCommand, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import manifest from "../../../deno.json" with { type: "json" };
import { assertRefusal, postern } from "./_run.ts";

Deno.test("postern --version names all parts, without any environment", async () => {
  await using folder = await TempFolder.make("alone");
  const copy = folder.file("postern");
  await Deno.copyFile(posternBinary(), copy);
  const { code, stdout, stderr } = await runCommand("env", ["-i", "./postern", "--version"], {
    cwd: folder.path,
  });
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n");
  assertEquals(lines[0], `postern ${manifest.version}`);
  assertMatch(lines[1], /^Deno \d+\.\d+\.\d+/);
  assertMatch(lines[2], /^V8 \d+\.\d+/);
  assertMatch(lines[3], /^OpenSSL 3\.\d+\.\d+/);
  const names = Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
  assertEquals(names, ["postern"], "nothing is left in the folder");
});

Deno.test("postern help prints the commands", async () => {
  const { code, stdout, stderr } = await postern(["help"]);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "postern --role ROLE");
});

Deno.test("postern says what is wrong with a command line", async () => {
  assertRefusal(await postern([]), 64, /no command and no --role$/);
  assertRefusal(await postern(["--role", "tlsprox"]), 64, /Unknown role "tlsprox"$/);
  assertRefusal(await postern(["confg"]), 64, /Unknown command "confg"$/);
  assertRefusal(await postern(["demo", "--sty"]), 64, /Unknown option --sty$/);
});

Deno.test("postern says that a settings file is missing or a folder", async () => {
  await using folder = await TempFolder.make("cli");
  const role = ["--role", "tlsmgr", "--config"];
  const missing = await postern([...role, folder.file("none")]);
  assertRefusal(missing, 66, /Cannot read settings file ".*\/none": no such file/);
  assertRefusal(await postern([...role, folder.path]), 66, /it is a folder$/);
});

Deno.test("postern without --config looks for the installed file", async () => {
  const { code, stderr } = await postern(["config", "check"]);
  // Only where postern is installed there is one.
  if (code !== 0) assertStringIncludes(stderr, '"/etc/postern/postern.toml"');
});

Deno.test("postern finds all errors of a settings file in one run, and starts nothing", async () => {
  await using folder = await TempFolder.make("cli");
  const config = await folder.write(
    "a.toml",
    `smtpd_use_tls = "perhaps"\nqueue_directory = "${folder.path}"\nipc_timeout = "soon"\n` +
      `[service.tlsmgr]\nsocket = "${folder.file("socket")}"\nsocket_mode = "9"\n`,
  );
  for (const args of [["--role", "tlsmgr"], ["config", "check"]]) {
    const { code, stdout, stderr } = await postern([...args, "--config", config]);
    assertEquals([code, stdout], [78, ""], stderr);
    for (const place of [":1:1: error: smtpd_use_tls", ":3:1: error: ipc_timeout", ":6:"]) {
      assertStringIncludes(stderr, `${config}${place}`);
    }
    assertMatch(stderr, /^postern: error: Cannot /m);
  }
  const names = Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
  assertEquals(names, ["a.toml"]);
});

Deno.test("postern takes its role from a link's name, and master(8)'s options with it", async () => {
  await using folder = await TempFolder.make("cli");
  const link = folder.file("tlsmgr");
  await Deno.symlink(posternBinary(), link);
  const run = (...args: string[]) => runCommand(link, args);
  assertRefusal(await run("--config", folder.file("none")), 66, /Cannot read settings file/);
  assertRefusal(await run("--role", "tlsproxy"), 64, /contradicts the name of the program/);
  // What master(8) has not started says so where daemons log, and makes master(8) wait.
  const { code, stderr } = await run("-l", "-t", "unix", "-u", "-o", "tls_random_bytes=none");
  assertEquals(code, 1);
  if (isAbsent("/dev/log")) assertMatch(stderr, /^postfix\/tlsmgr\[\d+\]: fatal: Cannot /m);
});

Deno.test("postern says that OpenSSL cannot be used, and prints the other versions", async () => {
  await using folder = await TempFolder.make("cli");
  for (const name of ["libssl.so.3", "libcrypto.so.3"]) await folder.write(name, "no library");
  const config = await folder.write("a.toml", `queue_directory = "${folder.path}"\n`);
  const env = { LD_LIBRARY_PATH: folder.path };
  for (const role of ["tlsmgr", "tlsproxy"]) {
    const result = await postern(["--role", role, "--config", config], { env });
    assertRefusal(result, 78, /Cannot load libcrypto\.so\.3: /);
  }
  assertRefusal(await postern(["demo"], { env }), 78, /Cannot load libcrypto\.so\.3: /);
  const version = await postern(["--version"], { env });
  assertEquals(version.code, 0);
  assertMatch(version.stdout, /^postern .*\nDeno .*\nV8 .*\nOpenSSL: not found: .*\n$/);
});

Deno.test("postern does not mind a reader that goes away", async () => {
  const command = `"$0" help | true; exit "$\{PIPESTATUS[0]}"`;
  await using shell = startProcess("bash", ["-c", command, posternBinary()]);
  await shell.closeInput();
  assertEquals(await shell.ended(), 0);
  assert(shell.stderr === "", shell.stderr);
});

function isAbsent(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}
