import { assertEquals } from "@std/assert";
import { bytesToAsk, parseSourceName } from "../../../lib/tlsmgr/entropy_source.ts";

Deno.test("parseSourceName() knows two prefixes, in lower case, and takes all else for a file", () => {
  assertEquals(parseSourceName("dev:/dev/urandom"), { kind: "device", path: "/dev/urandom" });
  assertEquals(parseSourceName("egd:/run/egd"), { kind: "egd", path: "/run/egd" });
  for (const path of ["/dev/urandom", "DEV:/dev/urandom", "fifo:/x", "relative"]) {
    assertEquals(parseSourceName(path), { kind: "file", path });
  }
});

Deno.test("bytesToAsk() keeps devices and EGD servers to 255 bytes", () => {
  assertEquals([bytesToAsk("device", 255), bytesToAsk("device", 256)], [255, 255]);
  assertEquals([bytesToAsk("egd", 1), bytesToAsk("egd", 100_000)], [1, 255]);
  assertEquals(bytesToAsk("file", 100_000), 100_000);
});
