import { assert, assertEquals } from "@std/assert";
import { Base64Value } from "../../../lib/attr/base64_value.ts";
import type { Bytes } from "../../../lib/base/bytes.ts";
import {
  type Generator,
  MIX_INTERVAL_MS,
  RandomPool,
  SAMPLE_AT,
  SAMPLE_BYTES,
} from "../../../lib/tlsmgr/random_pool.ts";
import { base64Value } from "./_setup.ts";

/** A generator that keeps what it is given, and gives the number of calls. */
class ListGenerator implements Generator {
  /** What was mixed in, in order; with a count or without. */
  readonly stirred: { counted: boolean; bytes: Bytes }[] = [];
  works = true;
  fills = 0;
  /** Where the last of it stood. */
  room: Bytes = new Uint8Array();

  fill(bytes: Bytes): boolean {
    bytes.fill(++this.fills);
    return this.works;
  }

  stir(bytes: Bytes): void {
    this.stirred.push({ counted: true, bytes: bytes.slice() });
  }

  stirUncounted(bytes: Bytes): void {
    this.stirred.push({ counted: false, bytes: bytes.slice() });
    this.room = bytes;
  }
}

class Rig {
  readonly clock = { nowMs: 1000, unix: 1_700_000_000, unixSeconds: () => this.clock.unix };
  readonly generator = new ListGenerator();
  readonly pool = new RandomPool(this.clock, this.generator);

  /** The numbers that were mixed in last, read as the times of requests. */
  get times(): number[] {
    const { bytes } = this.generator.stirred.at(-1)!;
    return [...new Float64Array(bytes.buffer)];
  }
}

Deno.test("RandomPool.fill() gives what the generator gives", () => {
  const { pool } = new Rig();
  const bytes = new Uint8Array(4);
  assertEquals([pool.fill(bytes), bytes], [true, new Uint8Array([1, 1, 1, 1])]);
});

Deno.test("RandomPool.fill() leaves zeros when the generator fails", () => {
  const { pool, generator } = new Rig();
  generator.works = false;
  const bytes = new Uint8Array(4).fill(7);
  assertEquals([pool.fill(bytes), bytes], [false, new Uint8Array(4)]);
});

Deno.test("RandomPool.stir() mixes in what a source gave, and overwrites it", () => {
  const { pool, generator } = new Rig();
  const bytes = Uint8Array.of(1, 2, 3);
  pool.stir(bytes);
  assertEquals(generator.stirred, [{ counted: true, bytes: Uint8Array.of(1, 2, 3) }]);
  assertEquals(bytes, new Uint8Array(3));
  pool.stir(new Uint8Array());
  assertEquals(generator.stirred.length, 1);
});

Deno.test("RandomPool.stirIdentity() mixes in the process id and both clocks", () => {
  const rig = new Rig();
  rig.pool.stirIdentity(4711);
  assertEquals(rig.times, [4711, 1_700_000_000, 1000]);
});

Deno.test("RandomPool mixes the time of each request in before something is drawn", () => {
  const rig = new Rig();
  rig.pool.noteRequest();
  rig.clock.nowMs = 1000.25;
  rig.pool.noteRequest();
  assertEquals(rig.generator.stirred, []);
  rig.pool.fill(new Uint8Array(1));
  assertEquals(rig.times, [1_700_000_000, 1000, 1000.25]);
  assertEquals(rig.generator.stirred[0].counted, false);
  rig.clock.nowMs += MIX_INTERVAL_MS;
  rig.pool.fill(new Uint8Array(1));
  assertEquals(rig.generator.stirred.length, 1);
});

Deno.test("RandomPool mixes at most once in a while for draws, and forgets nothing meanwhile", () => {
  const rig = new Rig();
  for (let i = 0; i < 3; i++) {
    rig.clock.nowMs += MIX_INTERVAL_MS / 4;
    rig.pool.noteRequest();
    rig.pool.fill(new Uint8Array(1));
  }
  assertEquals(rig.generator.stirred.length, 1);
  rig.clock.nowMs += MIX_INTERVAL_MS;
  rig.pool.fill(new Uint8Array(1));
  assertEquals(rig.times.length, 1 + 2);
});

Deno.test("RandomPool mixes when the room for times is full, though nothing is drawn", () => {
  const rig = new Rig();
  const seen: number[] = [];
  for (let i = 0; i < 1000; i++) {
    rig.clock.nowMs++;
    const before = rig.generator.stirred.length;
    rig.pool.noteRequest();
    if (rig.generator.stirred.length > before) seen.push(...rig.times.slice(1));
  }
  assertEquals(seen, Array.from({ length: seen.length }, (_, i) => 1001 + i));
  assert(seen.length > 900);
});

Deno.test("RandomPool mixes of each stored session the piece in that has the secret", () => {
  const rig = new Rig();
  rig.pool.noteSession(base64Value("abcd"));
  rig.pool.noteSession(base64Value("x".repeat(SAMPLE_AT) + "S".repeat(SAMPLE_BYTES) + "zzzz"));
  // Too short for the place: its end is taken.
  rig.pool.noteSession(base64Value("y".repeat(20) + "T".repeat(SAMPLE_BYTES)));
  rig.pool.fill(new Uint8Array(1));
  const text = String.fromCharCode(...rig.generator.stirred[0].bytes);
  assert(text.includes("abcd"));
  for (const letter of ["S", "T"]) assert(text.includes(letter.repeat(SAMPLE_BYTES)), letter);
  for (const letter of ["x", "y", "z"]) assert(!text.includes(letter), letter);
  // It is not kept here.
  assert(rig.generator.room.length > 0 && rig.generator.room.every((byte) => byte === 0));
});

Deno.test("RandomPool's piece of a real session holds its secret", () => {
  // The beginning of a TLS 1.3 session as OpenSSL 3.0 writes it: id 1, 2, 3 and so on, secret 0xee.
  const der = [
    ...[0x30, 0x82, 0x04, 0x00, 0x02, 0x01, 0x01, 0x02, 0x02, 0x03, 0x04, 0x04, 0x02, 0x13, 0x02],
    ...[0x04, 0x20, ...Array.from({ length: 32 }, (_, index) => index + 1)],
    ...[0x04, 0x30, ...new Array<number>(48).fill(0xee)],
    ...new Array<number>(900).fill(0),
  ];
  const rig = new Rig();
  const session = new Base64Value();
  session.set(Uint8Array.from(der));
  rig.pool.noteSession(session);
  rig.pool.fill(new Uint8Array(1));
  const text = String.fromCharCode(...rig.generator.stirred[0].bytes).replaceAll("\0", "");
  const secret = btoa("\xee".repeat(42));
  assert(text.includes(secret), text);
});

Deno.test("RandomPool mixes when the room for sessions is full, and loses none", () => {
  const rig = new Rig();
  for (let i = 0; i < 200; i++) rig.pool.noteSession(base64Value(`s${i}s`));
  assert(rig.generator.stirred.length > 1);
  rig.pool.fill(new Uint8Array(1));
  rig.clock.nowMs += MIX_INTERVAL_MS;
  rig.pool.fill(new Uint8Array(1));
  const text = rig.generator.stirred.map(({ bytes }) => String.fromCharCode(...bytes)).join("");
  for (let i = 0; i < 200; i++) assert(text.includes(`s${i}s`), `session ${i}`);
});

Deno.test("RandomPool: two processes with equal state and equal bytes do not stay equal", () => {
  const pools = [new Rig(), new Rig()];
  pools.forEach(({ pool }, index) => {
    pool.stirIdentity(100 + index);
    pool.stir(Uint8Array.of(1, 2, 3));
  });
  const [a, b] = pools.map(({ generator }) => JSON.stringify(generator.stirred));
  assert(a !== b);
});
