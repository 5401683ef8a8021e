/**
 * Starts and ends: what outlives them, and what does not.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { posternBinary, toToml } from "../../support/postern.ts";
import { runCommand } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { Bed, entryRequest, POLICY, WITH_DATABASE } from "./_bed.ts";

const SESSION = btoa("s".repeat(1500));

async function find(bed: Bed, id: string): Promise<string> {
  using client = await bed.connect();
  return (await client.ask(entryRequest("lookup", id))).attributes[1][1];
}

Deno.test("tlsmgr ends with code 0 on SIGTERM, and its socket is gone", async () => {
  await using bed = await Bed.start();
  using _idle = await bed.connect();
  assertEquals(await bed.tlsmgr.stop(), 0);
  await assertRejects(() => Deno.stat(bed.socket), Deno.errors.NotFound);
  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test("tlsmgr finds every acknowledged session after SIGKILL in the middle of updates", async () => {
  await using bed = await Bed.start();
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round++) {
    const clients = await Promise.all(Array.from({ length: 8 }, () => bed.connect()));
    const goal = acknowledged.length + 200;
    // Killed while updates of all clients are under way; those without an answer do not count.
    let killed: Promise<void> | undefined;
    await Promise.all(clients.map(async (client, index) => {
      try {
        for (let i = 0; killed === undefined; i++) {
          const id = `round ${round} client ${index} session ${i}`;
          const { attributes } = await client.ask(entryRequest("update", id, SESSION));
          assertEquals(attributes, [["status", "0"]]);
          acknowledged.push(id);
          if (acknowledged.length >= goal) killed ??= bed.kill();
        }
      } catch (error) {
        if (killed === undefined) throw error;
      } finally {
        client[Symbol.dispose]();
      }
    }));
    await killed;
    await bed.startAgain();
    using client = await bed.connect();
    for (const id of acknowledged) {
      const { attributes } = await client.ask(entryRequest("lookup", id));
      assert(attributes[1][1] === SESSION, `${id} is found in round ${round}`);
    }
  }
});

Deno.test("tlsmgr keeps deletes and the latest update across SIGKILL", async () => {
  await using bed = await Bed.start();
  {
    using client = await bed.connect();
    await client.ask(entryRequest("update", "deleted", SESSION));
    await client.ask(entryRequest("update", "replaced", SESSION));
    await client.ask(entryRequest("delete", "deleted"));
    await client.ask(entryRequest("update", "replaced", "bmV3"));
  }
  await bed.kill();
  await bed.startAgain();
  assertEquals([await find(bed, "deleted"), await find(bed, "replaced")], ["", "bmV3"]);
});

Deno.test("tlsmgr begins with an empty cache when sessions are not to persist", async () => {
  await using bed = await Bed.start({ ...WITH_DATABASE, cache: { persist: false } });
  {
    using client = await bed.connect();
    await client.ask(entryRequest("update", "id", SESSION));
    assertEquals(await find(bed, "id"), SESSION);
  }
  assertEquals(await bed.tlsmgr.stop(), 0);
  await bed.startAgain();
  assertEquals(await find(bed, "id"), "");
});

Deno.test("tlsmgr keeps sessions in memory only for a database called memory:", async () => {
  await using bed = await Bed.start({ smtpd_tls_session_cache_database: "memory:" });
  {
    using client = await bed.connect();
    await client.ask(entryRequest("update", "id", SESSION));
    assertEquals(await find(bed, "id"), SESSION);
  }
  assertEquals(await bed.tlsmgr.stop(), 0);
  await bed.startAgain();
  assertEquals(await find(bed, "id"), "");
});

Deno.test("tlsmgr gives other ticket keys after a start", async () => {
  await using bed = await Bed.start();
  const keys: string[] = [];
  for (let start = 0; start < 2; start++) {
    {
      using client = await bed.connect();
      const { attributes } = await client.ask([["request", "tktkey"], ["keyname", ""]]);
      keys.push(attributes[1][1]);
      await client.ask(POLICY);
    }
    assertEquals(await bed.tlsmgr.stop(), 0);
    if (start === 0) await bed.startAgain();
  }
  assert(keys[0] !== keys[1]);
});

/** Starts the role with settings that it cannot run with. */
async function startWrongly(folder: TempFolder, settings: Record<string, string>) {
  const path = await folder.write(
    "wrong.toml",
    toToml({
      data_directory: folder.path,
      ...settings,
      service: { user: "", tlsmgr: { socket: folder.file("wrong") } },
    }),
  );
  const result = await runCommand(posternBinary(), ["--role", "tlsmgr", "--config", path]);
  await assertRejects(() => Deno.stat(folder.file("wrong")), Deno.errors.NotFound);
  return result;
}

Deno.test("tlsmgr says in one sentence why it cannot open a database", async (t) => {
  await using folder = await TempFolder.make("bad");
  const wrong: [what: string, database: string, sentence: RegExp][] = [
    ["a folder that is missing", `btree:${folder.path}/none/scache`, /none\/scache.*No such file/],
    ["no name", "btree:", /names no file/],
    ["a type that cannot be written to", "regexp:/x", /type "?regexp"?/],
  ];
  for (const [what, database, sentence] of wrong) {
    await t.step(what, async () => {
      const { code, stderr } = await startWrongly(folder, {
        smtpd_tls_session_cache_database: database,
      });
      assertEquals(code, 78, stderr);
      assertMatch(stderr, sentence);
      assert(!/\bat .*\.ts:\d+/.test(stderr), stderr);
    });
  }
});

Deno.test("tlsmgr refuses the database of a running tlsmgr, which serves on", async () => {
  await using bed = await Bed.start();
  const { code, stderr } = await startWrongly(bed.folder, WITH_DATABASE);
  assertEquals(code, 78, stderr);
  assertStringIncludes(stderr, `process ${bed.tlsmgr.pid} uses it`);
  await bed.assertServes();
});
