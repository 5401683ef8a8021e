import { assert, assertEquals, assertThrows } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { copyFromC, copyToC, cString, Memory, readCString } from "../../../lib/ffi/memory.ts";

Deno.test("Memory is set to zero and seen by C and JavaScript alike", () => {
  using memory = new Memory(64);
  assertEquals(memory.bytes, new Uint8Array(64));
  assertEquals(memory.view.byteLength, 64);
  memory.bytes.set(cString("text"), 8);
  assertEquals(readCString(Deno.UnsafePointer.create(memory.address + 8n)), "text");
  const out = new Uint8Array(6);
  copyFromC(out, Deno.UnsafePointer.create(memory.address + 8n)!, 4);
  assertEquals(out, Uint8Array.of(0x74, 0x65, 0x78, 0x74, 0, 0));
});

Deno.test("Memory.free() may be called again", () => {
  const memory = new Memory(16);
  memory.free();
  memory.free();
});

Deno.test("copyToC() writes as many bytes as told and no more", () => {
  using memory = new Memory(8);
  copyToC(memory.pointer, Uint8Array.of(1, 2, 3, 4), 3);
  assertEquals(memory.bytes, Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0));
});

Deno.test("copyToC() and copyFromC() refuse to run past the JavaScript side", () => {
  using memory = new Memory(8);
  assertThrows(() => copyToC(memory.pointer, new Uint8Array(2), 3), Panic);
  assertThrows(() => copyFromC(new Uint8Array(2), memory.pointer, 3), Panic);
});

Deno.test("cString() ends with NUL, and a NUL inside is a bug", () => {
  assertEquals(cString("é"), Uint8Array.of(0xc3, 0xa9, 0));
  assertThrows(() => cString("a\0b"), Panic);
});

Deno.test("readCString() takes NULL for the empty text", () => {
  assertEquals(readCString(null), "");
});

Deno.test("Memory.address is the pointer as a number", () => {
  using memory = new Memory(1);
  assert(memory.address > 0n);
  assert(Deno.UnsafePointer.equals(Deno.UnsafePointer.create(memory.address), memory.pointer));
});
