import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Bytes } from "../../../lib/base/bytes.ts";
import { decodeTicketKey } from "../../../lib/proto/ticket_key.ts";
import { TicketKeys } from "../../../lib/tlsmgr/ticket_keys.ts";

const NOW = 1_000_000;

/** Keys with a lifetime of 1000 seconds (H = 500) that are filled with 1, 2, 3 and so on. */
function countedKeys(lifetimeS = 1000): TicketKeys {
  let made = 0;
  return new TicketKeys(lifetimeS, (bytes) => {
    bytes.fill(++made);
    return true;
  });
}

/** Which key it is: the number that it is filled with. */
function numberOf(structure: Bytes | undefined): number | undefined {
  return structure?.[20];
}

function nameOf(number: number): Bytes {
  return new Uint8Array(16).fill(number);
}

Deno.test("TicketKeys.current() makes a key that encrypts for H - 1 seconds", () => {
  const keys = countedKeys();
  const structure = keys.current(NOW);
  assertEquals(structure?.length, 88);
  assertEquals(decodeTicketKey(structure as Bytes)?.encryptUntil, NOW + 499);
  assertEquals(numberOf(keys.current(NOW + 498)), 1);
  assertEquals(numberOf(keys.current(NOW + 499)), 2);
});

Deno.test("TicketKeys.current() halves an odd lifetime as integers are halved", () => {
  const structure = countedKeys(121).current(NOW);
  assertEquals(decodeTicketKey(structure as Bytes)?.encryptUntil, NOW + 59);
});

Deno.test("TicketKeys.find() serves a key for H seconds after its encryption period", () => {
  const keys = countedKeys();
  keys.current(NOW);
  assertEquals(numberOf(keys.find(nameOf(1), NOW)), 1);
  assertEquals(numberOf(keys.find(nameOf(1), NOW + 998)), 1);
  assertEquals(keys.find(nameOf(1), NOW + 999), undefined);
});

Deno.test("TicketKeys.find() knows the newest key and the one before, and no third", () => {
  const keys = countedKeys();
  keys.current(NOW);
  keys.current(NOW + 499);
  assertEquals(numberOf(keys.find(nameOf(1), NOW + 500)), 1);
  assertEquals(numberOf(keys.find(nameOf(2), NOW + 500)), 2);
  keys.current(NOW + 998);
  assertEquals(keys.find(nameOf(1), NOW + 998), undefined);
  assertEquals(numberOf(keys.find(nameOf(2), NOW + 998)), 2);
  assertEquals(numberOf(keys.find(nameOf(3), NOW + 998)), 3);
});

Deno.test("TicketKeys.find() makes no key and wants the whole name", () => {
  const keys = countedKeys();
  assertEquals(keys.find(nameOf(1), NOW), undefined);
  keys.current(NOW);
  assertEquals(keys.find(nameOf(1).subarray(0, 15), NOW), undefined);
  assertEquals(keys.find(new Uint8Array(0), NOW), undefined);
  const almost = nameOf(1);
  almost[15] = 2;
  assertEquals(keys.find(almost, NOW), undefined);
});

Deno.test("TicketKeys has no keys with a lifetime of 0", () => {
  const keys = countedKeys(0);
  assertEquals(keys.current(NOW), undefined);
  assertEquals(keys.find(nameOf(1), NOW), undefined);
});

Deno.test("TicketKeys.current() has no key when the generator fails, and keeps those there are", () => {
  let works = true;
  const keys = new TicketKeys(1000, (bytes) => {
    bytes.fill(7);
    return works;
  });
  keys.current(NOW);
  works = false;
  assertEquals(keys.current(NOW + 600), undefined);
  assertEquals(numberOf(keys.find(nameOf(7), NOW + 600)), 7);
});

Deno.test("TicketKeys overwrites a key that is pushed out, and one that is too old", () => {
  const keys = countedKeys();
  const first = keys.current(NOW) as Bytes;
  const second = keys.current(NOW + 499) as Bytes;
  assertNotEquals(first[0], 0);
  keys.current(NOW + 998);
  assert(first.every((byte) => byte === 0));
  assertNotEquals(second[0], 0);
  keys.find(nameOf(9), NOW + 100_000);
  assert(second.every((byte) => byte === 0));
});

Deno.test("TicketKeys overwrites the random bytes that a key was made of", () => {
  let room: Bytes | undefined;
  const keys = new TicketKeys(1000, (bytes) => {
    room = bytes.fill(3);
    return true;
  });
  assertEquals(numberOf(keys.current(NOW)), 3);
  assert(room?.every((byte) => byte === 0));
});

Deno.test("TicketKeys.wipe() overwrites and forgets both keys", () => {
  const keys = countedKeys();
  const structures = [keys.current(NOW), keys.current(NOW + 499)] as Bytes[];
  keys.wipe();
  for (const structure of structures) assert(structure.every((byte) => byte === 0));
  assertEquals(keys.find(nameOf(2), NOW + 499), undefined);
});
