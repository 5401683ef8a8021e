import { assertEquals } from "@std/assert";
import { showsTlsLog } from "../../../lib/config/tls_log_level.ts";

Deno.test("showsTlsLog() shows a handshake's summary from level 1 on", () => {
  for (const word of ["1", "2", "9", "routine", "summary", "debug", "ssl-developer"]) {
    assertEquals([word, showsTlsLog([word], "summary")], [word, true]);
  }
  for (const word of ["0", "none", "cache", "untrusted", "10"]) {
    assertEquals([word, showsTlsLog([word], "summary")], [word, false]);
  }
});

Deno.test("showsTlsLog() shows cache operations from level 2 on, and by their own word", () => {
  for (const word of ["2", "4", "9", "cache", "debug", "ssl-expert", "ssl-developer"]) {
    assertEquals([word, showsTlsLog([word], "cache")], [word, true]);
  }
  for (const word of ["0", "1", "none", "routine", "summary", "peercert", "toString"]) {
    assertEquals([word, showsTlsLog([word], "cache")], [word, false]);
  }
  assertEquals(showsTlsLog(["1", "cache"], "cache"), true);
  assertEquals(showsTlsLog([], "cache"), false);
});
