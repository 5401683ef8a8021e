import { assertEquals, assertThrows } from "@std/assert";
import { Base64Value } from "../../../lib/attr/base64_value.ts";
import { AttrName } from "../../../lib/attr/names.ts";
import { ListPrinter } from "../../../lib/attr/print.ts";
import { Panic } from "../../../lib/base/assert.ts";
import { concat, latin1 } from "../../../lib/base/bytes.ts";
import { goldenHex } from "../../wire/golden.ts";
import { listOf, readerOf, Seeded } from "../../wire/lists.ts";

const A = new AttrName("a");
const NAMES = ["request", "size", "level", "blob", "none"].map((name) => new AttrName(name));

Deno.test("ListPrinter prints the worked example of all types", () => {
  const [request, size, level, blob, none] = NAMES;
  const bytes = new ListPrinter().begin()
    .text(request, "seed").int(size, 32).int(level, -2)
    .data(blob, new Uint8Array([0, 1, 2, 255])).text(none, "").end();
  assertEquals(bytes, goldenHex("attribute_types"));
});

Deno.test("ListPrinter.int() prints unsigned decimals without leading zeros", () => {
  const printer = new ListPrinter();
  const cases: [number, string][] = [
    [0, "0"],
    [9, "9"],
    [10, "10"],
    [1000000000, "1000000000"],
    [2147483647, "2147483647"],
    [-1, "4294967295"],
    [-2147483648, "2147483648"],
  ];
  for (const [value, text] of cases) {
    assertEquals(printer.begin().int(A, value).end(), listOf("a", text));
  }
});

Deno.test("ListPrinter.int() is read back by ListReader.wantInt()", () => {
  const random = new Seeded(32);
  const printer = new ListPrinter();
  for (let i = 0; i < 500; i++) {
    const value = random.int32() >> random.below(32);
    assertEquals(readerOf(printer.begin().int(A, value).end()).wantInt(A), value);
  }
});

Deno.test("ListPrinter.text() ends at a NUL, so that the framing holds", () => {
  const printer = new ListPrinter();
  assertEquals(printer.begin().text(A, "x\0b\0y").end(), listOf("a", "x"));
});

Deno.test("ListPrinter.text() refuses text that is not latin1", () => {
  assertThrows(() => new ListPrinter().begin().text(A, "\u0100"), Panic);
});

Deno.test("ListPrinter.base64() copies the text and nothing around it", () => {
  const value = new Base64Value();
  value.point(latin1("xxZm9vxx"), 2, 6);
  assertEquals(new ListPrinter().begin().base64(A, value).end(), listOf("a", "Zm9v"));
});

Deno.test("ListPrinter grows with a long list and begins anew", () => {
  const printer = new ListPrinter();
  const long = "x".repeat(100_000);
  assertEquals(printer.begin().text(A, long).int(A, 1).end(), listOf("a", long, "a", "1"));
  assertEquals(printer.length, 100_008);
  assertEquals(printer.begin().end(), new Uint8Array(1));
});

Deno.test("ListPrinter grows at every kind of value and at the terminator", () => {
  const printer = new ListPrinter();
  for (let size = 4070; size < 4110; size++) {
    const text = "x".repeat(size);
    const data = new Uint8Array(9);
    const want = listOf("a", text, "a", "7", "a", "AAAAAAAAAAAA");
    assertEquals(new ListPrinter().begin().text(A, text).int(A, 7).data(A, data).end(), want);
    assertEquals(printer.begin().text(A, text).int(A, 7).data(A, data).end(), want);
  }
});

Deno.test("ListPrinter puts a second list behind the first", () => {
  const printer = new ListPrinter();
  printer.begin().int(A, 1).end();
  assertEquals(printer.int(A, 2).endCopy(), concat(listOf("a", "1"), listOf("a", "2")));
});

Deno.test("ListPrinter.endCopy() outlives the next list", () => {
  const printer = new ListPrinter();
  const kept = printer.begin().int(A, 1).endCopy();
  printer.begin().int(A, 2).end();
  assertEquals(kept, listOf("a", "1"));
});
