import { assertEquals } from "@std/assert";
import { fromUtf8 } from "../../../lib/base/bytes.ts";
import { writeTo } from "../../../lib/cli/output.ts";

Deno.test("writeTo() goes on until a sink that takes little at a time has everything", () => {
  let taken = "";
  const sink = {
    writeSync(bytes: Uint8Array) {
      taken += fromUtf8(bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  };
  assertEquals(writeTo(sink, "nobody reads this"), true);
  assertEquals(taken, "nobody reads this");
});

Deno.test("writeTo() drops what a sink without a reader does not take", () => {
  const sink = {
    writeSync(): number {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
  };
  assertEquals(writeTo(sink, "text"), false);
});
