/**
 * The TLS server role of one service thread: its contexts, and what tlsmgr has to say about them.
 *
 * The context of this service's own settings is made at start, with everything that it is made of.
 * Clients of 3.12 send settings with each request; equal settings share a context, and the number of
 * contexts is limited: the least recently used goes first, and sessions that use it keep what they need.
 *
 * What only tlsmgr can tell, whether sessions are cached and for how long, is asked at start; requests
 * that come before the answer wait for it. Without an answer there is no server role (Postfix: "no
 * entropy … disabling TLS support"), and tlsmgr is asked again when the next request comes.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import type { Counter } from "../daemon/numbers/numbers.ts";
import type { ServiceHall } from "../daemon/service_thread.ts";
import type { TlsServerSettings } from "../proto/tls_settings.ts";
import { certificateEnds } from "../tls/certificate_ends.ts";
import { filesOf, ServerContext } from "../tls/context.ts";
import { allowsTls13 } from "../tls/protocols.ts";
import { stirRandom } from "../tls/random.ts";
import { Resumption } from "../tls/resumption.ts";
import { SniMap } from "../tls/sni_map.ts";
import { TicketCipher } from "../tls/tickets.ts";
import { tryChains } from "../tls/trial.ts";
import { isOk, type TlsmgrClient } from "../tls/tlsmgr_client.ts";
import { differencesOf, policyOfRequest, type RequestPolicy } from "./request_policy.ts";
import type { SessionPolicy } from "./server_policy.ts";
import { type LocalServer, serverRoleOf } from "./server_role.ts";
import { filesOfMaps, readSniTables } from "./sni_tables.ts";

const RETRY_MS = 1_000;
/** Server sessions are kept in tlsmgr's cache of this type, whoever the server is. */
const CACHE_TYPE = "smtpd";
/** Kinds of unexpected settings that are remembered, so that each is warned about once. */
const NAGGED_MAX = 100;

/** What a TLS server needs for a session. */
export interface ServerHall {
  readonly context: ServerContext;
  readonly resumption: Resumption | undefined;
  readonly session: SessionPolicy;
}

/** Takes what a session needs; `undefined`: the role is not available, and the log says why. */
export type ServerAnswer = (hall: ServerHall | undefined) => void;

/** What tlsmgr has said. */
interface CachePolicy {
  readonly cachable: boolean;
  readonly timeoutS: number;
}

/** A context in use. */
interface Entry {
  readonly context: ServerContext;
  readonly resumption: Resumption | undefined;
}

/** The server role. */
export class ServerSide {
  readonly #hall: ServiceHall;
  readonly #tlsmgr: TlsmgrClient;
  readonly #local: LocalServer | undefined;
  readonly #sni: SniMap | undefined;
  /** The context of this service's settings; resumption is set up when tlsmgr has answered. */
  readonly #own: ServerContext | undefined;
  #ownResumption: Resumption | undefined;
  /** Contexts of requests by their settings, the least recently used first. */
  readonly #others = new Map<string, Entry>();
  readonly #nagged = new Set<string>();
  readonly #ticketKeys: Counter;
  #ticketCipher: TicketCipher | undefined;
  #cachePolicy: CachePolicy | undefined;
  #waiting: (() => void)[] = [];
  #phase: "unknown" | "asking" | "ready" = "unknown";

  /** Loads and checks everything; throws {@linkcode FatalError} with the name of what cannot be used. */
  constructor(hall: ServiceHall, tlsmgr: TlsmgrClient) {
    this.#hall = hall;
    this.#tlsmgr = tlsmgr;
    this.#ticketKeys = hall.numbers.counter("postern_tlsproxy_ticket_keys_received_total");
    const { settings, log, isFirst } = hall;
    const { local, warnings } = serverRoleOf(settings.parameters, settings.tls);
    const say = (texts: readonly string[]) => {
      if (isFirst) { for (const text of texts) log.warn(text); }
    };
    say(warnings);
    this.#local = local;
    if (local === undefined) return;
    if (local.session.shows.verbose && isFirst) log.info("initializing the server-side TLS engine");
    this.#sni = openSniMap(hall);
    hall.noteFiles(filesOf(local.policy));
    this.#own = new ServerContext(local.policy, this.#sni);
    say(this.#own.warnings);
    // All threads read the same files.
    if (isFirst) say(tryChains(this.#own));
    this.#showContexts();
    this.#ticketCipher = this.#findTicketCipher(say);
    this.#ask(2);
  }

  /**
   * Answers what a session needs, as soon as it is known.
   *
   * @param request what a client of 3.12 has sent with its request
   */
  whenReady(request: TlsServerSettings | undefined, answer: ServerAnswer): void {
    if (this.#own === undefined) {
      if (request !== undefined) {
        this.#hall.log.warn("TLS server role is disabled by configuration");
      }
      return answer(undefined);
    }
    if (this.#phase === "ready") return answer(this.#serve(request));
    this.#waiting.push(() => {
      answer(this.#phase === "ready" ? this.#serve(request) : undefined);
    });
    if (this.#phase === "unknown") this.#ask(1);
  }

  /** Gives all contexts and keys back; sessions keep what they use. */
  close(): void {
    for (const entry of this.#others.values()) closeEntry(entry);
    this.#others.clear();
    this.#ownResumption?.close();
    this.#own?.close();
    this.#sni?.close();
  }

  /** What a session gets; `undefined` when what it asks for cannot be had. */
  #serve(request: TlsServerSettings | undefined): ServerHall | undefined {
    const local = this.#local!;
    const own: ServerHall = {
      context: this.#own!,
      resumption: this.#ownResumption,
      session: local.session,
    };
    const mode = this.#hall.settings.service.settings_from_request;
    if (request === undefined || mode === "ignore") return own;
    this.#nag(request);
    const { parameters, tls } = this.#hall.settings;
    const asked = policyOfRequest(request, local, { parameters, tls, mode });
    if ("refusal" in asked) {
      this.#hall.log.warn(asked.refusal);
      return undefined;
    }
    if (asked.key === local.key) return { ...own, session: asked.session };
    const entry = this.#find(asked.key) ?? this.#make(asked);
    return entry === undefined ? undefined : { ...entry, session: asked.session };
  }

  /** A context that is there already. */
  #find(key: string): Entry | undefined {
    const entry = this.#others.get(key);
    if (entry === undefined) return undefined;
    this.#others.delete(key);
    this.#others.set(key, entry);
    return entry;
  }

  /** A context for the settings of a request. */
  #make(asked: Exclude<RequestPolicy, { refusal: string }>): Entry | undefined {
    let context: ServerContext;
    try {
      context = new ServerContext(asked.policy, this.#sni);
    } catch (error) {
      // The settings of one request are no reason to end the service for all.
      if (!(error instanceof FatalError)) throw error;
      const { message, hint } = error;
      this.#hall.log.warn(hint === undefined ? message : `${message}; ${hint}`);
      return undefined;
    }
    for (const warning of [...asked.warnings, ...context.warnings]) this.#hall.log.warn(warning);
    const entry = { context, resumption: this.#resumptionOf(context) };
    this.#others.set(asked.key, entry);
    // One of them is this service's own.
    for (const [key, oldest] of this.#others) {
      if (this.#others.size < this.#hall.settings.service.max_contexts) break;
      if (oldest === entry) break;
      this.#others.delete(key);
      closeEntry(oldest);
    }
    this.#showContexts();
    return entry;
  }

  /** Shows how many contexts there are, and until when the certificates of this service's own are good. */
  #showContexts(): void {
    const { numbers } = this.#hall;
    numbers.gauge("postern_tlsproxy_contexts").set(1 + this.#others.size);
    for (const { shown, subject, endsAtS } of certificateEnds(this.#own!)) {
      const labels = { certificate: shown, subject };
      numbers.gauge("postern_tlsproxy_certificate_expiry_timestamp_seconds", labels).set(endsAtS);
    }
  }

  /** Warns of settings that differ from this service's own, once for each kind of difference. */
  #nag(request: TlsServerSettings): void {
    const { log } = this.#hall;
    const { parameters } = this.#hall.settings;
    const differences = differencesOf(request, this.#local!, parameters);
    if (differences.length === 0) return;
    const key = differences.join("\n");
    if (this.#nagged.has(key) || this.#nagged.size >= NAGGED_MAX) return;
    this.#nagged.add(key);
    log.warn("request from tlsproxy client with unexpected settings");
    for (const difference of differences) log.warn(difference);
    log.warn(
      "to avoid this warning, configure a custom tlsproxy service with settings that match this " +
        "client, and the client's tlsproxy_service_name to use that service",
    );
  }

  /** Asks for random bytes and for the cache's policy; both must come. */
  #ask(tries: number): void {
    this.#phase = "asking";
    const { tls_daemon_random_bytes: size } = this.#hall.settings.parameters;
    this.#tlsmgr.seed(size, (answer) => {
      const seeded = isOk(answer);
      if (isOk(answer)) stirRandom(answer.seed.data());
      this.#tlsmgr.policy(CACHE_TYPE, (policy) => {
        if (!seeded || !isOk(policy)) return this.#retry(tries - 1);
        this.#take({ cachable: policy.cachable === 1, timeoutS: policy.timeout });
      });
    });
  }

  #retry(tries: number): void {
    if (tries > 0) {
      this.#hall.reactor.after(RETRY_MS, () => this.#ask(tries));
      return;
    }
    if (!this.#hall.settings.service.require_tlsmgr) {
      this.#hall.log.warn("no answer from tlsmgr: sessions are not resumed");
      return this.#settle("ready");
    }
    this.#hall.log.warn("no entropy for TLS key generation: disabling TLS support");
    this.#settle("unknown");
  }

  #take(policy: CachePolicy): void {
    this.#cachePolicy = policy;
    this.#ownResumption = this.#resumptionOf(this.#own!);
    this.#settle("ready");
  }

  /** Sets up how the sessions of a context are resumed. */
  #resumptionOf(context: ServerContext): Resumption | undefined {
    const known = this.#cachePolicy;
    if (known === undefined) return undefined;
    const { cachable: cachableThere, timeoutS } = known;
    const cachable = cachableThere && timeoutS > 0;
    const { noTickets, protocols, alwaysIssueIds } = context.policy;
    const cipher = timeoutS > 0 && !noTickets ? this.#ticketCipher : undefined;
    context.enableResumption({
      lifetimeS: 2 * timeoutS,
      cachable,
      ticketable: cipher !== undefined,
      alwaysIssueIds,
    });
    if (!cachable && cipher === undefined) return undefined;
    return new Resumption({
      tlsmgr: this.#tlsmgr,
      cachable,
      timeoutS,
      ticketCipher: cipher,
      allowsTls13: allowsTls13(protocols),
      unixSeconds: () => this.#hall.reactor.unixSeconds(),
      keyReceived: () => this.#ticketKeys.add(),
    });
  }

  #findTicketCipher(say: (texts: readonly string[]) => void): TicketCipher | undefined {
    const name = this.#hall.settings.parameters.tls_session_ticket_cipher;
    if (name === "") return undefined;
    const cipher = TicketCipher.find(name);
    if (typeof cipher !== "string") return cipher;
    say([`tls_session_ticket_cipher = ${name}: ${cipher}; no session tickets`]);
    return undefined;
  }

  #settle(phase: "ready" | "unknown"): void {
    this.#phase = phase;
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** The certificates by server name that the settings ask for. */
function openSniMap({ settings, noteFiles }: ServiceHall): SniMap | undefined {
  const maps = settings.parameters.tls_server_sni_maps;
  if (maps.length === 0) return undefined;
  noteFiles(filesOfMaps(maps));
  const table = readSniTables(maps);
  noteFiles([...table.values()].flat());
  return new SniMap(table, "tls_server_sni_maps");
}

function closeEntry(entry: Entry): void {
  entry.resumption?.close();
  entry.context.close();
}
