/**
 * Suggestions for misspelt names.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { editDistance, nearestName } from "../../../lib/config/near_miss.ts";

Deno.test("editDistance() counts insertions, deletions, replacements and swaps", () => {
  assertEquals(editDistance("same", "same"), 0);
  assertEquals(editDistance("", "abc"), 3);
  assertEquals(editDistance("abc", "ab"), 1);
  assertEquals(editDistance("abc", "axc"), 1);
  assertEquals(editDistance("abcd", "acbd"), 1);
  assertEquals(editDistance("kitten", "sitting"), 3);
});

Deno.test("nearestName() suggests near names only", () => {
  const known = ["smtpd_tls_CAfile", "smtpd_tls_CApath", "ipc_timeout"];
  assertEquals(nearestName("smtpd_tls_cafile", known), "smtpd_tls_CAfile");
  assertEquals(nearestName("smtpdtlscapath", known), "smtpd_tls_CApath");
  assertEquals(nearestName("ipc_timeuot", known), "ipc_timeout");
  assertEquals(nearestName("ip", known), undefined);
  assertEquals(nearestName("mynetworks", known), undefined);
  assertEquals(nearestName("x".repeat(1_000_000), known), undefined);
});
