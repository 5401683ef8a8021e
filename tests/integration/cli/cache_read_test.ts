/** `postern cache stat|list|verify|export`: what they show of a file, used or not, whole or not. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { supportPath } from "../../support/paths.ts";
import { startPostern } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

/** Numbers from tests/fixtures/store/README.md. */
const GOLDEN = { bytes: 7552, records: 19, entries: 13, damagedEntries: 11 };

/** A folder with a copy of a golden file; the name of that is `NAME.postern`. */
async function withGolden(
  name: string,
  run: (path: string, folder: TempFolder) => Promise<void>,
): Promise<void> {
  await using folder = await TempFolder.make("cache");
  const path = folder.file("scache.postern");
  await Deno.copyFile(supportPath(`../fixtures/store/${name}.bin`), path);
  await Deno.chmod(path, 0o600);
  const before = await Deno.readFile(path);
  await run(path, folder);
  assertEquals(await Deno.readFile(path), before, "the file is as it was");
  const names = Array.from(Deno.readDirSync(folder.path), (entry) => entry.name);
  assertEquals(names.includes("scache.postern.lock"), false, "nothing was locked");
}

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await postern(args);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

Deno.test("postern cache stat shows the numbers of a file, by any of its names", async () => {
  await withGolden("format_1", async (path, folder) => {
    const text = await succeed("cache", "stat", path);
    assertStringIncludes(text, `file            ${path}\n`);
    assertStringIncludes(text, "used by         nobody\n");
    assertStringIncludes(text, `size            ${GOLDEN.bytes} bytes\n`);
    assertStringIncludes(text, `entries         ${GOLDEN.entries}, of which 1 have expired\n`);
    assertStringIncludes(text, "damage          none\n");
    assertStringIncludes(text, "first expiry    1970-01-01T00:00:01Z\n");
    assertStringIncludes(text, "last expiry     @9007199254740991\n");
    for (const name of [folder.file("scache"), `btree:${folder.file("scache")}`]) {
      assertEquals(await succeed("cache", "stat", name), text, name);
    }
  });
});

Deno.test("postern cache stat --json adds up", async () => {
  await withGolden("format_1_damaged", async (path) => {
    const found = JSON.parse(await succeed("cache", "stat", "--json", path));
    assertEquals([found.file, found.process], [path, null]);
    assertEquals(found.entries, GOLDEN.damagedEntries);
    assertEquals(found.file_bytes, 64 + found.live_bytes + found.dead_bytes);
    assertEquals([found.damaged_places, found.unfinished_bytes, found.unreadable_bytes], [
      3,
      77,
      0,
    ]);
    assertEquals([found.first_expiry, found.last_expiry], [1, Number.MAX_SAFE_INTEGER]);
    assertEquals(found.value_bytes_max, 1009);
  });
});

Deno.test("postern cache list hides keys, shows them when asked, and never shows a session", async () => {
  await withGolden("format_1", async (path) => {
    const hidden = await succeed("cache", "list", path);
    const lines = hidden.trimEnd().split("\n");
    assertEquals(lines.length, 1 + GOLDEN.entries);
    // SHA-256 of "alpha", from sha256sum(1).
    assertEquals(lines[1], "2096-10-02T07:06:40Z  valid         15  8ed3f6ad685b959ead702251");
    assertStringIncludes(lines[10], "1970-01-01T00:00:01Z  expired        7  ");
    const shown = await succeed("cache", "list", "--keys", path);
    assertMatch(shown, / 15 {2}alpha$/m);
    assertStringIncludes(shown, "  \\x00\\x01\\x02");
    assertStringIncludes(shown, " 21  replaced\n");
    for (const [mode, text] of [["", hidden], [" --keys", shown]]) {
      assertMatch(text, /^[\x20-\x7e\n]*$/, `list${mode} prints ASCII`);
      for (const session of ["the first value", "the value that counts", "until the last"]) {
        assert(!text.includes(session), `list${mode} shows a session`);
      }
    }
    for (const key of ["alpha", "replaced", "omega"]) assert(!hidden.includes(key));
  });
});

Deno.test("postern cache list --json and export print a JSON object a line", async () => {
  await withGolden("format_1", async (path) => {
    const parse = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const hidden = parse(await succeed("cache", "list", "--json", path));
    assertEquals(hidden[0], {
      key_hash: "8ed3f6ad685b959ead702251",
      value_bytes: 15,
      expires_at: 4_000_000_000,
      expired: false,
    });
    const text = await succeed("cache", "export", path);
    assertMatch(text, /^[\x20-\x7e\n]*$/);
    assert(!text.includes("the first value"));
    const entries = parse(text);
    assertEquals(entries.length, GOLDEN.entries);
    const allBytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    assertEquals(entries.map(({ key }) => key).slice(0, 3), ["alpha", allBytes, "\0"]);
    assertEquals(parse(await succeed("cache", "list", "--json", "--keys", path)), entries);
  });
});

Deno.test("postern cache verify tells a whole file, an unfinished one and a damaged one", async () => {
  await withGolden("format_1", async (path) => {
    const text = await succeed("cache", "verify", path);
    assertEquals(text, `${path}: ok, ${GOLDEN.records} records are intact\n`);
  });
  await using folder = await TempFolder.make("cache");
  const golden = await Deno.readFile(supportPath("../fixtures/store/format_1.bin"));
  const path = folder.file("torn");
  await Deno.writeFile(path, golden.subarray(0, golden.length - 8), { mode: 0o600 });
  assertMatch(await succeed("cache", "verify", path), /ok, 18 .*\n.* 40 bytes, is unfinished\n$/);
  await withGolden("format_1_damaged", async (path) => {
    const { code, stdout, stderr } = await postern(["cache", "verify", path]);
    assertEquals(code, 78);
    assertMatch(stdout, /the end, 77 bytes, is unfinished/);
    assertMatch(stderr, /^postern: error: Cannot prove all of ".*": \d+ bytes in 3 places are dam/);
    const json = await postern(["cache", "verify", "--json", path]);
    assertEquals(json.code, 78);
    assertEquals(JSON.parse(json.stdout).intact, false);
  });
});

Deno.test("postern cache reads a file that a service uses, and says so", async () => {
  await using folder = await TempFolder.make("cache");
  const socket = folder.file("tlsmgr");
  await using tlsmgr = await startPostern({
    role: "tlsmgr",
    socket,
    settingsPath: folder.file("postern.toml"),
    settings: {
      data_directory: folder.path,
      smtpd_tls_session_cache_database: `btree:${folder.file("scache")}`,
    },
  });
  using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
  const update = (id: string) =>
    client.ask([["request", "update"], ["cache_type", "smtpd"], ["cache_id", id], [
      "session",
      btoa("secret"),
    ]]);
  for (const id of ["one", "two"]) await update(id);
  const file = `btree:${folder.file("scache")}`;
  const stat = JSON.parse(await succeed("cache", "stat", "--json", file));
  assertEquals([stat.entries, stat.process], [2, tlsmgr.pid]);
  const list = await postern(["cache", "list", "--keys", file]);
  assertEquals([list.code, list.stdout.match(/ (one|two)\n/g)], [0, [" one\n", " two\n"]]);
  assertMatch(list.stderr, new RegExp(`^postern: note: process ${tlsmgr.pid} uses .*\n$`));
  assertEquals((await postern(["cache", "verify", file])).code, 0);
  await update("three");
  assertEquals(JSON.parse(await succeed("cache", "stat", "--json", file)).entries, 3);
  assertEquals(tlsmgr.problems(), []);
});

Deno.test("postern cache says what is wrong with FILE", async () => {
  await using folder = await TempFolder.make("cache");
  const file = folder.file("none");
  const target = await folder.write("target", "");
  await Deno.symlink(target, folder.file("link"));
  for (const word of ["stat", "list", "verify", "export"]) {
    const args = ["cache", word];
    assertRefusal(await postern([...args, file]), 66, /Cannot read cache file ".*": No such file/);
    assertRefusal(await postern([...args, folder.path]), 66, /it is not a regular file$/);
    assertRefusal(await postern([...args, folder.file("link")]), 66, /it is a symbolic link$/);
    assertRefusal(await postern([...args, "/dev/zero"]), 66, /it is not a regular file$/);
    assertRefusal(await postern([...args, "memory:"]), 64, /it is in memory only$/);
    assertRefusal(await postern([...args, "btree:scache"]), 64, /below data_directory$/);
    assertRefusal(await postern(args), 64, /needs FILE: a cache file/);
  }
  const foreign = await folder.write("foreign", "smtpd_tls_loglevel = 1\n".repeat(9));
  assertRefusal(await postern(["cache", "stat", foreign]), 78, /no cache file of postern$/);
});

Deno.test("postern cache shows an empty file as empty", async () => {
  await using folder = await TempFolder.make("cache");
  const path = await folder.write("empty", "");
  assertEquals(JSON.parse(await succeed("cache", "stat", "--json", path)).entries, 0);
  assertEquals((await succeed("cache", "list", path)).trimEnd().split("\n").length, 1);
  assertEquals(await succeed("cache", "export", path), "");
  assertEquals(await succeed("cache", "verify", path), `${path}: ok, 0 records are intact\n`);
});
