import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  clockIdOf,
  cpuSecondsOf,
  memoryIn,
  processorsIn,
  reapedSecondsIn,
} from "../../../scripts/bench/accounting.ts";
import { busySecondsIn, versionIn } from "../../../scripts/bench/machine.ts";

Deno.test("clockIdOf() is what clock_getcpuclockid(3) makes of a process id", () => {
  assertEquals(clockIdOf(1), -14);
  assertEquals(clockIdOf(4711), -37694);
});

Deno.test("cpuSecondsOf() counts this process's work, and nothing of one that is not there", () => {
  const before = cpuSecondsOf(Deno.pid);
  assert(before > 0);
  let sum = 0;
  for (let i = 0; i < 1e6; i++) sum += Math.sqrt(i);
  assert(sum > 0);
  assert(cpuSecondsOf(Deno.pid) > before);
  // Above the kernel's largest process id.
  assertEquals(cpuSecondsOf(0x500000), 0);
});

Deno.test("reapedSecondsIn() reads cutime and cstime, whatever the name holds", () => {
  const before = "S 1 2 3 4 5 6 7 8 9 10";
  const stat = `4711 (a) b (c) ${before} 111 222 333 44 20 0 1 0`;
  assertEquals(reapedSecondsIn(stat), 3.77);
});

Deno.test("memoryIn() reads resident and shared-out memory", () => {
  const text = "Rss:               83132 kB\nPss:               46700 kB\nPss_Dirty: 1 kB\n";
  assertEquals(memoryIn(text), { residentKb: 83132, shareKb: 46700 });
  assertThrows(() => memoryIn("Rss: 1 kB\n"), Error, "no Pss");
});

Deno.test("processorsIn() expands ranges", () => {
  assertEquals(processorsIn("0"), [0]);
  assertEquals(processorsIn("0-2,5,7-8"), [0, 1, 2, 5, 7, 8]);
});

Deno.test("busySecondsIn() leaves out idle time and waiting for disks", () => {
  assertEquals(busySecondsIn("cpu  100 10 200 9000 800 5 15 20 0 0\ncpu0 1 1 1\n"), 3.5);
});

Deno.test("versionIn() finds the version in what programs say", () => {
  assertEquals(versionIn("nginx version: nginx/1.22.1\n"), "1.22.1");
  assertEquals(versionIn("OpenSSL 3.0.22 27 Jan 2026"), "3.0.22");
  assertEquals(versionIn("HAProxy version 2.6.12-1+deb12u4 2026/01/01"), "2.6.12-1+deb12u4");
  assertEquals(versionIn("nothing"), "unknown");
});
