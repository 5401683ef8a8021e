import { assert, assertEquals } from "@std/assert";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { NumberBoard } from "../../../../lib/daemon/numbers/number_board.ts";
import {
  openProcessFiles,
  type ProcessFiles,
  ProcessNumbers,
} from "../../../../lib/daemon/numbers/process_numbers.ts";
import { testDescriptors } from "../../../support/descriptors.ts";

function valuesOf(board: NumberBoard): Record<string, number> {
  const values: Record<string, number> = {};
  for (const family of board.collect()) {
    if (family.type !== "histogram" && family.name.startsWith("process_")) {
      values[family.name] = family.samples[0].value;
    }
  }
  return values;
}

/** A process whose name looks like the end of its name, as proc(5) warns. */
function fakeFiles(times: { user: number; system: number }): ProcessFiles {
  const rest = ["S", ...new Array(10).fill(0), times.user, times.system, 0, 0, 20, 0, 3, 0, 12_345];
  return {
    stat: () => {
      [rest[11], rest[12]] = [times.user, times.system];
      return `77 (a) b) ${rest.join(" ")} 1000 200 0\n`;
    },
    status: () => "Name:\tpostern\nVmHWM:\t   99999 kB\nVmRSS:\t    2048 kB\nThreads:\t4\n",
    openDescriptors: () => 17,
    limits: () =>
      "Limit                     Soft Limit           Hard Limit           Units     \n" +
      "Max open files            1024                 524288               files     \n",
    bootTimeS: 1_700_000_000,
    close: () => {},
  };
}

Deno.test("ProcessNumbers reads time, start and memory where proc(5) has them", () => {
  const board = new NumberBoard(new ManualClock());
  const times = { user: 150, system: 50 };
  using numbers = new ProcessNumbers(board.own, fakeFiles(times));
  numbers.read();
  assertEquals(valuesOf(board), {
    process_cpu_seconds_total: 2,
    process_start_time_seconds: 1_700_000_123.45,
    process_resident_memory_bytes: 2048 * 1024,
    process_open_fds: 17,
    process_max_fds: 1024,
  });
  times.system = 100;
  numbers.read();
  assertEquals(valuesOf(board).process_cpu_seconds_total, 2.5);
});

Deno.test("ProcessNumbers shows nothing where there is no /proc", () => {
  const board = new NumberBoard(new ManualClock());
  using numbers = new ProcessNumbers(board.own, openProcessFiles("/nonexistent"));
  numbers.read();
  assertEquals(valuesOf(board), {});
});

testDescriptors("openProcessFiles() reads this process anew each time", () => {
  const board = new NumberBoard(new ManualClock());
  using numbers = new ProcessNumbers(board.own, openProcessFiles());
  numbers.read();
  const before = valuesOf(board);
  const files = Array.from({ length: 5 }, () => Deno.openSync("/dev/null"));
  const heap = new Uint8Array(50 << 20).fill(1);
  numbers.read();
  const after = valuesOf(board);
  for (const file of files) file.close();
  assertEquals(after.process_open_fds - before.process_open_fds, 5);
  const grownBytes = after.process_resident_memory_bytes - before.process_resident_memory_bytes;
  assert(grownBytes > heap.length / 2, `${grownBytes} bytes`);
  assert(after.process_cpu_seconds_total >= before.process_cpu_seconds_total);
  assertEquals(after.process_start_time_seconds, before.process_start_time_seconds);
  const { mtime } = Deno.statSync(`/proc/${Deno.pid}`);
  assert(Math.abs(mtime!.getTime() / 1000 - after.process_start_time_seconds) < 60);
});
