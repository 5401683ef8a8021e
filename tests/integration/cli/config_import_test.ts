/** `postern config import` as an administrator uses it: files in, a settings file out. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { supportPath } from "../../support/paths.ts";
import { runCommand } from "../../support/process.ts";
import { posternBinary } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

const MAINS = [
  "tls_server_and_client.main.cf",
  "sasl_submission.main.cf",
  "null_client.main.cf",
  "mail_hub.main.cf",
  "instance_out.main.cf",
];
const fixture = (name: string) => supportPath(`../fixtures/import/${name}`);

for (const name of MAINS) {
  Deno.test(`postern config import: ${name} converts to a file without errors`, async () => {
    for (const options of [[], ["--style", "native"], ["--ours-only"]]) {
      for (const master of [[], ["--master", fixture("proxies.master.cf")]]) {
        const args = ["config", "import", ...options, ...master, fixture(name)];
        const { code, stdout, stderr } = await postern(args);
        assertEquals(code, 0, stderr);
        const check = await postern(["config", "check", "--config", "-"], { input: stdout });
        assertEquals(check.code, 0, check.stderr);
      }
    }
  });
}

Deno.test("postern config import prints the same text for a path and for standard input", async () => {
  const path = fixture("tls_server_and_client.main.cf");
  const fromPath = await postern(["config", "import", path]);
  const input = await Deno.readTextFile(path);
  const fromInput = await postern(["config", "import", "-"], { input });
  assertEquals([fromPath.code, fromInput.code], [0, 0]);
  const folder = path.slice(0, path.lastIndexOf("/"));
  assertEquals(
    fromInput.stdout.replace("standard input", path)
      .replace('config_directory = "/etc/postfix"', `config_directory = "${folder}"`),
    fromPath.stdout,
  );
  assertMatch(fromInput.stderr, /config_directory: Taken to be \/etc\/postfix/);
});

Deno.test("postern config import sums up what became of the parameters", async () => {
  const { code, stdout, stderr } = await postern(["config", "import", "-"], {
    input: "smtpd_tls_security_level = may\nbiff = no\nmine = 1\n",
  });
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^# Converted by `postern config import` from standard input\.\n/);
  assertStringIncludes(stderr, "postern: standard input: 4 parameters converted\n");
  assertStringIncludes(stderr, "compatibility_level smtpd_tls_security_level\n");
  assertMatch(stderr, /of other Postfix programs[^\n]*: 1\npostern: +biff\n/);
  assertMatch(stderr, /unknown to Postfix[^\n]*: 1\npostern: +mine\n/);
  for (const line of stderr.split("\n").filter((each) => each.startsWith("postern:"))) {
    assert(line.length <= 100, line);
  }
});

Deno.test("postern config import tells all errors of both files, and prints nothing", async () => {
  await using folder = await TempFolder.make("import");
  const main = await folder.write("main.cf", "biff\n= x\nrelayhost = a\n");
  const master = await folder.write("master.cf", "tlsmgr unix\n");
  const { code, stdout, stderr } = await postern(["config", "import", "--master", master, main]);
  assertEquals([code, stdout], [78, ""]);
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 5, stderr);
  assertMatch(lines[0], /\/main\.cf:1:1: error: .* \(.*\)$/);
  assertMatch(lines[1], /\/main\.cf:2:1: error: .* \(.*\)$/);
  assertMatch(lines[2], /\/master\.cf:1:1: error: .* \(.*\)$/);
  assertMatch(lines[3], /^postern: error: Cannot convert .*: there are errors$/);
});

Deno.test("postern config import says what is wrong with its own command line", async () => {
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 64, /needs MAIN_CF/],
    [["--style", "nativ", "x"], 64, /Unknown style "nativ"/],
    [["--master", "-", "-"], 64, /two files/],
    [["a", "b"], 64, /Unexpected word "b"/],
    [["/nowhere/main.cf"], 66, /Cannot read file "\/nowhere\/main.cf": no such file/],
    [["--master", "/nowhere/master.cf", "/dev/null"], 66, /"\/nowhere\/master.cf": no such file/],
    [["/"], 66, /it is a folder/],
    [["/dev/zero"], 66, /larger than/],
  ];
  for (const [args, code, message] of cases) {
    assertRefusal(await postern(["config", "import", ...args]), code, message);
  }
});

Deno.test("postern config import fails when the text cannot be written", async () => {
  const line = `exec "$0" config import "$1" > /dev/full`;
  const { code, stderr } = await runCommand("sh", [
    "-c",
    line,
    posternBinary(),
    fixture("null_client.main.cf"),
  ]);
  assertEquals(code, 70, stderr);
  assertStringIncludes(stderr, "Cannot print the converted text");
});

Deno.test("postern config import reads an empty file", async () => {
  const { code, stdout } = await postern(["config", "import", "/dev/null"]);
  assertEquals(code, 0);
  assertMatch(stdout, /\ncompatibility_level = "0"\n/);
});
