/** `postern demo`: what it shows, and that nothing of it is left. */

import { assert, assertEquals, assertMatch, fail } from "@std/assert";
import { posternBinary } from "../../support/postern.ts";
import { runCommand, type RunningProcess, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";

const ROWS = [
  /^TLSv1\.2 +session id +full \S+ ms +resumed \S+ ms +resumed \S+ ms +ECDHE-RSA-\S+ +196608 intact$/m,
  /^TLSv1\.2 +ticket +full \S+ ms +resumed \S+ ms +resumed \S+ ms +ECDHE-ECDSA-\S+ +196608 intact$/m,
  /^TLSv1\.3 +ticket +full \S+ ms +resumed \S+ ms +resumed \S+ ms +TLS_\S+ +196608 intact$/m,
];

function assertReport(stdout: string): void {
  assertMatch(stdout, /^postern .*, Deno .*, V8 .*, OpenSSL 3.*\n.*: \d+\.\d MB\n/);
  assertMatch(stdout, /^tlsmgr +gave 32 random bytes and a ticket key of 88 bytes/m);
  for (const row of ROWS) assertMatch(stdout, row);
  assertEquals(stdout.split("\n").filter((line) => line.includes("resumed")).length, 3);
}

/** Names in `folder`, in order. */
function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** Processes that were started with a file below `folder`, by id. */
async function processesWith(folder: string): Promise<number[]> {
  const { stdout } = await runCommand("ps", ["axww", "-o", "pid=,args="]);
  return stdout.split("\n").filter((line) => line.includes(`--config ${folder}/`))
    .map((line) => Number.parseInt(line));
}

Deno.test("postern demo resumes in all ways, alone in a folder and without an environment", async () => {
  await using folder = await TempFolder.make("alone");
  await Deno.copyFile(posternBinary(), folder.file("postern"));
  const { code, stdout, stderr } = await runCommand("env", ["-i", "./postern", "demo"], {
    cwd: folder.path,
  });
  assertEquals([code, stderr], [0, ""]);
  assertReport(stdout);
  assertEquals(namesIn(folder.path), ["postern"]);
});

Deno.test("postern demo works in TMPDIR, and leaves nothing there", async () => {
  await using folder = await TempFolder.make("tmp");
  const env = { TMPDIR: folder.path };
  const { code, stdout, stderr } = await runCommand(posternBinary(), ["demo"], { env });
  assertEquals([code, stderr], [0, ""]);
  assertReport(stdout);
  assertEquals(namesIn(folder.path), []);
});

Deno.test("postern demo says which step failed, and leaves nothing", async () => {
  await using folder = await TempFolder.make("tmp");
  const long = folder.file("x".repeat(100));
  await Deno.mkdir(long);
  const env = { TMPDIR: long };
  const { code, stderr } = await runCommand(posternBinary(), ["demo"], { env });
  assertEquals(code, 70);
  assertMatch(stderr, /error: Cannot listen on .*: a socket path has 1 to 107 bytes$/m);
  assertMatch(stderr, /^postern: error: Cannot run tlsmgr: it ended before it was ready$/m);
  assertEquals(namesIn(long), []);
});

/** Starts `demo --stay` in `folder` and waits until it has said all. */
async function stay(folder: TempFolder): Promise<RunningProcess> {
  const process = startProcess(posternBinary(), ["demo", "--stay"], {
    env: { TMPDIR: folder.path },
  });
  await process.waitFor("its last line", () => process.stdout.includes("A Postfix with"));
  return process;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`postern demo --stay ends with ${signal}, and leaves nothing`, async () => {
    await using folder = await TempFolder.make("tmp");
    await using process = await stay(folder);
    assertReport(process.stdout);
    assertEquals((await processesWith(folder.path)).length, 2);
    process.signal(signal);
    assertEquals(await process.ended(), 0, process.output());
    assertEquals(await processesWith(folder.path), []);
    assertEquals(namesIn(folder.path), []);
  });
}

Deno.test("postern demo --stay ends with a sentence when a service is killed", async () => {
  await using folder = await TempFolder.make("tmp");
  await using process = await stay(folder);
  const [service] = await processesWith(folder.path);
  Deno.kill(service, "SIGKILL");
  assertEquals(await process.ended(), 70, process.output());
  assertMatch(process.stderr, /^postern: error: Cannot run tls(?:mgr|proxy): it ended with code/m);
  assertEquals(await processesWith(folder.path), []);
  assertEquals(namesIn(folder.path), []);
});

Deno.test("postern demo dies of a signal that comes too early, and leaves nothing", async () => {
  // On a busy machine a demonstration may be over before its signal comes: another one, then.
  for (let attempt = 0; attempt < 10; attempt++) {
    await using folder = await TempFolder.make("tmp");
    await using process = startProcess(posternBinary(), ["demo"], {
      env: { TMPDIR: folder.path },
    });
    // Its services are started next, which takes a while.
    await waitUntil("its folder", () => namesIn(folder.path).length > 0 || !process.alive);
    process.signal("SIGTERM");
    const code = await process.ended();
    assertEquals(await processesWith(folder.path), []);
    assertEquals(namesIn(folder.path), []);
    if (code === 128 + 15) return;
    assertEquals(code, 0, process.output());
  }
  fail("The demonstration never died of its signal");
});

Deno.test("postern demo --stay prints commands that resume with openssl", async () => {
  await using folder = await TempFolder.make("tmp");
  await using process = await stay(folder);
  const commands = [...process.stdout.matchAll(/^ {4}\$ (.*)$/gm)].map((found) => found[1]);
  assertEquals(commands.length, 2);
  const [relayFile, port] = [/\S+\.py/.exec(commands[0])?.[0], /:(\d+)/.exec(commands[1])?.[1]];
  assert(relayFile !== undefined && port !== undefined, process.stdout);
  await using _relay = startProcess("python3", [relayFile]);
  await waitUntil("the relay to listen", async () => {
    const table = await Deno.readTextFile("/proc/net/tcp");
    const hexPort = Number(port).toString(16).toUpperCase().padStart(4, "0");
    return table.includes(`0100007F:${hexPort} 00000000:0000 0A`);
  });
  const { stdout } = await runCommand("sh", ["-c", commands[1]]);
  const lines = stdout.trimEnd().split("\n");
  assertMatch(lines[0], /^New, TLSv1\.2/);
  assertEquals(lines.slice(1).filter((line) => line.startsWith("Reused, TLSv1.2")).length, 5);
  process.signal("SIGINT");
  assertEquals(await process.ended(), 0, process.output());
});
