/**
 * What a session does about its local client while it shakes hands with the remote peer.
 *
 * The loop, the sockets and both ends of TLS are real; a turn is made when the test says so.
 */
import { assert, assertEquals } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { tlsLogShows } from "../../../lib/config/tls_log_level.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { receive, send, sendDescriptor, socketPair } from "../../../lib/ffi/libc/socket.ts";
import type { SessionPolicy } from "../../../lib/tlsproxy/server_policy.ts";
import { Session, type SessionHall } from "../../../lib/tlsproxy/session.ts";
import type { SessionStory } from "../../../lib/tlsproxy/session_story.ts";
import { Reactor } from "../../../lib/reactor/reactor.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TlsClient } from "../../support/tls_client.ts";
import { Hall, withCertificates } from "../tls/_setup.ts";

const REQUEST = utf8(
  "remote_endpoint\0[192.0.2.1]:25\0flags\0" + "1\0timeout\0" + "300\0timeout\0" +
    "3600\0serverid\0smtpd\0\0",
);
const ANSWERS = "protocol\0tlsproxy_protocol\0\0status\0" + "1\0\0";

/** A session whose local client and remote peer are at hand. */
class Rig implements Disposable {
  readonly reactor = new Reactor(new ManualClock());
  readonly session: Session;
  readonly local: number;
  readonly remote: number;
  readonly client: TlsClient;
  /** Events of the local client's socket that the session was told of. */
  plainEvents = 0;
  ended: SessionStory | undefined;
  readonly #passed: number;
  readonly #bytes = new Uint8Array(4096);

  constructor(tls: Hall) {
    const [plain, net] = [socketPair(), socketPair()];
    assert(typeof plain !== "number" && typeof net !== "number");
    [this.local, this.#passed, this.remote] = [plain[1], net[0], net[1]];
    const session: SessionPolicy = {
      cipherList: tls.context.policy.cipherList,
      requireCertificate: false,
      rejectUntrusted: false,
      shows: tlsLogShows(["0"]),
    };
    const say = () => {};
    const hall: SessionHall = {
      reactor: this.reactor,
      log: {
        ...{ isStructured: false, verbose: 0 },
        ...{ debug: say, info: say, warn: say, error: say, fatal: say },
      },
      serverReady: (_settings, answer) =>
        answer({ context: tls.context, resumption: tls.resumption, session }),
      nextNumber: () => 1,
      again: () => {},
      closed: () => {},
      sessionHandedOver: () => {},
      sessionShaken: () => {},
      sessionEnded: (story) => void (this.ended = story),
    };
    this.session = new Session(hall, plain[0]);
    const ready = this.session.ready.bind(this.session);
    this.session.ready = (events, registration) => {
      if (registration.fd === plain[0]) this.plainEvents++;
      ready(events, registration);
    };
    this.client = new TlsClient(this.remote);
  }

  /** The local client asks for a server session, and hands its remote peer over. */
  handOver(): void {
    assertEquals(send(this.local, REQUEST, REQUEST.length), REQUEST.length);
    this.turn();
    assertEquals(this.readLocal(), ANSWERS);
    assertEquals(sendDescriptor(this.local, this.#passed), 1);
    this.turn();
  }

  turn(times = 1): void {
    for (let i = 0; i < times; i++) this.reactor.turn(0);
  }

  shake(): void {
    for (let i = 0; i < 20 && this.client.handshake() === "waiting"; i++) this.turn();
    this.turn();
  }

  sendLocal(text: string): void {
    const bytes = utf8(text);
    assertEquals(send(this.local, bytes, bytes.length), bytes.length);
  }

  readLocal(): string {
    const count = receive(this.local, this.#bytes, this.#bytes.length);
    return fromUtf8(this.#bytes.subarray(0, Math.max(count, 0)));
  }

  [Symbol.dispose](): void {
    this.session.close();
    this.client[Symbol.dispose]();
    for (const fd of [this.local, this.#passed, this.remote]) if (fd >= 0) closeFile(fd);
    this.reactor.close();
  }
}

testDescriptors(
  "Session is told once of what the local client sends before TLS, and sends it in TLS",
  () =>
    withCertificates((paths) => {
      const tls = new Hall(paths);
      {
        using rig = new Rig(tls);
        rig.handOver();
        rig.sendLocal("220 early\r\n");
        // It stays unread, and does not keep the loop busy.
        rig.turn(5);
        assertEquals(rig.plainEvents, 1);
        rig.shake();
        assertEquals(fromUtf8(rig.client.read()), "220 early\r\n");
        // The local client is heard again from there on.
        rig.sendLocal("250 later\r\n");
        rig.turn(2);
        assertEquals(fromUtf8(rig.client.read()), "250 later\r\n");
        assertEquals(rig.ended, undefined);
      }
      tls.close();
    }),
);

testDescriptors(
  "Session leaves a local client that goes before TLS until there is TLS",
  () =>
    withCertificates((paths) => {
      const tls = new Hall(paths);
      {
        using rig = new Rig(tls);
        rig.handOver();
        rig.sendLocal("221 gone\r\n");
        rig.turn();
        closeFile(rig.local);
        (rig as { local: number }).local = -1;
        rig.turn(5);
        assertEquals(rig.ended, undefined);
        // Once that something came, once that nobody is there any more.
        assert(rig.plainEvents <= 3, `${rig.plainEvents} events`);
        rig.shake();
        rig.turn(2);
        assertEquals(fromUtf8(rig.client.read()), "221 gone\r\n");
        assertEquals([rig.ended?.stage, rig.ended?.outcome], ["relay", "completed"]);
      }
      tls.close();
    }),
);
