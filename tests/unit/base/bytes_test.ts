import { assertEquals, assertThrows } from "@std/assert";
import {
  concat,
  fromHex,
  fromUtf8,
  latin1,
  toHex,
  toLatin1,
  utf8,
} from "../../../lib/base/bytes.ts";

Deno.test("latin1() and toLatin1() keep every byte", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(latin1(toLatin1(all)), all);
});

Deno.test("toLatin1() puts long texts together in order", () => {
  const bytes = Uint8Array.from({ length: 3 * 4096 + 1 }, (_, i) => i % 251);
  const text = toLatin1(bytes);
  assertEquals(text.length, bytes.length);
  assertEquals(latin1(text), bytes);
});

Deno.test("toLatin1() takes the part that is asked for, across pieces too", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 256);
  assertEquals(toLatin1(bytes, 65, 68), "ABC");
  assertEquals(toLatin1(bytes, 5000, 5000), "");
  assertEquals(latin1(toLatin1(bytes, 10, 9000)), bytes.slice(10, 9000));
});

Deno.test("utf8() and fromUtf8() agree; malformed bytes become U+FFFD", () => {
  assertEquals([...utf8("é")], [0xc3, 0xa9]);
  assertEquals(fromUtf8(utf8("Grüße 🔒")), "Grüße 🔒");
  assertEquals(fromUtf8(Uint8Array.of(0x41, 0xff)), "A\ufffd");
});

Deno.test("toHex() writes two upper-case digits a byte", () => {
  assertEquals(toHex(Uint8Array.of(0x00, 0x0f, 0xab, 0xff)), "000FABFF");
  assertEquals(toHex(new Uint8Array()), "");
});

Deno.test("fromHex() takes both cases and white space", () => {
  assertEquals(fromHex("00 0f\nAb fF"), Uint8Array.of(0, 15, 0xab, 0xff));
  assertEquals(fromHex(""), new Uint8Array());
});

Deno.test("fromHex() throws on half a byte and on other characters", () => {
  for (const text of ["0", "0g", "0x10", "-1"]) assertThrows(() => fromHex(text), TypeError);
});

Deno.test("concat() copies all parts in order", () => {
  const part = Uint8Array.of(2, 3);
  const whole = concat(Uint8Array.of(1), new Uint8Array(), part);
  part.fill(9);
  assertEquals(whole, Uint8Array.of(1, 2, 3));
  assertEquals(concat(), new Uint8Array());
});
