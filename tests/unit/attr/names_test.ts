import { assert, assertEquals, assertThrows } from "@std/assert";
import { AttrName } from "../../../lib/attr/names.ts";
import { Panic } from "../../../lib/base/assert.ts";
import { latin1 } from "../../../lib/base/bytes.ts";

Deno.test("AttrName.equals() compares exactly the given bytes", () => {
  const name = new AttrName("size");
  const bytes = latin1("xsizes");
  assert(name.equals(bytes, 1, 5));
  assertEquals(name.equals(bytes, 1, 6), false);
  assertEquals(name.equals(bytes, 0, 4), false);
  assertEquals(name.equals(bytes, 1, 4), false);
  assertEquals(name.equals(latin1("siz"), 0, 4), false);
});

Deno.test("AttrName refuses a name that could not be framed", () => {
  assertThrows(() => new AttrName(""), Panic);
  assertThrows(() => new AttrName("a\0b"), Panic);
});
