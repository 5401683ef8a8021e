/**
 * Sources of random bytes that are good, bad or silent: requests are served all the same.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { EgdServer } from "../../support/egd_server.ts";
import { runChecked } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";
import { seedFrom, serves, startRole } from "./_entropy.ts";
import { Bed } from "./_bed.ts";

/** Draws seeds, all of them different. */
async function drawSeeds(bed: Bed, count: number): Promise<void> {
  using client = await bed.connect();
  const seeds = new Set<string>();
  for (let i = 0; i < count; i++) seeds.add(await seedFrom(client));
  assertEquals(seeds.size, count);
}

Deno.test("tlsmgr asks an EGD server again and again, over one connection", async () => {
  await using folder = await TempFolder.make("egd");
  const path = folder.file("egd");
  await using server = EgdServer.start(path);
  await using bed = await Bed.start({
    tls_random_source: `egd:${path}`,
    tls_random_bytes: 300,
    tls_random_reseed_period: "1s",
  });
  await waitUntil("three questions", () => server.received[0]?.length >= 6);
  assertEquals(server.received[0].slice(0, 6), [1, 255, 1, 255, 1, 255]);
  assertEquals(server.connections, 1);
  await drawSeeds(bed, 10);
  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test("tlsmgr finds an EGD server that comes later, and says so", async () => {
  await using folder = await TempFolder.make("egd");
  const path = folder.file("egd");
  await using bed = await Bed.start({ tls_random_source: `egd:${path}` });
  await drawSeeds(bed, 10);
  assertMatch(bed.tlsmgr.log, /warning: cannot connect to EGD server .*; trying again\n/);
  await using server = EgdServer.start(path);
  await bed.tlsmgr.waitForLog(/: entropy source egd:.* works again\n/);
  assertEquals(server.given.length, 32);
  assertEquals(bed.tlsmgr.problems().length, 1);
});

for (const misbehaviour of ["silent", "empty", "stalls in the middle"] as const) {
  Deno.test(`tlsmgr serves while an EGD server is or does "${misbehaviour}"`, async () => {
    await using folder = await TempFolder.make("egd");
    const path = folder.file("egd");
    await using server = EgdServer.start(path, { misbehaviour });
    await using bed = await Bed.start({ tls_random_source: `egd:${path}` });
    await waitUntil("the question", () => server.received[0]?.length >= 2);
    await drawSeeds(bed, 200);
    assertEquals(bed.tlsmgr.problems(), []);
  });
}

for (const prefix of ["dev:", ""]) {
  Deno.test(`tlsmgr serves while nobody writes to its source "${prefix}FIFO"`, async () => {
    await using folder = await TempFolder.make("fifo");
    await runChecked("mkfifo", [folder.file("fifo")]);
    await using bed = await Bed.start({
      tls_random_source: `${prefix}${folder.file("fifo")}`,
    });
    await drawSeeds(bed, 200);
    // It has not given up: whoever writes is read.
    await runChecked("sh", ["-c", `printf %32s x >"$0"`, folder.file("fifo")]);
    await drawSeeds(bed, 10);
    assertEquals(bed.tlsmgr.problems(), []);
  });
}

Deno.test("tlsmgr takes as much of a file as is asked for, once", async () => {
  await using folder = await TempFolder.make("file");
  const path = folder.file("random");
  await Deno.writeFile(path, crypto.getRandomValues(new Uint8Array(20_000)));
  await using bed = await Bed.start({
    tls_random_source: path,
    tls_random_bytes: 16_000,
  });
  await drawSeeds(bed, 10);
  assertEquals(bed.tlsmgr.problems(), []);
});

Deno.test('tlsmgr leaves in order for want of a source with on_failure = "exit"', async () => {
  await using folder = await TempFolder.make("exit");
  const socket = folder.file("s");
  await using role = await startRole(folder, {
    settings: {
      tls_random_source: "dev:/no/such/device",
      entropy: { on_failure: "exit" },
      service: { tlsmgr: { socket } },
    },
  });
  await serves(role);
  assertEquals(await role.ended(), 0);
  const lines = role.stderr.split("\n").map((line) => line.replace(/^.*\[\d+\]: /, ""));
  assert(lines.includes("exiting to reopen external entropy source dev:/no/such/device"));
  assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name === "s"), false);
});

Deno.test("tlsmgr does not start with a generator that does not work", async () => {
  await using folder = await TempFolder.make("broken");
  const config = await folder.write(
    "openssl.cnf",
    "openssl_conf = all\n[all]\nrandom = generator\n[generator]\nrandom = NO-SUCH-GENERATOR\n",
  );
  await using role = await startRole(folder, {
    settings: { service: { tlsmgr: { socket: folder.file("s") } } },
    env: { OPENSSL_CONF: config },
  });
  assertEquals(await role.ended(), 69);
  assertMatch(
    role.stderr,
    /: fatal: Cannot make random bytes: OpenSSL's generator is not seeded; /,
  );
});
