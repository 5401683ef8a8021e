/**
 * The exchange file, the disk under it, and core dumps.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { runChecked } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";
import { Bed, entryRequest } from "./_bed.ts";
import { seedFrom, serves, startRole } from "./_entropy.ts";

const SESSION = btoa("s".repeat(1500));

function contentOf(path: string): string {
  const bytes = Deno.readFileSync(path);
  assertEquals(bytes.length, 1024);
  return bytes.join();
}

Deno.test("tlsmgr makes the exchange file, and rewrites it at each start and each orderly end", async () => {
  await using bed = await Bed.start({});
  const path = bed.folder.file("prng_exch");
  const { mode } = await Deno.stat(path);
  assertEquals(mode! & 0o7777, 0o600);
  const seen = [contentOf(path)];
  assertEquals(await bed.tlsmgr.stop(), 0);
  seen.push(contentOf(path));
  await bed.startAgain();
  seen.push(contentOf(path));
  await bed.kill();
  assertEquals(contentOf(path), seen[2]);
  assertEquals(new Set(seen).size, 3);
});

Deno.test("tlsmgr: two that share an exchange file find it different each time, and give other seeds", async () => {
  await using folder = await TempFolder.make("share");
  const path = folder.file("prng_exch");
  await Deno.writeFile(path, new Uint8Array(1024), { mode: 0o600 });
  const settings = {
    data_directory: folder.path,
    tls_random_source: "",
    tls_random_prng_update_period: "1s",
  };
  const [first, second] = await Promise.all([Bed.start(settings), Bed.start(settings)]);
  await using beds = new AsyncDisposableStack();
  beds.use(first);
  beds.use(second);
  const contents = new Set<string>();
  const seeds = new Set<string>();
  using clients = new DisposableStack();
  const asking = [clients.use(await first.connect()), clients.use(await second.connect())];
  await waitUntil("six states of the file", async () => {
    contents.add((await Deno.readFile(path)).join());
    return contents.size >= 6;
  });
  for (const client of asking) for (let i = 0; i < 20; i++) seeds.add(await seedFrom(client));
  assertEquals(seeds.size, 40);
  for (const { tlsmgr } of [first, second]) {
    // That no source is configured is said in two lines, and nothing else is.
    assertEquals(tlsmgr.problems().length, 2, tlsmgr.log);
  }
});

Deno.test("tlsmgr makes an exchange file anew that was removed", async () => {
  await using bed = await Bed.start({ tls_random_prng_update_period: "1s" });
  const path = bed.folder.file("prng_exch");
  await Deno.remove(path);
  await bed.tlsmgr.waitForLog(/warning: PRNG exchange file was removed -- making it again\n/);
  await waitUntil("the file", async () => {
    const bytes = await Deno.readFile(path).catch(() => new Uint8Array());
    return bytes.length === 1024;
  });
});

/** One system call in a trace. */
interface TracedCall {
  thread: string;
  name: string;
  text: string;
}

/** What strace saw until the process was told to end. */
async function readTrace(path: string): Promise<TracedCall[]> {
  const [served] = (await Deno.readTextFile(path)).split("--- SIGTERM");
  return served.split("\n").flatMap((text) => {
    const found = /^(\d+) +(\w+)\(/.exec(text);
    return found === null ? [] : [{ thread: found[1], name: found[2], text }];
  });
}

/** The only child of a process. */
async function childOf(pid: number): Promise<number> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return Number(children.trim());
}

Deno.test("tlsmgr's service thread touches neither the exchange file nor a sync while it serves", async () => {
  await using folder = await TempFolder.make("trace");
  const [trace, socket, fifo] = ["trace", "s", "fifo"].map((name) => folder.file(name));
  await runChecked("mkfifo", [fifo]);
  await using role = await startRole(folder, {
    before: [
      // Its child, and not this process's: whoever waits for a process that somebody else traces is
      // told of its end too early.
      ...["strace", "-f", "-y", "-qq", "-o", trace],
      ...["-e", "trace=accept4,openat,read,pread64,pwrite64,fsync,fdatasync"],
    ],
    settings: {
      smtpd_tls_session_cache_database: `btree:${folder.file("scache")}`,
      // Nobody writes to it: the source never answers.
      tls_random_source: `dev:${fifo}`,
      tls_random_prng_update_period: "1s",
      service: { tlsmgr: { socket } },
    },
  });
  await serves(role);
  const path = folder.file("prng_exch");
  const states = new Set<string>();
  {
    using client = await AttrClient.connectTo(socket, "tlsmgr_protocol");
    for (let i = 0; states.size < 4; i++) {
      await client.ask(entryRequest("update", `id ${i % 100}`, SESSION));
      await client.ask(entryRequest("lookup", `id ${i % 100}`));
      await seedFrom(client);
      states.add((await Deno.readFile(path)).join());
    }
  }
  Deno.kill(await childOf(role.pid), "SIGTERM");
  assertEquals(await role.ended(), 0);
  const calls = await readTrace(trace);
  const first = calls.findIndex(({ name, text }) => name === "accept4" && / = \d+</.test(text));
  assert(first >= 0, "a connection was accepted");
  const { thread } = calls[first];
  const later = calls.slice(first);
  const isExchange = ({ name, text }: TracedCall) => /^p/.test(name) && text.includes("prng_exch>");
  const isSync = ({ name }: TracedCall) => /^f(data)?sync$/.test(name);
  const ofService = later.filter((call) => call.thread === thread);
  assertEquals(ofService.filter((call) => isExchange(call) || isSync(call)), []);
  // The calls were made, by others.
  const exchanges = later.filter(isExchange);
  assert(exchanges.filter(({ name }) => name === "pread64").length >= 2);
  assert(exchanges.filter(({ name }) => name === "pwrite64").length >= 2);
  // The source was looked at again and again, and opened so that it cannot make anybody wait.
  assert(
    ofService.filter(({ name, text }) => name === "read" && text.includes("/fifo>")).length > 1,
  );
  const opened = calls.find(({ name, text }) => name === "openat" && text.includes(`"${fifo}"`));
  assert(opened?.text.includes("O_NONBLOCK"), opened?.text);
});

for (const [wanted, core_dumps] of [["are forbidden", false], ["can be allowed", true]] as const) {
  Deno.test(`tlsmgr: core dumps and debuggers ${wanted}`, async () => {
    await using folder = await TempFolder.make("dumps");
    const isRoot = Deno.uid() === 0;
    const nobody = 65_534;
    if (isRoot) await Deno.chown(folder.path, nobody, nobody);
    await using role = await startRole(folder, {
      before: isRoot ? ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"] : [],
      settings: { service: { core_dumps, tlsmgr: { socket: folder.file("s") } } },
    });
    await serves(role);
    // proc(5): what belongs to a process that may not be dumped belongs to root there.
    const { uid } = await Deno.lstat(`/proc/${role.pid}/fd`);
    if (core_dumps) assertNotEquals(uid, 0);
    else assertEquals(uid, 0);
    role.signal("SIGTERM");
    assertEquals(await role.ended(), 0);
  });
}
