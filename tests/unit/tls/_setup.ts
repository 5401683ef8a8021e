/**
 * What the tests of TLS share: a context, a tlsmgr in memory, a handshake in one thread.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Bytes, toHex } from "../../../lib/base/bytes.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { tlsLogShows } from "../../../lib/config/tls_log_level.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { socketPair } from "../../../lib/ffi/libc/socket.ts";
import { encodeTicketKey, ticketKeyFrom } from "../../../lib/proto/ticket_key.ts";
import { TLSMGR_STATUS, TlsmgrAnswer } from "../../../lib/proto/tlsmgr.ts";
import { ServerContext, type ServerPolicy } from "../../../lib/tls/context.ts";
import { type HandshakeStep, ServerEngine } from "../../../lib/tls/engine.ts";
import { Resumption, type SessionKeeper } from "../../../lib/tls/resumption.ts";
import type { SniMap } from "../../../lib/tls/sni_map.ts";
import { TicketCipher } from "../../../lib/tls/tickets.ts";
import type { AnswerHandler } from "../../../lib/tls/tlsmgr_client.ts";
import { type CertificatePaths, writeCertificates } from "../../support/certificates.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { TlsClient, type TlsClientOptions } from "../../support/tls_client.ts";

export const TLS12 = 0x303;
export const TLS13 = 0x304;
export const TIMEOUT_S = 3600;

/** The rules of a server with an ECDSA certificate. */
export function policyOf(
  paths: CertificatePaths,
  change: Partial<ServerPolicy> = {},
): ServerPolicy {
  return {
    certificates: {
      chainFiles: [],
      chainParameter: "tlsproxy_tls_chain_files",
      pairs: [{
        certificateFile: paths.ecCertificate,
        keyFile: paths.ecKey,
        certificateParameter: "tlsproxy_tls_eccert_file",
        keyParameter: "tlsproxy_tls_eckey_file",
      }],
    },
    protocols: { excluded: 0n, floor: TLS12, ceiling: 0 },
    cipherList: "aNULL:-aNULL:HIGH:@STRENGTH",
    groups: [],
    // SSL_OP_ALL, NO_RENEGOTIATION and IGNORE_UNEXPECTED_EOF.
    options: 0xC00008D0n,
    preferServerCiphers: false,
    noTickets: false,
    alwaysIssueIds: false,
    dhFile: "",
    dhParameter: "tlsproxy_tls_dh1024_param_file",
    trust: {
      caFile: "",
      caPath: "",
      appendDefault: false,
      caFileParameter: "tlsproxy_tls_CAfile",
      caPathParameter: "tlsproxy_tls_CApath",
    },
    clientCertificates: undefined,
    fingerprintDigest: "sha256",
    digestParameter: "tlsproxy_tls_fingerprint_digest",
    library: { configFile: "default", configName: "" },
    ...change,
  };
}

/** A tlsmgr that answers at once, or when told. */
export class MemoryTlsmgr implements SessionKeeper {
  readonly clock = new ManualClock();
  readonly sessions = new Map<string, Bytes>();
  readonly asked: string[] = [];
  /** Answers wait for {@linkcode release}. */
  holding = false;
  reachable = true;
  #held: (() => void)[] = [];
  #keys = 1;
  #key = ticketKeyFrom(
    Uint8Array.from({ length: 80 }, (_, i) => i + 1),
    this.clock.unixSeconds() + TIMEOUT_S / 2,
  );

  /** How many answers are held. */
  get held(): number {
    return this.#held.length;
  }

  /** Another key to issue tickets with; the old one is forgotten. */
  replaceKey(): void {
    this.#keys++;
    this.#key = ticketKeyFrom(
      Uint8Array.from({ length: 80 }, (_, i) => i + 100 * this.#keys),
      this.clock.unixSeconds() + TIMEOUT_S / 2,
    );
  }

  ticketKey(name: Bytes | undefined, handler: AnswerHandler): void {
    this.asked.push(name === undefined ? "key" : `key ${toHex(name).slice(0, 4)}`);
    const known = name === undefined || toHex(name) === toHex(this.#key.name);
    this.#answer(handler, known, (answer) => answer.keyBuffer.set(encodeTicketKey(this.#key)));
  }

  lookup(cacheType: string, cacheId: string, handler: AnswerHandler): void {
    this.asked.push("lookup");
    const session = this.sessions.get(`${cacheType} ${cacheId}`);
    this.#answer(handler, session !== undefined, (answer) => answer.session.set(session!.slice()));
  }

  update(cacheType: string, cacheId: string, session: Bytes): void {
    this.asked.push("update");
    this.sessions.set(`${cacheType} ${cacheId}`, session.slice());
  }

  /** Gives the answers that were held, in the order of the questions. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  #answer(handler: AnswerHandler, found: boolean, fill: (answer: TlsmgrAnswer) => void): void {
    const give = () => {
      if (!this.reachable) return handler(undefined);
      const answer = new TlsmgrAnswer().reset(found ? TLSMGR_STATUS.ok : TLSMGR_STATUS.fail);
      if (found) fill(answer);
      handler(answer);
    };
    if (this.holding) this.#held.push(give);
    else give();
  }
}

/** How a {@linkcode Hall} resumes. */
export interface HallOptions {
  tickets?: boolean;
  cache?: boolean;
  policy?: Partial<ServerPolicy>;
  /** Certificates by server name. */
  sni?: SniMap;
  /** A TLS log level. */
  logLevel?: string;
  requireCertificate?: boolean;
  cipherList?: string;
  /** Shared with another hall. */
  tlsmgr?: MemoryTlsmgr;
}

/** A context with its resumption and a tlsmgr behind it. */
export class Hall {
  readonly tlsmgr: MemoryTlsmgr;
  readonly options: HallOptions;
  /** What the engines have logged. */
  readonly lines: string[] = [];
  readonly context: ServerContext;
  readonly resumption: Resumption | undefined;

  constructor(paths: CertificatePaths, options: HallOptions = {}) {
    const { tickets = true, cache = true } = options;
    this.options = options;
    this.tlsmgr = options.tlsmgr ?? new MemoryTlsmgr();
    this.context = new ServerContext(policyOf(paths, options.policy), options.sni);
    const cipher = TicketCipher.find("aes-256-cbc");
    assert(typeof cipher !== "string");
    if (tickets || cache) {
      this.resumption = new Resumption({
        tlsmgr: this.tlsmgr,
        cachable: cache,
        timeoutS: TIMEOUT_S,
        ticketCipher: tickets ? cipher : undefined,
        allowsTls13: true,
        unixSeconds: () => this.tlsmgr.clock.unixSeconds(),
      });
    }
    this.context.enableResumption({
      lifetimeS: 2 * TIMEOUT_S,
      cachable: cache,
      ticketable: tickets,
      alwaysIssueIds: false,
    });
  }

  /** What was asked since the last call. */
  asked(): string[] {
    return this.tlsmgr.asked.splice(0);
  }

  close(): void {
    this.resumption?.close();
    this.context.close();
  }
}

/** Both ends of one connection. */
export class Meeting implements Disposable {
  readonly engine: ServerEngine;
  readonly client: TlsClient;
  readonly fds: readonly [server: number, client: number];
  server: HandshakeStep = "want read";
  resumes = 0;

  constructor(hall: Hall, options: TlsClientOptions = {}, serverId = "smtp:25") {
    const ends = socketPair();
    assert(typeof ends !== "number");
    this.fds = ends;
    const { logLevel = "0", requireCertificate = false, cipherList } = hall.options;
    this.engine = new ServerEngine(hall.context, ends[0], {
      resumption: hall.resumption,
      serverId,
      requireCertificate,
      ...(cipherList !== undefined && { cipherList }),
      log: {
        log: {
          info: (text) => void hall.lines.push(text),
          warn: (text) => void hall.lines.push(`warning: ${text}`),
        },
        shows: tlsLogShows(logLevel.split(" ")),
        peer: "[192.0.2.1]:25",
      },
      resume: () => {
        this.resumes++;
        this.server = this.engine.handshake();
      },
    });
    this.client = new TlsClient(ends[1], options);
  }

  /** Steps both sides until neither gets further; the server's last answer. */
  shake(): HandshakeStep {
    let client = this.client.handshake();
    for (let i = 0; i < 20; i++) {
      if (this.server === "want read" || this.server === "want write") {
        this.server = this.engine.handshake();
      }
      if (client === "waiting") client = this.client.handshake();
    }
    if (this.server === "done") {
      assertEquals([client, this.client.errors], ["done", []]);
      // Tickets of TLS 1.3 come behind the handshake.
      assertEquals(this.client.read().length, 0);
    }
    return this.server;
  }

  [Symbol.dispose](): void {
    this.engine.close();
    this.client[Symbol.dispose]();
    for (const fd of this.fds) closeFile(fd);
  }
}

/** Runs `run` with certificate files in a folder that is gone afterwards. */
export async function withCertificates(
  run: (paths: CertificatePaths, folder: TempFolder) => void | Promise<void>,
): Promise<void> {
  await using folder = await TempFolder.make("tls");
  await run(await writeCertificates(folder.path), folder);
}
