import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { KeyShelf } from "../../../lib/tlsmgr/key_shelf.ts";
import { TicketKeys } from "../../../lib/tlsmgr/ticket_keys.ts";
import { reactorAt } from "./_setup.ts";

/** Each key has bytes of its own. */
function countingRandom(first = 1): (bytes: Uint8Array) => boolean {
  let next = first;
  return (bytes) => {
    bytes.forEach((_, index) => bytes[index] = (next * 31 + index * 7) & 255);
    next++;
    return true;
  };
}

/** A memory that outlives the runs of a test. */
class Kept {
  bytes = new Uint8Array(1024);
  nowUs_ = 5_000_000n;
  isBroken = false;

  nowUs(): bigint {
    return this.nowUs_;
  }

  read(bytes: Uint8Array): boolean {
    bytes.set(this.bytes.subarray(0, bytes.length));
    return !this.isBroken;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.isBroken) this.bytes.set(bytes);
    return !this.isBroken;
  }
}

/** One run after the other, each with a monotonic clock of its own. */
class Runs {
  readonly kept = new Kept();
  unshelved = 0;
  /** Unix seconds. */
  nowS = 1_700_000_000;
  #beganS = this.nowS;

  /** Time goes by. */
  pass(seconds: number): void {
    this.nowS += seconds;
    this.kept.nowUs_ += BigInt(seconds) * 1_000_000n;
  }

  start(lifetimeS = 3600, random = countingRandom()): { keys: TicketKeys; fault?: string } {
    this.#beganS = this.nowS - 7;
    const clock = reactorAt(() => this.nowS);
    const beganS = this.#beganS;
    const reactor = {
      ...clock,
      get nowMs() {
        return clock.nowMs - beganS * 1000;
      },
    };
    const keys = new TicketKeys({
      ...{ reactor, fillRandom: random, shelf: new KeyShelf(this.kept) },
      unshelved: () => this.unshelved++,
    });
    keys.setLifetime(lifetimeS);
    const fault = keys.recall();
    return fault === undefined ? { keys } : { keys, fault };
  }
}

/** A key as clients get it. */
function current(keys: TicketKeys): number[] {
  const structure = keys.current();
  assert(structure !== undefined);
  return [...structure];
}

Deno.test("KeyShelf: the first run finds nothing, and nothing is wrong", () => {
  const runs = new Runs();
  const { keys, fault } = runs.start();
  assertEquals(fault, undefined);
  assertEquals(keys.find(new Uint8Array(16)), undefined);
});

Deno.test("KeyShelf: the next run goes on with both keys, to the second", () => {
  const runs = new Runs();
  const first = runs.start();
  const older = current(first.keys);
  runs.pass(1800);
  const newer = current(first.keys);
  assertNotEquals(newer, older);
  first.keys.close();
  runs.pass(100);
  const second = runs.start(3600, () => false);
  assertEquals(second.fault, undefined);
  assertEquals(current(second.keys), newer);
  assertEquals([...second.keys.find(new Uint8Array(older.slice(0, 16)))!], older);
  // A half of the lifetime less a second to encrypt, and a half to decrypt.
  runs.pass(1599);
  assertEquals([...second.keys.find(new Uint8Array(older.slice(0, 16)))!], older);
  runs.pass(100);
  assertEquals(second.keys.find(new Uint8Array(older.slice(0, 16))), undefined);
  assertEquals(second.keys.current(), undefined, "its time is up, and no other can be made");
});

Deno.test("KeyShelf: a key is nowhere when nobody may use it any more", () => {
  const runs = new Runs();
  const { keys } = runs.start();
  const secrets = [current(keys)];
  runs.pass(1800);
  secrets.push(current(keys));
  const holds = (secret: number[]) => {
    const text = runs.kept.bytes.join();
    return text.includes(secret.slice(16, 48).join());
  };
  assertEquals(secrets.map(holds), [true, true]);
  runs.pass(1800);
  current(keys);
  assertEquals(secrets.map(holds), [false, true], "two are kept");
  keys.close();
  assertEquals(secrets.map(holds), [false, true], "an end leaves them to the next run");
  runs.pass(3600);
  runs.start().keys.close();
  assertEquals(secrets.map(holds), [false, false], "too old for the next run");
});

Deno.test("KeyShelf: without tickets nothing is kept, and what was kept is not used", () => {
  const runs = new Runs();
  const { keys } = runs.start();
  const secret = current(keys).slice(16, 48).join();
  keys.close();
  assert(runs.kept.bytes.join().includes(secret));
  const { keys: none } = runs.start(0);
  assertEquals(none.current(), undefined);
  assert(!runs.kept.bytes.join().includes(secret));
});

Deno.test("KeyShelf: a wall clock that is set in between makes no key live longer", () => {
  for (const jumpS of [-86_400, 86_400]) {
    const runs = new Runs();
    const { keys } = runs.start();
    const key = current(keys);
    keys.close();
    runs.nowS += jumpS;
    runs.pass(1700);
    const next = runs.start();
    assertEquals([...next.keys.find(new Uint8Array(key.slice(0, 16)))!], key);
    runs.pass(1900);
    assertEquals(next.keys.find(new Uint8Array(key.slice(0, 16))), undefined);
  }
});

Deno.test("KeyShelf: every byte of a record counts, and keys of a wrong one are not used", () => {
  const runs = new Runs();
  const { keys } = runs.start();
  const key = current(keys);
  keys.close();
  const good = runs.kept.bytes.slice();
  for (let at = 0; at < 216; at++) {
    runs.kept.bytes = good.slice();
    runs.kept.bytes[at] ^= 0x10;
    const { keys, fault } = runs.start(3600, countingRandom(7));
    assert(fault !== undefined, `byte ${at}`);
    assertNotEquals(current(keys), key);
    assertEquals(runs.start().fault, undefined, "the record is a good one again");
  }
  runs.kept.bytes = good.slice();
  runs.kept.bytes.fill(0, 0, 1);
  assertEquals(runs.start().fault, "it holds something else");
});

Deno.test("KeyShelf: impossible times are refused", () => {
  for (const seconds of [-60 * 86_400, 60 * 86_400]) {
    const runs = new Runs();
    const { keys } = runs.start();
    current(keys);
    keys.close();
    runs.kept.nowUs_ += BigInt(seconds) * 1_000_000n;
    assertEquals(runs.start().fault, "its times are impossible");
  }
});

Deno.test("KeyShelf: memory that fails is told, and keys are made all the same", () => {
  const runs = new Runs();
  runs.kept.isBroken = true;
  const { keys, fault } = runs.start();
  assertEquals(fault, "it cannot be read");
  const before = runs.unshelved;
  current(keys);
  assert(runs.unshelved > before);
});
