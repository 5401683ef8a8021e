import { assert, assertEquals } from "@std/assert";
import { ManualClock } from "../../../lib/base/clock.ts";
import { ERRNO } from "../../../lib/ffi/errno.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { receive, send } from "../../../lib/ffi/libc/socket.ts";
import { type AcceptHandler, AcceptLoop } from "../../../lib/net/accept_loop.ts";
import { connectUnix } from "../../../lib/net/stream.ts";
import { UnixListener } from "../../../lib/net/unix_listener.ts";
import { Reactor } from "../../../lib/reactor/reactor.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { withoutDescriptors } from "./_file_limit.ts";

/** A listening socket, a loop on it, and what it was told. */
class Bench implements AcceptHandler {
  readonly clock = new ManualClock();
  readonly reactor = new Reactor(this.clock);
  readonly path: string;
  readonly listener: UnixListener;
  readonly loop: AcceptLoop;
  readonly served: number[] = [];
  readonly clients: number[] = [];
  readonly failures: number[] = [];
  onAccepted = () => {};
  onFailed = () => {};

  constructor(folder: TempFolder) {
    this.path = folder.file("s");
    this.listener = UnixListener.open(this.path, { mode: 0o600, backlog: 200 });
    this.loop = new AcceptLoop(this.reactor, this.listener.fd, this);
  }

  connect(count = 1): void {
    for (let i = 0; i < count; i++) {
      const fd = connectUnix(this.path);
      assert(fd >= 0);
      this.clients.push(fd);
    }
  }

  accepted(fd: number): void {
    this.served.push(fd);
    this.onAccepted();
  }

  acceptFailed(errno: number): void {
    this.failures.push(errno);
    this.onFailed();
  }

  close(): void {
    this.loop.stop();
    for (const fd of [...this.served, ...this.clients]) closeFile(fd);
    this.listener.close();
    assertEquals(this.reactor.watched, 0);
    this.reactor.close();
  }
}

function testLoop(name: string, run: (bench: Bench) => void): void {
  testDescriptors(name, async () => {
    await using folder = await TempFolder.make("accept");
    const bench = new Bench(folder);
    run(bench);
    bench.close();
  });
}

testLoop("AcceptLoop hands on every connection that waits", (bench) => {
  bench.loop.start();
  bench.connect(3);
  for (let i = 0; i < 3; i++) bench.reactor.turn(0);
  assertEquals(bench.served.length, 3);
  send(bench.clients[1], Uint8Array.of(7), 1);
  const byte = new Uint8Array(1);
  assertEquals(receive(bench.served[1], byte, 1), 1);
  assertEquals(byte[0], 7);
});

testLoop(
  "AcceptLoop takes twice as many in each of several turns in a row, 64 at most",
  (bench) => {
    bench.loop.start();
    bench.connect(195);
    const taken: number[] = [];
    for (let i = 0; i < 9; i++) {
      const before = bench.served.length;
      bench.reactor.turn(0);
      taken.push(bench.served.length - before);
    }
    assertEquals(taken, [1, 2, 4, 8, 16, 32, 64, 64, 4]);
  },
);

testLoop("AcceptLoop begins with one again after a turn without connections", (bench) => {
  bench.loop.start();
  bench.connect(3);
  for (let i = 0; i < 3; i++) bench.reactor.turn(0);
  bench.connect(2);
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 4);
});

testLoop("AcceptLoop accepts nothing before start() and after stop()", (bench) => {
  bench.connect();
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 0);
  bench.loop.start();
  bench.loop.start();
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 1);
  bench.loop.stop();
  bench.loop.stop();
  bench.connect();
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 1);
});

testLoop("AcceptLoop stops at once when the handler of a connection stops it", (bench) => {
  bench.loop.start();
  bench.connect(3);
  bench.onAccepted = () => bench.loop.stop();
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 1);
});

testLoop(
  "AcceptLoop pauses while descriptors are used up, tells it once, and recovers",
  (bench) => {
    const { clock, reactor } = bench;
    bench.loop.start();
    bench.connect(2);
    withoutDescriptors(() => reactor.turn(0));
    assertEquals(bench.failures, [ERRNO.EMFILE]);
    // It does not look at the descriptor that stays readable.
    assertEquals(reactor.watched, 0);
    clock.advance(249);
    reactor.turn(0);
    assertEquals([reactor.watched, bench.served.length], [0, 0]);
    clock.advance(1);
    withoutDescriptors(() => {
      reactor.turn(0);
      reactor.turn(0);
    });
    assertEquals(bench.failures.length, 1, "the same trouble is told once");
    clock.advance(250);
    for (let i = 0; i < 3; i++) reactor.turn(0);
    assertEquals(bench.served.length, 2);
    bench.connect();
    withoutDescriptors(() => reactor.turn(0));
    assertEquals(bench.failures, [ERRNO.EMFILE, ERRNO.EMFILE], "trouble that comes back is told");
  },
);

testLoop("AcceptLoop.stop() holds when it comes in a pause", (bench) => {
  bench.loop.start();
  bench.connect();
  withoutDescriptors(() => bench.reactor.turn(0));
  bench.loop.stop();
  bench.clock.advance(1000);
  bench.reactor.turn(0);
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 0);
});

testLoop("AcceptLoop.stop() holds when it comes while being told of the trouble", (bench) => {
  bench.loop.start();
  bench.connect();
  bench.onFailed = () => bench.loop.stop();
  withoutDescriptors(() => bench.reactor.turn(0));
  bench.clock.advance(1000);
  bench.reactor.turn(0);
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 0);
});

testLoop("AcceptLoop.stop() holds after a start() that cut a pause short", (bench) => {
  bench.loop.start();
  bench.connect();
  withoutDescriptors(() => bench.reactor.turn(0));
  bench.loop.start();
  bench.loop.stop();
  bench.clock.advance(1000);
  bench.reactor.turn(0);
  bench.reactor.turn(0);
  assertEquals(bench.served.length, 0);
});
