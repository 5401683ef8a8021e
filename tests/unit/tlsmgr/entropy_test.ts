import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { Bytes } from "../../../lib/base/bytes.ts";
import { FatalError } from "../../../lib/base/errors.ts";
import { type Timer, Timers } from "../../../lib/reactor/timers.ts";
import {
  drawDelayMs,
  EntropyKeeper,
  type EntropyKeeperOptions,
  PERIOD_MAX_S,
} from "../../../lib/tlsmgr/entropy.ts";
import type { EntropySource, SourceFault, SourceKind } from "../../../lib/tlsmgr/entropy_source.ts";
import type { ExchangeFault } from "../../../lib/tlsmgr/exchange_file.ts";
import { RandomPool } from "../../../lib/tlsmgr/random_pool.ts";
import { seededBytes, seededRandom } from "../../support/random.ts";
import { ListLog } from "./_setup.ts";

/** A source whose answers are given in advance. */
class ScriptedSource implements EntropySource {
  readonly kind: SourceKind;
  readonly name: string;
  /** Counts that were asked for. */
  readonly asked: number[] = [];
  /** How the next questions end; without one they succeed. */
  readonly faults: (SourceFault | undefined)[] = [];
  closes = 0;

  constructor(kind: SourceKind) {
    this.kind = kind;
    this.name = kind === "file" ? "/random" : kind === "egd" ? "egd:/egd" : "dev:/dev/random";
  }

  ask(count: number, take: (piece: Bytes) => void, done: (fault?: SourceFault) => void): void {
    this.asked.push(count);
    const fault = this.faults.shift();
    if (fault === undefined) take(new Uint8Array(count).fill(0x5a));
    done(fault);
  }

  close(): void {
    this.closes++;
  }
}

/** An exchange file whose answers are given in advance. */
class ScriptedExchange {
  readonly faults: (ExchangeFault | undefined)[] = [];
  /** Updates, in order: whether they had to be made at once. */
  readonly updates: ("now" | "slowly")[] = [];
  closes = 0;

  update(done: (fault?: ExchangeFault) => void): void {
    this.updates.push("slowly");
    done(this.faults.shift());
  }

  updateNow(): ExchangeFault | undefined {
    this.updates.push("now");
    return this.faults.shift();
  }

  close(): void {
    this.closes++;
  }
}

interface RigOptions {
  kind?: SourceKind | "none";
  exchange?: boolean;
  onFailure?: "continue" | "exit";
  sourceBytes?: number;
  reseedPeriodS?: number;
  updatePeriodS?: number;
}

/** A keeper whose time passes from timer to timer. */
class Rig {
  readonly log = new ListLog();
  readonly source: ScriptedSource | undefined;
  readonly exchange: ScriptedExchange | undefined;
  readonly keeper: EntropyKeeper;
  /** Delays of all timers, in the order of asking, milliseconds. */
  readonly delays: number[] = [];
  /** Bytes that were mixed in from the source. */
  stirredBytes = 0;
  /** What else was mixed in. */
  readonly stirredUncounted: Bytes[] = [];
  leaves = 0;
  nowMs = 0;
  readonly #timers = new Timers();

  constructor(options: RigOptions = {}) {
    const random = seededRandom(4);
    const { kind = "device", exchange = true } = options;
    this.source = kind === "none" ? undefined : new ScriptedSource(kind);
    this.exchange = exchange ? new ScriptedExchange() : undefined;
    const clock = { nowMs: 0, unixSeconds: () => 1_700_000_000 };
    const pool = new RandomPool(clock, {
      fill: (bytes) => {
        bytes.set(seededBytes(random, bytes.length));
        return true;
      },
      stir: (bytes) => this.stirredBytes += bytes.length,
      stirUncounted: (bytes) => this.stirredUncounted.push(bytes.slice()),
    });
    const fail: EntropyKeeperOptions["fail"] = (error) => {
      throw error;
    };
    this.keeper = new EntropyKeeper({
      reactor: {
        after: (delayMs: number, handler: () => void): Timer => {
          this.delays.push(delayMs);
          return this.#timers.add(this.nowMs + delayMs, handler);
        },
        cancel: (timer: Timer | undefined) => timer !== undefined && this.#timers.cancel(timer),
      },
      log: this.log,
      pool,
      source: this.source,
      sourceBytes: options.sourceBytes ?? 32,
      reseedPeriodS: options.reseedPeriodS ?? 3600,
      exchange: this.exchange,
      updatePeriodS: options.updatePeriodS ?? 3600,
      onFailure: options.onFailure ?? "continue",
      leave: () => this.leaves++,
      fail,
    });
  }

  /** Goes to the next timer; false when there is none. */
  step(): boolean {
    const delayMs = this.#timers.nextDelayMs(this.nowMs);
    if (delayMs < 0) return false;
    this.nowMs += delayMs;
    this.#timers.fire(this.nowMs);
    return true;
  }
}

const openFault = (text: string): SourceFault => ({ kind: "open", text });
const readFault = (text: string): SourceFault => ({ kind: "read", text });

/** The Kolmogorov-Smirnov distance of `values` from an even distribution over 0 to `top`. */
function distanceFromEven(values: readonly number[], top: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(...sorted.map((value, index) => {
    const share = value / top;
    return Math.max(share - index / sorted.length, (index + 1) / sorted.length - share);
  }));
}

/** Distance that an even distribution exceeds once in a thousand times. */
const critical = (count: number) => 1.95 / Math.sqrt(count);

Deno.test("drawDelayMs() draws evenly from nothing to the period", () => {
  const random = seededRandom(1);
  const fill = (bytes: Bytes) => {
    bytes.set(seededBytes(random, bytes.length));
    return true;
  };
  const drawn = Array.from({ length: 5000 }, () => drawDelayMs(60, fill));
  assert(distanceFromEven(drawn, 60_000) < critical(5000));
  // The test can tell: as many out of a distribution that is even to 59 seconds.
  assert(distanceFromEven(drawn.map((ms) => (ms * 59) / 60), 60_000) > 0.9 / 60);
  assert(distanceFromEven(drawn.map((ms) => ms * 0.97), 60_000) > critical(5000));
});

Deno.test("drawDelayMs() draws all of the period at most, and nothing at least", () => {
  const all = (byte: number) => (bytes: Bytes) => bytes.fill(byte) !== undefined;
  assertEquals(drawDelayMs(60, all(0)), 0);
  const longest = drawDelayMs(60, all(255));
  assert(longest < 60_000 && longest > 59_999.9);
  assertEquals(drawDelayMs(60, () => false), 60_000);
  assertEquals(drawDelayMs(2 ** 31 - 1, () => false), PERIOD_MAX_S * 1000);
});

for (const what of ["source", "exchange file"] as const) {
  Deno.test(`EntropyKeeper: times between two uses of the ${what} are spread evenly`, () => {
    const rig = what === "source"
      ? new Rig({ exchange: false, reseedPeriodS: 3600 })
      : new Rig({ kind: "none", updatePeriodS: 3600 });
    const count = () => what === "source" ? rig.source!.asked.length : rig.exchange!.updates.length;
    rig.keeper.start();
    const gaps: number[] = [];
    for (let i = 0; i < 4000; i++) {
      const [before, uses] = [rig.nowMs, count()];
      rig.step();
      assertEquals(count(), uses + 1);
      gaps.push(rig.nowMs - before);
    }
    assert(gaps.every((gap) => gap >= 0 && gap <= 3_600_001));
    assert(distanceFromEven(gaps, 3_600_000) < critical(gaps.length));
    // Half the period on average, which an even distribution of another width has not.
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    assert(Math.abs(mean / 1_800_000 - 1) < 0.03, `the mean is ${mean}`);
  });
}

Deno.test("EntropyKeeper.start() asks the source and rewrites the exchange file at once", () => {
  const rig = new Rig();
  rig.keeper.start();
  assertEquals([rig.source!.asked, rig.exchange!.updates], [[32], ["now"]]);
  assertEquals([rig.stirredBytes, rig.log.lines], [32, []]);
});

Deno.test("EntropyKeeper.start() mixes in which process it is, and when it started", () => {
  const rig = new Rig();
  rig.keeper.start();
  const [identity] = rig.stirredUncounted;
  assertEquals([...new Float64Array(identity.buffer)], [Deno.pid, 1_700_000_000, 0]);
});

Deno.test("EntropyKeeper asks devices and servers for 255 bytes at most, and files for all", () => {
  for (const [kind, count] of [["device", 255], ["egd", 255], ["file", 5000]] as const) {
    const rig = new Rig({ kind, sourceBytes: 5000 });
    rig.keeper.start();
    assertEquals([kind, rig.source!.asked], [kind, [count]]);
  }
});

Deno.test("EntropyKeeper reads a file once", () => {
  const rig = new Rig({ kind: "file", exchange: false });
  rig.keeper.start();
  assertEquals([rig.step(), rig.source!.asked], [false, [32]]);
});

Deno.test("EntropyKeeper warns, and goes on, when no source is configured", () => {
  const rig = new Rig({ kind: "none", exchange: false });
  rig.keeper.start();
  assertEquals(rig.log.lines, [
    "warning: no entropy source specified with parameter tls_random_source",
    "warning: encryption keys etc. may be predictable",
  ]);
  assertEquals(rig.step(), false);
});

Deno.test("EntropyKeeper tells once that a source fails, tries less and less often, tells the end", () => {
  const rig = new Rig({ exchange: false, reseedPeriodS: 7 });
  const fault = openFault("cannot open entropy device /dev/random: Permission denied");
  rig.source!.faults.push(...new Array<SourceFault>(12).fill(fault));
  rig.keeper.start();
  while (rig.source!.asked.length < 13) rig.step();
  const retries = rig.delays.slice(0, 12).map((ms) => ms / 1000);
  assertEquals(retries, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  assertEquals(rig.log.lines, [
    "warning: cannot open entropy device /dev/random: Permission denied; trying again",
    "entropy source dev:/dev/random works again",
  ]);
  assert(rig.delays[12] <= 7000);
  rig.source!.faults.push(fault);
  rig.step();
  assertEquals([rig.log.lines.length, rig.delays.at(-1)], [3, 1000]);
  assertEquals(rig.leaves, 0);
});

Deno.test("EntropyKeeper: a source that fails keeps no update of the exchange file from being made", () => {
  const rig = new Rig();
  rig.source!.faults.push(...new Array(100).fill(readFault("cannot")));
  rig.keeper.start();
  while (rig.exchange!.updates.length < 3) rig.step();
  assertEquals(rig.exchange!.updates, ["now", "slowly", "slowly"]);
});

/** What is logged before the end, by Postfix's words, and how the source fails. */
const EXITS: [SourceKind, SourceFault, string[]][] = [
  ["device", openFault("cannot open entropy device /dev/random: why"), [
    "warning: cannot open entropy device /dev/random: why",
    "exiting to reopen external entropy source dev:/dev/random",
  ]],
  ["device", readFault("cannot read from entropy device /dev/random: why"), [
    "cannot read from entropy device /dev/random: why -- exiting to reopen",
  ]],
  ["egd", openFault("cannot connect to EGD server /egd: why"), [
    "warning: cannot connect to EGD server /egd: why",
    "exiting to reopen external entropy source egd:/egd",
  ]],
  ["egd", readFault("EGD server /egd reports zero bytes available"), [
    "EGD server /egd reports zero bytes available",
    "lost connection to EGD server /egd -- exiting to reconnect",
  ]],
  ["file", openFault("cannot open entropy file /random: why"), [
    "warning: cannot open entropy file /random: why",
    "exiting to reopen external entropy source /random",
  ]],
];

for (const [kind, fault, lines] of EXITS) {
  Deno.test(`EntropyKeeper leaves after a second with on_failure = "exit" (${kind}, ${fault.kind})`, () => {
    const rig = new Rig({ kind, exchange: false, onFailure: "exit" });
    rig.source!.faults.push(fault);
    rig.keeper.start();
    assertEquals([rig.log.lines, rig.leaves, rig.delays], [lines, 0, [1000]]);
    rig.step();
    assertEquals([rig.leaves, rig.source!.asked.length, rig.step()], [1, 1, false]);
  });
}

Deno.test('EntropyKeeper goes on without a file that cannot be read, also with on_failure = "exit"', () => {
  const rig = new Rig({ kind: "file", exchange: false, onFailure: "exit" });
  rig.source!.faults.push(readFault("cannot read from entropy file /random: why"));
  rig.keeper.start();
  assertEquals(rig.log.lines, [
    "warning: cannot read from entropy file /random: why; trying again",
  ]);
  rig.step();
  assertEquals([rig.leaves, rig.source!.asked.length], [0, 2]);
});

const FAILED: ExchangeFault = { kind: "failed", text: "cannot lock PRNG exchange file /x: why" };

Deno.test("EntropyKeeper tells once that the exchange file fails, and tries less and less often", () => {
  const rig = new Rig({ kind: "none" });
  rig.log.take();
  rig.exchange!.faults.push({ ...FAILED, hint: "Do it" }, FAILED, FAILED);
  rig.keeper.start();
  for (let i = 0; i < 3; i++) rig.step();
  assertEquals(rig.delays.slice(0, 3), [1000, 2000, 4000]);
  assertEquals(rig.log.lines.filter((line) => line.includes("exchange")), [
    "warning: cannot lock PRNG exchange file /x: why; trying again; Do it",
    "the PRNG exchange file works again",
  ]);
});

Deno.test('EntropyKeeper ends with an error when the exchange file fails and on_failure = "exit"', () => {
  const rig = new Rig({ kind: "none", onFailure: "exit" });
  rig.exchange!.faults.push(FAILED);
  const error = assertThrows(() => rig.keeper.start(), FatalError, FAILED.text);
  assertEquals((error as FatalError).exitCode, 78);
});

Deno.test("EntropyKeeper makes an exchange file anew that was removed, or leaves", () => {
  const removed: ExchangeFault = { kind: "removed", text: "PRNG exchange file was removed" };
  const rig = new Rig({ kind: "none" });
  rig.keeper.start();
  rig.exchange!.faults.push(removed);
  rig.step();
  assertEquals(rig.exchange!.updates, ["now", "slowly", "slowly"]);
  assertEquals(rig.log.lines.at(-1), "warning: PRNG exchange file was removed -- making it again");
  const leaving = new Rig({ kind: "none", onFailure: "exit" });
  leaving.keeper.start();
  leaving.exchange!.faults.push(removed);
  leaving.step();
  assertMatch(leaving.log.lines.at(-1)!, /^warning: .* was removed -- exiting to reopen$/);
  leaving.step();
  assertEquals(leaving.leaves, 1);
});

Deno.test("EntropyKeeper.start() waits in the loop for a lock that another process has", () => {
  const rig = new Rig({ kind: "none" });
  rig.exchange!.faults.push({ kind: "busy", text: "busy" });
  rig.keeper.start();
  assertEquals(rig.exchange!.updates, ["now", "slowly"]);
  assertEquals(rig.log.lines.filter((line) => line.includes("busy")), []);
});

Deno.test("EntropyKeeper.close() rewrites the exchange file once, closes, and stops all timers", () => {
  const rig = new Rig();
  rig.keeper.start();
  rig.keeper.close();
  rig.keeper.close();
  assertEquals(rig.exchange!.updates, ["now", "now"]);
  assertEquals([rig.exchange!.closes, rig.source!.closes], [1, 1]);
  assertEquals(rig.step(), false);
});

Deno.test("EntropyKeeper.close() makes an exchange file again that was removed, and tells what fails", () => {
  const rig = new Rig();
  rig.keeper.start();
  rig.exchange!.faults.push({ kind: "removed", text: "removed" }, FAILED);
  rig.keeper.close();
  assertEquals(rig.exchange!.updates, ["now", "now", "now"]);
  assertEquals(rig.log.lines, [`warning: ${FAILED.text}`]);
});
