import { assertEquals } from "@std/assert";
import { Base64Value } from "../../../lib/attr/base64_value.ts";
import { latin1 } from "../../../lib/base/bytes.ts";

Deno.test("Base64Value is empty at first and after clear()", () => {
  const value = new Base64Value();
  assertEquals([value.textBytes, value.dataBytes], [0, 0]);
  value.set(latin1("foo"));
  value.clear();
  assertEquals([value.textBytes, value.dataBytes], [0, 0]);
  assertEquals(value.data(), new Uint8Array(0));
});

Deno.test("Base64Value.set() encodes into memory of its own, again and again", () => {
  const value = new Base64Value();
  for (const word of ["foobar", "f", "a longer one than before", ""]) {
    value.set(latin1(word));
    assertEquals(value.text(), latin1(btoa(word)));
    assertEquals(value.data(), latin1(word));
    assertEquals(value.dataBytes, word.length);
  }
});

Deno.test("Base64Value.set() after point() leaves the foreign buffer alone", () => {
  const foreign = latin1("xxZm9vxx");
  const value = new Base64Value();
  value.point(foreign, 2, 6);
  assertEquals(value.data(), latin1("foo"));
  value.set(latin1("bar"));
  assertEquals(foreign, latin1("xxZm9vxx"));
});

Deno.test("Base64Value.text() is a copy that outlives the buffer", () => {
  const buffer = latin1("Zm9v");
  const value = new Base64Value();
  value.point(buffer);
  const text = value.text();
  buffer.fill(0);
  assertEquals(text, latin1("Zm9v"));
});
