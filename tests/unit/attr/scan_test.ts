import { assertEquals } from "@std/assert";
import { LIST_FAULT, LIST_MORE, ListScanner } from "../../../lib/attr/scan.ts";
import { concat, latin1 } from "../../../lib/base/bytes.ts";
import { listOf, WIDE } from "../../wire/lists.ts";

const LIMITS = { bytesMax: 64, attributesMax: 3 };

Deno.test("ListScanner.scan() waits for the terminator", () => {
  const bytes = listOf("request", "seed", "size", "32");
  const scanner = new ListScanner(WIDE);
  for (let end = 0; end < bytes.length; end++) assertEquals(scanner.scan(bytes, end), LIST_MORE);
  assertEquals(scanner.scan(bytes, bytes.length), bytes.length);
  assertEquals(scanner.count, 2);
  assertEquals([...scanner.offsets.subarray(0, 6)], [0, 8, 12, 13, 18, 20]);
});

Deno.test("ListScanner.scan() stops at the terminator and leaves the next list alone", () => {
  const first = listOf("a", "b");
  const bytes = concat(first, listOf("c", ""));
  const scanner = new ListScanner(WIDE);
  assertEquals(scanner.scan(bytes, bytes.length), first.length);
  assertEquals(scanner.scan(bytes, bytes.length), first.length);
  scanner.reset();
  assertEquals(scanner.scan(bytes, bytes.length, first.length), bytes.length);
  assertEquals(scanner.count, 1);
  assertEquals([...scanner.offsets.subarray(0, 3)], [0, 2, 2]);
});

Deno.test("ListScanner.scan() answers the same for every split into two", () => {
  const bytes = listOf("a", "", "bb", "x".repeat(100), "c", "{", "}", "");
  for (let split = 0; split < bytes.length; split++) {
    const scanner = new ListScanner(WIDE);
    assertEquals(scanner.scan(bytes, split), LIST_MORE);
    assertEquals(scanner.scan(bytes, bytes.length), bytes.length);
    assertEquals(scanner.count, 4);
  }
});

Deno.test("ListScanner.scan() goes on when the bytes move to another place", () => {
  const bytes = listOf("name", "value", "size", "1");
  const scanner = new ListScanner(WIDE);
  assertEquals(scanner.scan(bytes, 7), LIST_MORE);
  const moved = concat(new Uint8Array(5), bytes);
  assertEquals(scanner.scan(moved, moved.length, 5), moved.length);
  assertEquals([...scanner.offsets.subarray(0, 6)], [0, 5, 10, 11, 16, 17]);
});

Deno.test("ListScanner.scan() ignores stale bytes behind the end", () => {
  const scanner = new ListScanner(WIDE);
  const bytes = concat(latin1("n".repeat(100)), new Uint8Array(3));
  assertEquals(scanner.scan(bytes, 100), LIST_MORE);
  assertEquals(scanner.pending, "name");
  assertEquals(scanner.scan(bytes, 103), 103);
});

Deno.test("ListScanner.scan() takes a list without attributes", () => {
  const scanner = new ListScanner(WIDE);
  assertEquals(scanner.scan(new Uint8Array(1), 1), 1);
  assertEquals(scanner.count, 0);
});

Deno.test("ListScanner.scan() allows a list of exactly bytesMax and refuses one more", () => {
  const fits = listOf("a", "x".repeat(LIMITS.bytesMax - 4));
  assertEquals(fits.length, LIMITS.bytesMax);
  const scanner = new ListScanner(LIMITS);
  assertEquals(scanner.scan(fits, fits.length), fits.length);

  const long = listOf("a", "x".repeat(LIMITS.bytesMax - 3));
  scanner.reset();
  assertEquals(scanner.scan(long, LIMITS.bytesMax - 1), LIST_MORE);
  assertEquals(scanner.scan(long, LIMITS.bytesMax), LIST_FAULT);
  assertEquals(scanner.scan(long, long.length), LIST_FAULT);
  assertEquals(scanner.fault, "list too long");
  assertEquals(scanner.scan(long, long.length), LIST_FAULT);
});

Deno.test("ListScanner.scan() refuses bytesMax bytes that hold no terminator", () => {
  const scanner = new ListScanner(LIMITS);
  const endless = new Uint8Array(1000).fill(65);
  assertEquals(scanner.scan(endless, endless.length), LIST_FAULT);
  assertEquals(scanner.fault, "list too long");
});

Deno.test("ListScanner.scan() allows attributesMax attributes and refuses one more", () => {
  const scanner = new ListScanner(LIMITS);
  const three = listOf("a", "1", "b", "2", "c", "3");
  assertEquals(scanner.scan(three, three.length), three.length);
  scanner.reset();
  const four = listOf("a", "1", "b", "2", "c", "3", "d", "4");
  assertEquals(scanner.scan(four, four.length), LIST_FAULT);
  assertEquals(scanner.fault, "too many attributes");
  scanner.reset();
  assertEquals(scanner.fault, undefined);
  assertEquals(scanner.scan(three, three.length), three.length);
});

Deno.test("ListScanner keeps the offsets of long lists", () => {
  const words = Array.from({ length: 2000 }, (_, i) => String(i));
  const bytes = listOf(...words);
  const scanner = new ListScanner(WIDE);
  assertEquals(scanner.scan(bytes, bytes.length), bytes.length);
  assertEquals(scanner.count, 1000);
  const [name, value, end] = scanner.offsets.subarray(3 * 999);
  assertEquals(bytes.slice(name, value - 1), latin1("1998"));
  assertEquals(bytes.slice(value, end), latin1("1999"));
});

Deno.test("ListScanner.pending says where the bytes ran out", () => {
  const bytes = listOf("ab", "cd");
  const scanner = new ListScanner(WIDE);
  const seen = [0, 1, 2, 3, 4, 6, 7].map((end) => {
    scanner.scan(bytes, end);
    return scanner.pending;
  });
  assertEquals(seen, ["nothing", "name", "name", "value", "value", "name", "nothing"]);
});
