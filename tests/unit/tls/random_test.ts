import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import {
  fillRandom,
  isRandomSeeded,
  stirRandom,
  stirRandomUncounted,
} from "../../../lib/tls/random.ts";

function draw(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  assertEquals(fillRandom(bytes), true);
  return bytes;
}

Deno.test("fillRandom() fills all of its bytes, differently each time", () => {
  assertNotEquals(draw(32), draw(32));
  const large = draw(100_000);
  assert(large.subarray(-100).some((byte) => byte !== 0));
  assertEquals(new Set(large).size, 256);
  assertEquals(fillRandom(new Uint8Array(0)), true);
});

Deno.test("stirRandom() and stirRandomUncounted() never make the generator repeat itself", () => {
  // What is mixed in is the same each time, and known; what is drawn is not.
  const drawn = new Set<string>();
  for (const stir of [stirRandom, stirRandomUncounted]) {
    for (let i = 0; i < 10; i++) {
      stir(new Uint8Array(1024));
      drawn.add(draw(16).join());
    }
    stir(new Uint8Array(0));
  }
  assertEquals(drawn.size, 20);
  assertEquals(drainErrors(), []);
});

Deno.test("isRandomSeeded() says that the kernel's seed has arrived", () => {
  assertEquals(isRandomSeeded(), true);
});
