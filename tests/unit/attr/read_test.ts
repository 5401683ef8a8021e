import { assert, assertEquals } from "@std/assert";
import { Base64Value } from "../../../lib/attr/base64_value.ts";
import { describeAttrFault } from "../../../lib/attr/faults.ts";
import { AttrName } from "../../../lib/attr/names.ts";
import { ListReader, READ } from "../../../lib/attr/read.ts";
import { concat, latin1 } from "../../../lib/base/bytes.ts";
import { listOf, readerOf } from "../../wire/lists.ts";

const A = new AttrName("a");
const B = new AttrName("b");
const C = new AttrName("c");
const ONE = new AttrName("1");

function faultText(reader: ListReader): string | undefined {
  return reader.fault === undefined ? undefined : describeAttrFault(reader.fault, "tlsmgr socket");
}

Deno.test("ListReader reads each type in order", () => {
  const reader = readerOf(listOf("a", "text\xff", "b", "4294967295", "c", "Zm9v", "c", ""));
  assertEquals(reader.wantText(A), "text\xff");
  assertEquals(reader.wantInt(B), -1);
  assertEquals(reader.wantData(C), latin1("foo"));
  assertEquals(reader.wantText(C), "");
  assert(reader.end());
  assertEquals(reader.fault, undefined);
});

Deno.test("ListReader under the strict rule stops at an attribute that is not wanted next", () => {
  const reader = readerOf(listOf("b", "2", "a", "1"));
  assertEquals(reader.wantText(A), undefined);
  assertEquals(reader.wantText(B), undefined);
  assertEquals(reader.end(), false);
  assertEquals(faultText(reader), "unexpected attribute b from tlsmgr socket (expecting: a)");
});

Deno.test("ListReader under the strict rule reports a missing attribute", () => {
  const reader = readerOf(listOf("a", "1"));
  assertEquals(reader.wantText(A), "1");
  assertEquals(reader.wantText(B), undefined);
  assertEquals(faultText(reader), "missing attribute b in input from tlsmgr socket");
});

Deno.test("ListReader under the strict rule reports an extra attribute at the end", () => {
  const reader = readerOf(listOf("a", "1", "b", "2"));
  assertEquals(reader.wantText(A), "1");
  assertEquals(reader.end(), false);
  assertEquals(
    faultText(reader),
    "unexpected attribute b from tlsmgr socket (expecting: (list terminator))",
  );
});

Deno.test("ListReader under the missing rule skips what nobody asked for", () => {
  const reader = readerOf(
    listOf("x", "0", "a", "1", "a", "again", "b", "2", "y", ""),
    READ.missing,
  );
  assertEquals(reader.wantText(A), "1");
  assertEquals(reader.wantText(B), "2");
  assert(reader.end());
});

Deno.test("ListReader skips an attribute that comes too early, and then misses it", () => {
  const reader = readerOf(listOf("b", "2", "a", "1"), READ.missing);
  assertEquals(reader.wantText(A), "1");
  assertEquals(reader.wantText(B), undefined);
  assertEquals(reader.fault, { kind: "missing", name: "b" });
});

Deno.test("ListReader under the lenient rule has no fault when an attribute is missing", () => {
  const reader = readerOf(listOf("a", "1"), READ.lenient);
  assertEquals(reader.wantText(B), undefined);
  assert(reader.end());
});

Deno.test("ListReader ends the walk at a malformed number", () => {
  const reader = readerOf(listOf("a", "1x", "b", "2"), READ.lenient);
  assertEquals(reader.wantInt(A), undefined);
  assertEquals(reader.wantInt(B), undefined);
  assertEquals(
    faultText(reader),
    "malformed numerical data from tlsmgr socket while reading input attribute value: 1x",
  );
});

Deno.test("ListReader ends the walk at malformed base64", () => {
  const value = new Base64Value();
  for (const decoded of [true, false]) {
    const reader = readerOf(listOf("a", "Zm9", "b", "2"));
    if (decoded) assertEquals(reader.wantData(A), undefined);
    else assertEquals(reader.wantBase64(A, value), false);
    assertEquals(reader.wantInt(B), undefined);
    assertEquals(
      faultText(reader),
      "malformed base64 data from tlsmgr socket while reading input attribute value: Zm9",
    );
  }
});

Deno.test("ListReader.wantBase64() points at canonical text and puts loose text in order", () => {
  const bytes = listOf("a", "Zm8=", "b", "Zm9=", "c", "Zg==Zg==");
  const reader = readerOf(bytes);
  const value = new Base64Value();
  assert(reader.wantBase64(A, value));
  assert(value.bytes === bytes);
  assertEquals(value.text(), latin1("Zm8="));
  assert(reader.wantBase64(B, value));
  assertEquals(value.text(), latin1("Zm8="));
  assert(reader.wantBase64(C, value));
  assertEquals(value.text(), latin1("Zg=="));
  assert(reader.end());
});

Deno.test("ListReader.wantExact() refuses another value", () => {
  assert(readerOf(listOf("a", "1")).wantExact(A, ONE));
  const reader = readerOf(listOf("a", "2"));
  assertEquals(reader.wantExact(A, ONE), false);
  assertEquals(reader.fault, { kind: "other value", name: "a", value: "2", expecting: "1" });
});

Deno.test("ListReader.wantWord() gives the known word itself, or the text", () => {
  const reader = readerOf(listOf("a", "1", "a", "11"));
  assert(reader.wantWord(A, [B, ONE]) === ONE);
  assertEquals(reader.wantWord(A, [B, ONE]), "11");
});

Deno.test("ListReader looks ahead without taking anything", () => {
  const reader = readerOf(listOf("a", "1", "b", ""));
  assert(reader.nextIs(A));
  assertEquals(reader.nextIs(B), false);
  assertEquals(reader.nextName(), "a");
  assertEquals(reader.wantText(A), "1");
  assertEquals(reader.position, 4);
  assertEquals(reader.nextName(), "b");
  assertEquals(reader.wantText(B), "");
  assertEquals(reader.position, 7);
  assertEquals(reader.nextName(), undefined);
  assertEquals(reader.nextIs(B), false);
});

Deno.test("ListReader.refuse() keeps the first fault", () => {
  const reader = readerOf(listOf("a", "-5"));
  reader.refuse(A, reader.wantInt(A) ?? 0);
  reader.refuse(B, 1);
  assertEquals(faultText(reader), "unreasonable value -5 of attribute a from tlsmgr socket");
});

Deno.test("ListReader cuts the peer's words in a fault short", () => {
  const reader = readerOf(listOf("n".repeat(500), ""));
  reader.wantInt(A);
  assertEquals(reader.fault, { kind: "unexpected", found: "n".repeat(100), expecting: "a" });
});

Deno.test("ListReader reads a list in the middle of a buffer", () => {
  const reader = readerOf(concat(latin1("junk"), listOf("a", "1")), READ.strict, 4);
  assertEquals(reader.wantInt(A), 1);
  assert(reader.end());
});

Deno.test("ListReader has nothing before it is opened", () => {
  const reader = new ListReader();
  assertEquals(reader.wantText(A), undefined);
  assertEquals(reader.count, 0);
});
