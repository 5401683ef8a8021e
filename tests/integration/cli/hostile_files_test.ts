/**
 * Things in the place of a settings file: each command ends, with settings or one sentence.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { utf8 } from "../../../lib/base/bytes.ts";
import { runChecked, runCommand } from "../../support/process.ts";
import { posternBinary } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

const NO_INPUT = 66;
const CONFIG = 78;

Deno.test("config check refuses what cannot be read as a file", async () => {
  await using folder = await TempFolder.make("hostile");
  await runChecked("mkfifo", [folder.file("pipe")]);
  await Deno.symlink(folder.file("loop"), folder.file("loop"));
  await folder.write("file", "");
  using listener = Deno.listen({ transport: "unix", path: folder.file("socket") });
  assert(listener.addr.transport === "unix");
  const refused: readonly [path: string, message: RegExp][] = [
    [folder.path, /it is a folder/],
    [folder.file("pipe"), /it is a named pipe/],
    [folder.file("loop"), /symbolic links/],
    [folder.file("socket"), /No such device or address/],
    [folder.file("none"), /no such file/],
    [folder.file("file/x"), /a part of its path is no folder/],
    ["/dev/zero", /it is larger than \d+ bytes/],
    ["/proc/self/mem", /it is a file of the kernel's/],
  ];
  for (const [path, message] of refused) {
    assertRefusal(await postern(["config", "check", "--config", path]), NO_INPUT, message);
    assertRefusal(await postern(["config", "import", path]), NO_INPUT, message);
  }
});

Deno.test("config check takes an empty device, standard input and what a shell hands over", async () => {
  assertEquals((await postern(["config", "check", "--config", "/dev/null"])).code, 0);
  const input = { input: 'syslog_name = "x"\n' };
  assertEquals((await postern(["config", "check", "--config", "-"], input)).code, 0);
  assertEquals((await postern(["config", "check", "--config", "/dev/stdin"], input)).code, 0);
  const command = `"$0" config check --config <(printf 'syslog_name = "x"')`;
  assertEquals((await runCommand("bash", ["-c", command, posternBinary()])).code, 0);
});

Deno.test("config check names the line that is not UTF-8", async () => {
  await using folder = await TempFolder.make("hostile");
  const path = folder.file("postern.toml");
  const check = async (bytes: Uint8Array) => {
    await Deno.writeFile(path, bytes);
    return await postern(["config", "check", "--config", path]);
  };
  const utf16 = Uint8Array.of(0xff, 0xfe, ...utf8([..."a=1\n"].map((c) => `${c}\0`).join("")));
  assertRefusal(await check(utf16), CONFIG, /line 1 is not UTF-8/);
  const late = Uint8Array.of(...utf8("a = 1\n# ü\nb = '"), 0xe9, 0x27, 10);
  assertRefusal(await check(late), CONFIG, /line 3 is not UTF-8/);
  const cut = Uint8Array.of(...utf8("a = 1\n# "), 0xf0, 0x9f);
  assertRefusal(await check(cut), CONFIG, /line 2 is not UTF-8/);
});

Deno.test("config check survives a file that changes while it is read", async () => {
  await using folder = await TempFolder.make("hostile");
  const path = folder.file("postern.toml");
  const line = 'syslog_name = "x"\n';
  const sizes = [1, 40_000, 3, 60_000, 0, 20_000];
  let done = false;
  const writing = (async () => {
    for (let i = 0; !done; i++) await Deno.writeTextFile(path, line.repeat(sizes[i % 6]));
  })();
  try {
    for (let i = 0; i < 12; i++) {
      const { code, stderr } = await postern(["config", "check", "--config", path]);
      assert(code === 0 || code === CONFIG || code === NO_INPUT, stderr);
      // Without a place where the file is too long as a whole.
      if (code === CONFIG) assertMatch(stderr, /^\S+postern\.toml(:\d+:\d+)?: error: /m);
    }
  } finally {
    done = true;
    await writing;
  }
});
