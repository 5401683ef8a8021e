/**
 * The whole service in the thread of the test: a real socket and real files, a clock that stands still,
 * and a loop that turns when it is told to.
 *
 * @module
 */
import { type Bytes, concat, toLatin1 } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import type { Settings } from "../../../lib/config/settings.ts";
import type { Adoption } from "../../../lib/daemon/seam.ts";
import { NumberBoard } from "../../../lib/daemon/numbers/number_board.ts";
import type { Service } from "../../../lib/daemon/service_thread.ts";
import { AGAIN, closeDescriptor, connectUnix, receive, send } from "../../../lib/net/stream.ts";
import { SharedCounters } from "../../../lib/daemon/shared_counters.ts";
import { FakeSlowCalls } from "../../support/fake_slow_calls.ts";
import { UnixListener } from "../../../lib/net/unix_listener.ts";
import { Reactor } from "../../../lib/reactor/reactor.ts";
import { makeTlsmgrService } from "../../../lib/tlsmgr/service.ts";
import { listOf } from "../../wire/lists.ts";
import { ListLog, settingsFrom } from "./_setup.ts";

const EXCHANGE_NAME = "tls_random_exchange_name";

/** More turns than any exchange in these tests takes. */
const TURNS = 8;

/** The service and its clients. */
export class ServiceRig implements Disposable {
  readonly clock = new ManualClock();
  readonly reactor = new Reactor(this.clock);
  readonly log = new ListLog();
  /** What the service counts. */
  readonly board = new NumberBoard(this.clock);
  /** Slow calls wait here until a test lets them happen. */
  readonly slowCalls = new FakeSlowCalls();
  readonly folder: string;
  readonly service: Service;
  /** Times that the service has said it is drained. */
  drained = 0;
  /** Runs at the end of each turn, before the service does its part. */
  beforeTurnEnd: () => void = () => {};
  readonly #listener: UnixListener;
  readonly #clients: RigClient[] = [];
  readonly #ownsFolder: boolean;

  constructor(settings = "", folder?: string) {
    this.#ownsFolder = folder === undefined;
    this.folder = folder ?? Deno.makeTempDirSync({ prefix: "postern-rig-" });
    this.#listener = UnixListener.open(`${this.folder}/s`, { mode: 0o600, backlog: 100 });
    this.reactor.atTurnEnd(() => {
      this.beforeTurnEnd();
      return "idle";
    });
    try {
      this.service = makeTlsmgrService({
        reactor: this.reactor,
        settings: this.#settingsOf(settings),
        log: this.log,
        listenFd: this.#listener.fd,
        isFirst: true,
        ownerId: Deno.uid()!,
        shared: new SharedCounters(SharedCounters.allocate()),
        numbers: this.board.own,
        slowCalls: this.slowCalls,
        drained: () => this.drained++,
        noteFiles: () => {},
        kept: undefined,
      });
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Gives the service other settings while it serves. */
  adopt(settings: string): Adoption {
    const adopt = this.service.adopt?.bind(this.service);
    if (adopt === undefined) throw new Error("The service takes no other settings");
    return adopt(this.#settingsOf(settings));
  }

  #settingsOf(text: string): Settings {
    // Its updates come at random times; a test that wants them has to say so.
    const exchange = text.includes(EXCHANGE_NAME) ? "" : `${EXCHANGE_NAME} = ""\n`;
    return settingsFrom(`data_directory = "${this.folder}"\n${exchange}${text}`);
  }

  /** Lets the loop turn until nothing is left to do. */
  settle(): void {
    for (let i = 0; i < TURNS; i++) this.reactor.turn(0);
  }

  /** Moves the clock and lets the loop turn. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.settle();
  }

  /** A client that has taken the announcement. */
  connect(): RigClient {
    const client = this.connectQuietly();
    this.settle();
    client.read();
    return client;
  }

  /** A client of which the service knows nothing yet. */
  connectQuietly(): RigClient {
    const client = new RigClient(this, connectUnix(`${this.folder}/s`));
    this.#clients.push(client);
    return client;
  }

  [Symbol.dispose](): void {
    this.service.close();
    for (const client of this.#clients) client.close();
    this.#release();
  }

  #release(): void {
    this.#listener.close();
    this.reactor.close();
    if (this.#ownsFolder) Deno.removeSync(this.folder, { recursive: true });
  }
}

/** One end of a connection. */
export class RigClient {
  readonly #rig: ServiceRig;
  readonly #fd: number;
  #open = true;

  constructor(rig: ServiceRig, fd: number) {
    if (fd < 0) throw new Error(`Cannot connect: ${fd}`);
    this.#rig = rig;
    this.#fd = fd;
  }

  /** Sends without letting the service run. */
  write(bytes: Bytes): void {
    const sent = send(this.#fd, bytes, bytes.length);
    if (sent !== bytes.length) throw new Error(`Cannot send ${bytes.length} bytes: ${sent}`);
  }

  /** What has arrived: bytes, possibly none, and whether the service has closed. */
  read(): { bytes: Bytes; closed: boolean } {
    let bytes: Bytes = new Uint8Array(0);
    const chunk = new Uint8Array(65536);
    for (;;) {
      const count = receive(this.#fd, chunk, chunk.length);
      if (count === AGAIN) return { bytes, closed: false };
      if (count <= 0) return { bytes, closed: true };
      bytes = concat(bytes, chunk.subarray(0, count));
    }
  }

  /** Sends bytes and reads what comes back, as text with `|` for each NUL. */
  exchange(bytes: Bytes): string {
    this.write(bytes);
    this.#rig.settle();
    const { bytes: reply, closed } = this.read();
    return toLatin1(reply).replaceAll("\0", "|") + (closed ? "closed" : "");
  }

  /** As {@linkcode exchange}, for a list. */
  ask(...words: string[]): string {
    return this.exchange(listOf(...words));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.#fd);
  }
}
