import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat, latin1, toLatin1 } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import type { ListScanner } from "../../../lib/attr/scan.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { receive, send, shutdownSend, socketPair } from "../../../lib/ffi/libc/socket.ts";
import {
  AttrChannel,
  type AttrChannelHandler,
  type AttrChannelOptions,
  type ChannelEnd,
} from "../../../lib/net/attr_channel.ts";
import { Reactor, READY } from "../../../lib/reactor/reactor.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { seededBytes, seededRandom } from "../../support/random.ts";

const OPTIONS: AttrChannelOptions = {
  limits: { bytesMax: 1000, attributesMax: 8 },
  listLimitMs: 5000,
};

/** A channel, its peer's descriptor, and everything that the channel told. */
class Bench implements AttrChannelHandler {
  readonly clock = new ManualClock();
  readonly reactor = new Reactor(this.clock);
  readonly channel: AttrChannel;
  readonly far: number;
  readonly lists: string[] = [];
  readonly behind: number[] = [];
  readonly partials: string[] = [];
  readonly ends: ChannelEnd[] = [];
  answer: (list: string) => "next" | "drop" = () => "next";
  onPartial: (text: string) => "keep" | "drop" = () => "keep";
  #farOpen = true;

  constructor(options: AttrChannelOptions = OPTIONS) {
    const ends = socketPair();
    assert(typeof ends !== "number");
    this.far = ends[1];
    this.channel = new AttrChannel(this.reactor, ends[0], this, options);
  }

  /** The attributes, as `name=value` with commas. */
  list(scanner: ListScanner, bytes: Bytes, start: number, behind: number): "next" | "drop" {
    const { offsets } = scanner;
    const attributes: string[] = [];
    for (let i = 0; i < scanner.count; i++) {
      const [name, value, end] = offsets.subarray(3 * i, 3 * i + 3);
      attributes.push(
        `${toLatin1(bytes, start + name, start + value - 1)}=` +
          toLatin1(bytes, start + value, start + end),
      );
    }
    this.lists.push(attributes.join());
    this.behind.push(behind);
    return this.answer(attributes.join());
  }

  partial(bytes: Bytes, start: number, end: number): "keep" | "drop" {
    this.partials.push(toLatin1(bytes, start, end));
    return this.onPartial(this.partials.at(-1)!);
  }

  ended(end: ChannelEnd): void {
    this.ends.push(end);
    this.channel.close();
  }

  /** The peer sends `text`, whose `|` stand for NUL. */
  give(text: string): void {
    const bytes = latin1(text.replaceAll("|", "\0"));
    assertEquals(send(this.far, bytes, bytes.length), bytes.length);
  }

  /** As {@linkcode give}, then one turn. */
  say(text: string): void {
    this.give(text);
    this.reactor.turn(0);
  }

  /** All that has arrived at the peer. */
  heard(): Bytes {
    const parts: Bytes[] = [];
    for (;;) {
      const bytes = new Uint8Array(65536);
      const count = receive(this.far, bytes, bytes.length);
      if (count <= 0) return concat(...parts);
      parts.push(bytes.slice(0, count));
    }
  }

  closeFar(): void {
    if (this.#farOpen) closeFile(this.far);
    this.#farOpen = false;
  }

  close(): void {
    this.channel.close();
    this.closeFar();
    assertEquals(this.reactor.watched, 0);
    this.reactor.close();
  }
}

function testChannel(
  name: string,
  run: (bench: Bench) => void,
  options: AttrChannelOptions = OPTIONS,
): void {
  testDescriptors(name, () => {
    const bench = new Bench(options);
    run(bench);
    bench.close();
  });
}

testChannel("AttrChannel hands a whole list on", (bench) => {
  bench.say("request|seed|size|32||");
  assertEquals(bench.lists, ["request=seed,size=32"]);
  assertEquals([bench.behind, bench.partials, bench.ends], [[0], [], []]);
  bench.say("|");
  assertEquals(bench.lists[1], "");
});

testChannel("AttrChannel puts a list together whose every byte comes alone", (bench) => {
  const text = "request|lookup|cache_id|x||";
  for (const letter of text) bench.say(letter);
  assertEquals(bench.lists, ["request=lookup,cache_id=x"]);
  assertEquals(
    bench.partials,
    Array.from(text, (_, i) => text.slice(0, i).replaceAll("|", "\0"))
      .slice(1),
  );
  for (const letter of "a|b||") bench.say(letter);
  assertEquals(bench.lists[1], "a=b");
});

testChannel("AttrChannel hands on several lists of one read, and keeps the rest", (bench) => {
  bench.say("a|1||b|2||c|");
  assertEquals(bench.lists, ["a=1", "b=2"]);
  assertEquals(bench.behind, [7, 2]);
  bench.say("3||d|4||e");
  assertEquals(bench.lists, ["a=1", "b=2", "c=3", "d=4"]);
  bench.say("|5||");
  assertEquals(bench.lists[4], "e=5");
});

testChannel("AttrChannel throws away what is behind a list when told so", (bench) => {
  bench.answer = () => "drop";
  bench.say("a|1||b|2||c|");
  assertEquals(bench.lists, ["a=1"]);
  bench.say("d|4||");
  assertEquals(bench.lists, ["a=1", "d=4"]);
  // The same when the list came in pieces.
  bench.say("e|");
  bench.say("5||f|6||g");
  bench.say("h|7||");
  assertEquals(bench.lists, ["a=1", "d=4", "e=5", "h=7"]);
});

testChannel("AttrChannel forgets the beginning of a list when told so", (bench) => {
  bench.onPartial = (text) => text === "W\0" ? "drop" : "keep";
  bench.say("W|");
  bench.say("a|1||");
  assertEquals(bench.lists, ["a=1"]);
  bench.say("W");
  bench.say("|");
  bench.say("b|2||W|");
  bench.say("c|3||");
  assertEquals(bench.lists, ["a=1", "b=2", "c=3"]);
  // Nothing has begun, so nothing is too slow.
  bench.clock.advance(60_000);
  bench.reactor.turn(0);
  assertEquals(bench.ends, []);
});

testChannel("AttrChannel takes any lists in any pieces", (bench) => {
  const random = seededRandom(11);
  const wanted: string[] = [];
  let stream = "";
  for (let i = 0; i < 400; i++) {
    const value = toLatin1(seededBytes(random, random(200))).replaceAll("\0", ".");
    wanted.push(`n${i}=${value}`);
    stream += `n${i}\0${value}\0\0`;
  }
  const bytes = latin1(stream);
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.slice(at, at + 1 + random(random(2) === 0 ? 5 : 3000));
    assertEquals(send(bench.far, piece, piece.length), piece.length);
    at += piece.length;
    bench.reactor.turn(0);
  }
  assertEquals(bench.lists, wanted);
});

testChannel("AttrChannel ends with a list of too many bytes", (bench) => {
  bench.say(`a|${"x".repeat(900)}`);
  assertEquals(bench.ends, []);
  bench.say("x".repeat(98));
  assertEquals(bench.ends, [{ kind: "too large", fault: "list too long" }]);
});

testChannel("AttrChannel ends with a list of too many attributes", (bench) => {
  bench.say("a||".repeat(8) + "|");
  assertEquals(bench.lists.length, 1);
  bench.say("a||".repeat(9));
  assertEquals(bench.ends, [{ kind: "too large", fault: "too many attributes" }]);
});

testChannel("AttrChannel measures each list from its own start", (bench) => {
  const text = `a|${"x".repeat(600)}||`;
  for (let i = 0; i < 10; i++) {
    bench.say(text.slice(0, 300));
    bench.say(text.slice(300) + text);
  }
  assertEquals([bench.lists.length, bench.ends], [20, []]);
});

testChannel("AttrChannel gives each list its own time", (bench) => {
  const { clock, reactor } = bench;
  bench.say("a|");
  clock.advance(4999);
  reactor.turn(0);
  assertEquals(bench.ends, []);
  bench.say("1||b|");
  clock.advance(4999);
  reactor.turn(0);
  assertEquals(bench.ends, []);
  clock.advance(1);
  reactor.turn(0);
  assertEquals(bench.ends, [{ kind: "too slow", limitMs: 5000, sending: false }]);
});

testChannel("AttrChannel does not prolong a list's time with each byte", (bench) => {
  for (const letter of "abcdef") {
    bench.say(letter);
    bench.clock.advance(1000);
  }
  bench.reactor.turn(0);
  assertEquals(bench.ends, [{ kind: "too slow", limitMs: 5000, sending: false }]);
});

testChannel("AttrChannel lets an idle peer be", (bench) => {
  bench.say("a|1||");
  bench.clock.advance(1_000_000);
  bench.reactor.turn(0);
  assertEquals(bench.ends, []);
});

testChannel("AttrChannel ends in order between two lists", (bench) => {
  bench.give("a|1||");
  shutdownSend(bench.far);
  bench.reactor.turn(0);
  bench.reactor.turn(0);
  assertEquals([bench.lists, bench.ends], [["a=1"], [{ kind: "closed" }]]);
});

for (
  const [text, pending] of [["a", "name"], ["a|", "value"], ["a|1", "value"], ["a|1|", "name"], [
    "x|y||a|",
    "value",
  ]] as const
) {
  testChannel(
    `AttrChannel says that ${JSON.stringify(text)} was cut off in a ${pending}`,
    (bench) => {
      bench.say(text);
      bench.closeFar();
      bench.reactor.turn(0);
      assertEquals(bench.ends, [{ kind: "cut off", pending }]);
    },
  );
}

testChannel("AttrChannel.send() sends at once and copies what it cannot", (bench) => {
  const bytes = latin1("status\x000\0\0");
  bench.channel.send(bytes);
  bytes.fill(0x78);
  assertEquals(bench.heard(), latin1("status\x000\0\0"));
});

testChannel(
  "AttrChannel loses nothing to a peer that does not read, and does not read itself",
  (bench) => {
    const random = seededRandom(3);
    const sent: Bytes[] = [];
    bench.answer = () => {
      const reply = seededBytes(random, 100_000);
      sent.push(reply.slice());
      bench.channel.send(reply);
      reply.fill(0);
      return "next";
    };
    for (let i = 0; i < 20; i++) bench.say("a|1||");
    const asked = bench.lists.length;
    assert(asked < 20, `${asked} requests were read although no answer was taken`);
    for (let i = 0; i < 5; i++) bench.reactor.turn(0);
    assertEquals(bench.lists.length, asked);
    // The peer reads at last: everything comes, in order, and the channel reads again.
    const parts: Bytes[] = [];
    for (let i = 0; i < 200; i++) {
      parts.push(bench.heard());
      bench.reactor.turn(0);
    }
    assertEquals(bench.lists.length, 20);
    assert(equalBytes(concat(...parts), concat(...sent)), "what was sent has arrived");
    assertEquals(bench.ends, []);
  },
);

testChannel("AttrChannel gives up a peer that does not take an answer in time", (bench) => {
  const { channel, clock, reactor } = bench;
  channel.send(new Uint8Array(100));
  assertEquals(channel.hasUnsent, false);
  channel.send(new Uint8Array(1_000_000));
  assertEquals(channel.hasUnsent, true);
  clock.advance(4999);
  bench.heard();
  reactor.turn(0);
  assertEquals([channel.hasUnsent, bench.ends], [true, []]);
  clock.advance(1);
  reactor.turn(0);
  assertEquals(bench.ends, [{ kind: "too slow", limitMs: 5000, sending: true }]);
});

testChannel("AttrChannel gives each answer that does not fit its own time", (bench) => {
  const { channel, clock, reactor } = bench;
  for (let round = 0; round < 3; round++) {
    channel.send(new Uint8Array(1_000_000));
    clock.advance(4000);
    for (let turn = 0; turn < 50; turn++) {
      bench.heard();
      reactor.turn(0);
    }
    assertEquals([channel.hasUnsent, bench.ends], [false, []]);
  }
  clock.advance(1_000_000);
  reactor.turn(0);
  assertEquals(bench.ends, []);
});

testChannel("AttrChannel answers no further list of a read while an answer is stuck", (bench) => {
  const reply = new Uint8Array(300_000).fill(0x41);
  bench.answer = () => {
    bench.channel.send(reply);
    return "next";
  };
  bench.say("a|1||".repeat(100) + "b|");
  assertEquals(bench.lists.length, 1, "one answer fills the socket");
  bench.give("2||");
  let heard = 0;
  for (let i = 0; i < 2000 && heard < 101 * reply.length; i++) {
    heard += bench.heard().length;
    bench.reactor.turn(0);
  }
  assertEquals(heard, 101 * reply.length);
  assertEquals(bench.lists, [...Array.from({ length: 100 }, () => "a=1"), "b=2"]);
});

testChannel("AttrChannel tells of a send that failed from the loop, once", (bench) => {
  bench.closeFar();
  bench.channel.send(latin1("a"));
  bench.channel.send(latin1("b"));
  assertEquals(bench.ends, [], "the caller is in the middle of something");
  bench.reactor.turn(0);
  assertEquals(bench.ends, [{ kind: "error", errno: ERRNO.EPIPE }]);
  assertEquals(bench.channel.open, false);
  bench.reactor.turn(0);
  assertEquals(bench.ends.length, 1);
});

testChannel("AttrChannel ends when the peer goes while an answer waits for it", (bench) => {
  bench.channel.send(new Uint8Array(3_000_000));
  bench.reactor.turn(0);
  assertEquals(bench.ends, []);
  bench.closeFar();
  bench.reactor.turn(0);
  assertEquals(bench.ends, [{ kind: "error", errno: ERRNO.EPIPE }]);
});

testChannel("AttrChannel.release() hands descriptor and registration on", (bench) => {
  const told: number[] = [];
  const registration = bench.channel.release({ ready: (events) => told.push(events) });
  const { fd } = registration;
  assertEquals([fd, bench.channel.open], [bench.channel.fd, false]);
  bench.say("a|1||");
  assertEquals([bench.lists, told], [[], [READY.read]]);
  const bytes = new Uint8Array(16);
  assertEquals(receive(fd, bytes, 16), 5);
  bench.channel.send(latin1("not sent"));
  bench.channel.close();
  assertEquals(send(fd, latin1("x"), 1), 1, "close() after release() leaves it open");
  assertEquals(bench.heard(), latin1("x"));
  registration.close();
  closeFile(fd);
});

testChannel("AttrChannel.release() stops waiting for room to send", (bench) => {
  bench.channel.send(new Uint8Array(3_000_000));
  assertEquals(bench.channel.hasUnsent, true);
  const registration = bench.channel.release({ ready: () => {} });
  assertEquals([registration.interest, bench.channel.hasUnsent], [READY.read, false]);
  registration.close();
  closeFile(registration.fd);
});

testChannel("AttrChannel may be closed by the handler of a list", (bench) => {
  bench.answer = () => {
    bench.channel.close();
    return "next";
  };
  bench.say("a|1||b|2||");
  assertEquals([bench.lists, bench.ends], [["a=1"], []]);
});

testChannel("AttrChannel may be closed by the handler of a partial list", (bench) => {
  bench.onPartial = () => {
    bench.channel.close();
    return "keep";
  };
  bench.say("a");
  bench.clock.advance(60_000);
  bench.reactor.turn(0);
  assertEquals(bench.ends, []);
});

testDescriptors("two channels do not mix what they share", () => {
  const one = new Bench();
  const two = new Bench();
  one.say("a|1");
  two.say("x|9||y");
  one.say("||b|");
  two.say("|8||");
  one.say("2||");
  assertEquals([one.lists, two.lists], [["a=1", "b=2"], ["x=9", "y=8"]]);
  one.close();
  two.close();
});

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
