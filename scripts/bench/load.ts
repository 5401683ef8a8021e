/**
 * The load program: a process of its own that does what it is told, one command at a time.
 *
 * It reads a JSON line, works without a promise until that is done, and prints a JSON line. Its
 * processor time is part of each answer, so that it can be seen whether it was what limited a figure.
 *
 * @module
 */

import { ask } from "./ask.ts";
import {
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME,
  close,
  connectUnix,
  readClock,
  recv,
} from "./c_library.ts";
import type { Command, Extent, Outcome } from "./commands.ts";
import { percentile } from "./statistics.ts";
import { Traffic } from "./traffic.ts";

const traffic = new Traffic();

function clock(id: number): number {
  return readClock(id) ?? 0;
}

/** Whether more is to be done, seen from `begun` (milliseconds of `performance.now()`). */
function limitOf({ count = Infinity, seconds = Infinity }: Extent): (done: number) => boolean {
  const end = performance.now() + seconds * 1000;
  return (done) => done < count && performance.now() < end;
}

function work(command: Command): Partial<Outcome> {
  switch (command.do) {
    case "ask":
      return ask(command, limitOf(command));
    case "sessions":
      return traffic.sessions(command, limitOf(command));
    case "hold":
      traffic.hold(command);
      return { done: command.count };
    case "release":
      traffic.release();
      return {};
    case "echo": {
      const times = Float64Array.from(traffic.echo(limitOf(command))).sort();
      const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => percentile(times, share));
      return { done: times.length, latencies: { p50, p99, p999 } };
    }
    case "bulk": {
      const more = limitOf(command);
      return { done: traffic.bulk(command, () => more(0)) };
    }
    case "await":
      return { times: awaitAnnouncement(command.socket) };
  }
}

const PAUSE_MS = 0.2;

function awaitAnnouncement(socket: string): Outcome["times"] {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const fd = connectUnix(socket, { blocking: true });
    if (fd < 0) {
      Atomics.wait(sleeper, 0, 0, PAUSE_MS);
      continue;
    }
    const listening = clock(CLOCK_MONOTONIC);
    const count = recv(fd, new Uint8Array(100), 100, 0);
    const announced = clock(CLOCK_MONOTONIC);
    close(fd);
    if (count > 0) return { listening, announced };
  }
}

function run(command: Command): Outcome {
  const begun = [clock(CLOCK_MONOTONIC), clock(CLOCK_PROCESS_CPUTIME)];
  const done = work(command);
  const [seconds, loadCpuSeconds] = [clock(CLOCK_MONOTONIC), clock(CLOCK_PROCESS_CPUTIME)]
    .map((ns, i) => (ns - begun[i]) / 1e9);
  return { done: 0, hits: 0, ...done, seconds, loadCpuSeconds };
}

/** Lines of standard input; waits in the read. */
function* readLines(): Generator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = "";
  for (;;) {
    const count = Deno.stdin.readSync(buffer);
    if (count === null) return;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}

for (const line of readLines()) {
  let answer: Outcome | { error: string };
  try {
    answer = run(JSON.parse(line));
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  console.log(JSON.stringify(answer));
}
