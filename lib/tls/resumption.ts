/**
 * Everything a handshake needs from tlsmgr, fetched before OpenSSL asks for it.
 *
 * OpenSSL's hooks for cached sessions and ticket keys must answer at once, and tlsmgr may be slow.
 * So the handshake is suspended at the ClientHello, the only moment when both are known: what the
 * client offers and what is here. What is missing is asked for; when it has come, or its time is up,
 * the handshake goes on with what there is. Nothing that fails here fails a handshake: it becomes a
 * full one, or one without a ticket.
 *
 * One object a thread, shared by all sessions.
 *
 * @module
 */
import { toHex } from "../base/bytes.ts";
import { decodeTicketKey } from "../proto/ticket_key.ts";
import type { TlsmgrAnswer } from "../proto/tlsmgr.ts";
import type { SslSession } from "../ffi/openssl/types.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Missed } from "./agreed.ts";
import type { HelloFacts } from "./hello.ts";
import type { SessionLog } from "./session_log.ts";
import { decodeSession, serverCacheId } from "./sessions.ts";
import { TICKET, type TicketCipher, type TicketContexts, TicketKeys } from "./tickets.ts";
import { isOk, type TlsmgrClient } from "./tlsmgr_client.ts";

/** Server sessions are kept in tlsmgr's cache of this type, whoever the server is. */
const CACHE_TYPE = "smtpd";
const KEY_NAME_BYTES = 16;
const SESSION_ID_BYTES_MAX = 32;

/** The questions that resumption asks. */
export type SessionKeeper = Pick<TlsmgrClient, "ticketKey" | "lookup" | "update">;

/** What tlsmgr said, and what the settings allow. */
export interface ResumptionOptions {
  readonly tlsmgr: SessionKeeper;
  /** tlsmgr keeps sessions. */
  readonly cachable: boolean;
  /** tlsmgr's timeout, seconds, more than 0. */
  readonly timeoutS: number;
  /** Absent: no tickets. */
  readonly ticketCipher: TicketCipher | undefined;
  /** The protocols allowed include TLS 1.3. */
  readonly allowsTls13: boolean;
  /** Seconds since 1970. */
  readonly unixSeconds: () => number;
  /** Told of each ticket key that has come and was not known. */
  readonly keyReceived?: () => void;
}

/** Collects for one handshake; made for each ClientHello that needs something. */
export interface Gathered {
  /** The cached session that the client asked for; owned by whoever takes it. */
  session: SslSession | undefined;
  /** Why nothing will be resumed, if nothing is. */
  missed: Missed;
}

function offersTicket({ ticket, identities }: HelloFacts): boolean {
  return identities.length > 0 || (ticket !== undefined && ticket.length > 0);
}

const NO_TICKETS: readonly Bytes[] = [];
const oneTicket: Bytes[] = [];

/** Tickets that may be read. */
function ticketsOf({ tls13, ticket, identities }: HelloFacts): readonly Bytes[] {
  if (tls13) return identities;
  if (ticket === undefined) return NO_TICKETS;
  oneTicket[0] = ticket;
  return oneTicket;
}

/** Whether the client wants a ticket, where there are any. */
function issuesTicket({ tls13, ticket }: HelloFacts): boolean {
  return tls13 || ticket !== undefined;
}

/** The resumption of one thread's sessions. */
export class Resumption {
  readonly #options: ResumptionOptions;
  readonly #keys: TicketKeys;

  constructor(options: ResumptionOptions) {
    this.#options = options;
    this.#keys = new TicketKeys(options.timeoutS);
  }

  /** Whether sessions are kept in tlsmgr. */
  get cachable(): boolean {
    return this.#options.cachable;
  }

  /** Whether tickets are issued and taken. */
  get ticketable(): boolean {
    return this.#options.ticketCipher !== undefined;
  }

  /** Whether TLS 1.3 is spoken. */
  get allowsTls13(): boolean {
    return this.#options.allowsTls13;
  }

  /** Whether a ticket can be issued at this moment. */
  get canIssue(): boolean {
    return this.#keys.canEncrypt(this.#options.unixSeconds());
  }

  /** Why nothing will be resumed, if nothing is and no other reason turns up. */
  missedBy(facts: HelloFacts): Missed {
    return offersTicket(facts) || this.#sessionIdOf(facts) !== undefined ? "not usable" : "";
  }

  /** Whether all that the hello needs is here, as after the first few handshakes it nearly always is. */
  hasAllFor(facts: HelloFacts): boolean {
    if (this.ticketable) {
      const now = this.#options.unixSeconds();
      if (issuesTicket(facts) && !this.#keys.canEncrypt(now)) return false;
      for (const ticket of ticketsOf(facts)) if (!this.#isReadable(ticket, now)) return false;
    }
    return this.#sessionIdOf(facts) === undefined;
  }

  /**
   * Fetches what the hello needs and is not here. Answers `true` if that is nothing; otherwise
   * `gathered` is filled and `done` called once, later. Whoever does not wait any more must free a
   * session that is gathered after all: `abandoned` tells.
   */
  gather(facts: HelloFacts, into: {
    serverId: string;
    gathered: Gathered;
    log: SessionLog;
    abandoned: () => boolean;
    done: () => void;
  }): boolean {
    const { tlsmgr } = this.#options;
    const wants = this.#wantsOf(facts);
    const { gathered } = into;
    let open = 0;
    // Answers may come before this function returns, when tlsmgr cannot be reached.
    let returned = false;
    const settle = () => {
      open--;
      if (open === 0 && returned) into.done();
    };
    for (const name of wants.keys) {
      open++;
      tlsmgr.ticketKey(name, (answer) => {
        this.#takeKey(answer);
        settle();
      });
    }
    if (wants.sessionId !== undefined) {
      open++;
      const id = serverCacheId(wants.sessionId, into.serverId);
      into.log.cache(`looking up session ${id} in ${CACHE_TYPE} cache`);
      tlsmgr.lookup(CACHE_TYPE, id, (answer) => {
        if (!isOk(answer)) gathered.missed = answer === undefined ? "no answer" : "not in cache";
        else if (!into.abandoned()) {
          const session = gathered.session = decodeSession(answer.session.data());
          if (session !== undefined) {
            into.log.cache(`reloaded session ${id} from ${CACHE_TYPE} cache`);
          }
        }
        settle();
      });
    }
    returned = true;
    return open === 0;
  }

  /** Keeps a session, in DER form; nobody waits for it. */
  store(sessionId: Uint8Array, serverId: string, session: Bytes): void {
    this.#options.tlsmgr.update(CACHE_TYPE, serverCacheId(sessionId, serverId), session);
  }

  /** For OpenSSL's ticket callback: issue one. */
  encryptTicket(contexts: TicketContexts, log: SessionLog): number {
    const { ticketCipher: cipher, unixSeconds } = this.#options;
    if (cipher === undefined) return TICKET.none;
    const result = this.#keys.encrypt(contexts, cipher, unixSeconds());
    if (result > 0 && log.shows.cache) {
      log.cache(`Issuing session ticket, key expiration: ${this.#keys.used}`);
    }
    return result;
  }

  /**
   * For OpenSSL's ticket callback: read one.
   *
   * @param alwaysRenew issue another one whatever the key's age: a TLS 1.3 client uses each ticket
   * once (RFC 8446 C.4), and would otherwise resume every second time only
   */
  decryptTicket(contexts: TicketContexts, alwaysRenew: boolean, log: SessionLog): number {
    const { ticketCipher: cipher, unixSeconds } = this.#options;
    if (cipher === undefined) return TICKET.none;
    const result = this.#keys.decrypt(contexts, cipher, unixSeconds());
    if (result > 0 && log.shows.cache) {
      log.cache(`Decrypting session ticket, key expiration: ${this.#keys.used}`);
    }
    return result === TICKET.usable && alwaysRenew ? TICKET.renew : result;
  }

  /** Overwrites all keys. */
  close(): void {
    this.#keys.wipe();
  }

  /** What must be asked for; `undefined` among the keys stands for the one to encrypt with. */
  #wantsOf(facts: HelloFacts): { keys: (Bytes | undefined)[]; sessionId: Bytes | undefined } {
    const keys: (Bytes | undefined)[] = [];
    if (this.ticketable) {
      const now = this.#options.unixSeconds();
      const names = new Set<string>();
      for (const ticket of ticketsOf(facts)) {
        if (this.#isReadable(ticket, now)) continue;
        // The facts are overwritten by the next hello.
        const name = ticket.slice(0, KEY_NAME_BYTES);
        const hex = toHex(name);
        if (names.has(hex)) continue;
        names.add(hex);
        keys.push(name);
      }
      if (issuesTicket(facts) && !this.#keys.canEncrypt(now)) keys.push(undefined);
    }
    return { keys, sessionId: this.#sessionIdOf(facts) };
  }

  /** Whether nothing has to be fetched for a ticket; one that is too short nobody can read. */
  #isReadable(ticket: Bytes, now: number): boolean {
    return ticket.length < KEY_NAME_BYTES || this.#keys.canDecrypt(ticket, now);
  }

  /** The id that OpenSSL is going to look up (ssl/ssl_sess.c ssl_get_prev_session()). */
  #sessionIdOf(facts: HelloFacts): Bytes | undefined {
    if (!this.#options.cachable) return undefined;
    if (facts.tls13) {
      // Without tickets TLS 1.3 resumes from the cache: the identity is a session id.
      const identity = this.ticketable ? undefined : facts.identities[0];
      return identity !== undefined && identity.length <= SESSION_ID_BYTES_MAX
        ? identity
        : undefined;
    }
    // A client that presents a ticket makes an id up, to see whether the ticket was taken (RFC 5077 3.4).
    const hasTicket = this.ticketable && facts.ticket !== undefined && facts.ticket.length > 0;
    return hasTicket || facts.sessionId.length === 0 ? undefined : facts.sessionId;
  }

  #takeKey(answer: TlsmgrAnswer | undefined): void {
    if (!isOk(answer)) return;
    const key = decodeTicketKey(answer.keyBuffer.data());
    if (key !== undefined && this.#keys.add(key)) this.#options.keyReceived?.();
  }
}
