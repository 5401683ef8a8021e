/**
 * The golden bytes come from a second, bit-by-bit writer of the format that record.ts describes.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { type Bytes, fromHex, latin1, toHex } from "../../../lib/base/bytes.ts";
import {
  decodeFileHeader,
  encodeFileHeader,
  hasKey,
  KEY_BYTES_MAX,
  KIND,
  readKey,
  readValue,
  RecordBuffer,
  recordBytes,
  RecordCodec,
  VALUE_BYTES_MAX,
} from "../../../lib/store/record.ts";

const FILE_ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const HEADER = "93706F737465726E0100000000000000 0102030405060708090A0B0C0D0E0F10" +
  "00000000000000000000000000000000 000000000000000000000000C4051453";
const PUT = "E62C2D6B35DCCE618967452301000000 05000000020001006BFF76616C756500";
const DELETE = "B386A7B470424E5E0000000000000000 00000000020002006BFF000000000000";
const FAR_PUT = "D600F096CFA4568A0100000000000000 00000000030001006661720000000000";

function bufferOf(bytes: Uint8Array): RecordBuffer {
  const buffer = new RecordBuffer(bytes.length);
  buffer.bytes.set(bytes);
  return buffer;
}

/** Whether `bytes` are an intact record for `fileOffset`. */
function isValid(bytes: Uint8Array, fileOffset: number, fileId = FILE_ID): boolean {
  const codec = new RecordCodec(fileId);
  const buffer = bufferOf(bytes);
  return codec.readHead(buffer, 0, fileOffset) && codec.isBodyIntact(buffer, 0);
}

function flipped(bytes: Uint8Array, at: number, bits = 0x10): Bytes {
  const copy = new Uint8Array(bytes);
  copy[at] ^= bits;
  return copy;
}

Deno.test("encodeFileHeader() writes the golden header", () => {
  assertEquals(toHex(encodeFileHeader(FILE_ID)), HEADER.replace(/ /g, ""));
});

Deno.test("decodeFileHeader() reads the golden header", () => {
  assertEquals(decodeFileHeader(fromHex(HEADER)), { kind: "valid", fileId: FILE_ID });
});

Deno.test("decodeFileHeader() calls a header with any one byte changed damaged", () => {
  for (let at = 0; at < 64; at++) {
    assertEquals(decodeFileHeader(flipped(fromHex(HEADER), at)).kind, "damaged", `byte ${at}`);
  }
});

Deno.test("decodeFileHeader() calls a header that was cut anywhere damaged", () => {
  for (let length = 1; length < 64; length++) {
    const start = fromHex(HEADER).subarray(0, length);
    assertEquals(decodeFileHeader(start).kind, "damaged", `${length} bytes`);
  }
});

Deno.test("decodeFileHeader() tells foreign files, short and long", () => {
  assertEquals(decodeFileHeader(latin1("#")).kind, "foreign");
  assertEquals(decodeFileHeader(latin1("smtpd_tls_loglevel = 1\n".repeat(9))).kind, "foreign");
  assertEquals(decodeFileHeader(new Uint8Array(64)).kind, "damaged");
});

Deno.test("decodeFileHeader() refuses a later version, encryption and unknown fields", () => {
  // Checksums of the changed headers, from the second writer.
  for (
    const [at, value, checksum, what] of [
      [8, 2, "CB6E4BBA", "format version 2"],
      [12, 1, "C0183D4F", "encryption at rest"],
      [40, 1, "79F25764", "fields that this version does not know"],
    ] as const
  ) {
    const bytes = fromHex(HEADER);
    bytes[at] = value;
    bytes.set(fromHex(checksum), 60);
    assertEquals(decodeFileHeader(bytes), { kind: "unsupported", what });
  }
});

Deno.test("RecordCodec writes the golden records", () => {
  const codec = new RecordCodec(FILE_ID);
  const buffer = new RecordBuffer(96);
  // Stale bytes must not show in the filling.
  buffer.bytes.fill(0xee);
  codec.encodePut(buffer, 0, {
    fileOffset: 64,
    key: "k\xff",
    value: latin1("value"),
    expiresAtS: 0x1_2345_6789,
  });
  codec.encodeDelete(buffer, 32, { fileOffset: 96, key: "k\xff" });
  codec.encodePut(buffer, 64, {
    fileOffset: 0x1_0000_0040,
    key: "far",
    value: new Uint8Array(),
    expiresAtS: 1,
  });
  assertEquals(toHex(buffer.bytes), (PUT + DELETE + FAR_PUT).replace(/ /g, ""));
});

Deno.test("RecordCodec reads the golden records", () => {
  const codec = new RecordCodec(FILE_ID);
  const put = bufferOf(fromHex(PUT));
  assertEquals(codec.readHead(put, 0, 64), true);
  const head = { kind: KIND.put, keyBytes: 2, valueBytes: 5, expiresAtS: 0x1_2345_6789 };
  assertEquals(codec.head, { ...head, recordBytes: 32 });
  assertEquals(codec.isBodyIntact(put, 0), true);
  assertEquals(readKey(put, 0, 2), "k\xff");
  assertEquals(hasKey(put, 0, "k\xff"), true);
  assertEquals(hasKey(put, 0, "k\xfe"), false);
  assertEquals(readValue(put, 0, codec.head), latin1("value"));
  assertEquals(codec.readHead(bufferOf(fromHex(DELETE)), 0, 96), true);
  assertEquals(codec.head.kind, KIND.delete);
  assertEquals(isValid(fromHex(FAR_PUT), 0x1_0000_0040), true);
});

Deno.test("RecordCodec refuses a record at another place or in another file", () => {
  assertEquals(isValid(fromHex(PUT), 64), true);
  assertEquals(isValid(fromHex(PUT), 72), false);
  assertEquals(isValid(fromHex(PUT), 64 + 0x1_0000_0000), false);
  assertEquals(isValid(fromHex(PUT), 64, FILE_ID.toReversed()), false);
});

Deno.test("RecordCodec refuses a record with any one bit changed, but for the filling", () => {
  const put = fromHex(PUT);
  for (let at = 0; at < put.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const isFilling = at >= 31;
      assertEquals(isValid(flipped(put, at, 1 << bit), 64), isFilling, `byte ${at}, bit ${bit}`);
    }
  }
});

Deno.test("RecordCodec carries the longest lengths and the latest expiry", () => {
  const codec = new RecordCodec(FILE_ID);
  const key = "\xfe".repeat(KEY_BYTES_MAX);
  const value = new Uint8Array(VALUE_BYTES_MAX).fill(7);
  const buffer = new RecordBuffer(recordBytes(key.length, value.length));
  const expiresAtS = Number.MAX_SAFE_INTEGER;
  codec.encodePut(buffer, 0, { fileOffset: 64, key, value, expiresAtS });
  assertEquals(codec.readHead(buffer, 0, 64), true);
  assertEquals(codec.head.expiresAtS, expiresAtS);
  assertEquals(codec.isBodyIntact(buffer, 0), true);
  assertEquals(readValue(buffer, 0, codec.head), value);
});

Deno.test("RecordCodec panics on a key that is not latin1", () => {
  const codec = new RecordCodec(FILE_ID);
  assertThrows(
    () => codec.encodeDelete(new RecordBuffer(64), 0, { fileOffset: 64, key: "\u0100" }),
    Panic,
    "latin1",
  );
});
