/**
 * What one TLS session tells the log, in the shapes of Postfix's TLS library (tls/tls_server.c,
 * tls/tls_misc.c): people and programs read these lines.
 *
 * Text of the peer's goes into lines as it is; the log replaces what could forge one.
 *
 * @module
 */
import type { TlsLogShows } from "../config/tls_log_level.ts";
import { INFO, SSL_ERROR } from "../ffi/openssl/constants.ts";
import { libssl } from "../ffi/openssl/openssl.ts";
import type { Ssl } from "../ffi/openssl/types.ts";
import { readCString } from "../ffi/memory.ts";
import type { Log, LogSubject } from "../log/log.ts";
import { describeHandshake, type Handshake } from "./summary.ts";
import type { Verification } from "./verification.ts";

const CLOSE_NOTIFY = 0;
const DUMP_WIDTH = 16;
/** Operations of a BIO callback, when they return (openssl/bio.h). */
const BIO_RETURNED = { read: 0x82, write: 0x83 } as const;

/** Where the lines go, and who they are about. */
export interface SessionLogOptions {
  readonly log: Pick<Log, "info" | "warn">;
  readonly shows: TlsLogShows;
  /** What Postfix calls namaddr: `[192.0.2.1]:25`. */
  readonly peer: string;
  /** What all lines are about. */
  readonly about?: LogSubject;
  /** What the line about a finished handshake is about. */
  readonly aboutHandshake?: LogSubject;
}

/** The lines of one session. */
export class SessionLog {
  readonly shows: TlsLogShows;
  readonly #log: SessionLogOptions["log"];
  readonly #peer: string;
  readonly #about: LogSubject | undefined;
  readonly #aboutHandshake: LogSubject | undefined;

  constructor(options: SessionLogOptions) {
    this.shows = options.shows;
    this.#log = options.log;
    this.#peer = options.peer;
    this.#about = options.about;
    this.#aboutHandshake = options.aboutHandshake ?? options.about;
  }

  #info(text: string): void {
    this.#log.info(text, this.#about);
  }

  /** The session begins. */
  begin(cipherList: string): void {
    if (!this.shows.verbose) return;
    this.#info(`setting up TLS connection from ${this.#peer}`);
    this.#info(`${this.#peer}: TLS cipher list "${cipherList}"`);
  }

  /** A line about the session, for those who want to know all. */
  verbose(text: string): void {
    if (this.shows.verbose) this.#info(`${this.#peer}: ${text}`);
  }

  /** A line about the session's cache or ticket. */
  cache(text: string): void {
    if (this.shows.cache) this.#info(`${this.#peer}: ${text}`);
  }

  /** The client asked for `name`, which is no host name. */
  invalidServerName(name: string): void {
    this.#log.warn(`TLS SNI from ${this.#peer} is invalid: ${name}`, this.#about);
  }

  /** The client's second hello asks for another name than its first. */
  changedServerName(first: string, second: string): void {
    this.#log.warn(
      `TLS SNI changed from ${this.#peer} initially ${first}, ${second} after hello retry`,
      this.#about,
    );
  }

  /** There is no certificate for `name` in particular. */
  unmatchedServerName(name: string): void {
    this.#info(`TLS SNI ${name} from ${this.#peer} not matched, using default chain`);
  }

  /** OpenSSL did not take the certificates for `name`. */
  unusableServerName(name: string): void {
    this.#log.warn(`TLS SNI ${name} from ${this.#peer}: cannot use its certificates`, this.#about);
  }

  /** The handshake is over: everything that is said about it. */
  finished(handshake: Handshake, verification: Verification | undefined): void {
    const { shows } = this;
    const peer = this.#peer;
    if (shows.cache && handshake.resumed) {
      const how = handshake.ticketed ? " (RFC 5077 session ticket)" : "";
      this.#info(`${peer}: Reusing old session${how}`);
    }
    const certificate = handshake.peerCertificate;
    if (certificate !== undefined) {
      if (shows.verbose) {
        this.#info(`subject=${certificate.subject}`);
        this.#info(`issuer=${certificate.issuer}`);
      }
      if (shows.verbose || shows.peercert) {
        this.#info(
          `${peer}: subject_CN=${certificate.commonName}, ` +
            `issuer=${certificate.issuerCommonName}, ` +
            `fingerprint=${certificate.fingerprint}, ` +
            `pkey_fingerprint=${certificate.keyFingerprint}`,
        );
      }
      if (!certificate.trusted && shows.untrusted) {
        const why = handshake.resumed
          ? `${peer}: re-using session with untrusted certificate, ` +
            "look for details earlier in the log"
          : verification?.describe(peer);
        if (why !== undefined) this.#info(why);
      }
    }
    if (shows.summary) this.#log.info(describeHandshake(handshake, peer), this.#aboutHandshake);
  }

  /** For OpenSSL's info callback: a state, an alert, an end (openssl/ssl.h SSL_CB_*). */
  state(ssl: Ssl, where: number, result: number): void {
    if ((where & INFO.ALERT) !== 0) {
      if ((result & 0xff) === CLOSE_NOTIFY) return;
      const direction = (where & INFO.READ) !== 0 ? "read" : "write";
      const type = readCString(libssl.SSL_alert_type_string_long(result));
      const text = readCString(libssl.SSL_alert_desc_string_long(result));
      return this.#info(`SSL3 alert ${direction}:${type}:${text}`);
    }
    const name = (where & INFO.ACCEPT) !== 0 ? "SSL_accept" : "unknown";
    const state = () => readCString(libssl.SSL_state_string_long(ssl));
    if ((where & INFO.LOOP) !== 0) return this.#info(`${name}:${state()}`);
    if ((where & INFO.EXIT) === 0 || result > 0) return;
    if (result === 0) return this.#info(`${name}:failed in ${state()}`);
    if (isWaiting(libssl.SSL_get_error(ssl, result))) return;
    this.#info(`${name}:error in ${state()}`);
  }

  /** For OpenSSL's BIO callback: bytes that came or went. */
  packet(operation: number, where: { bio: bigint; data: bigint; length: number }, moved: {
    result: number;
    bytes: Uint8Array;
  }): void {
    const words = operation === BIO_RETURNED.read
      ? "read from"
      : operation === BIO_RETURNED.write
      ? "write to"
      : undefined;
    if (words === undefined) return;
    const { bio, data, length } = where;
    const head = `${words} ${hex(bio)} [${hex(data)}] (${length} bytes => `;
    if (moved.result <= 0) return this.#info(`${head}${moved.result})`);
    const count = moved.bytes.length;
    this.#info(`${head}${count} (0x${count.toString(16).toUpperCase()}))`);
    for (const line of dumpLines(moved.bytes)) this.#info(line);
  }
}

/** A suspended handshake is no fault, nor one that waits for the peer. */
function isWaiting(error: number): boolean {
  return error === SSL_ERROR.WANT_READ || error === SSL_ERROR.WANT_WRITE ||
    error === SSL_ERROR.WANT_CLIENT_HELLO_CB;
}

function hex(address: bigint): string {
  return address.toString(16).toUpperCase().padStart(8, "0");
}

/** Bytes in hexadecimal and as text, 16 a line; blanks and NULs at the end are only counted. */
export function dumpLines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  const end = bytes.findLastIndex((byte) => byte !== 0x20 && byte !== 0) + 1;
  const offset = (at: number) => at.toString(16).padStart(4, "0");
  for (let at = 0; at < end; at += DUMP_WIDTH) {
    let digits = "";
    let text = "";
    for (let column = 0; column < DUMP_WIDTH; column++) {
      if (at + column >= end) {
        digits += "   ";
        continue;
      }
      const byte = bytes[at + column];
      const middle = column === DUMP_WIDTH / 2 - 1;
      digits += byte.toString(16).padStart(2, "0") + (middle ? "|" : " ");
      text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
      if (middle) text += " ";
    }
    lines.push(`${offset(at)} ${digits} ${text}`);
  }
  if (end < bytes.length) lines.push(`${offset(end)} - <SPACES/NULLS>`);
  return lines;
}
