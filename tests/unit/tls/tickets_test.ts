import { assert, assertEquals } from "@std/assert";
import { type TicketKey, ticketKeyFrom } from "../../../lib/proto/ticket_key.ts";
import { TicketCipher, TicketKeys } from "../../../lib/tls/tickets.ts";

const TIMEOUT_S = 100;

function keyOf(byte: number, encryptUntil: number): TicketKey {
  return ticketKeyFrom(new Uint8Array(80).fill(byte), encryptUntil);
}

const nameOf = (byte: number) => new Uint8Array(16).fill(byte);

Deno.test("TicketKeys without a key can do nothing", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  assertEquals([keys.canEncrypt(0), keys.canDecrypt(nameOf(1), 0)], [false, false]);
});

Deno.test("TicketKeys.add() tells whether a key was not known", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  const added = [1, 1, 2, 1].map((name) => keys.add(keyOf(name, 1000)));
  assertEquals(added, [true, false, true, false]);
  keys.wipe();
});

Deno.test("a key encrypts until its time and decrypts for the timeout after it", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  keys.add(keyOf(1, 1000));
  assertEquals([keys.canEncrypt(999), keys.canEncrypt(1000)], [true, false]);
  assertEquals(keys.canDecrypt(nameOf(1), 1099), true);
  assertEquals(keys.canDecrypt(nameOf(1), 1100), false);
  assertEquals(keys.canDecrypt(nameOf(2), 999), false);
  keys.wipe();
});

Deno.test("a ticket is read with the key that it begins with the name of", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  keys.add(keyOf(1, 1000));
  const near = nameOf(1);
  near[15] = 2;
  for (const ticket of [near, nameOf(1).slice(0, 15), new Uint8Array(0)]) {
    assertEquals(keys.canDecrypt(ticket, 0), false);
  }
  assertEquals(keys.canDecrypt(Uint8Array.of(...nameOf(1), 7), 0), true);
  keys.wipe();
});

Deno.test("TicketKeys keeps the two newest keys", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  const first = keyOf(1, 1000);
  keys.add(first);
  keys.add(keyOf(2, 1050));
  assertEquals([keys.canDecrypt(nameOf(1), 1060), keys.canEncrypt(1049)], [true, true]);
  keys.add(keyOf(3, 1100));
  assertEquals([1, 2, 3].map((byte) => keys.canDecrypt(nameOf(byte), 0)), [false, true, true]);
  assertEquals(first.name, nameOf(0), "a key that is dropped is overwritten");
  keys.wipe();
});

Deno.test("an older key that was asked for by name does not become the one to encrypt with", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  keys.add(keyOf(2, 1050));
  keys.add(keyOf(1, 1000));
  assertEquals(keys.canEncrypt(1049), true);
  assertEquals([1, 2].map((byte) => keys.canDecrypt(nameOf(byte), 1049)), [true, true]);
  keys.add(keyOf(3, 1020));
  assertEquals([1, 2, 3].map((byte) => keys.canDecrypt(nameOf(byte), 0)), [false, true, true]);
  assertEquals(keys.canEncrypt(1049), true);
  keys.wipe();
});

Deno.test("a key that is here already changes nothing", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  keys.add(keyOf(1, 1000));
  keys.add(keyOf(2, 1050));
  keys.add(keyOf(1, 9000));
  keys.add(keyOf(2, 9000));
  assertEquals(keys.canEncrypt(1050), false);
  assertEquals([1, 2].map((byte) => keys.canDecrypt(nameOf(byte), 0)), [true, true]);
  keys.wipe();
});

Deno.test("TicketKeys.wipe() overwrites and forgets all keys", () => {
  const keys = new TicketKeys(TIMEOUT_S);
  const key = keyOf(1, 1000);
  keys.add(key);
  keys.wipe();
  assertEquals([keys.canEncrypt(0), keys.canDecrypt(nameOf(1), 0)], [false, false]);
  assertEquals(key.name, nameOf(0));
  keys.wipe();
});

Deno.test("TicketCipher.find() takes CBC ciphers with keys of 16 to 32 bytes", () => {
  for (const name of ["aes-256-cbc", "AES-128-CBC", "camellia-256-cbc"]) {
    assert(typeof TicketCipher.find(name) !== "string", name);
  }
  for (const name of ["aes-256-gcm", "aes-256-ctr", "des-ede3-cbc", "chacha20"]) {
    assertEquals(
      TicketCipher.find(name),
      "it is not a CBC cipher with an IV of 16 bytes and a key of 16 to 32",
      name,
    );
  }
  assertEquals(TicketCipher.find("bogus"), "OpenSSL does not know it");
});
