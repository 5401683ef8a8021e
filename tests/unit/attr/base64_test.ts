import { assertEquals } from "@std/assert";
import {
  BASE64_CANONICAL,
  BASE64_LOOSE,
  BASE64_MALFORMED,
  base64DataBytes,
  base64TextBytes,
  checkBase64,
  decodeBase64,
  encodeBase64,
} from "../../../lib/attr/base64.ts";
import { latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import { Seeded } from "../../wire/lists.ts";

function check(text: string): number {
  const bytes = latin1(text);
  return checkBase64(bytes, 0, bytes.length);
}

function decode(text: string): string | undefined {
  const data = decodeBase64(latin1(text));
  return data === undefined ? undefined : toLatin1(data);
}

Deno.test("encodeBase64() gives the test vectors of RFC 4648", () => {
  const vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
  for (const [i, text] of vectors.entries()) {
    const data = "foobar".slice(0, i);
    assertEquals(toLatin1(encodeBase64(latin1(data))), text);
    assertEquals(decode(text), data);
    assertEquals(base64TextBytes(i), text.length);
    assertEquals(base64DataBytes(latin1(text), 0, text.length), i);
  }
});

Deno.test("encodeBase64() agrees with btoa() on every byte value", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(toLatin1(encodeBase64(all)), btoa(toLatin1(all)));
});

Deno.test("decodeBase64(encodeBase64(x)) is x", () => {
  const random = new Seeded(64);
  for (let i = 0; i < 500; i++) {
    const data = random.bytes(100);
    const text = encodeBase64(data);
    assertEquals(checkBase64(text, 0, text.length), BASE64_CANONICAL);
    assertEquals(decodeBase64(text), data);
    assertEquals(base64DataBytes(text, 0, text.length), data.length);
  }
});

Deno.test("checkBase64() refuses a length that is no multiple of four", () => {
  for (const text of ["A", "AA", "AAA", "AAAAA", "AAAAA=", "Zm9v="]) {
    assertEquals(check(text), BASE64_MALFORMED, text);
  }
});

Deno.test("checkBase64() refuses bytes outside the alphabet at every place", () => {
  for (const bad of [" ", "\n", "-", "_", "\x80", "\xff", "*"]) {
    for (let i = 0; i < 8; i++) {
      const text = "AAAAAAAA".slice(0, i) + bad + "AAAAAAAA".slice(i + 1);
      assertEquals(check(text), BASE64_MALFORMED, JSON.stringify(text));
    }
  }
});

Deno.test("checkBase64() refuses a pad among the first two letters of a group", () => {
  for (const text of ["====", "=AAA", "A===", "A=AA", "AAAA====", "AAAAA==="]) {
    assertEquals(check(text), BASE64_MALFORMED, text);
    assertEquals(decode(text), undefined, text);
  }
});

Deno.test("checkBase64() calls text loose when bits under the pad are set", () => {
  assertEquals(check("Zh=="), BASE64_LOOSE);
  assertEquals(check("Zm9="), BASE64_LOOSE);
  assertEquals(decode("Zh=="), "f");
  assertEquals(decode("Zm9="), "fo");
});

Deno.test("decodeBase64() stops at the first pad, whatever follows", () => {
  assertEquals(check("Zg==Zg=="), BASE64_LOOSE);
  assertEquals(decode("Zg==Zg=="), "f");
  assertEquals(decode("Zg=x"), "f");
  assertEquals(decode("Zm8=****"), "fo");
  assertEquals(decode("Zm9vZm8=AAAA"), "foofo");
});

Deno.test("decodeBase64() reads a part of a buffer", () => {
  assertEquals(decodeBase64(latin1("==Zm9v=="), 2, 6), latin1("foo"));
});
