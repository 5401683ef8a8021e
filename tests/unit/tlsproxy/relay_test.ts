import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat, latin1 } from "../../../lib/base/bytes.ts";
import { receive, send, shutdownSend } from "../../../lib/ffi/libc/socket.ts";
import { closeDescriptor, socketPair } from "../../../lib/net/stream.ts";
import { READY } from "../../../lib/reactor/reactor.ts";
import { ENGINE } from "../../../lib/tls/engine.ts";
import { CHUNK_BYTES, Relay, type RelayEngine } from "../../../lib/tlsproxy/relay.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { seededBytes, seededRandom } from "../../support/random.ts";

/** Both sides were reported readable. */
const ALL = { plain: true, net: true };

/** A remote peer behind TLS: records in, records out, and the habits of OpenSSL that matter. */
class FakeEngine implements RelayEngine {
  readonly inbound: Bytes[] = [];
  readonly outbound: Bytes[] = [];
  /** Bytes that the socket takes before it wants to wait. */
  room = Infinity;
  /** Bytes that can be gathered. */
  gatherRoom = 0;
  gathered: Bytes[] = [];
  gathering = false;
  /** How often records that had been gathered left, or could have. */
  flushes = 0;
  bulkExpected = 0;
  /** What read() answers when nothing is there. */
  atEnd: number = ENGINE.wantRead;
  /** What write() answers instead of taking anything. */
  writeFails = false;
  /** What flush() answers. */
  flushFails = false;
  errors: readonly string[] = [];
  shutdowns = 0;
  /** How often read() was called. */
  reads = 0;
  #failed = false;
  #pending = 0;

  read(into: Bytes): number {
    this.reads++;
    assert(!this.#failed, "a failed engine is not used");
    const record = this.inbound.shift();
    if (record === undefined) {
      if (this.atEnd === ENGINE.failed) this.#fail("bad record");
      return this.atEnd;
    }
    assert(record.length <= 16384 && into.length >= 16384);
    into.set(record);
    return record.length;
  }

  write(from: Bytes, count: number): number {
    assert(!this.#failed, "a failed engine is not used");
    assert(count > 0 && count <= from.length);
    assert(count >= this.#pending, "OpenSSL: bad write retry");
    if (this.writeFails) {
      this.#fail("Broken pipe");
      return ENGINE.failed;
    }
    if (this.gathering && this.gatherRoom > 0) {
      const kept = Math.min(count, 16384, this.gatherRoom);
      this.gatherRoom -= kept;
      this.gathered.push(from.slice(0, kept));
      return kept;
    }
    // What was gathered before goes first.
    if (this.flushGathered() < 0) {
      this.#pending = count;
      return ENGINE.wantWrite;
    }
    const taken = Math.min(count, 16384, this.room);
    if (taken === 0) {
      this.#pending = count;
      return ENGINE.wantWrite;
    }
    this.#pending = 0;
    this.room -= taken;
    this.outbound.push(from.slice(0, taken));
    return taken;
  }

  gather(): void {
    assert(!this.#failed, "a failed engine is not used");
    this.gathering = true;
  }

  flush(): number {
    assert(!this.#failed, "a failed engine is not used");
    this.flushes++;
    if (this.flushFails) {
      this.#fail("Broken pipe");
      return ENGINE.failed;
    }
    const result = this.flushGathered();
    if (result > 0) this.gathering = false;
    return result;
  }

  flushGathered(): number {
    const all = concat(...this.gathered);
    const sent = Math.min(all.length, this.room);
    this.room -= sent;
    this.gatherRoom += sent;
    if (sent > 0) this.outbound.push(all.slice(0, sent));
    this.gathered = sent < all.length ? [all.slice(sent)] : [];
    return sent < all.length ? ENGINE.wantWrite : 1;
  }

  expectBulk(): void {
    this.bulkExpected++;
  }

  hasPending(): boolean {
    return this.inbound.length > 0 || this.atEnd !== ENGINE.wantRead;
  }

  shutdown(): void {
    assert(!this.#failed, "a failed engine is not used");
    this.shutdowns++;
  }

  #fail(words: string): void {
    this.#failed = true;
    this.errors = [words];
  }
}

/** A relay between a fake engine and a socket. */
class Bench {
  readonly engine = new FakeEngine();
  readonly relay: Relay;
  readonly near: number;
  readonly far: number;
  #farOpen = true;

  constructor() {
    const ends = socketPair();
    assert(typeof ends !== "number");
    [this.near, this.far] = ends;
    this.relay = new Relay(this.engine, this.near);
  }

  /** The local client sends as much of `bytes` as goes. */
  give(bytes: Bytes): number {
    return Math.max(send(this.far, bytes, bytes.length), 0);
  }

  /** What has arrived at the local client; at most `limit` bytes. */
  heard(limit = Infinity): Bytes {
    const parts: Bytes[] = [];
    let left = limit;
    while (left > 0) {
      const bytes = new Uint8Array(Math.min(65536, left));
      const count = receive(this.far, bytes, bytes.length);
      if (count <= 0) break;
      parts.push(bytes.slice(0, count));
      left -= count;
    }
    return concat(...parts);
  }

  closeFar(): void {
    if (this.#farOpen) closeDescriptor(this.far);
    this.#farOpen = false;
  }

  close(): void {
    this.closeFar();
    closeDescriptor(this.near);
  }
}

function testRelay(name: string, run: (bench: Bench) => void): void {
  testDescriptors(name, () => {
    const bench = new Bench();
    run(bench);
    bench.close();
  });
}

function assertSameBytes(found: Bytes, wanted: Bytes): void {
  assertEquals(found.length, wanted.length);
  assert(found.every((byte, i) => byte === wanted[i]), "the bytes are the same");
}

const BOTH = { net: READY.read, plain: READY.read };

testRelay(
  "Relay moves bytes both ways in one step, and waits for both sides",
  ({ engine, relay, ...bench }) => {
    const { far } = bench;
    send(far, latin1("from client"), 11);
    engine.inbound.push(latin1("from "), latin1("remote"));
    assertEquals(relay.step(ALL), "waiting");
    assertEquals(concat(...engine.outbound), latin1("from client"));
    const bytes = new Uint8Array(100);
    assertEquals(receive(far, bytes, 100), 11);
    assertEquals(bytes.slice(0, 11), latin1("from remote"));
    assertEquals({ ...relay.wants }, BOTH);
    assertEquals([relay.toNetBytes, relay.toPlainBytes], [undefined, undefined]);
  },
);

testRelay("Relay keeps what TLS does not take, and stops reading the client", (bench) => {
  const { engine, relay } = bench;
  const bytes = seededBytes(seededRandom(1), 150_000);
  assertEquals(bench.give(bytes), bytes.length);
  engine.room = 20_000;
  assertEquals(relay.step(ALL), "waiting");
  assertEquals(relay.wants, { net: READY.read | READY.write, plain: READY.none });
  assertEquals(relay.toNetBytes?.length, CHUNK_BYTES - 20_000);
  relay.step(ALL);
  assertEquals(relay.toNetBytes?.length, CHUNK_BYTES - 20_000);
  engine.room = Infinity;
  while (relay.step(ALL) === "more");
  assertSameBytes(concat(...engine.outbound), bytes);
  assertEquals(relay.wants, BOTH);
});

testRelay("Relay gathers what is more than a record, and lets it leave in one piece", (bench) => {
  const { engine, relay } = bench;
  engine.gatherRoom = 70_000;
  const bytes = seededBytes(seededRandom(6), 60_000);
  bench.give(bytes);
  assertEquals(relay.step(ALL), "waiting");
  assertEquals(engine.outbound.map(({ length }) => length), [60_000]);
  assertSameBytes(engine.outbound[0], bytes);
  assertEquals([engine.flushes, engine.gathering, relay.bytesToNet], [1, false, 60_000]);
  // A single record is not worth it.
  bench.give(bytes.slice(0, 16384));
  relay.step(ALL);
  assertEquals([engine.flushes, engine.outbound.length], [1, 2]);
});

testRelay(
  "gathered records that the socket does not take stop the reading of the client",
  (bench) => {
    const { engine, relay } = bench;
    engine.gatherRoom = 70_000;
    const bytes = seededBytes(seededRandom(7), 150_000);
    assertEquals(bench.give(bytes), bytes.length);
    shutdownSend(bench.far);
    engine.room = 20_000;
    assertEquals(relay.step(ALL), "waiting");
    assertEquals(relay.wants, { net: READY.read | READY.write, plain: READY.none });
    assertEquals([relay.toNet, relay.toNetBytes], [true, undefined]);
    relay.step(ALL);
    assertEquals(concat(...engine.outbound), bytes.slice(0, 20_000));
    engine.room = Infinity;
    let state = relay.step(ALL);
    while (state !== "ended") state = relay.step(ALL);
    assertSameBytes(concat(...engine.outbound), bytes);
    assertEquals(engine.shutdowns, 1);
  },
);

testRelay("a fault while gathered records leave ends the relay", (bench) => {
  const { engine, relay } = bench;
  engine.gatherRoom = 70_000;
  engine.flushFails = true;
  bench.give(new Uint8Array(40_000));
  assertEquals(relay.step(ALL), "ended");
  assertEquals([engine.errors, engine.shutdowns], [["Broken pipe"], 0]);
});

testRelay("a fault while records are gathered leaves the engine alone", (bench) => {
  const { engine, relay } = bench;
  engine.writeFails = true;
  bench.give(new Uint8Array(40_000));
  assertEquals(relay.step(ALL), "ended");
  assertEquals([engine.errors, engine.flushes, engine.shutdowns], [["Broken pipe"], 0, 0]);
});

testRelay("after the end of the remote side nothing gathered is waited for", (bench) => {
  const { engine, relay } = bench;
  engine.gatherRoom = 70_000;
  engine.room = 0;
  bench.give(new Uint8Array(40_000));
  // More than the local client's socket takes, so that the relay outlives the end.
  for (let i = 0; i < 100; i++) engine.inbound.push(new Uint8Array(16384));
  while (!relay.toPlain) assert(relay.step(ALL) !== "ended");
  assert(relay.toNet);
  engine.atEnd = ENGINE.closed;
  while (!relay.netEnded) {
    bench.heard();
    relay.step(ALL);
  }
  assertEquals(relay.toNet, false);
});

testRelay("records that came together are delivered together, and tell of bulk", (bench) => {
  const { engine, relay } = bench;
  const records = [16384, 3, 16384, 4096].map((size, i) => seededBytes(seededRandom(i), size));
  engine.inbound.push(records[0], records[1]);
  relay.step(ALL);
  assertEquals(engine.bulkExpected, 0);
  engine.inbound.push(...records.slice(2), latin1("x"));
  relay.step(ALL);
  assertEquals(engine.bulkExpected, 1);
  assertSameBytes(bench.heard(), concat(...records, latin1("x")));
});

testRelay("Relay keeps what the client does not take, and stops reading TLS", (bench) => {
  const { engine, relay } = bench;
  const random = seededRandom(2);
  const records = Array.from({ length: 100 }, () => seededBytes(random, 16384));
  engine.inbound.push(...records);
  while (relay.step(ALL) === "more");
  const left = engine.inbound.length;
  assert(left > 0, "the socket of the client is full");
  assertEquals(relay.wants, { net: READY.none, plain: READY.read | READY.write });
  relay.step(ALL);
  assertEquals(engine.inbound.length, left);
  const parts: Bytes[] = [];
  for (let i = 0; i < 1000 && engine.inbound.length + Number(relay.toPlain) > 0; i++) {
    parts.push(bench.heard());
    relay.step(ALL);
  }
  parts.push(bench.heard());
  assertSameBytes(concat(...parts), concat(...records));
  assertEquals(relay.wants, BOTH);
});

testRelay("one step moves a bounded amount and asks to come back", (bench) => {
  const { engine, relay } = bench;
  for (let i = 0; i < 100; i++) engine.inbound.push(latin1(String.fromCharCode(i)));
  assertEquals(relay.step(ALL), "more");
  assertEquals(engine.inbound.length, 36);
  assertEquals(relay.step(ALL), "waiting");
  assertEquals(bench.heard(), Uint8Array.from({ length: 100 }, (_, i) => i));
  for (let i = 0; i < 20; i++) engine.inbound.push(new Uint8Array(16384));
  // A client that reads all there is, so that only the bound can end the step.
  const before = engine.inbound.length;
  relay.step(ALL);
  assert(before - engine.inbound.length <= 16, "256 kB at most");
});

testRelay("the end of the client sends what is left, then close_notify", (bench) => {
  const { engine, relay } = bench;
  bench.give(latin1("221 Bye"));
  shutdownSend(bench.far);
  // The first read takes the words, the second finds the end.
  const states = [relay.step(ALL)];
  if (states[0] !== "ended") states.push(relay.step(ALL));
  assertEquals(states.at(-1), "ended");
  assertEquals(concat(...engine.outbound), latin1("221 Bye"));
  assertEquals([engine.shutdowns, relay.plainFault], [1, ""]);
});

testRelay("the end of the client waits until TLS has taken everything", (bench) => {
  const { engine, relay } = bench;
  const bytes = seededBytes(seededRandom(3), 100_000);
  bench.give(bytes);
  shutdownSend(bench.far);
  engine.room = 1000;
  for (let i = 0; i < 5; i++) assertEquals(relay.step(ALL), "waiting");
  assertEquals(engine.shutdowns, 0);
  engine.room = Infinity;
  let state = relay.step(ALL);
  while (state !== "ended") state = relay.step(ALL);
  assertSameBytes(concat(...engine.outbound), bytes);
  assertEquals(engine.shutdowns, 1);
});

testRelay(
  "the end of the remote side delivers what it has sent, and sends nothing back",
  (bench) => {
    const { engine, relay } = bench;
    engine.inbound.push(latin1("QUIT"));
    engine.atEnd = ENGINE.closed;
    assertEquals(relay.step(ALL), "ended");
    assertEquals(bench.heard(), latin1("QUIT"));
    assertEquals([engine.shutdowns, relay.plainFault], [0, ""]);
  },
);

for (const end of [ENGINE.closed, ENGINE.failed]) {
  const word = end === ENGINE.closed ? "the end" : "a fault";
  testRelay(`after ${word} of the remote side its last bytes reach a slow client`, (bench) => {
    const { engine, relay } = bench;
    const random = seededRandom(4);
    const parts: Bytes[] = [];
    // Fills the client's socket to the brim, so that a record is kept.
    const sent: Bytes[] = [];
    while (!relay.toPlain) {
      const record = seededBytes(random, 16384);
      sent.push(record);
      engine.inbound.push(record);
      relay.step(ALL);
    }
    while (relay.toPlain) {
      parts.push(bench.heard(1000));
      engine.atEnd = end;
      if (!relay.netEnded && relay.step(ALL) === "ended") break;
      if (!relay.netEnded) continue;
      // The client sends meanwhile; nobody takes that any more.
      bench.give(latin1("too late"));
      engine.writeFails = true;
      assertEquals(relay.wants.plain & READY.read, 0);
      if (relay.step(ALL) === "ended") break;
    }
    parts.push(bench.heard());
    assertSameBytes(concat(...parts), concat(...sent));
    assertEquals(engine.shutdowns, 0);
    assertEquals(relay.plainFault, "");
  });
}

testRelay("a fault of the remote side comes after the bytes before it", (bench) => {
  const { engine, relay } = bench;
  engine.inbound.push(latin1("good"));
  engine.atEnd = ENGINE.failed;
  bench.give(latin1("answer"));
  assertEquals(relay.step(ALL), "ended");
  assertEquals(bench.heard(), latin1("good"));
  assertEquals([relay.plainFault, engine.errors], ["", ["bad record"]]);
});

testRelay(
  "a remote side that fails in the step in which the client ends is not spoken to",
  (bench) => {
    const { engine, relay } = bench;
    shutdownSend(bench.far);
    engine.atEnd = ENGINE.failed;
    assertEquals(relay.step(ALL), "ended");
    assertEquals([engine.errors, engine.shutdowns], [["bad record"], 0]);
  },
);

testRelay("a fault while sending to the remote side ends the relay", (bench) => {
  const { engine, relay } = bench;
  engine.writeFails = true;
  bench.give(latin1("x"));
  assertEquals(relay.step(ALL), "ended");
  assertEquals([engine.errors, engine.shutdowns], [["Broken pipe"], 0]);
});

testRelay(
  "a client that has gone ends the relay with close_notify and without an error",
  (bench) => {
    const { engine, relay } = bench;
    relay.step(ALL);
    bench.closeFar();
    engine.inbound.push(latin1("x"));
    assertEquals(relay.step(ALL), "ended");
    assertEquals([relay.plainFault, engine.shutdowns], ["", 1]);
  },
);

testRelay("the last words of a client that has gone go out although it takes none", (bench) => {
  const { engine, relay } = bench;
  const words = seededBytes(seededRandom(5), 150_000);
  assertEquals(bench.give(words), words.length);
  bench.closeFar();
  // TLS is slow, and the remote side keeps sending.
  engine.room = 10_000;
  for (let i = 0; i < 10; i++) engine.inbound.push(new Uint8Array(16384));
  let state = relay.step(ALL);
  for (let i = 0; i < 100 && state !== "ended"; i++) {
    engine.room += 10_000;
    state = relay.step(ALL);
  }
  assertEquals(state, "ended");
  assertSameBytes(concat(...engine.outbound), words);
  assertEquals([relay.plainFault, engine.shutdowns], ["", 1]);
});

testRelay("a client that went without reading everything is no error", (bench) => {
  const { engine, relay } = bench;
  engine.inbound.push(latin1("unread"));
  relay.step(ALL);
  bench.give(latin1("bye"));
  bench.closeFar();
  let state = relay.step(ALL);
  for (let i = 0; i < 5 && state !== "ended"; i++) state = relay.step(ALL);
  assertEquals(state, "ended");
  assertEquals(concat(...engine.outbound), latin1("bye"));
  assertEquals([relay.plainFault, engine.shutdowns], ["", 1]);
});

testRelay("a read of TLS that has something to send waits for room", (bench) => {
  const { engine, relay } = bench;
  engine.atEnd = ENGINE.wantWrite;
  assertEquals(relay.step(ALL), "waiting");
  assertEquals(relay.wants, { net: READY.read | READY.write, plain: READY.read });
  engine.atEnd = ENGINE.wantRead;
  assertEquals(relay.step(ALL), "waiting");
  assertEquals(relay.wants, BOTH);
});

for (let seed = 1; seed <= 20; seed++) {
  testRelay(`no byte is lost or out of order, whatever the pieces (seed ${seed})`, (bench) => {
    const { engine, relay } = bench;
    const random = seededRandom(seed);
    const up = seededBytes(random, 500_000);
    const down = seededBytes(random, 500_000);
    const heard: Bytes[] = [];
    let given = 0;
    let offered = 0;
    let arrived = 0;
    engine.room = 0;
    // Less and more than what one step reads, and none.
    engine.gatherRoom = random(3) * 40_000;
    let steps = 0;
    while (given < up.length || offered < down.length || arrived < down.length || relay.toNet) {
      assert(++steps < 100_000, `stuck at ${given}, ${offered}, ${arrived}`);
      switch (random(6)) {
        case 0:
          given += bench.give(up.slice(given, given + 1 + random(90_000)));
          break;
        case 1: {
          const size = 1 + random(16384);
          if (offered < down.length) engine.inbound.push(down.slice(offered, offered + size));
          offered = Math.min(offered + size, down.length);
          break;
        }
        case 2:
          engine.room = random(3) === 0 ? 0 : random(50_000);
          break;
        case 3: {
          const piece = bench.heard(1 + random(60_000));
          arrived += piece.length;
          heard.push(piece);
          break;
        }
        default:
          assert(relay.step(ALL) !== "ended");
          assert((relay.toNetBytes?.length ?? 0) <= CHUNK_BYTES);
          assert((relay.toPlainBytes?.length ?? 0) <= CHUNK_BYTES);
      }
    }
    engine.room = Infinity;
    while (relay.step(ALL) === "more");
    assertSameBytes(concat(...engine.outbound), up);
    assertSameBytes(concat(...heard), down);
  });
}

testRelay(
  "a side is read when it was reported readable, and not to see whether there is something",
  (bench) => {
    const { engine, relay } = bench;
    const reported = (plain: boolean, net: boolean) => relay.step({ plain, net });
    // The first step empties both sides.
    reported(true, true);
    assertEquals(engine.reads, 1);
    bench.give(latin1("from the local client"));
    engine.inbound.push(latin1("from the peer"));
    assertEquals(reported(false, false), "waiting");
    assertEquals([engine.reads, engine.outbound.length, bench.heard().length], [1, 0, 0]);
    reported(true, false);
    assertEquals([engine.reads, engine.outbound.length], [1, 1]);
    // A record that is not full, with nothing behind it, is the last for the moment.
    reported(false, true);
    assertEquals([engine.reads, bench.heard()], [2, latin1("from the peer")]);
    // Two records that came together are both taken.
    engine.inbound.push(latin1("one, "), latin1("two"));
    reported(false, true);
    assertEquals([engine.reads, bench.heard()], [4, latin1("one, two")]);
  },
);

testRelay("what OpenSSL holds is read on when the local client takes bytes again", (bench) => {
  const { engine, relay } = bench;
  const record = new Uint8Array(16384).fill(7);
  for (let i = 0; i < 100; i++) engine.inbound.push(record);
  let state = relay.step(ALL);
  while (state === "more") state = relay.step({ plain: false, net: false });
  assert(relay.toPlain, "the socket is full");
  const left = engine.inbound.length;
  assert(left > 0);
  let taken = 0;
  // Only the plaintext side is reported from here on, and only as writable.
  while (taken < 100 * record.length) {
    taken += bench.heard(record.length).length;
    relay.step({ plain: false, net: false });
  }
  assertEquals(engine.inbound.length, 0);
});
