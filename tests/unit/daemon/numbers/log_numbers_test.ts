import { assert, assertEquals } from "@std/assert";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { countLog } from "../../../../lib/daemon/numbers/log_numbers.ts";
import { NumberBoard } from "../../../../lib/daemon/numbers/number_board.ts";
import { closeFile } from "../../../../lib/ffi/libc/file.ts";
import { pipe } from "../../../../lib/ffi/libc/socket.ts";
import { openLog } from "../../../../lib/log/log.ts";
import { testDescriptors } from "../../../support/descriptors.ts";

testDescriptors("countLog() counts what is written, folded and lost", () => {
  const board = new NumberBoard(new ManualClock());
  const ends = pipe();
  assert(typeof ends !== "number");
  let flush = () => {};
  const log = openLog({
    ...{ name: "n", pid: 1, fd: ends[1], stamped: false },
    defer: (_delayMs, act) => void (flush = act),
  });
  log.watch(countLog(board.own));
  log.info("one");
  log.warn("two");
  for (let i = 0; i < 5; i++) log.warn("the same");
  flush();
  log.error("four");
  closeFile(ends[0]);
  log.info("nobody reads this");
  log.fatal("nor this");
  closeFile(ends[1]);
  const values = board.collect().flatMap((family) =>
    family.type === "histogram" || !family.name.startsWith("postern_log_lines")
      ? []
      : family.samples.map(({ labels, value }) => [
        [family.name.slice(8), ...Object.values(labels)].join(" "),
        value,
      ])
  );
  assertEquals(Object.fromEntries(values), {
    "log_lines_total debug": 0,
    "log_lines_total info": 1,
    "log_lines_total warning": 2,
    "log_lines_total error": 1,
    "log_lines_total fatal": 0,
    "log_lines_folded_total": 4,
    "log_lines_lost_total": 2,
  });
});
