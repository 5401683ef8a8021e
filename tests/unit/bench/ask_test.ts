import { assertEquals, assertNotEquals } from "@std/assert";
import { digitPlaces, requestOf, writeDigits } from "../../../scripts/bench/ask.ts";
import { listOf, readerOf } from "../../wire/lists.ts";
import { decodeAsk, TlsmgrAsk } from "../../../lib/proto/tlsmgr.ts";

const NAMES = ["seed", "policy", "tktkey", "lookup", "update"] as const;

Deno.test("requestOf() makes requests that a tlsmgr reads as complete", () => {
  for (const name of NAMES) {
    const ask = new TlsmgrAsk();
    decodeAsk(readerOf(requestOf(name, 2000)), ask);
    assertEquals([ask.kind, ask.complete, ask.fault], [name, true, undefined]);
    if (name === "update") assertEquals(ask.session.textBytes, 2000);
  }
});

Deno.test("digitPlaces() finds the key, and the session's mark", () => {
  assertEquals(digitPlaces(requestOf("seed")).length, 0);
  assertEquals(digitPlaces(requestOf("lookup")).length, 1);
  assertEquals(digitPlaces(requestOf("update")).length, 2);
  assertEquals(digitPlaces(listOf("cache_id", "1" + "0".repeat(8))), []);
});

Deno.test("writeDigits() makes another key of a request", () => {
  const request = requestOf("update");
  const plain = new TlsmgrAsk();
  decodeAsk(readerOf(request), plain);
  for (const place of digitPlaces(request)) writeDigits(request, place, 90_417);
  const ask = new TlsmgrAsk();
  decodeAsk(readerOf(request), ask);
  assertEquals(ask.cacheId.slice(0, 10), "000904175A");
  assertNotEquals(ask.cacheId, plain.cacheId);
  const { bytes, start } = ask.session;
  assertEquals(new TextDecoder().decode(bytes.subarray(start, start + 9)), "00090417A");
});
