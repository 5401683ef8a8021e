import { assertEquals, assertThrows } from "@std/assert";
import { parseOptions } from "../../../scripts/bench/options.ts";
import { PROXY_NAMES } from "../../../scripts/bench/other_servers.ts";

Deno.test("parseOptions() has five rounds, three when it is to be quick, or what is wanted", () => {
  assertEquals(parseOptions({}).rounds, 5);
  assertEquals(parseOptions({ quick: true }).rounds, 3);
  assertEquals(parseOptions({ quick: true, rounds: "7" }).rounds, 7);
});

Deno.test("parseOptions() takes no proxies, or such as there are", () => {
  assertEquals(parseOptions({ with: "" }).others, []);
  const { others } = parseOptions({});
  assertEquals(others, PROXY_NAMES.filter((name) => others.includes(name)));
});

Deno.test("parseOptions() says what is wrong", () => {
  for (const rounds of ["0", "-1", "x", "1.5"]) {
    assertThrows(() => parseOptions({ rounds }), Error, "give a number from 1");
  }
  assertThrows(() => parseOptions({ with: "nginx,squid" }), Error, "Cannot compare with squid");
});
