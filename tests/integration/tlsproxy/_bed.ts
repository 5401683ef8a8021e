/**
 * A running tlsproxy role with a scripted tlsmgr behind it, and what every test asks of it afterwards:
 * no descriptor is left, an honest session works, and the log says exactly what it should.
 *
 * The role runs one service thread, so that the order of log lines is the order of events.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { certificatePems, writeCertificates } from "../../support/certificates.ts";
import { FakeTlsmgr } from "../../support/fake_tlsmgr.ts";
import { type LoggedObject, parseLogLine } from "../../support/log_schema.ts";
import { Postern, posternBinary, type TomlValue, toToml } from "../../support/postern.ts";
import { countDescriptorsOf, type RunningProcess, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { WaitTimeout, waitUntil } from "../../support/wait.ts";
import { type HandshakeReport, type Peer, Peers, type Request, requestList } from "./_peers.ts";

/** Flags of a request. */
export const FLAGS = { server: 1, client: 2, context: 4, probe: 8 } as const;

/** How a {@linkcode Bed} is set up. */
export interface BedOptions {
  /** `false`: nobody listens where tlsmgr should be. @default {true} */
  tlsmgr?: boolean;
  /** Whether tlsmgr keeps sessions. @default {true} */
  cachable?: boolean;
  /** Parameters over and above the usual ones. */
  parameters?: Record<string, TomlValue>;
  /** Keys of `[service]`. */
  service?: Record<string, TomlValue>;
  /** Keys of `[service.tlsproxy]`. */
  role?: Record<string, TomlValue>;
}

/** A session whose descriptor has been passed; its remote peer has not said anything yet. */
export interface Session {
  endpoint: string;
  local: Peer;
  remote: Peer;
}

/** What a log line must be. */
export type Line = string | RegExp;

/** Everything that a test needs. */
export class Bed implements AsyncDisposable {
  /** PEM text of the authority behind the server's certificates. */
  readonly ca: string;
  readonly peers: Peers;
  readonly folder: TempFolder;
  tlsproxy!: Postern;
  tlsmgr: FakeTlsmgr | undefined;
  readonly #settingsPath: string;
  #process: RunningProcess | undefined;
  readonly #stack: AsyncDisposableStack;
  #lastPort = 1000;
  #base = 0;
  #logFrom = 0;

  private constructor(parts: {
    ca: string;
    folder: TempFolder;
    peers: Peers;
    stack: AsyncDisposableStack;
  }) {
    this.ca = parts.ca;
    this.folder = parts.folder;
    this.peers = parts.peers;
    this.#stack = parts.stack;
    this.#settingsPath = parts.folder.file("tlsproxy.toml");
  }

  /** Starts all, and has one session so that everything that opens once is open. */
  static async start(options: BedOptions = {}): Promise<Bed> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TempFolder.make("tp"));
    await Deno.mkdir(folder.file("queue/private"), { recursive: true });
    const pems = await certificatePems();
    const certificates = await writeCertificates(folder.path);
    const peers = stack.use(new Peers());
    const later = new AsyncDisposableStack();
    const bed = new Bed({ ca: pems["ca.pem"], folder, peers, stack: later });
    stack.defer(async () => {
      await bed.tlsmgr?.stop();
    });
    if (options.tlsmgr !== false) bed.startTlsmgr({ cachable: options.cachable });
    const settings = {
      queue_directory: folder.file("queue"),
      smtpd_tls_security_level: "may",
      smtpd_tls_loglevel: 1,
      smtpd_tls_cert_file: certificates.rsaCertificate,
      smtpd_tls_key_file: certificates.rsaKey,
      smtpd_tls_eccert_file: certificates.ecCertificate,
      smtpd_tls_eckey_file: certificates.ecKey,
      ...options.parameters,
      service: {
        drain_timeout: 1,
        user: "",
        ...options.service,
        tlsproxy: { workers: 1, socket: bed.socket, socket_mode: "0666", ...options.role },
      },
    };
    await Deno.writeTextFile(bed.#settingsPath, toToml(settings));
    stack.defer(async () => {
      await bed.tlsproxy?.[Symbol.asyncDispose]();
    });
    await bed.startTlsproxy();
    if (options.tlsmgr !== false) await bed.warmUp();
    later.use(stack.move());
    return bed;
  }

  /** Where tlsproxy listens. */
  get socket(): string {
    return this.folder.file("tlsproxy.sock");
  }

  /** Where tlsproxy looks for tlsmgr. */
  get tlsmgrSocket(): string {
    return this.folder.file("queue/private/tlsmgr");
  }

  /** Lets a tlsmgr come up. */
  startTlsmgr(options: { cachable?: boolean } = {}): FakeTlsmgr {
    this.tlsmgr = FakeTlsmgr.start(this.tlsmgrSocket, options);
    return this.tlsmgr;
  }

  /** Starts the role, which must not be running. */
  async startTlsproxy(): Promise<void> {
    const args = ["--role", "tlsproxy", "--config", this.#settingsPath];
    const process = startProcess(posternBinary(), args);
    try {
      await process.waitFor("readiness", () => /\bready\b.*\n/.test(process.stderr));
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
    await this.tlsproxy?.[Symbol.asyncDispose]();
    this.#process = process;
    this.tlsproxy = new Postern("tlsproxy", process, `${this.#settingsPath}.log`);
    this.#logFrom = this.tlsproxy.log.length;
  }

  /** Waits for the end of the role and returns its exit code; 128 + signal number for a signal. */
  async ended(): Promise<number> {
    assert(this.#process !== undefined);
    return await this.#process.ended();
  }

  /** An honest session; from here on descriptors and log lines are counted. */
  async warmUp(): Promise<void> {
    const endpoint = await this.honestSession();
    await this.#waitForLine(`DISCONNECT ${endpoint}`);
    this.#base = await this.#descriptors();
    this.#logFrom = this.tlsproxy.log.length;
  }

  /** A name that no other session of this bed has. */
  nextEndpoint(): string {
    return `[192.0.2.1]:${++this.#lastPort}`;
  }

  /** The usual request. */
  request(over: Partial<Request> = {}): Request {
    return {
      endpoint: this.nextEndpoint(),
      flags: FLAGS.server,
      handshakeLimitS: 300,
      sessionLimitS: 300,
      serverId: "smtpd",
      ...over,
    };
  }

  /** A local client that has read the announcement. */
  async client(): Promise<Peer> {
    const local = await this.peers.connect(this.socket);
    assertEquals(await local.readList(), ["protocol", "tlsproxy_protocol"]);
    return local;
  }

  /** A local client whose request has been answered with "ready". */
  async accepted(over: Partial<Request> = {}): Promise<{ endpoint: string; local: Peer }> {
    const request = this.request(over);
    const local = await this.client();
    await local.send(requestList(request));
    assertEquals(await local.readList(), ["status", "1"]);
    return { endpoint: request.endpoint, local };
  }

  /** A session up to the hand-over of the descriptor. */
  async passed(
    over: Partial<Request> = {},
    connection: { bufferBytes?: number } = {},
  ): Promise<Session> {
    const { endpoint, local } = await this.accepted(over);
    const { passed, remote } = await this.peers.pair(connection);
    await local.pass([passed]);
    await passed.close();
    return { endpoint, local, remote };
  }

  /** A session whose handshake is over; TLS 1.3 unless `offer` says otherwise. */
  async established(
    over: Partial<Request> = {},
    offer: Omit<Parameters<Peer["tls"]>[0], "ca"> = {},
  ): Promise<Session & { handshake: HandshakeReport }> {
    const session = await this.passed(over);
    const handshake = await session.remote.tls({ ca: this.ca, ...offer });
    return { ...session, handshake };
  }

  /** A short session with data both ways, to its end; answers its name. */
  async honestSession(): Promise<string> {
    const { endpoint, local, remote } = await this.established();
    await assertTalks({ local, remote });
    await local.close();
    assertEquals(await remote.readEnd(), { data: "", how: "close_notify" });
    await remote.close();
    return endpoint;
  }

  /**
   * Log lines since the last count, without what precedes their text, be they text or objects; how failed sessions went step by
   * step is told in lines of its own, which are left out (log_events_test.ts).
   */
  lines(): string[] {
    const text = this.tlsproxy.log.slice(this.#logFrom);
    return text.split("\n").filter((line) => line !== "")
      .map((line) => line.startsWith("{") ? textOf(line) : line.replace(/^\S+\[\d+\]: /, ""))
      .filter((line) => !/^session \d+ with \S+ \((?:failed|broken): /.test(line));
  }

  /** Lines that are objects, since the last count; each is as the schema says. */
  objects(): LoggedObject[] {
    const text = this.tlsproxy.log.slice(this.#logFrom);
    return text.split("\n").filter((line) => line !== "").map(parseLogLine);
  }

  /** Waits for a line since the last count. */
  waitForLine(line: Line): Promise<string> {
    return this.#waitForLine(line);
  }

  /**
   * After a test: the log consists of `expected`, in this order; an honest session works; and all
   * descriptors are given back. Ends of sessions may take a moment to be noticed, so this waits.
   */
  async check(expected: readonly Line[]): Promise<void> {
    await this.#waitForCount(expected.length);
    const endpoint = await this.honestSession();
    await this.#waitForLine(`DISCONNECT ${endpoint}`);
    assertLines(this.lines(), [...expected, ...fullSession(endpoint)]);
    await this.#assertNothingLeft();
    this.#logFrom = this.tlsproxy.log.length;
  }

  /**
   * As {@linkcode Bed.check} for sessions that ran side by side: the lines of each session are
   * in order, and every complaint of the TLS library stands right before lines of its own session.
   */
  async checkMany(expected: Readonly<Record<string, readonly Line[]>>): Promise<void> {
    await this.#waitForCount(Object.values(expected).reduce((sum, part) => sum + part.length, 0));
    const endpoint = await this.honestSession();
    await this.#waitForLine(`DISCONNECT ${endpoint}`);
    const bySession = linesBySession(this.lines());
    for (
      const [name, lines] of Object.entries({ ...expected, [endpoint]: fullSession(endpoint) })
    ) {
      assertLines(bySession.get(name) ?? [], lines);
      bySession.delete(name);
    }
    assertEquals([...bySession], [], "There are lines that belong to no session of the test");
    await this.#assertNothingLeft();
    this.#logFrom = this.tlsproxy.log.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }

  async #assertNothingLeft(): Promise<void> {
    await waitUntil(`tlsproxy to have ${this.#base} descriptors`, async () => {
      return await this.#descriptors() === this.#base;
    }, { explain: () => describeDescriptors(this.tlsproxy.pid), timeLimitMs: 10_000 });
  }

  /** Open descriptors, the connection to tlsmgr not counted: it comes and goes. */
  async #descriptors(): Promise<number> {
    return await countDescriptorsOf(this.tlsproxy.pid) - (this.tlsmgr?.connections ?? 0);
  }

  #waitForLine(wanted: Line): Promise<string> {
    return waitUntil(
      `the log line ${wanted}`,
      () => this.lines().find((line) => matches(line, wanted)),
      { explain: () => this.tlsproxy.log },
    );
  }

  /** Too few lines in the end are told by the comparison that follows. */
  async #waitForCount(count: number): Promise<void> {
    try {
      await waitUntil(`${count} log lines`, () => this.lines().length >= count, {
        timeLimitMs: 15_000,
      });
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
    }
  }
}

/** A line that is an object, as it would be as text. */
function textOf(line: string): string {
  const { severity, message } = parseLogLine(line);
  return severity === "info" || severity === "debug" ? `${message}` : `${severity}: ${message}`;
}

/** Data goes through in both directions. */
export async function assertTalks({ local, remote }: Pick<Session, "local" | "remote">) {
  await local.send("220 mx.example.test ESMTP\r\n");
  assertEquals(await remote.read(27), "220 mx.example.test ESMTP\r\n");
  await remote.tlsWrite("EHLO client.example.test\r\n");
  assertEquals(await local.read(26), "EHLO client.example.test\r\n");
}

/** The lines of a session that goes well. */
export function fullSession(endpoint: string): Line[] {
  return [`CONNECT from ${endpoint}`, established(endpoint), `DISCONNECT ${endpoint}`];
}

/** The lines of a session whose handshake fails, with complaints of the TLS library or not. */
export function failedSession(endpoint: string, ...complaints: Line[]): Line[] {
  return [
    `CONNECT from ${endpoint}`,
    ...complaints,
    `TLS handshake failed for service=smtpd peer=${endpoint}`,
    `DISCONNECT ${endpoint}`,
  ];
}

/** The line about a handshake. */
export function established(endpoint: string): RegExp {
  const name = escapeForRegExp(endpoint);
  return new RegExp(
    `^Anonymous TLS connection established from ${name}: TLSv1\\.[23] with cipher \\S+ `,
  );
}

/** A complaint of the TLS library, with `reason` in it. */
export function complaint(reason: string): RegExp {
  return new RegExp(
    `^warning: TLS library problem: error:[0-9A-F]{8}:.*${escapeForRegExp(reason)}`,
  );
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function matches(line: string, wanted: Line): boolean {
  return typeof wanted === "string" ? line === wanted : wanted.test(line);
}

function assertLines(seen: readonly string[], wanted: readonly Line[]): void {
  const same = seen.length === wanted.length && seen.every((line, i) => matches(line, wanted[i]));
  assert(
    same,
    `Not the log that was expected\n--- expected\n${wanted.join("\n")}\n--- logged\n${
      seen.join("\n")
    }`,
  );
}

/** Lines by the session that they name; those that name none belong to the next one that is named. */
function linesBySession(lines: readonly string[]): Map<string, string[]> {
  const sessions = new Map<string, string[]>();
  let nameless: string[] = [];
  for (const line of lines) {
    nameless.push(line);
    const name = /\[192\.0\.2\.1\]:\d+/.exec(line)?.[0];
    if (name === undefined) continue;
    sessions.set(name, [...sessions.get(name) ?? [], ...nameless]);
    nameless = [];
  }
  if (nameless.length > 0) sessions.set("", nameless);
  return sessions;
}

async function describeDescriptors(pid: number): Promise<string> {
  const links: string[] = [];
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    try {
      links.push(`${name} -> ${await Deno.readLink(`/proc/${pid}/fd/${name}`)}`);
    } catch (error) {
      // Closed between the listing and the look.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return links.sort().join("\n");
}
