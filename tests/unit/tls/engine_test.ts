import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { latin1, utf8 } from "../../../lib/base/bytes.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { send, shutdownSend } from "../../../lib/ffi/libc/socket.ts";
import { ENGINE } from "../../../lib/tls/engine.ts";
import { describeHandshake } from "../../../lib/tls/summary.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import type { TlsClientOptions } from "../../support/tls_client.ts";
import {
  Hall,
  type HallOptions,
  Meeting,
  TIMEOUT_S,
  TLS12,
  TLS13,
  withCertificates,
} from "./_setup.ts";

const NO_TICKET = 0x4000n;

function testHall(
  name: string,
  options: HallOptions,
  run: (hall: Hall) => void,
): void {
  testDescriptors(name, () =>
    withCertificates((paths) => {
      const hall = new Hall(paths, options);
      run(hall);
      hall.close();
    }));
}

for (const [version, protocol] of [[TLS12, "TLSv1.2"], [TLS13, "TLSv1.3"]] as const) {
  testHall(`a full handshake of ${protocol} is followed by bytes both ways`, {}, (hall) => {
    using meeting = new Meeting(hall, { version });
    assertEquals(meeting.shake(), "done");
    const { engine, client } = meeting;
    const summary = engine.summary();
    assertEquals([summary.protocol, summary.resumed], [protocol, false]);
    assertEquals(client.write(utf8("hello")), 5);
    const bytes = new Uint8Array(100);
    assertEquals(engine.read(bytes), 5);
    assertEquals(bytes.slice(0, 5), utf8("hello"));
    assertEquals(engine.read(bytes), ENGINE.wantRead);
    assertEquals(engine.write(utf8("world, cut"), 5), 5);
    assertEquals(client.read(), utf8("world"));
    client.shutdown();
    assertEquals(engine.read(bytes), ENGINE.closed);
    assertEquals(engine.errors, []);
    engine.shutdown();
    assertEquals(client.closedByPeer, true);
  });
}

testHall("the summary words TLS 1.3 with its group and signature", {}, (hall) => {
  using meeting = new Meeting(hall, { version: TLS13, groups: "P-256" });
  meeting.shake();
  assertEquals(
    describeHandshake(meeting.engine.summary(), "[192.0.2.1]:25"),
    "Anonymous TLS connection established from [192.0.2.1]:25: TLSv1.3 with cipher " +
      "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange ECDHE (prime256v1) " +
      "server-signature ECDSA (prime256v1) server-digest SHA256",
  );
});

testHall("the summary of TLS 1.2 has no group and no signature", {}, (hall) => {
  using meeting = new Meeting(hall, { version: TLS12, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" });
  meeting.shake();
  assertEquals(
    describeHandshake(meeting.engine.summary(), "x"),
    "Anonymous TLS connection established from x: TLSv1.2 with cipher " +
      "ECDHE-ECDSA-AES128-GCM-SHA256 (128/128 bits)",
  );
});

/** Makes a session at `hall` and brings it back. */
function resume(
  hall: Hall,
  options: TlsClientOptions,
  between: () => void = () => {},
): { resumed: boolean; again: string[]; hadTicket: boolean } {
  using first = new Meeting(hall, options);
  assertEquals(first.shake(), "done");
  assertEquals(first.client.resumed, false);
  using session = first.client.session();
  const hadTicket = first.client.hasTicket;
  first.client.shutdown();
  hall.asked();
  between();
  using second = new Meeting(hall, { ...options, session: session.pointer });
  assertEquals(second.shake(), "done");
  assertEquals(second.engine.summary().resumed, second.client.resumed);
  assertEquals(second.client.write(latin1("x")), 1);
  assertEquals(second.engine.read(new Uint8Array(9)), 1);
  return { resumed: second.client.resumed, again: hall.asked(), hadTicket };
}

testHall("TLS 1.2 is resumed by session id, from tlsmgr's cache", {}, (hall) => {
  const { resumed, again, hadTicket } = resume(hall, { version: TLS12, options: NO_TICKET });
  assertEquals([resumed, again, hadTicket], [true, ["lookup"], false]);
  const [key] = hall.tlsmgr.sessions.keys();
  assert(/^smtpd [0-9A-F]{64}&s=smtp:25&l=\d+$/.test(key), key);
});

testHall("a session of one service is not resumed at another", {}, (hall) => {
  using first = new Meeting(hall, { version: TLS12, options: NO_TICKET }, "smtp:25");
  first.shake();
  using session = first.client.session();
  const options = { version: TLS12, options: NO_TICKET, session: session.pointer };
  first.client.shutdown();
  using second = new Meeting(hall, options, "smtp:465");
  assertEquals([second.shake(), second.client.resumed], ["done", false]);
});

testHall("TLS 1.2 is resumed by ticket without asking the cache", {}, (hall) => {
  const { resumed, again, hadTicket } = resume(hall, { version: TLS12 });
  assertEquals([resumed, again, hadTicket], [true, [], true]);
});

testHall(
  "TLS 1.3 with tickets leaves nothing in the cache, where nobody could find it",
  {},
  (hall) => {
    using meeting = new Meeting(hall, { version: TLS13 });
    assertEquals(meeting.shake(), "done");
    assert(meeting.client.hasTicket);
    assertEquals(hall.asked().filter((question) => question === "update"), []);
    using other = new Meeting(hall, { version: TLS12, options: NO_TICKET });
    assertEquals(other.shake(), "done");
    assertEquals(hall.asked().filter((question) => question === "update"), ["update"]);
  },
);

testHall("TLS 1.3 is resumed by ticket, every time", {}, (hall) => {
  assertEquals(resume(hall, { version: TLS13 }), { resumed: true, again: [], hadTicket: true });
  // Each handshake brings another ticket, so a chain of them never ends.
  using first = new Meeting(hall, { version: TLS13 });
  first.shake();
  let session = first.client.session();
  first.client.shutdown();
  for (let i = 0; i < 4; i++) {
    using next = new Meeting(hall, { version: TLS13, session: session.pointer });
    assertEquals([next.shake(), next.client.resumed], ["done", true]);
    session[Symbol.dispose]();
    session = next.client.session();
    assertEquals(next.client.resumable, true);
    next.client.shutdown();
  }
  session[Symbol.dispose]();
});

testHall(
  "TLS 1.3 is resumed from the cache where there are no tickets",
  { tickets: false },
  (hall) => {
    const { resumed, again } = resume(hall, { version: TLS13 });
    assertEquals(resumed, true);
    assertEquals(again[0], "lookup");
  },
);

testHall(
  "a session that tlsmgr has forgotten becomes a full handshake",
  { tickets: false },
  (hall) => {
    for (const version of [TLS12, TLS13]) {
      const forget = () => hall.tlsmgr.sessions.clear();
      assertEquals(resume(hall, { version }, forget).resumed, false);
    }
  },
);

testHall("a damaged session in the cache becomes a full handshake", { tickets: false }, (hall) => {
  const damage = () => {
    for (const [key, session] of hall.tlsmgr.sessions) {
      hall.tlsmgr.sessions.set(key, session.slice(0, session.length - 7));
    }
  };
  for (const version of [TLS12, TLS13]) {
    assertEquals(resume(hall, { version }, damage).resumed, false);
  }
});

testHall("a ticket of a key that nobody has becomes a full handshake with a fresh ticket", {
  cache: false,
}, (hall) => {
  for (const version of [TLS12, TLS13]) {
    const later = () => {
      hall.tlsmgr.clock.advance(2 * TIMEOUT_S * 1000);
      hall.tlsmgr.replaceKey();
    };
    const { resumed, again } = resume(hall, { version }, later);
    assertEquals(resumed, false);
    assertEquals([...again].map((asked) => asked.slice(0, 3)), ["key", "key"]);
    assertEquals(resume(hall, { version }).resumed, true);
  }
});

testHall(
  "without a key there is no ticket, and the handshake succeeds",
  { cache: false },
  (hall) => {
    hall.tlsmgr.reachable = false;
    for (const version of [TLS12, TLS13]) {
      using meeting = new Meeting(hall, { version });
      assertEquals([meeting.shake(), meeting.client.hasTicket], ["done", false]);
    }
    hall.tlsmgr.reachable = true;
    for (const version of [TLS12, TLS13]) {
      using meeting = new Meeting(hall, { version });
      assertEquals([meeting.shake(), meeting.client.hasTicket], ["done", true]);
    }
  },
);

testHall(
  "without resumption every handshake is a full one",
  { tickets: false, cache: false },
  (hall) => {
    for (const version of [TLS12, TLS13]) {
      assertEquals(resume(hall, { version }).resumed, false);
    }
    assertEquals(hall.asked(), []);
  },
);

testHall("a handshake that waits for tlsmgr is suspended and goes on later", {}, (hall) => {
  for (const version of [TLS12, TLS13]) {
    using first = new Meeting(hall, { version, options: NO_TICKET });
    first.shake();
    first.client.shutdown();
  }
  for (const version of [TLS12, TLS13]) {
    hall.tlsmgr.clock.advance(TIMEOUT_S * 1000);
    hall.tlsmgr.replaceKey();
    hall.tlsmgr.holding = true;
    using meeting = new Meeting(hall, { version });
    assertEquals(meeting.shake(), "suspended");
    // An event that comes in between changes nothing.
    assertEquals(meeting.engine.handshake(), "suspended");
    assertEquals([hall.tlsmgr.held, meeting.resumes], [1, 0]);
    hall.tlsmgr.holding = false;
    hall.tlsmgr.release();
    assertEquals(meeting.resumes, 1);
    assertEquals([meeting.shake(), meeting.client.hasTicket], ["done", true]);
  }
});

testHall(
  "a key whose time ends in the middle of a handshake still makes its ticket",
  {},
  (hall) => {
    for (const version of [TLS12, TLS13]) {
      using meeting = new Meeting(hall, { version });
      meeting.client.handshake();
      assertEquals(meeting.engine.handshake(), "want read");
      hall.tlsmgr.clock.advance(TIMEOUT_S / 2 * 1000);
      assertEquals(meeting.shake(), "done");
      if (version === TLS13) meeting.client.read();
      assertEquals(meeting.client.hasTicket, true);
      hall.tlsmgr.clock.advance(TIMEOUT_S * 1000);
      hall.tlsmgr.replaceKey();
    }
  },
);

testHall("suspended handshakes of several sessions do not mix", {}, (hall) => {
  const sessions = [1, 2, 3].map(() => {
    using first = new Meeting(hall, { version: TLS12, options: NO_TICKET });
    first.shake();
    first.client.shutdown();
    return first.client.session();
  });
  hall.tlsmgr.holding = true;
  const meetings = sessions.map(({ pointer: session }) =>
    new Meeting(hall, { version: TLS12, options: NO_TICKET, session })
  );
  for (const meeting of meetings) assertEquals(meeting.shake(), "suspended");
  hall.tlsmgr.release();
  for (const meeting of meetings) {
    assertEquals([meeting.shake(), meeting.client.resumed], ["done", true]);
  }
  for (const thing of [...meetings, ...sessions]) thing[Symbol.dispose]();
});

testHall(
  "a session that comes after its handshake was given up is not kept",
  { tickets: false },
  (hall) => {
    using first = new Meeting(hall, { version: TLS12 });
    first.shake();
    first.client.shutdown();
    using session = first.client.session();
    hall.tlsmgr.holding = true;
    using second = new Meeting(hall, { version: TLS12, session: session.pointer });
    assertEquals(second.shake(), "suspended");
    second.engine.close();
    second.engine.close();
    hall.tlsmgr.release();
    assertEquals(second.resumes, 0);
  },
);

testHall("what one session did wrong is not reported about another", {}, (hall) => {
  using bad = new Meeting(hall);
  using good = new Meeting(hall);
  send(bad.fds[1], latin1("GET / HTTP/1.0\r\n\r\n"), 18);
  assertEquals(bad.engine.handshake(), "failed");
  assertStringIncludes(bad.engine.errors.join(), "http request");
  assertEquals(good.shake(), "done");
  assertEquals(good.engine.errors, []);
  assertEquals(good.engine.read(new Uint8Array(9)), ENGINE.wantRead);
  good.client.shutdown();
  assertEquals(good.engine.read(new Uint8Array(9)), ENGINE.closed);
  assertEquals(good.engine.errors, []);
});

testHall(
  "a peer that goes away in the handshake fails it, without words of OpenSSL's",
  {},
  (hall) => {
    // A TLS 1.2 server waits for the client then; a TLS 1.3 server finds out while it writes.
    for (
      const [version, words] of [
        [TLS12, "Connection reset by peer"],
        [TLS13, "Broken pipe"],
      ] as const
    ) {
      const meeting = new Meeting(hall, { version });
      meeting.client.handshake();
      if (version === TLS12) assertEquals(meeting.engine.handshake(), "want read");
      meeting.client[Symbol.dispose]();
      closeFile(meeting.fds[1]);
      let step = meeting.engine.handshake();
      for (let i = 0; i < 5 && step === "want read"; i++) step = meeting.engine.handshake();
      assertEquals(step, "failed");
      assertEquals([meeting.engine.errors, meeting.engine.lost], [[], words]);
      meeting.engine.close();
      closeFile(meeting.fds[0]);
      using other = new Meeting(hall, { version });
      assertEquals(other.shake(), "done");
    }
  },
);

testHall("the end of the connection without close_notify is an end in order", {}, (hall) => {
  using meeting = new Meeting(hall);
  meeting.shake();
  meeting.client.write(latin1("last"));
  assertEquals(shutdownSend(meeting.fds[1]), 0);
  const bytes = new Uint8Array(9);
  assertEquals(meeting.engine.read(bytes), 4);
  assertEquals(meeting.engine.read(bytes), ENGINE.closed);
  assertEquals(meeting.engine.errors, []);
});

testHall("a broken record fails the session with OpenSSL's words", {}, (hall) => {
  using meeting = new Meeting(hall);
  meeting.shake();
  send(meeting.fds[1], latin1("no TLS record at all"), 20);
  assertEquals(meeting.engine.read(new Uint8Array(9)), ENGINE.failed);
  assertStringIncludes(meeting.engine.errors.join(), "wrong version number");
});

testHall("a peer that does not read stops write(), and nothing is lost", {}, (hall) => {
  using meeting = new Meeting(hall);
  meeting.shake();
  const chunk = Uint8Array.from({ length: 16384 }, (_, i) => i % 253);
  let sent = 0;
  let stuck = 0;
  let received = 0;
  while (sent < 4_000_000) {
    const taken = meeting.engine.write(chunk, chunk.length);
    if (taken > 0) {
      assertEquals(taken, chunk.length);
      sent += taken;
      continue;
    }
    assertEquals(taken, ENGINE.wantWrite);
    stuck++;
    const got = meeting.client.read();
    for (let i = 0; i < got.length; i += 1009) {
      assertEquals(got[i], ((received + i) % 16384) % 253);
    }
    received += got.length;
  }
  received += meeting.client.read().length;
  assert(stuck > 0);
  assertEquals(received, sent);
});

/** Plaintext that shows where it is. */
function patternAt(at: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (at + i) % 251);
}

/** Gathers four records of the stream at `at`, and sends them. */
function gatherRecords(meeting: Meeting, at: number): { taken: number; flushed: number } {
  const { engine } = meeting;
  engine.gather();
  let taken = 0;
  for (let i = 0; i < 4; i++) {
    const count = engine.write(patternAt(at + taken, 16384), 16384);
    if (count < 0) break;
    taken += count;
  }
  return { taken, flushed: engine.flush() };
}

for (const version of [TLS12, TLS13]) {
  testHall(
    `gathered records of ${version} arrive whole and in order, however slowly`,
    {},
    (hall) => {
      using slow = new Meeting(hall, { version });
      using quick = new Meeting(hall, { version });
      slow.shake();
      quick.shake();
      const bytes = new Uint8Array(9);
      let stuck = 0;
      let sent = 0;
      let received = 0;
      let quickSent = 0;
      for (let round = 0; round < 60; round++) {
        const { taken, flushed } = gatherRecords(slow, sent);
        sent += taken;
        // A buffer that is still full belongs to its session alone.
        assertEquals(gatherRecords(quick, quickSent), { taken: 65536, flushed: 1 });
        assertEquals(quick.client.read(), patternAt(quickSent, 65536));
        quickSent += 65536;
        if (flushed > 0) continue;
        assertEquals(flushed, ENGINE.wantWrite);
        stuck++;
        // The other direction goes on meanwhile.
        assertEquals(slow.client.write(latin1("hello")), 5);
        assertEquals(slow.engine.read(bytes), 5);
        const got = slow.client.read();
        assertEquals(got, patternAt(received, got.length));
        received += got.length;
      }
      while (slow.engine.flush() !== 1) {
        const got = slow.client.read();
        assertEquals(got, patternAt(received, got.length));
        received += got.length;
      }
      const rest = slow.client.read();
      assertEquals(rest, patternAt(received, rest.length));
      received += rest.length;
      // Without gathering a record leaves at once again.
      assertEquals(slow.engine.write(latin1("!"), 1), 1);
      assertEquals(slow.client.read(), latin1("!"));
      assert(stuck > 2, `${stuck} times stuck`);
      assertEquals(received, sent);
    },
  );
}

testHall(
  "close() throws away what was gathered, and the next session gathers its own",
  {},
  (hall) => {
    {
      using stuck = new Meeting(hall);
      stuck.shake();
      for (let flushed = 1, sent = 0; flushed === 1;) {
        const result = gatherRecords(stuck, sent);
        sent += result.taken;
        flushed = result.flushed;
      }
      stuck.engine.close();
    }
    using next = new Meeting(hall);
    next.shake();
    assertEquals(gatherRecords(next, 0), { taken: 65536, flushed: 1 });
    assertEquals(next.client.read(), patternAt(0, 65536));
  },
);

testHall("flush() to a peer that has gone says why it failed", {}, (hall) => {
  const meeting = new Meeting(hall);
  meeting.shake();
  meeting.client[Symbol.dispose]();
  closeFile(meeting.fds[1]);
  assertEquals(gatherRecords(meeting, 0).flushed, ENGINE.failed);
  assertEquals([meeting.engine.errors, meeting.engine.lost], [[], "Broken pipe"]);
  meeting.engine.close();
  closeFile(meeting.fds[0]);
});
