import { assert, assertEquals, assertThrows } from "@std/assert";
import { Panic } from "../../../lib/base/assert.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { receive, send, socketPair } from "../../../lib/ffi/libc/socket.ts";
import { Reactor, READY, type Registration } from "../../../lib/reactor/reactor.ts";
import { testDescriptors } from "../../support/descriptors.ts";

const BYTE = Uint8Array.of(1);

function pair(): [near: number, far: number] {
  const ends = socketPair();
  assert(typeof ends !== "number");
  return ends;
}

/** A reactor on a clock that stands still; closed with the test. */
function withReactor(run: (reactor: Reactor, clock: ManualClock) => void): () => void {
  return () => {
    const clock = new ManualClock();
    const reactor = new Reactor(clock);
    run(reactor, clock);
    assertEquals(reactor.watched, 0, "nothing is watched at the end");
    reactor.close();
  };
}

testDescriptors(
  "Reactor.turn() tells the handler what its descriptor is ready for",
  withReactor((reactor) => {
    const [near, far] = pair();
    const seen: number[] = [];
    const registration = reactor.watch(near, READY.read, { ready: (events) => seen.push(events) });
    reactor.turn(0);
    assertEquals(seen, []);
    send(far, BYTE, 1);
    reactor.turn(0);
    reactor.turn(0);
    assertEquals(seen, [READY.read, READY.read]);
    assertEquals(receive(near, new Uint8Array(4), 4), 1);
    reactor.turn(0);
    assertEquals(seen.length, 2);
    registration.close();
    for (const fd of [near, far]) closeFile(fd);
  }),
);

testDescriptors(
  "a descriptor that has gone is told of in each turn, and once where it is hushed",
  withReactor((reactor) => {
    const [near, far] = pair();
    let told = 0;
    const registration = reactor.watch(near, READY.none, { ready: () => told++ });
    closeFile(far);
    reactor.turn(0);
    reactor.turn(0);
    assertEquals(told, 2);
    registration.change(READY.hushed);
    for (let i = 0; i < 3; i++) reactor.turn(0);
    assertEquals(told, 3);
    registration.change(READY.read);
    reactor.turn(0);
    assertEquals(told, 4, "it is told of again to who wants to read");
    registration.close();
    closeFile(near);
  }),
);

testDescriptors(
  "bytes that come to a hushed descriptor are told of when somebody wants to read",
  withReactor((reactor) => {
    const [near, far] = pair();
    const seen: number[] = [];
    const registration = reactor.watch(near, READY.hushed, {
      ready: (events) => seen.push(events),
    });
    send(far, BYTE, 1);
    reactor.turn(0);
    assertEquals(seen, []);
    registration.change(READY.read);
    reactor.turn(0);
    assertEquals(seen, [READY.read]);
    registration.close();
    for (const fd of [near, far]) closeFile(fd);
  }),
);

testDescriptors(
  "Registration.closeWithDescriptor() leaves nothing behind for who gets the number next",
  withReactor((reactor) => {
    const [near, far] = pair();
    const registration = reactor.watch(near, READY.read, { ready: () => told.push("first") });
    const told: string[] = [];
    send(far, BYTE, 1);
    registration.closeWithDescriptor();
    registration.closeWithDescriptor();
    registration.close();
    assertEquals(reactor.watched, 0);
    for (const fd of [near, far]) closeFile(fd);
    const [again, other] = pair();
    assertEquals(again, near, "the number is used again");
    const second = reactor.watch(again, READY.read, { ready: () => told.push("second") });
    send(other, BYTE, 1);
    reactor.turn(0);
    assertEquals(told, ["second"]);
    second.close();
    for (const fd of [again, other]) closeFile(fd);
  }),
);

testDescriptors(
  "a handler of several descriptors is told which one is ready",
  withReactor((reactor) => {
    const [near, far] = pair();
    const seen: Registration[] = [];
    const handler = { ready: (_events: number, which: Registration) => void seen.push(which) };
    const both = [
      reactor.watch(near, READY.read, handler),
      reactor.watch(far, READY.read, handler),
    ];
    send(near, BYTE, 1);
    reactor.turn(0);
    assertEquals(seen.map(({ fd }) => fd), [far]);
    for (const registration of both) registration.close();
    for (const fd of [near, far]) closeFile(fd);
  }),
);

testDescriptors(
  "Registration.change() decides what is waited for",
  withReactor((reactor) => {
    const [near, far] = pair();
    const seen: number[] = [];
    const registration = reactor.watch(near, READY.none, { ready: (events) => seen.push(events) });
    send(far, BYTE, 1);
    reactor.turn(0);
    assertEquals(seen, []);
    registration.change(READY.write);
    assertEquals(registration.interest, READY.write);
    reactor.turn(0);
    registration.change(READY.read | READY.write);
    reactor.turn(0);
    registration.change(READY.read);
    reactor.turn(0);
    registration.change(READY.none);
    reactor.turn(0);
    assertEquals(seen, [READY.write, READY.read | READY.write, READY.read]);
    closeFile(far);
    reactor.turn(0);
    assert((seen[3] & READY.gone) !== 0, "that the peer has gone is told without being asked");
    registration.close();
    registration.change(READY.read);
    registration.close();
    closeFile(near);
  }),
);

testDescriptors(
  "an event of a registration closed in the same turn is dropped",
  withReactor((reactor) => {
    const [a, b] = [pair(), pair()];
    const seen: string[] = [];
    const registrations: Registration[] = [];
    const handler = (name: string, other: number) => ({
      ready: () => {
        seen.push(name);
        registrations[other].close();
      },
    });
    registrations.push(reactor.watch(a[0], READY.read, handler("a", 1)));
    registrations.push(reactor.watch(b[0], READY.read, handler("b", 0)));
    send(a[1], BYTE, 1);
    send(b[1], BYTE, 1);
    reactor.turn(0);
    assertEquals(seen.length, 1, "only the first handler ran");
    for (const registration of registrations) registration.close();
    for (const fd of [...a, ...b]) closeFile(fd);
  }),
);

testDescriptors(
  "an event never reaches whoever got the same descriptor number and slot in the same turn",
  withReactor((reactor) => {
    const [first, second] = [pair(), pair()];
    const ends = new Map<number, number>([first, second]);
    const stale: string[] = [];
    const fresh: Registration[] = [];
    const made: number[] = [];
    const open = new Map<number, Registration>();
    const handler = (own: number) => ({
      ready: () => {
        const [other] = [...open.keys()].filter((fd) => fd !== own);
        if (other === undefined) return;
        open.get(other)!.close();
        open.delete(other);
        closeFile(other);
        // The lowest number that is free is given out again.
        const [near, far] = pair();
        made.push(near, far);
        assert(near === other || far === other, "the number is used again");
        fresh.push(reactor.watch(other, READY.read, { ready: () => stale.push("stale") }));
      },
    });
    for (const fd of ends.keys()) open.set(fd, reactor.watch(fd, READY.read, handler(fd)));
    for (const far of ends.values()) send(far, BYTE, 1);
    reactor.turn(0);
    assertEquals(fresh.length, 1);
    assertEquals(stale, []);
    for (const registration of [...fresh, ...open.values()]) registration.close();
    for (const fd of [...made, ...open.keys(), ...ends.values()]) closeFile(fd);
  }),
);

testDescriptors(
  "a registration made inside a handler is told in the next turn",
  withReactor((reactor) => {
    const [near, far] = pair();
    const [near2, far2] = pair();
    send(far, BYTE, 1);
    send(far2, BYTE, 1);
    let later: Registration | undefined;
    let told = 0;
    const registration = reactor.watch(near, READY.read, {
      ready: () => {
        later ??= reactor.watch(near2, READY.read, { ready: () => told++ });
      },
    });
    reactor.turn(0);
    assertEquals(told, 0);
    reactor.turn(0);
    assertEquals(told, 1);
    registration.close();
    later?.close();
    for (const fd of [near, far, near2, far2]) closeFile(fd);
  }),
);

testDescriptors(
  "the handler of a registration can be replaced",
  withReactor((reactor) => {
    const [near, far] = pair();
    const seen: string[] = [];
    const registration = reactor.watch(near, READY.read, { ready: () => seen.push("first") });
    send(far, BYTE, 1);
    reactor.turn(0);
    registration.handler = { ready: () => seen.push("second") };
    reactor.turn(0);
    assertEquals(seen, ["first", "second"]);
    registration.close();
    for (const fd of [near, far]) closeFile(fd);
  }),
);

testDescriptors(
  "Reactor.after() counts from the beginning of the turn, on the clock it was given",
  withReactor((reactor, clock) => {
    const fired: number[] = [];
    clock.advance(100);
    reactor.turn(0);
    assertEquals(reactor.nowMs, 100);
    const timer = reactor.after(50, () => fired.push(reactor.nowMs));
    reactor.after(10, () => fired.push(reactor.nowMs));
    reactor.turn(0);
    clock.advance(49);
    reactor.turn(0);
    assertEquals(fired, [149]);
    clock.advance(1);
    reactor.turn(0);
    assertEquals(fired, [149, 150]);
    reactor.cancel(timer);
    reactor.cancel(undefined);
    assertEquals(reactor.unixSeconds(), 1_700_000_000);
    clock.advance(850);
    assertEquals(reactor.unixSeconds(), 1_700_000_001);
  }),
);

testDescriptors(
  "descriptors are handled before timers, timers before the steps of housekeeping",
  withReactor((reactor, clock) => {
    const [near, far] = pair();
    const order: string[] = [];
    reactor.atTurnEnd(() => (order.push("step 1"), "idle"));
    reactor.atTurnEnd(() => (order.push("step 2"), "idle"));
    reactor.after(5, () => order.push("timer"));
    const registration = reactor.watch(near, READY.read, { ready: () => order.push("ready") });
    send(far, BYTE, 1);
    clock.advance(5);
    assertEquals(reactor.turn(0), false);
    assertEquals(order, ["ready", "timer", "step 1", "step 2"]);
    registration.close();
    for (const fd of [near, far]) closeFile(fd);
  }),
);

testDescriptors(
  "run() does not wait while a step has more to do, and returns after stop()",
  withReactor((reactor) => {
    let left = 3;
    let turns = 0;
    reactor.atTurnEnd(() => {
      turns++;
      if (--left > 0) return "more";
      reactor.stop();
      return "idle";
    });
    // Nothing is watched and no timer runs: a turn that waited would never end.
    reactor.after(0, () => {});
    reactor.run();
    assertEquals(turns, 3);
  }),
);

testDescriptors(
  "run() ends with the turn in which stop() was called",
  withReactor((reactor) => {
    const [near, far] = pair();
    const order: string[] = [];
    reactor.atTurnEnd(() => (order.push("step"), "idle"));
    const registration = reactor.watch(near, READY.write, {
      ready: () => {
        order.push("ready");
        reactor.stop();
      },
    });
    reactor.run();
    assertEquals(order, ["ready", "step"]);
    registration.close();
    for (const fd of [near, far]) closeFile(fd);
  }),
);

testDescriptors("several reactors watch one descriptor exclusively, and stop again", () => {
  const clock = new ManualClock();
  const [one, two] = [new Reactor(clock), new Reactor(clock)];
  const [near, far] = pair();
  let told = 0;
  const registrations = [one, two].map((reactor) =>
    reactor.watch(near, READY.read | READY.exclusive, { ready: () => told++ })
  );
  send(far, BYTE, 1);
  one.turn(0);
  assertEquals(told, 1);
  registrations[0].close();
  two.turn(0);
  assertEquals(told, 2);
  registrations[1].close();
  for (const fd of [near, far]) closeFile(fd);
  for (const reactor of [one, two]) reactor.close();
});

testDescriptors("watching what cannot be watched, or twice, is a bug", () => {
  const reactor = new Reactor(new ManualClock());
  const [near, far] = pair();
  assertThrows(() => reactor.watch(-1, READY.read, { ready: () => {} }), Panic, "descriptor -1");
  reactor.watch(near, READY.read, { ready: () => {} });
  assertThrows(() => reactor.watch(near, READY.read, { ready: () => {} }), Panic);
  for (const fd of [near, far]) closeFile(fd);
  reactor.close();
});

testDescriptors("what a handler throws leaves turn()", () => {
  const reactor = new Reactor(new ManualClock());
  const [near, far] = pair();
  reactor.watch(near, READY.write, {
    ready: () => {
      throw new RangeError("a bug");
    },
  });
  assertThrows(() => reactor.turn(0), RangeError, "a bug");
  for (const fd of [near, far]) closeFile(fd);
  reactor.close();
});
