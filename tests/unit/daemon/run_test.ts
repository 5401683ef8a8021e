import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { loadSettings, type Settings } from "../../../lib/config/settings.ts";
import { runRole } from "../../../lib/daemon/run.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { inTime, waitUntil } from "../../support/wait.ts";

const TOY = new URL("./_toy_worker.ts", import.meta.url);

function settingsOf(folder: TempFolder, way: string): Settings {
  // The folder that this process is in anyway, and the account that it runs as.
  const text = `syslog_name = "${way}"
queue_directory = "${Deno.cwd()}"
[service]
user = ""
[service.tlsproxy]
socket = "${folder.file("socket")}"
[log]
destination = "${folder.file("log")}"
`;
  const { settings, findings } = loadSettings({
    text,
    file: folder.file("postern.toml"),
    role: "tlsproxy",
    overrides: [],
  });
  assert(settings !== undefined, JSON.stringify(findings));
  return settings;
}

interface Outcome {
  exitCode: number;
  /** The log's lines without stamp and identity. */
  lines: string[];
  /** Whether the socket's name is still there. */
  socketLeft: boolean;
}

/** Threads of workers, as Deno names them. */
function countWorkerThreads(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      if (Deno.readTextFileSync(`/proc/self/task/${name}/comm`).startsWith("worker-")) count++;
    } catch (error) {
      // It ended between the listing and the look.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return count;
}

async function run(
  way: string,
  options: { threads?: number; worker?: URL; turnLimitS?: number } = {},
): Promise<Outcome> {
  await using folder = await TempFolder.make("run");
  const settings = settingsOf(folder, way);
  const { turnLimitS } = options;
  if (turnLimitS !== undefined) {
    // Less than a file may say, so that the test need not wait for so long.
    Object.assign(settings.parameters, { tlsproxy_watchdog_timeout: turnLimitS });
  }
  const { threads = 1, worker = TOY } = options;
  const exitCode = await inTime("the role's end", runRole({ settings, worker, threads }));
  await Deno.writeTextFile(folder.file("socket.end"), "");
  // A thread that was ended closes what it has open in its own time, which may be another test's.
  await waitUntil("the end of all threads", () => countWorkerThreads() === 0);
  const text = await Deno.readTextFile(folder.file("log"));
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  return {
    exitCode,
    lines: text.split("\n").slice(0, -1).map((line) => line.replace(/^.*?\[\d+\]: /, "")),
    socketLeft: names.includes("socket"),
  };
}

Deno.test("runRole() says that it serves, and ends in order with its threads", async () => {
  const { exitCode, lines, socketLeft } = await run("end");
  assertEquals([exitCode, socketLeft], [0, false]);
  assertEquals(lines.length, 1);
  assertMatch(lines[0], /^ready: serving \/.+\/socket$/);
});

Deno.test("runRole() waits for all of its threads", async () => {
  const { exitCode, lines } = await run("end", { threads: 3 });
  assertEquals([exitCode, lines.length], [0, 1]);
});

Deno.test("runRole() makes slow calls for its threads and brings the answers into their loops", async () => {
  const { exitCode, lines } = await run("slow", { threads: 2 });
  assertEquals(exitCode, 0);
  assertEquals(lines.filter((line) => !line.startsWith("ready: ")).sort(), [
    "a socket cannot be read like a file: true",
    "a socket cannot be read like a file: true",
    "nor synced: true",
    "nor synced: true",
  ]);
});

Deno.test("runRole() ends with 78 and one fatal line when the operator must act", async () => {
  const { exitCode, lines, socketLeft } = await run("fatal");
  assertEquals([exitCode, socketLeft], [78, false]);
  assertEquals(lines, ["fatal: Cannot be a toy: nobody plays; Play with it"]);
});

for (const [way, words] of [["bug", "a bug of the toy"], ["bug-in-close", "a bug while closing"]]) {
  Deno.test(`runRole() ends with 70, the stack and a fatal line after "${way}"`, async () => {
    const { exitCode, lines, socketLeft } = await run(way);
    assertEquals([exitCode, socketLeft], [70, false]);
    assertEquals(lines.filter((line) => line.startsWith("fatal: ")), [`fatal: ${words}`]);
    assertEquals(lines.at(-1), `fatal: ${words}`);
    const errors = lines.filter((line) => line.startsWith("error: "));
    assert(errors.some((line) => line.includes("_toy_worker.ts")), lines.join("\n"));
  });
}

Deno.test("runRole() ends with 70 when a worker cannot even be loaded", async () => {
  const worker = new URL("./_no_such_worker.ts", import.meta.url);
  const { exitCode, lines } = await run("end", { worker });
  assertEquals(exitCode, 70);
  assertEquals(lines.filter((line) => line.startsWith("fatal: ")).length, 1);
});

Deno.test("runRole() stops the threads that are well when one cannot go on", async () => {
  const { exitCode, lines, socketLeft } = await run("second-fails", { threads: 2 });
  assertEquals([exitCode, socketLeft], [78, false]);
  assertEquals(lines.filter((line) => line.startsWith("fatal: ")), [
    "fatal: Cannot be the second toy: one is enough",
  ]);
});

Deno.test("runRole() ends with 70 when a thread is stuck, and says what it was doing", async () => {
  const { exitCode, lines, socketLeft } = await run("stuck", { threads: 2, turnLimitS: 0.2 });
  assertEquals([exitCode, socketLeft], [70, false]);
  assertEquals(lines.filter((line) => line.startsWith("fatal: ")), [
    "fatal: Watchdog timeout: service thread 0 is running timers, and has been for 0.2 seconds",
  ]);
});

Deno.test("runRole() takes no thread that has ended for a stuck one", async () => {
  const { exitCode, lines } = await run("second-ends", { threads: 2, turnLimitS: 0.2 });
  assertEquals(exitCode, 0);
  assertEquals(lines.filter((line) => line.startsWith("fatal: ")), []);
});

Deno.test("runRole() refuses a socket that cannot be made and a log that cannot be written", async () => {
  await using folder = await TempFolder.make("run");
  const good = settingsOf(folder, "end");
  const start = (settings: Settings) => () => runRole({ settings, worker: TOY, threads: 1 });
  const absent = { ...good, service: { ...good.service, socket: folder.file("no/socket") } };
  await assertRejects(start(absent), FatalError, "Cannot listen on");
  const group = { ...good, service: { ...good.service, socket_group: "no-such-group" } };
  await assertRejects(start(group), FatalError, 'the group "no-such-group"');
  await Deno.symlink(folder.file("elsewhere"), folder.file("link"));
  const log = { ...good, log: { ...good.log, destination: folder.file("link") } };
  await assertRejects(start(log), FatalError, "it is a symbolic link");
});
