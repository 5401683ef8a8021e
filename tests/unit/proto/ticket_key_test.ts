import { assertEquals, assertThrows } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { toHex } from "../../../lib/base/bytes.ts";
import {
  decodeTicketKey,
  encodeTicketKey,
  TICKET_KEY_RANDOM_BYTES,
  ticketKeyFrom,
} from "../../../lib/proto/ticket_key.ts";
import { goldenHex } from "../../wire/golden.ts";

const RANDOM = Uint8Array.from({ length: TICKET_KEY_RANDOM_BYTES }, (_, i) => i);

Deno.test("ticketKeyFrom() cuts 80 bytes into name, cipher key and HMAC key", () => {
  const key = ticketKeyFrom(RANDOM, 5);
  assertEquals([...key.name], [...RANDOM.slice(0, 16)]);
  assertEquals([...key.cipherKey], [...RANDOM.slice(16, 48)]);
  assertEquals([...key.hmacKey], [...RANDOM.slice(48)]);
  assertEquals(key.encryptUntil, 5);
  assertThrows(() => ticketKeyFrom(RANDOM.subarray(1), 5), Panic);
});

Deno.test("encodeTicketKey() gives the structure of a 64-bit little-endian machine", () => {
  const golden = goldenHex("ticket_key");
  const key = ticketKeyFrom(golden.subarray(0, 80), 1795228047);
  assertEquals(encodeTicketKey(key, { littleEndian: true }), golden);
  assertEquals(decodeTicketKey(golden, true), key);
  assertEquals(toHex(key.name).slice(0, 2) + toHex(key.hmacKey).slice(-2), "3E39");
});

Deno.test("encodeTicketKey() writes the time in either byte order and width", () => {
  const key = ticketKeyFrom(RANDOM, 0x6b01018f);
  const tail = (timeBytes: 4 | 8, littleEndian: boolean) =>
    toHex(encodeTicketKey(key, { timeBytes, littleEndian }).subarray(80));
  assertEquals(tail(8, true), "8F01016B00000000");
  assertEquals(tail(8, false), "000000006B01018F");
  assertEquals(tail(4, true), "8F01016B");
  assertEquals(tail(4, false), "6B01018F");
});

Deno.test("decodeTicketKey(encodeTicketKey(x)) is x, also after 2038", () => {
  const key = ticketKeyFrom(RANDOM, 5_000_000_000);
  assertEquals(decodeTicketKey(encodeTicketKey(key)), key);
  const early = ticketKeyFrom(RANDOM, 1_700_000_000);
  assertEquals(decodeTicketKey(encodeTicketKey(early, { timeBytes: 4 })), early);
});

Deno.test("decodeTicketKey() refuses other sizes", () => {
  for (const size of [0, 16, 80, 83, 85, 87, 89]) {
    assertEquals(decodeTicketKey(new Uint8Array(size)), undefined);
  }
});
