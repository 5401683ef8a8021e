/**
 * One server-side TLS context (`SSL_CTX`): identities and rules that many sessions share.
 *
 * Made from a {@linkcode ServerPolicy} in the order of Postfix's tls/tls_server.c tls_server_init().
 * Keys and certificates are read when the context is made; how sessions are resumed is added when
 * tlsmgr has told. A context lives as long as the sessions made from it: OpenSSL counts references,
 * so {@linkcode ServerContext.close} may come first.
 *
 * Security level 0 as a base is Postfix's decision: weak TLS is better than plaintext.
 *
 * @module
 */
import { FatalError } from "../base/errors.ts";
import { assert } from "../base/assert.ts";
import { latin1 } from "../base/bytes.ts";
import { CTRL, MODE, OP, SESSION_CACHE } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { SslCtx } from "../ffi/openssl/types.ts";
import { cString } from "../ffi/memory.ts";
import { installCallbacks } from "./_callbacks.ts";
import { type CertificateFiles, loadCertificates } from "./certificates.ts";
import { selectGroups } from "./groups.ts";
import type { ProtocolBounds } from "./protocols.ts";

/** The rules of a context. */
export interface ServerPolicy {
  readonly certificates: CertificateFiles;
  readonly protocols: ProtocolBounds;
  /** OpenSSL cipher list for TLS 1.2 and older. */
  readonly cipherList: string;
  /** Names of key-exchange groups; empty leaves OpenSSL's own. */
  readonly groups: readonly string[];
  /** `SSL_OP_*` bits. */
  readonly options: bigint;
  /** The server's cipher order wins. */
  readonly preferServerCiphers: boolean;
  /** The options forbid tickets. */
  readonly noTickets: boolean;
}

/** How sessions of a context are resumed. */
export interface ResumptionRules {
  /** Lifetime of a session in seconds; Postfix takes twice tlsmgr's timeout. */
  readonly lifetimeS: number;
  /** Sessions are kept in tlsmgr. */
  readonly cachable: boolean;
  /** Tickets are issued and taken. */
  readonly ticketable: boolean;
  /** Session ids are issued even if nobody can resume them. */
  readonly alwaysIssueIds: boolean;
}

/**
 * The session id context of all releases from 3.7 to 3.11: the text and its NUL. The same in smtpd,
 * so that a ticket of one is good for the other.
 */
const SESSION_ID_CONTEXT = latin1("Postfix/TLS\0");
const SERVER_MODES = MODE.ENABLE_PARTIAL_WRITE | MODE.ACCEPT_MOVING_WRITE_BUFFER |
  MODE.RELEASE_BUFFERS;

let initialized = false;

/** OpenSSL's own start; idempotent, and before anything else of libssl. */
export function initializeLibrary(): void {
  if (initialized) return;
  initialized = true;
  // Also loads the texts of error messages.
  assert(libssl.OPENSSL_init_ssl(0n, null) === 1, "OpenSSL starts");
}

/** One `SSL_CTX`. */
export class ServerContext {
  readonly #pointer: SslCtx;
  readonly #policy: ServerPolicy;
  #resumption: ResumptionRules | undefined;
  #open = true;

  /** Loads everything; throws {@linkcode FatalError} with the name of what cannot be used. */
  constructor(policy: ServerPolicy) {
    initializeLibrary();
    clearErrors();
    const pointer = libssl.SSL_CTX_new(libssl.TLS_server_method());
    assert(pointer !== null, "SSL_CTX_new succeeds");
    this.#pointer = pointer;
    this.#policy = policy;
    try {
      this.#configure(policy);
    } catch (error) {
      libssl.SSL_CTX_free(pointer);
      throw error;
    }
  }

  /** For the engine. */
  get pointer(): SslCtx {
    assert(this.#open, "a context is used while it is open");
    return this.#pointer;
  }

  /** The rules it was made from. */
  get policy(): ServerPolicy {
    return this.#policy;
  }

  /** How sessions are resumed; `undefined` until told: then every handshake is a full one. */
  get resumption(): ResumptionRules | undefined {
    return this.#resumption;
  }

  /** Sets how sessions are resumed; once, before the first session. */
  enableResumption(rules: ResumptionRules): void {
    assert(this.#resumption === undefined, "resumption is set up once");
    this.#resumption = rules;
    const context = this.#pointer;
    const { cachable, ticketable, alwaysIssueIds } = rules;
    if (cachable || ticketable || alwaysIssueIds) {
      this.#control(
        CTRL.SET_SESS_CACHE_MODE,
        SESSION_CACHE.SERVER | SESSION_CACHE.NO_INTERNAL | SESSION_CACHE.NO_AUTO_CLEAR,
      );
      this.#control(CTRL.SET_SESS_CACHE_SIZE, 1);
      libssl.SSL_CTX_set_timeout(context, BigInt(rules.lifetimeS));
    } else {
      this.#control(CTRL.SET_SESS_CACHE_MODE, SESSION_CACHE.OFF);
    }
    if (!ticketable) libssl.SSL_CTX_set_options(context, OP.NO_TICKET);
    // One ticket a handshake is enough, because every handshake brings another one.
    libssl.SSL_CTX_set_num_tickets(context, ticketable || cachable ? 1n : 0n);
    installCallbacks(context, rules);
  }

  /** Gives the context up; sessions that use it keep it alive. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libssl.SSL_CTX_free(this.#pointer);
  }

  #configure(policy: ServerPolicy): void {
    const context = this.#pointer;
    libssl.SSL_CTX_set_security_level(context, 0);
    const { protocols } = policy;
    const preference = policy.preferServerCiphers ? OP.CIPHER_SERVER_PREFERENCE : 0n;
    libssl.SSL_CTX_set_options(context, policy.options | protocols.excluded | preference);
    this.#setBound(CTRL.SET_MIN_PROTO_VERSION, protocols.floor, "floor");
    this.#setBound(CTRL.SET_MAX_PROTO_VERSION, protocols.ceiling, "ceiling");
    loadCertificates(context, policy.certificates);
    if (libssl.SSL_CTX_set_cipher_list(context, cString(policy.cipherList)) !== 1) {
      clearErrors();
      throw new FatalError(`Cannot use cipher list "${policy.cipherList}": it selects no cipher`, {
        hint: "Check the cipher grade, its list and the exclusions",
      });
    }
    this.#control(CTRL.SET_DH_AUTO, 1);
    this.#setGroups(policy.groups);
    libssl.SSL_CTX_set_verify(context, 0, null);
    libssl.SSL_CTX_set_session_id_context(context, SESSION_ID_CONTEXT, SESSION_ID_CONTEXT.length);
    this.#control(CTRL.MODE, SERVER_MODES);
    // A record's header and body in one read(2); see ServerEngine.read() for what follows from it.
    this.#control(CTRL.SET_READ_AHEAD, 1);
  }

  #setBound(command: number, version: number, which: string): void {
    if (this.#control(command, version) === 1n) return;
    clearErrors();
    throw new FatalError(
      `Cannot use protocol ${which} 0x${version.toString(16).padStart(4, "0")}: ` +
        `OpenSSL does not know this version`,
      { hint: "Check the protocol list" },
    );
  }

  #setGroups(names: readonly string[]): void {
    const take = (list: string) => {
      const taken = libssl.SSL_CTX_ctrl_text(
        this.#pointer,
        CTRL.SET_GROUPS_LIST,
        0n,
        cString(list),
      );
      clearErrors();
      return taken === 1n;
    };
    const groups = selectGroups(names, take);
    // The trial of each name has left the last of them behind; the whole list replaces it.
    if (groups.length > 0) assert(take(groups.join(":")), "a list of known groups is known");
  }

  #control(command: number, value: number): bigint {
    return libssl.SSL_CTX_ctrl(this.#pointer, command, BigInt(value), null);
  }
}
