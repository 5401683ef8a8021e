/**
 * What a server has used: processor time and memory, of all its processes.
 *
 * Processor time is read from the kernel's clock of each process (clock_gettime(2) takes the clock of
 * any process, clock_getcpuclockid(3)): nanoseconds, user and system together, threads that have ended
 * included. It is the same sum of which /proc/PID/stat shows utime + stime, but that has ticks of 10 ms.
 * Children that master(8) has reaped are not in any clock; their part is its cutime + cstime. A
 * child that ends in a round moves from the one place to the other, so nothing is lost or counted twice.
 *
 * @module
 */

import { readClock } from "./c_library.ts";

/** USER_HZ: what /proc counts in on all machines. */
const TICKS_PER_SECOND = 100;
/** Low bits of a clock id: the scheduler's time of a whole process. */
const PROCESS_CLOCK = 2;

/** The clock id of a process: its inverted number above three bits that say which clock. */
export function clockIdOf(pid: number): number {
  return (~pid << 3) | PROCESS_CLOCK;
}

/** Processor seconds that `pid` has used; 0 when it has gone. */
export function cpuSecondsOf(pid: number): number {
  return (readClock(clockIdOf(pid)) ?? 0) / 1e9;
}

/** Processor seconds of the children that the owner of this /proc/PID/stat text has reaped. */
export function reapedSecondsIn(stat: string): number {
  // After the name, which may hold anything: state is field 3; cutime and cstime are 16 and 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

export function reapedSecondsOf(pid: number): number {
  return reapedSecondsIn(Deno.readTextFileSync(`/proc/${pid}/stat`));
}

/** Memory in kilobytes. */
export interface Memory {
  /** What is resident, pages shared with others whole. */
  readonly residentKb: number;
  /** What is resident, pages shared with others by their share. */
  readonly shareKb: number;
}

/** Memory as a /proc/PID/smaps_rollup text says. */
export function memoryIn(rollup: string): Memory {
  const read = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup);
    if (found === null) throw new Error(`Cannot read a process's memory: no ${name}`);
    return Number(found[1]);
  };
  return { residentKb: read("Rss"), shareKb: read("Pss") };
}

/** Memory of all `pids` together. */
export function memoryOf(pids: readonly number[]): Memory {
  let [residentKb, shareKb] = [0, 0];
  for (const pid of pids) {
    const memory = memoryIn(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`));
    residentKb += memory.residentKb;
    shareKb += memory.shareKb;
  }
  return { residentKb, shareKb };
}

/** Processors that this process may run on. */
export function processorsAllowed(): number[] {
  const status = Deno.readTextFileSync("/proc/self/status");
  const list = /^Cpus_allowed_list:\s+(.*)$/m.exec(status)?.[1] ?? "0";
  return processorsIn(list);
}

/** The numbers in a list such as `0-2,5`. */
export function processorsIn(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Ties all threads of `pid` to `processors`; whatever they start inherits that. */
export async function pin(pid: number, processors: readonly number[]): Promise<void> {
  const args = ["-a", "-c", "-p", processors.join(","), String(pid)];
  const { success, stderr } = await new Deno.Command("taskset", { args }).output();
  if (!success) throw new Error(`Cannot run taskset: ${new TextDecoder().decode(stderr)}`);
}

/** Does something whose children are to run on `processors` from their first moment. */
export async function startOn<T>(
  processors: readonly number[],
  start: () => Promise<T>,
): Promise<T> {
  const usual = processorsAllowed();
  await pin(Deno.pid, processors);
  try {
    return await start();
  } finally {
    await pin(Deno.pid, usual);
  }
}
