import { assert, assertEquals } from "@std/assert";
import { SecretMemory } from "../../../lib/tls/secret_memory.ts";

/** What the kernel says about the mapping that holds `address`; undefined when there is none. */
function flagsOf(address: bigint): string[] | undefined {
  let isThis = false;
  for (const line of Deno.readTextFileSync("/proc/self/smaps").split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (range !== null) {
      isThis = BigInt(`0x${range[1]}`) <= address && address < BigInt(`0x${range[2]}`);
    }
    if (isThis && line.startsWith("VmFlags: ")) return line.split(/\s+/).slice(1);
  }
  return undefined;
}

Deno.test("SecretMemory is set to zero, and stays out of core dumps", () => {
  using memory = new SecretMemory(100);
  assertEquals(memory.bytes, new Uint8Array(100));
  memory.bytes[0] = 1;
  memory.view.setUint8(1, 2);
  assertEquals([...memory.bytes.subarray(0, 2)], [1, 2]);
  // dd: do not include the area into a core dump (proc(5)).
  assert(flagsOf(memory.address)?.includes("dd"));
});

Deno.test("SecretMemory.free() gives the pages back, and may be called again", () => {
  const memory = new SecretMemory(100);
  const { address } = memory;
  assert(flagsOf(address) !== undefined);
  memory.free();
  memory.free();
  assertEquals(flagsOf(address), undefined);
});
