import { assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { areMasterArguments, readMasterOptions } from "../../../lib/cli/master_options.ts";

const words = (line: string) => line.split(" ");

Deno.test("areMasterArguments() knows master's letters, and leaves ours and operands alone", () => {
  for (const line of ["-l -t unix -u", "-z -t unix", "-vl", "-o a=b -t unix"]) {
    assertEquals(areMasterArguments(words(line)), true, line);
  }
  for (const line of ["--role tlsmgr", "-o a=b", "--config f", "-- -l", "config check"]) {
    assertEquals(areMasterArguments(words(line)), false, line);
  }
});

Deno.test("readMasterOptions() reads what master(8) was seen to give", () => {
  assertEquals(readMasterOptions(words("-l -t unix -u"), "tlsmgr"), {
    overrides: [],
    verbose: 0,
    unprivileged: true,
    chroot: false,
  });
  assertEquals(readMasterOptions(words("-z -n edge -t unix -c"), "tlsproxy"), {
    overrides: [],
    serviceName: "edge",
    verbose: 0,
    unprivileged: false,
    chroot: true,
  });
});

Deno.test("readMasterOptions() takes overrides in order, in all their forms", () => {
  const args = ["-zvv", "-tunix", "-o", "a=1", "-ob=2", "-o", " c = x y ", "-i", "7", "-m9", "-V"];
  assertEquals(readMasterOptions(args, "tlsproxy").overrides, [
    "a=1",
    "b=2",
    "c=x y",
    "max_idle=7",
    "max_use=9",
  ]);
});

Deno.test("readMasterOptions() refuses a service that the role is not", () => {
  const cases: [string, "tlsmgr" | "tlsproxy", string][] = [
    ["-z -t unix", "tlsmgr", "Service tlsmgr requires a process limit of 1"],
    ["-l -t unix", "tlsproxy", "Service tlsproxy requires a process limit of 0"],
    ["-l -u", "tlsmgr", "No transport type is given"],
    ["-l -t inet", "tlsmgr", "Cannot serve transport inet"],
    ["-l -t unix -s 2", "tlsmgr", "Cannot serve 2 sockets"],
    ["-l -t unix -S", "tlsmgr", "Unknown option -S"],
    ["-l -t unix -o", "tlsmgr", "Option -o needs a value"],
    ["-l -t unix extra", "tlsmgr", 'Unexpected word "extra"'],
  ];
  for (const [line, role, message] of cases) {
    assertThrows(() => readMasterOptions(words(line), role), FatalError, message);
  }
});
