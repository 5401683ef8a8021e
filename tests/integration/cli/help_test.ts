/** The manual that the executable carries along, and what shells are told about its words. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PAGE_NAMES } from "../../../lib/cli/manual/page.ts";
import { posternBinary } from "../../support/postern.ts";
import { runChecked, runCommand } from "../../support/process.ts";
import { programTest } from "../../support/programs.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

Deno.test("postern help shows every page, alone in an empty folder and without any environment", async () => {
  await using folder = await TempFolder.make("alone");
  await Deno.copyFile(posternBinary(), folder.file("postern"));
  for (const name of PAGE_NAMES) {
    const page = name.replace(/\.\d$/, "");
    const { code, stdout, stderr } = await runCommand("env", ["-i", "./postern", "help", page], {
      cwd: folder.path,
    });
    assertEquals([code, stderr], [0, ""]);
    assert(stdout.startsWith(`${page}(${name.slice(-1)})\n\nNAME\n    ${page} - `), stdout);
    assertMatch(stdout, /\nSEE ALSO\n/);
  }
  const names = Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
  assertEquals(names, ["postern"], "nothing is left in the folder");
});

Deno.test("postern help prints the text of a parameter and of a key", async () => {
  const parameter = await postern(["help", "tlsproxy_tls_ciphers"]);
  assertEquals([parameter.code, parameter.stderr], [0, ""]);
  assertMatch(parameter.stdout, /^tlsproxy_tls_ciphers\n {4}Least cipher grade/);
  assertMatch(parameter.stdout, /^ {4}Default: {2}\$smtpd_tls_ciphers$/m);
  const key = await postern(["help", "cache.max_entries"]);
  assertMatch(key.stdout, /^\[cache\] max_entries\n {4}\S/);
  assertMatch(key.stdout, /^ {4}Default: {2}20000$/m);
});

Deno.test("postern help suggests what was probably meant", async () => {
  const misspelt = await postern(["help", "tlsproxy_tls_chiphers"]);
  assertRefusal(misspelt, 64, /Unknown topic "tlsproxy_tls_chiphers"$/);
  assertStringIncludes(misspelt.stderr, "Did you mean tlsproxy_tls_ciphers?");
  const foreign = await postern(["help", "smtpd_banner"]);
  assertRefusal(foreign, 64, /Unknown topic/);
  assertStringIncludes(foreign.stderr, "postconf(5)");
  assertRefusal(
    await postern(["help", "tls_random_source", "more"]),
    64,
    /Unexpected word "more"$/,
  );
});

programTest("script", "postern help is bold on a terminal, and plain elsewhere", async () => {
  const onTerminal = async (environment: string) => {
    const command = `env ${environment} ${posternBinary()} help tls_random_source`;
    const { stdout } = await runChecked("script", ["-qec", command, "/dev/null"]);
    return stdout.replaceAll("\r", "");
  };
  const { stdout: piped } = await postern(["help", "tls_random_source"]);
  assert(!piped.includes("\x1b"), piped);
  assertStringIncludes(await onTerminal("-u NO_COLOR"), "\x1b[1mtls_random_source\x1b[0m");
  assertEquals(await onTerminal("NO_COLOR=1"), piped);
});

/** The words that bash offers for the last of `words`, which may be empty. */
async function completeInBash(words: readonly string[]): Promise<string[]> {
  const script = `
    source <("$0" completion bash)
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    # What bash itself would call.
    $(complete -p postern | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await runChecked("bash", ["-c", script, posternBinary(), ...words]);
  return stdout.split("\n").filter((line) => line !== "");
}

programTest("bash", "postern completion bash offers what may stand there", async () => {
  const cases: readonly (readonly [line: string, ...offered: string[]])[] = [
    ["postern conf", "config"],
    ["postern config ", "--help", "check", "show", "import", "example"],
    ["postern config ch", "check"],
    ["postern config check --ro", "--role"],
    ["postern config check --role ", "tlsmgr", "tlsproxy"],
    ["postern config check --config "],
    ["postern config show cache.max_entries smtpd_tls_cert", "smtpd_tls_cert_file"],
    ["postern --role tlsproxy -o tls_random_s", "tls_random_source="],
    ["postern help tlsproxy_tls_cip", "tlsproxy_tls_ciphers"],
    ["postern help config sh", "show"],
    ["postern completion z", "zsh"],
    ["postern nonsense conf"],
    ["postern --role tlsmgr conf"],
  ];
  for (const [line, ...offered] of cases) {
    assertEquals(await completeInBash(line.split(" ")), offered, line);
  }
});

for (const [shell, flag] of [["bash", "-n"], ["zsh", "-n"], ["fish", "--no-execute"]]) {
  programTest(shell, `postern completion ${shell} is a script that ${shell} can read`, async () => {
    await using folder = await TempFolder.make("completion");
    const { stdout } = await postern(["completion", shell]);
    const { code, stderr } = await runCommand(shell, [flag, await folder.write("script", stdout)]);
    assertEquals([code, stderr], [0, ""]);
  });
}

programTest("fish", "postern completion fish offers what may stand there", async () => {
  await using folder = await TempFolder.make("completion");
  const { stdout: text } = await postern(["completion", "fish"]);
  const script = await folder.write("postern.fish", text);
  const offered = async (line: string) => {
    const command = `source ${script}; complete -C '${line}'`;
    const env = { HOME: folder.path, XDG_CONFIG_HOME: folder.path };
    const { stdout } = await runChecked("fish", ["--no-config", "-c", command], { env });
    return stdout.split("\n").filter((word) => word !== "").map((word) => word.split("\t")[0]);
  };
  assertEquals(await offered("postern config "), ["check", "example", "import", "show"]);
  assertEquals(await offered("postern config check --role "), ["tlsmgr", "tlsproxy"]);
  assertEquals(await offered("postern help config sh"), ["show"]);
  assertEquals(await offered("postern --role tlsmgr conf"), []);
  assertEquals(await offered("postern help tlsproxy_tls_ciph"), ["tlsproxy_tls_ciphers"]);
  assertEquals(await offered("postern --role tlsmgr -o tls_random_s"), ["tls_random_source="]);
});

Deno.test("postern completion refuses a shell that it does not know", async () => {
  const result = await postern(["completion", "zhs"]);
  assertRefusal(result, 64, /"zhs": it is no shell/);
  assertStringIncludes(result.stderr, "Did you mean zsh?");
});
