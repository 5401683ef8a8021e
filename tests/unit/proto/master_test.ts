import { assertEquals } from "@std/assert";
import { encodeMasterStatus, MASTER_STATUS, parseGeneration } from "../../../lib/proto/master.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

Deno.test("encodeMasterStatus() makes the bytes that Postfix's tlsmgr was seen to send", () => {
  // Process 11548, generation 5.
  assertEquals(
    hex(encodeMasterStatus(11548, 5, MASTER_STATUS.taken)),
    "1c 2d 00 00 05 00 00 00 00 00 00 00",
  );
  assertEquals(
    hex(encodeMasterStatus(11548, 5, MASTER_STATUS.available)),
    "1c 2d 00 00 05 00 00 00 01 00 00 00",
  );
});

Deno.test("parseGeneration() reads octal, and nothing else", () => {
  assertEquals(parseGeneration("17"), 15);
  assertEquals(parseGeneration("37777777777"), 0xffffffff);
  for (const text of ["", "8", "0x1", "-1", " 1"]) assertEquals(parseGeneration(text), undefined);
});
