import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { loadSettings, type Settings } from "../../../lib/config/settings.ts";
import { Crew, type CrewGround, Crews } from "../../../lib/daemon/crew.ts";
import { NumberBoard } from "../../../lib/daemon/numbers/number_board.ts";
import { Reloader, type Rereading } from "../../../lib/daemon/reload.ts";
import { SharedCounters } from "../../../lib/daemon/shared_counters.ts";
import { inTime } from "../../support/wait.ts";
import { ListLog } from "../tlsmgr/_setup.ts";

const KEPT = "; the settings before it stay in force";

function settingsOf(way: string, more = ""): Settings {
  const text = `syslog_name = "${way}"\n${more}`;
  const { settings } = loadSettings({
    ...{ text, file: "/postern.toml", role: "tlsproxy", overrides: [] },
  });
  assert(settings !== undefined);
  return settings;
}

/** A service of toys whose settings are read again as a test says. */
class Rig implements AsyncDisposable {
  readonly log = new ListLog();
  readonly said: string[] = [];
  readonly crews: Crews;
  readonly reloader: Reloader;
  reopened = 0;
  /** What reading finds; the settings of before, unless a test says otherwise. */
  found: () => Rereading;

  constructor(way = "stays", more = "") {
    const settings = settingsOf(way, more);
    this.found = () => ({ settings, threads: 1, lines: [] });
    const forCrews: CrewGround = {
      log: this.log,
      worker: new URL("./_toy_worker.ts", import.meta.url),
      start: {
        ...{ log: { fd: 2, name: "toy", stamped: false }, ownerId: 0, listenFd: -1 },
        ...{ channelFd: undefined, keptFd: undefined, shared: SharedCounters.allocate() },
      },
      drainLimitMs: 1_000,
      board: new NumberBoard(),
      noteFiles: () => {},
    };
    this.crews = new Crews(new Crew(settings, 1, forCrews));
    this.reloader = new Reloader(this.crews, {
      ...{ log: this.log, forCrews, settingsFile: undefined },
      notifier: {
        reloading: () => this.said.push("reloading"),
        ready: (status) => this.said.push(`ready: ${status}`),
      },
      listening: { shown: "/toy" },
      reread: () => this.found(),
      watch: { beginReading: () => {}, note: () => {}, endReading: () => {} },
      reopenLog: () => this.reopened++,
    });
  }

  async serve(): Promise<void> {
    const { control } = this.crews.current;
    await inTime("the toys", control.opened);
    control.serve();
    await inTime("the toys", control.ready);
    this.reloader.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.crews.stop();
    await inTime("the end", this.crews.finished);
  }
}

Deno.test("Reloader.reload() answers what came of it, to all who asked before it began", async () => {
  await using rig = new Rig();
  const early = [rig.reloader.reload(), rig.reloader.reload()];
  assertEquals(rig.said, [], "the service has not begun");
  await rig.serve();
  const outcomes = await inTime("the reload", Promise.all(early));
  assertEquals(outcomes.map(({ fault }) => fault), [undefined, undefined]);
  assertEquals(rig.said, ["reloading", "ready: Serving /toy"]);
  const under = rig.reloader.reload();
  // It is under way: whoever asks from here on wants the next one.
  const next = [rig.reloader.reload(), rig.reloader.reload()];
  assertEquals(
    await inTime("the next reload", Promise.all([under, ...next])).then((all) =>
      all.map(({ fault }) => fault)
    ),
    [undefined, undefined, undefined],
  );
  assertEquals(rig.said.length, 6);
  assertEquals(rig.log.take(), Array(3).fill("reload: the new settings are in force"));
  assertEquals(rig.reopened, 3);
});

Deno.test("Reloader.reload() says why the settings stay, once, and keeps that", async () => {
  await using rig = new Rig();
  await rig.serve();
  const cases: [Rig["found"], string, string[]][] = [
    [() => ({ settings: undefined, threads: 0, lines: ["line 3: no"] }), "have errors", [
      "line 3: no",
    ]],
    [
      () => {
        throw new FatalError("Cannot read it: Permission denied", { hint: "Let it be read" });
      },
      "Cannot read it: Permission denied; Let it be read",
      [],
    ],
  ];
  for (const [found, fault, lines] of cases) {
    rig.found = found;
    const outcome = await inTime("a reload", rig.reloader.reload());
    assertStringIncludes(outcome.fault ?? "", fault);
    assertEquals(outcome.lines, lines);
    assertEquals(rig.reloader.last?.fault, outcome.fault);
    const logged = rig.log.take().filter((line) => line.startsWith("error: "));
    assertEquals(logged, [`error: reload: ${outcome.fault}${KEPT}`]);
    assertStringIncludes(rig.said.at(-1)!, `; the last reload failed: ${outcome.fault}`);
  }
});

Deno.test("Reloader.reload() tells of toys that cannot serve in one line", async () => {
  await using rig = new Rig();
  await rig.serve();
  rig.found = () => ({
    settings: settingsOf("stays", "ipc_timeout = 13\n"),
    ...{ threads: 2, lines: [] },
  });
  const { fault } = await inTime("a reload", rig.reloader.reload());
  assertEquals(
    fault,
    "the new settings cannot be served: Cannot be a toy: nobody plays; Play with it",
  );
  assertEquals(rig.log.take(), [`error: reload: ${fault}${KEPT}`]);
  assertEquals(rig.crews.isStopping, false);
});

Deno.test("Reloader.reload() names what takes a restart, and is told when the service ends", async () => {
  const rig = new Rig();
  await rig.serve();
  rig.found = () => ({
    settings: settingsOf("other", "smtpd_tls_loglevel = 1\n"),
    ...{ threads: 1, lines: [] },
  });
  const outcome = await inTime("a reload", rig.reloader.reload());
  assertEquals(outcome.lines, ["takes a restart: syslog_name"]);
  assertEquals(outcome.fault, undefined);
  assertEquals(rig.crews.current.settings.parameters.syslog_name, "stays");
  await rig[Symbol.asyncDispose]();
  const late = await inTime("the answer", rig.reloader.reload());
  assertEquals(late.fault, "the service is ending");
});

Deno.test("Reloader.reload() does not do what [service] reload forbids", async () => {
  await using rig = new Rig("stays", '[service]\nreload = "off"\n');
  await rig.serve();
  const { fault } = await inTime("a reload", rig.reloader.reload());
  assertEquals(fault, "it is switched off ([service] reload)");
  assertEquals(rig.reopened, 1, "log files are opened anew all the same");
});
