import { assertEquals } from "@std/assert";
import { parseInt32 } from "../../../lib/attr/numbers.ts";
import { latin1 } from "../../../lib/base/bytes.ts";

function parse(text: string): number | undefined {
  const bytes = latin1(`7${text}7`);
  return parseInt32(bytes, 1, bytes.length - 1);
}

Deno.test("parseInt32() reads plain digits", () => {
  assertEquals(parse("0"), 0);
  assertEquals(parse("3600"), 3600);
  assertEquals(parse("007"), 7);
  assertEquals(parse("999999999"), 999999999);
  assertEquals(parse("2147483647"), 2147483647);
});

Deno.test("parseInt32() turns large unsigned numbers into negative ones", () => {
  assertEquals(parse("4294967295"), -1);
  assertEquals(parse("4294967294"), -2);
  assertEquals(parse("2147483648"), -2147483648);
});

Deno.test("parseInt32() allows white space and a sign before the digits, as scanf does", () => {
  assertEquals(parse(" \t\n\v\f\r42"), 42);
  assertEquals(parse("+5"), 5);
  assertEquals(parse("-2"), -2);
  assertEquals(parse("-4294967295"), 1);
});

Deno.test("parseInt32() wraps numbers of more than 32 bits and clamps those of more than 64", () => {
  assertEquals(parse("4294967296"), 0);
  assertEquals(parse("4294967299"), 3);
  assertEquals(parse("18446744073709551614"), -2);
  assertEquals(parse("18446744073709551616"), -1);
  assertEquals(parse("-18446744073709551616"), -1);
  assertEquals(parse("9".repeat(500)), -1);
  assertEquals(parse("0".repeat(500) + "12"), 12);
});

Deno.test("parseInt32() refuses everything else", () => {
  for (const text of ["", " ", "+", "-", "--1", "+-1", "- 1", "1 ", "1x", "x1", "0x10", "1.0"]) {
    assertEquals(parse(text), undefined, JSON.stringify(text));
  }
  assertEquals(parse("12345678901234567890x"), undefined);
});
