import { assert, assertEquals } from "@std/assert";
import { ManualClock } from "../../../../lib/base/clock.ts";
import {
  RunningService,
  type ServiceFacts,
  type ServiceParts,
} from "../../../../lib/daemon/desk/running_service.ts";
import { NumberBoard } from "../../../../lib/daemon/numbers/number_board.ts";
import { Watchdog } from "../../../../lib/daemon/watchdog.ts";
import manifest from "../../../../deno.json" with { type: "json" };

const FACTS: ServiceFacts = {
  settings: { role: "tlsproxy", instance: "edge" },
  pid: 4711,
  startedS: new ManualClock().unixSeconds(),
  socket: "/q/private/edge",
  settingsFile: "/etc/postern/postern.toml",
};

interface Crew {
  threads: number;
  watch(): Watchdog;
}

function crewOf(threads: number): Crew {
  const thread = { turn: 1, work: undefined };
  return { threads, watch: () => new Watchdog(Array.from({ length: threads }, () => thread)) };
}

function make(): { service: RunningService; crews: { all: Crew[]; isStopping: boolean } } {
  const board = new NumberBoard();
  board.own.counter("postern_reloads_total", { outcome: "done" }).add(2);
  board.own.histogram("postern_event_loop_turn_seconds").observe(0.2);
  const crews = { all: [crewOf(2)], isStopping: false };
  const last = { fault: "no key", lines: ["a"], endedS: 1_700_000_001 };
  const reloader = { last, reload: () => Promise.resolve(last) };
  const parts = { crews, board, reloader } as unknown as ServiceParts;
  return { service: new RunningService(FACTS, parts), crews };
}

Deno.test("RunningService starts, serves and drains", () => {
  const { service, crews } = make();
  assertEquals(service.state, "starting");
  service.begin();
  assertEquals(service.state, "serving");
  crews.isStopping = true;
  assertEquals(service.state, "draining");
});

Deno.test("RunningService.status() is plain data that survives JSON", async () => {
  const { service, crews } = make();
  service.begin();
  crews.all.push(crewOf(3));
  const status = await service.status();
  assertEquals(JSON.parse(JSON.stringify(status)), status);
  const { numbers, ...rest } = status;
  assertEquals(rest, {
    role: "tlsproxy",
    instance: "edge",
    state: "serving",
    well: true,
    version: manifest.version,
    pid: 4711,
    started: 1_700_000_000,
    socket: "/q/private/edge",
    settings: "/etc/postern/postern.toml",
    crews: [{ state: "serving", threads: 2 }, { state: "finishing", threads: 3 }],
    reload: { ended: 1_700_000_001, fault: "no key", lines: ["a"] },
  });
  assertEquals(numbers.postern_reloads_total[0], { labels: { outcome: "done" }, value: 2 });
  const [turns] = numbers.postern_event_loop_turn_seconds;
  assertEquals([turns.count, turns.sum, turns.buckets?.at(-1)], [1, 0.2, ["+Inf", 1]]);
  assert(service.metrics().includes('postern_reloads_total{outcome="done"} 2\n'));
});
