import { assertEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import {
  CRC32C_START,
  finishCrc32c,
  updateCrc32c,
  updateCrc32cPair,
} from "../../../lib/store/crc32c.ts";
import { RecordBuffer } from "../../../lib/store/record.ts";

function crc32c(bytes: Uint8Array): number {
  const data = new RecordBuffer(bytes.length);
  data.bytes.set(bytes);
  return finishCrc32c(updateCrc32c(CRC32C_START, data, 0, bytes.length)) >>> 0;
}

Deno.test("updateCrc32c() agrees with RFC 3720, appendix B.4", () => {
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
});

Deno.test("updateCrc32c() agrees with the usual check value", () => {
  assertEquals(crc32c(latin1("123456789")), 0xe3069283);
});

Deno.test("updateCrc32c() of every length is that of one byte after the other", () => {
  const data = new RecordBuffer(80);
  for (let i = 0; i < 80; i++) data.bytes[i] = i * 37 + 11;
  const one = new RecordBuffer(8);
  let state = CRC32C_START;
  for (let end = 0; end < 80; end++) {
    assertEquals(updateCrc32c(CRC32C_START, data, 0, end), state, `${end} bytes`);
    one.bytes[0] = data.bytes[end];
    state = updateCrc32c(state, one, 0, 1);
  }
});

Deno.test("updateCrc32cPair() is eight bytes", () => {
  const data = new RecordBuffer(8);
  data.bytes.set([1, 200, 3, 255, 128, 6, 7, 250]);
  const state = updateCrc32c(CRC32C_START, data, 0, 8);
  assertEquals(updateCrc32cPair(CRC32C_START, data.words[0], data.words[1]), state);
});
