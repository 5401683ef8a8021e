import { assertEquals } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { describeFatal } from "../../../lib/cli/failure.ts";

Deno.test("describeFatal() writes a line for the error and one for the hint", () => {
  const error = new FatalError("Cannot read the file: it is gone", { hint: "Look for it" });
  assertEquals(
    describeFatal(error),
    "postern: error: Cannot read the file: it is gone\npostern: hint: Look for it\n",
  );
});

Deno.test("describeFatal() writes no line for a hint that is not there", () => {
  assertEquals(describeFatal(new FatalError("No")), "postern: error: No\n");
});
