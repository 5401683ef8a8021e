/** Every captured list, cut into pieces. */

import { assert, assertEquals } from "@std/assert";
import { ListReader, READ } from "../../lib/attr/read.ts";
import { LIST_MORE, ListScanner } from "../../lib/attr/scan.ts";
import { type Bytes, concat } from "../../lib/base/bytes.ts";
import { decodeAsk, TlsmgrAsk } from "../../lib/proto/tlsmgr.ts";
import { goldenHex, goldenList } from "./golden.ts";
import { Seeded, WIDE } from "./lists.ts";

const PARTS = ["match_patterns", "dane_fingerprint", "ticket_key", "wake_up_trigger"];

/** Complete lists: all of the golden files but those that hold something else. */
function goldenLists(): [string, Bytes][] {
  const lists: [string, Bytes][] = [];
  for (const { name } of Deno.readDirSync(new URL("./golden/", import.meta.url))) {
    const [stem, form] = name.split(".");
    if (form === "list") lists.push([stem, goldenList(stem)]);
    else if (!PARTS.includes(stem) && stem !== "client_request_first_bytes") {
      lists.push([stem, goldenHex(stem)]);
    }
  }
  assert(lists.length >= 25);
  return lists;
}

function offsetsOf(scanner: ListScanner): number[] {
  return [...scanner.offsets.subarray(0, 3 * scanner.count)];
}

Deno.test("every captured list is found whole after a cut at every byte", () => {
  for (const [name, list] of goldenLists()) {
    const whole = new ListScanner(WIDE);
    assertEquals(whole.scan(list, list.length), list.length, name);
    const scanner = new ListScanner(WIDE);
    for (let cut = 0; cut < list.length; cut++) {
      scanner.reset();
      assertEquals(scanner.scan(list, cut), LIST_MORE, name);
      assertEquals(scanner.scan(list, list.length), list.length, name);
      assertEquals(offsetsOf(scanner), offsetsOf(whole), name);
    }
  }
});

Deno.test("every captured list is found whole byte by byte, in a buffer full of old bytes", () => {
  for (const [name, list] of goldenLists()) {
    const buffer = new Uint8Array(list.length + 64).fill(0x41);
    const scanner = new ListScanner(WIDE);
    for (let end = 1; end <= list.length; end++) {
      buffer[end - 1] = list[end - 1];
      assertEquals(scanner.scan(buffer, end), end < list.length ? LIST_MORE : list.length, name);
    }
  }
});

Deno.test("two lists in one segment are found one after the other", () => {
  const lists = goldenLists();
  const random = new Seeded(2);
  for (let i = 0; i < 100; i++) {
    const [, first] = random.pick(lists);
    const [, second] = random.pick(lists);
    const both = concat(first, second);
    const scanner = new ListScanner(WIDE);
    const end = scanner.scan(both, both.length);
    assertEquals(end, first.length);
    scanner.reset();
    assertEquals(scanner.scan(both, both.length, end), both.length);
  }
});

Deno.test("a request in the middle of a buffer decodes as at its beginning", () => {
  const request = goldenHex("update_request");
  const buffer = concat(goldenHex("seed_request"), request, goldenHex("policy_request"));
  const start = goldenHex("seed_request").length;
  const scanner = new ListScanner(WIDE);
  assertEquals(scanner.scan(buffer, buffer.length, start), start + request.length);
  const ask = new TlsmgrAsk();
  decodeAsk(new ListReader().open(buffer, scanner, READ.strict, start), ask);
  assertEquals([ask.kind, ask.complete, ask.session.dataBytes], ["update", true, 138]);
});
