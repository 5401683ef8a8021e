import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Bytes } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { decodeTicketKey } from "../../../lib/proto/ticket_key.ts";
import { Reactor } from "../../../lib/reactor/reactor.ts";
import { type FillRandom, TicketKeys } from "../../../lib/tlsmgr/ticket_keys.ts";

const NOW = 1_000_000;
const DAY_S = 86_400;

/** Keys with a lifetime of 1000 seconds (H = 500) that are filled with 1, 2, 3 and so on. */
class Rig implements Disposable {
  readonly clock = new ManualClock(NOW);
  readonly reactor = new Reactor(this.clock);
  readonly keys: TicketKeys;
  #made = 0;

  constructor(lifetimeS = 1000, fillRandom?: FillRandom) {
    const count: FillRandom = (bytes) => {
      bytes.fill(++this.#made);
      return true;
    };
    this.keys = new TicketKeys({ fillRandom: fillRandom ?? count, reactor: this.reactor });
    this.keys.setLifetime(lifetimeS);
  }

  /** Lets time pass, on both clocks. */
  pass(seconds: number): void {
    this.clock.advance(seconds * 1000);
    this.reactor.turn(0);
  }

  /** Sets the wall clock forward or back. */
  jump(seconds: number): void {
    this.clock.setUnixSeconds(this.clock.unixSeconds() + seconds);
  }

  /** Which key encrypts: the number that it is filled with. */
  get current(): number | undefined {
    return this.keys.current()?.[20];
  }

  /** Until when clients encrypt with the current key, in seconds from now on the wall clock. */
  get leftS(): number {
    const key = decodeTicketKey(this.keys.current() as Bytes);
    assert(key !== undefined);
    return key.encryptUntil - this.clock.unixSeconds();
  }

  /** Whether the key that is filled with `number` is found by its name. */
  finds(number: number): boolean {
    return this.keys.find(nameOf(number))?.[20] === number;
  }

  [Symbol.dispose](): void {
    this.keys.close();
    this.reactor.close();
  }
}

function nameOf(number: number): Bytes {
  return new Uint8Array(16).fill(number);
}

function isWiped(bytes: Bytes): boolean {
  return bytes.every((byte) => byte === 0);
}

Deno.test("TicketKeys.current() makes a key that encrypts for H - 1 seconds", () => {
  using rig = new Rig();
  assertEquals(rig.keys.current()?.length, 88);
  assertEquals(rig.leftS, 499);
  rig.pass(498);
  assertEquals(rig.current, 1);
  rig.pass(1);
  assertEquals(rig.current, 2);
});

Deno.test("TicketKeys.current() halves an odd lifetime as integers are halved", () => {
  using rig = new Rig(121);
  assertEquals(rig.leftS, 59);
});

Deno.test("TicketKeys.find() serves a key for H seconds after its encryption period", () => {
  using rig = new Rig();
  rig.keys.current();
  assertEquals(rig.finds(1), true);
  rig.pass(998);
  assertEquals(rig.finds(1), true);
  rig.pass(1);
  assertEquals(rig.finds(1), false);
});

Deno.test("TicketKeys.find() knows the newest key and the one before, and no third", () => {
  using rig = new Rig();
  rig.keys.current();
  rig.pass(499);
  rig.keys.current();
  rig.pass(1);
  assertEquals([rig.finds(1), rig.finds(2), rig.finds(3)], [true, true, false]);
  rig.pass(498);
  rig.keys.current();
  assertEquals([rig.finds(1), rig.finds(2), rig.finds(3)], [false, true, true]);
});

Deno.test("TicketKeys.find() makes no key and wants the whole name", () => {
  using rig = new Rig();
  assertEquals(rig.finds(1), false);
  rig.keys.current();
  assertEquals(rig.keys.find(nameOf(1).subarray(0, 15)), undefined);
  assertEquals(rig.keys.find(new Uint8Array(0)), undefined);
  const almost = nameOf(1);
  almost[15] = 2;
  assertEquals(rig.keys.find(almost), undefined);
});

Deno.test("TicketKeys has no keys with a lifetime of 0", () => {
  using rig = new Rig(0);
  assertEquals(rig.keys.current(), undefined);
  assertEquals(rig.finds(1), false);
});

Deno.test("TicketKeys.current() has no key when the generator fails, and keeps those there are", () => {
  let works = true;
  using rig = new Rig(1000, (bytes) => {
    bytes.fill(7);
    return works;
  });
  rig.keys.current();
  works = false;
  rig.pass(600);
  assertEquals(rig.keys.current(), undefined);
  assertEquals(rig.finds(7), true);
});

Deno.test("TicketKeys overwrites a key that is pushed out", () => {
  using rig = new Rig(1000);
  const first = rig.keys.current() as Bytes;
  rig.pass(499);
  const second = rig.keys.current() as Bytes;
  const firstName = first.slice(0, 16);
  rig.jump(DAY_S);
  // The third key takes the room of the first.
  rig.keys.current();
  assertEquals(firstName, nameOf(1));
  assertEquals(first[0], 3);
  assertEquals(second[0], 2);
});

Deno.test("TicketKeys overwrites a key at the moment it is too old, though nobody asks", () => {
  using rig = new Rig();
  const first = rig.keys.current() as Bytes;
  rig.pass(499);
  const second = rig.keys.current() as Bytes;
  rig.pass(499);
  assertEquals([isWiped(first), isWiped(second)], [false, false]);
  rig.pass(1);
  assertEquals([isWiped(first), isWiped(second)], [true, false]);
  rig.pass(499);
  assertEquals([isWiped(first), isWiped(second)], [true, true]);
});

Deno.test("TicketKeys overwrites the random bytes that a key was made of", () => {
  let room: Bytes | undefined;
  using rig = new Rig(1000, (bytes) => {
    room = bytes.fill(3);
    return true;
  });
  assertEquals(rig.current, 3);
  assert(room !== undefined && isWiped(room));
});

Deno.test("TicketKeys.wipe() overwrites and forgets both keys", () => {
  using rig = new Rig();
  const structures = [rig.keys.current() as Bytes];
  rig.pass(499);
  structures.push(rig.keys.current() as Bytes);
  rig.keys.wipe();
  for (const structure of structures) assert(isWiped(structure));
  assertEquals([rig.finds(1), rig.finds(2)], [false, false]);
  assertEquals(rig.current, 3);
});

Deno.test("TicketKeys.close() leaves no keys and makes none", () => {
  using rig = new Rig();
  rig.keys.current();
  rig.keys.close();
  assertEquals([rig.current, rig.finds(1)], [undefined, false]);
  rig.pass(2000);
});

Deno.test("TicketKeys: a clock that is set back makes no key live longer", () => {
  using rig = new Rig();
  rig.keys.current();
  rig.pass(100);
  rig.jump(-DAY_S);
  // Clients would encrypt for a day with the first key; a day for them is H - 1 seconds here.
  assertEquals([rig.current, rig.leftS, rig.finds(1)], [2, 499, true]);
  rig.pass(898);
  assertEquals(rig.finds(1), true);
  rig.pass(1);
  assertEquals(rig.finds(1), false);
});

Deno.test("TicketKeys: a clock that is set back a little changes nothing but the moment told", () => {
  using rig = new Rig();
  rig.keys.current();
  rig.pass(100);
  rig.jump(-5);
  assertEquals([rig.current, rig.leftS], [1, 404]);
  rig.pass(399);
  assertEquals([rig.current, rig.leftS], [2, 499]);
});

Deno.test("TicketKeys: a clock that is set forward ends no key that tickets were made with", () => {
  using rig = new Rig();
  rig.keys.current();
  rig.jump(20_000 * DAY_S);
  assertEquals([rig.current, rig.leftS, rig.finds(1)], [2, 499, true]);
  rig.pass(998);
  assertEquals(rig.finds(1), true);
  rig.pass(1);
  assertEquals(rig.finds(1), false);
});

Deno.test("TicketKeys.setLifetime() keeps the keys there are", () => {
  using rig = new Rig();
  const structure = (rig.keys.current() as Bytes).slice();
  rig.pass(100);
  rig.keys.setLifetime(1200);
  assertEquals(rig.keys.current(), structure);
  // It encrypts as long as was promised, and decrypts for half of the lifetime in force.
  rig.pass(399);
  assertEquals([rig.current, rig.leftS, rig.finds(1)], [2, 599, true]);
  rig.pass(599);
  assertEquals(rig.finds(1), true);
  rig.pass(1);
  assertEquals(rig.finds(1), false);
});

Deno.test("TicketKeys.setLifetime() ends a key early when lifetimes get shorter, and all of them at 0", () => {
  using rig = new Rig();
  const first = rig.keys.current() as Bytes;
  rig.pass(499);
  rig.keys.current();
  rig.keys.setLifetime(200);
  // A key of 499 seconds is too long for half a lifetime of 100: the next one is made at once.
  assertEquals([rig.finds(1), rig.finds(2), rig.current, rig.leftS], [true, true, 3, 99]);
  assertNotEquals(first[0], 1);
  rig.keys.setLifetime(0);
  assertEquals([rig.finds(2), rig.finds(3), rig.current], [false, false, undefined]);
  assert(isWiped(first));
});
