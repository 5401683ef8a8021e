import { assertEquals } from "@std/assert";
import { levelMustMatch, tlsLevelName, tlsLevelNumber } from "../../../lib/proto/tls_levels.ts";

Deno.test("tlsLevelName() names the levels by number", () => {
  assertEquals([0, 1, 2, 3, 4, 5, 6, 7, 8].map(tlsLevelName), [
    "none",
    "may",
    "encrypt",
    "fingerprint",
    "half-dane",
    "dane",
    "dane-only",
    "verify",
    "secure",
  ]);
  assertEquals([-1, -2, 9, 1.5].map(tlsLevelName), [undefined, undefined, undefined, undefined]);
});

Deno.test("tlsLevelNumber() takes names in any case and nothing else", () => {
  assertEquals(["none", "Encrypt", "DANE-ONLY", "secure"].map(tlsLevelNumber), [0, 2, 6, 8]);
  assertEquals(["", "dane_only", "constructor", "8"].map(tlsLevelNumber), Array(4).fill(undefined));
});

Deno.test("levelMustMatch() begins above encrypt", () => {
  assertEquals([-1, 1, 2, 3, 8].map(levelMustMatch), [false, false, false, true, true]);
});
