import { assertEquals } from "@std/assert";
import { callsIn, sharesIn } from "../../../scripts/bench/map.ts";

Deno.test("callsIn() reads the table of strace, with and without errors", () => {
  const calls = callsIn(`strace: Process 4711 attached with 3 threads
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           1      8000           epoll_ctl
 30.00    0.300000           3      3000        12 read
 10.00    0.000100         100         1         1 futex
------ ----------- ----------- --------- --------- ----------------
100.00    0.900100           1     11001        13 total
`);
  assertEquals([...calls], [["epoll_ctl", 8000], ["read", 3000], ["futex", 1]]);
});

Deno.test("sharesIn() puts the names of perf together by what they stand for", () => {
  const shares = sharesIn(`
 40.00% ;[kernel.kallsyms]
 25.50% ;libcrypto.so.3
 10.00% ;postern
 9.25%  ;[JIT] tid 4711
 4.00%  ;libc.so.6
 1.00%  ;[vdso]
 0.25%  ;libgcc_s.so.1
`);
  assertEquals(Object.fromEntries(shares), {
    "the kernel": 41,
    "libcrypto": 25.5,
    "V8 and Deno": 10,
    "compiled JavaScript": 9.25,
    "libc": 4,
    "the rest": 0.25,
  });
});
