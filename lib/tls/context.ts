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
import { type Bytes, fromHex, latin1, utf8 } from "../base/bytes.ts";
import { CTRL, MODE, OP, SESSION_CACHE, VERIFY } from "../ffi/openssl/constants.ts";
import { clearErrors } from "../ffi/openssl/error_queue.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { SslCtx } from "../ffi/openssl/types.ts";
import { cString, Memory } from "../ffi/memory.ts";
import { installCallbacks, installServerName } from "./_callbacks.ts";
import { type CertificateFiles, loadCertificates } from "./certificates.ts";
import { setDhParameters } from "./dh.ts";
import { selectGroups } from "./groups.ts";
import { initializeLibrary, type LibraryOptions } from "./library.ts";
import { FingerprintDigest } from "./peer_certificate.ts";
import type { ProtocolBounds } from "./protocols.ts";
import type { SniMap } from "./sni_map.ts";
import {
  askForCertificates,
  type ClientCertificateRules,
  loadTrustStore,
  type TrustStore,
} from "./trust.ts";

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
  /** Session ids are issued even if nobody can resume them. */
  readonly alwaysIssueIds: boolean;
  /** PEM file of DH parameters; empty or `auto`: OpenSSL chooses. */
  readonly dhFile: string;
  readonly dhParameter: string;
  readonly trust: TrustStore;
  /** What is asked of clients; `undefined`: no certificate. */
  readonly clientCertificates: ClientCertificateRules | undefined;
  /** Algorithm of fingerprints: `sha256`. */
  readonly fingerprintDigest: string;
  readonly digestParameter: string;
  /** OpenSSL's own configuration. */
  readonly library: LibraryOptions;
}

/** What a context of these rules is made of: files, and the folder of authorities. */
export function filesOf({ certificates, dhFile, trust }: ServerPolicy): readonly string[] {
  const { chainFiles, pairs } = certificates;
  const chains = chainFiles.length > 0
    ? chainFiles
    : pairs.flatMap(({ certificateFile, keyFile }) => [certificateFile, keyFile]);
  const dh = dhFile === "auto" ? "" : dhFile;
  return [...chains, dh, trust.caFile, trust.caPath].filter((path) => path !== "");
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
 * so that a ticket of one is good for the other. Only for servers that ask for no certificate.
 */
const SESSION_ID_CONTEXT = latin1("Postfix/TLS\0");
/** What Postfix offers when its settings name no group that OpenSSL knows. */
export const USUAL_GROUPS = [
  ...["X25519", "X448", "prime256v1", "secp384r1", "secp521r1"],
  ...["ffdhe2048", "ffdhe3072"],
];
const SERVER_MODES = MODE.ENABLE_PARTIAL_WRITE | MODE.ACCEPT_MOVING_WRITE_BUFFER |
  MODE.RELEASE_BUFFERS;

/** One `SSL_CTX`. */
export class ServerContext {
  readonly #pointer: SslCtx;
  readonly #policy: ServerPolicy;
  readonly #digest: FingerprintDigest;
  readonly #warnings: string[] = [];
  readonly #sni: SniMap | undefined;
  #chainNames: ReadonlyMap<bigint, string> = new Map();
  #resumption: ResumptionRules | undefined;
  #open = true;

  /**
   * Loads everything; throws {@linkcode FatalError} with the name of what cannot be used.
   *
   * @param sni certificates by server name, for several contexts; not owned
   */
  constructor(policy: ServerPolicy, sni?: SniMap) {
    initializeLibrary(policy.library);
    this.#digest = demandDigest(policy);
    clearErrors();
    const pointer = libssl.SSL_CTX_new(libssl.TLS_server_method());
    assert(pointer !== null, "SSL_CTX_new succeeds");
    this.#pointer = pointer;
    this.#policy = policy;
    this.#sni = sni;
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

  /** What the server can do without, and an operator should know. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Certificates by server name. */
  get sni(): SniMap | undefined {
    return this.#sni;
  }

  /** What people call the chain of each leaf, by the leaf's address. */
  get chainNames(): ReadonlyMap<bigint, string> {
    return this.#chainNames;
  }

  /** How fingerprints are made. */
  get digest(): FingerprintDigest {
    return this.#digest;
  }

  /**
   * What a session must have been made under to be resumed: 1 to 32 bytes.
   *
   * Where certificates are asked for it stands for the rules by which they were verified: OpenSSL keeps
   * the result of that in the session, and it must not be taken for the result under other rules.
   *
   * @param required a certificate must be trusted
   */
  sessionIdContext(required: boolean): Bytes {
    const { clientCertificates: rules, trust } = this.#policy;
    if (rules === undefined) return SESSION_ID_CONTEXT;
    const { caFile, caPath, appendDefault } = trust;
    const { depth, acceptServerUse } = rules;
    const facts = [caFile, caPath, appendDefault, depth, acceptServerUse, required];
    const text = utf8(JSON.stringify(facts));
    using memory = new Memory(text.length);
    memory.bytes.set(text);
    const sha256 = FingerprintDigest.find("sha256");
    const digest = sha256?.ofMemory(memory.pointer, BigInt(text.length));
    assert(digest !== undefined, "OpenSSL has SHA-256");
    return fromHex(digest.replaceAll(":", ""));
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
    loadTrustStore(context, policy.trust);
    this.#chainNames = loadCertificates(context, policy.certificates);
    if (libssl.SSL_CTX_set_cipher_list(context, cString(policy.cipherList)) !== 1) {
      clearErrors();
      throw new FatalError(`Cannot use cipher list "${policy.cipherList}": it selects no cipher`, {
        hint: "Check the cipher grade, its list and the exclusions",
      });
    }
    setDhParameters(context, policy.dhFile, policy.dhParameter);
    this.#setGroups(policy.groups);
    this.#askForCertificates(policy);
    const idContext = this.sessionIdContext(false);
    libssl.SSL_CTX_set_session_id_context(context, idContext, idContext.length);
    if (this.#sni !== undefined) installServerName(context);
    this.#control(CTRL.MODE, SERVER_MODES);
    // A record's header and body in one read(2); see ServerEngine.read() for what follows from it.
    this.#control(CTRL.SET_READ_AHEAD, 1);
  }

  #askForCertificates(policy: ServerPolicy): void {
    const { clientCertificates: rules, trust } = policy;
    if (rules === undefined) return libssl.SSL_CTX_set_verify(this.#pointer, VERIFY.NONE, null);
    const warning = askForCertificates(this.#pointer, rules, trust);
    if (warning !== undefined) this.#warnings.push(warning);
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
    if (names.every((name) => name.trim() === "")) return;
    // Names are tried in another context: a trial that succeeds is a setting.
    const scratch = libssl.SSL_CTX_new(libssl.TLS_server_method());
    assert(scratch !== null, "SSL_CTX_new succeeds");
    const known = (name: string) => takesGroups(scratch, name);
    let groups = selectGroups(names, known);
    if (groups.length === 0) {
      this.#warnings.push(
        "no group of tls_eecdh_auto_curves and tls_ffdhe_auto_groups is known: using the usual ones",
      );
      groups = selectGroups(USUAL_GROUPS, known);
    }
    libssl.SSL_CTX_free(scratch);
    if (groups.length === 0 || takesGroups(this.#pointer, groups.join(":"))) return;
    this.#warnings.push(`OpenSSL refuses the groups ${groups.join(":")}: using its own`);
  }

  #control(command: number, value: number): bigint {
    return libssl.SSL_CTX_ctrl(this.#pointer, command, BigInt(value), null);
  }
}

function demandDigest(policy: ServerPolicy): FingerprintDigest {
  const { fingerprintDigest: name, digestParameter: parameter } = policy;
  const digest = FingerprintDigest.find(name);
  if (digest !== undefined) return digest;
  throw new FatalError(`Cannot use ${parameter} = ${name}: OpenSSL does not have this digest`, {
    hint: 'Write "sha256"; `openssl list -digest-algorithms` shows what there is',
  });
}

/** Whether OpenSSL knows the groups of `list`, which are those of the context then. */
export function takesGroups(context: SslCtx, list: string): boolean {
  const taken = libssl.SSL_CTX_ctrl_text(context, CTRL.SET_GROUPS_LIST, 0n, cString(list));
  clearErrors();
  return taken === 1n;
}
