/** `postern cache compact|purge`: what they leave of a file, and whose files they refuse. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { supportPath } from "../../support/paths.ts";
import { startPostern } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertRefusal, postern } from "./_run.ts";

/** A private copy of a golden file in `folder`. */
async function copyGolden(folder: TempFolder, name: string): Promise<string> {
  const path = folder.file("scache.postern");
  await Deno.copyFile(supportPath(`../fixtures/store/${name}.bin`), path);
  await Deno.chmod(path, 0o600);
  return path;
}

async function exportOf(path: string): Promise<{ key: string; expired: boolean }[]> {
  const { code, stdout } = await postern(["cache", "export", path]);
  assertEquals(code, 0);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function statOf(path: string): Promise<Record<string, number>> {
  const { code, stdout, stderr } = await postern(["cache", "stat", "--json", path]);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

function assertOnlyStore(folder: TempFolder): void {
  const names = Array.from(Deno.readDirSync(folder.path), ({ name }) => name).sort();
  assertEquals(names, ["scache.postern", "scache.postern.lock"]);
}

Deno.test("postern cache compact drops older values, deletes, the expired and damage", async () => {
  for (const name of ["format_1", "format_1_damaged"]) {
    await using folder = await TempFolder.make("cache");
    const path = await copyGolden(folder, name);
    const before = (await exportOf(path)).filter(({ expired }) => !expired);
    const { code, stdout } = await postern(["cache", "compact", folder.file("scache")]);
    assertEquals(code, 0);
    assertMatch(stdout, /: \d+ bytes before, \d+ after, \d+ entries\n$/);
    const after = await exportOf(path);
    assertEquals(new Set(after.map(({ key }) => key)), new Set(before.map(({ key }) => key)));
    const stat = await statOf(path);
    assertEquals([stat.dead_bytes, stat.damaged_places, stat.unfinished_bytes], [0, 0, 0]);
    assertEquals(stat.records, after.length);
    assertEquals((await postern(["cache", "verify", path])).code, 0);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertOnlyStore(folder);
  }
});

Deno.test("postern cache purge leaves no entry and no session, whatever the file was like", async () => {
  for (const name of ["format_1", "format_1_damaged", "damaged header"]) {
    await using folder = await TempFolder.make("cache");
    const path = await copyGolden(folder, name === "damaged header" ? "format_1" : name);
    if (name === "damaged header") {
      const bytes = await Deno.readFile(path);
      bytes[20] ^= 1;
      await Deno.writeFile(path, bytes);
    }
    const { code, stdout, stderr } = await postern(["cache", "purge", path]);
    assertEquals([code, stderr], [0, ""], name);
    assertMatch(stdout, /: emptied, \d{4} bytes are gone\n$/);
    assertEquals((await statOf(path)).entries, 0);
    assertEquals((await Deno.stat(path)).size, 64);
    assertOnlyStore(folder);
  }
});

Deno.test("postern cache compact and purge refuse a file that a service uses, by its id", async () => {
  await using folder = await TempFolder.make("cache");
  await using tlsmgr = await startPostern({
    role: "tlsmgr",
    socket: folder.file("tlsmgr"),
    settingsPath: folder.file("postern.toml"),
    settings: {
      data_directory: folder.path,
      smtpd_tls_session_cache_database: `btree:${folder.file("scache")}`,
    },
  });
  const path = folder.file("scache.postern");
  const before = await Deno.readFile(path);
  for (const word of ["compact", "purge"]) {
    const result = await postern(["cache", word, path]);
    assertRefusal(result, 69, new RegExp(`process ${tlsmgr.pid} uses it$`));
  }
  assertEquals(await Deno.readFile(path), before);
  assertEquals(tlsmgr.problems(), []);
});

Deno.test("postern cache compact and purge refuse what is no cache file, and leave it as it is", async () => {
  await using folder = await TempFolder.make("cache");
  const text = "smtpd_tls_loglevel = 1\n".repeat(9);
  const foreign = await folder.write("foreign", text, 0o600);
  const target = await copyGolden(folder, "format_1");
  await Deno.symlink(target, folder.file("link"));
  const golden = await Deno.readFile(target);
  for (const word of ["compact", "purge"]) {
    const run = (name: string) => postern(["cache", word, name]);
    assertRefusal(await run(folder.file("none")), 66, /Cannot change .*none": no such file/);
    assertRefusal(await run(foreign), 78, /no cache file of postern$/);
    assertRefusal(await run(folder.file("link")), 78, /it is a symbolic link$/);
    assertRefusal(await run(folder.path), 78, /Cannot /);
    assertRefusal(await run("memory:"), 64, /it is in memory only$/);
  }
  assertEquals(await Deno.readTextFile(foreign), text);
  assertEquals(await Deno.readFile(target), golden);
});

Deno.test({
  name: "postern cache compact and purge refuse a file of another user, and say what to do",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using folder = await TempFolder.make("cache");
    const path = await copyGolden(folder, "format_1");
    await Deno.chown(path, 65_534, 65_534);
    for (const word of ["compact", "purge"]) {
      const result = await postern(["cache", word, path]);
      assertRefusal(result, 78, /it belongs to user id 65534$/);
      assert(result.stderr.includes("sudo -u '#65534'"), result.stderr);
    }
    // Reading is not refused.
    assertEquals((await statOf(path)).entries, 13);
  },
});
