import { assertEquals, assertNotEquals } from "@std/assert";
import { latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import { KeyHash } from "../../../lib/store/key_hash.ts";
import { makeRandom, randomBytes } from "./_setup.ts";

function both(hash: KeyHash): string {
  return `${hash.low} ${hash.high}`;
}

Deno.test("KeyHash is the same for a text and for its bytes, wherever these stand", () => {
  const hash = new KeyHash();
  const random = makeRandom(1);
  for (let length = 0; length < 100; length++) {
    const key = randomBytes(random, length);
    hash.ofText(toLatin1(key));
    const ofText = both(hash);
    const around = new Uint8Array(length + 7).fill(0xee);
    around.set(key, 3);
    hash.ofBytes(around, 3, 3 + length);
    assertEquals(both(hash), ofText, `length ${length}`);
  }
});

Deno.test("KeyHash tells keys apart that differ little, in both halves", () => {
  const hash = new KeyHash();
  const lows = new Set<number>();
  const highs = new Set<number>();
  const pairs = new Set<string>();
  const keys: string[] = [];
  for (let n = 0; n < 20_000; n++) {
    keys.push(`${n}`, `key ${n}&s=smtpd`, `${"A".repeat(60)}${n}`, `${n}${"A".repeat(60)}`);
  }
  for (const key of keys) {
    hash.ofText(key);
    lows.add(hash.low);
    highs.add(hash.high);
    pairs.add(both(hash));
  }
  assertEquals(pairs.size, keys.length);
  // Of 80,000 random numbers of 32 bits some meet: 0.75 pairs on average.
  assertEquals([lows.size > keys.length - 20, highs.size > keys.length - 20], [true, true]);
});

Deno.test("KeyHash depends on every byte and on the length", () => {
  const hash = new KeyHash();
  for (const length of [1, 2, 3, 4, 5, 31, 32]) {
    const key = new Uint8Array(length);
    hash.ofBytes(key, 0, length);
    const before = both(hash);
    const halves = [hash.low, hash.high];
    for (let at = 0; at < length; at++) {
      const other = key.slice();
      other[at] ^= 0x80;
      hash.ofBytes(other, 0, length);
      assertNotEquals(hash.low, halves[0], `byte ${at} of ${length}`);
      assertNotEquals(hash.high, halves[1], `byte ${at} of ${length}`);
    }
    hash.ofBytes(new Uint8Array(length + 1), 0, length + 1);
    assertNotEquals(both(hash), before);
  }
});

Deno.test("KeyHash has a seed of its own each time", () => {
  const hashes = Array.from({ length: 4 }, () => {
    const hash = new KeyHash();
    hash.ofBytes(latin1("key"), 0, 3);
    return both(hash);
  });
  assertEquals(new Set(hashes).size, 4);
});
