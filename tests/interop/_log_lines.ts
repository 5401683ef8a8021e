/**
 * TLS clients that a server's log has something to say about, and the shapes of what it says.
 *
 * @module
 */

import { assert } from "@std/assert";
import { type Bytes, fromHex, latin1 } from "../../lib/base/bytes.ts";
import { beginSession, endSession } from "../../lib/cli/demo/hand_over.ts";
import { awaitAny } from "../../lib/cli/demo/waiting.ts";
import type { SslSession } from "../../lib/ffi/openssl/types.ts";
import { closeDescriptor, receive, sendWhole, socketPair } from "../../lib/net/stream.ts";
import { CERTIFICATE_NAMES } from "../support/certificates.ts";
import type { ClientCertificates, ClientKind } from "../support/client_certificates.ts";
import { TlsClient, type TlsClientOptions } from "../support/tls_client.ts";

const TLS10 = 0x301;
const TLS12 = 0x303;
const TLS13 = 0x304;
/** `SSL_OP_NO_TICKET` */
const NO_TICKET = 1n << 14n;
const WEAK = "ALL:@SECLEVEL=0";

/** How a guest behaves. */
export interface Guest extends Omit<TlsClientOptions, "certificate" | "session"> {
  readonly certificate?: ClientKind;
  /** Comes again at once and brings the session back. */
  readonly twice?: true;
  /** Leaves without close_notify. */
  readonly cut?: true;
  /** Sends this, and nothing of TLS. */
  readonly raw?: Bytes;
  /** Says hello, and leaves. */
  readonly hasty?: true;
}

/** Names that the servers have certificates for: the second one of the certificates, and none else. */
export const [OTHER_NAME, SNI_NAME] = CERTIFICATE_NAMES;

/** The guests, by what they are about. */
export const GUESTS: Readonly<Record<string, Guest>> = {
  "1.3 by ticket": { version: TLS13, twice: true },
  "1.2 by ticket": { version: TLS12, twice: true },
  "1.2 by id": { version: TLS12, options: NO_TICKET, twice: true },
  "1.0 by ticket": { version: TLS10, ciphers: WEAK, twice: true },
  "hello retry": { version: TLS13, groups: "X448:X25519" },
  "1.2, plain RSA": { version: TLS12, ciphers: "AES128-SHA:@SECLEVEL=0" },
  "1.2, DHE": { version: TLS12, ciphers: "DHE-RSA-AES128-GCM-SHA256" },
  "good, 1.3 by ticket": { version: TLS13, certificate: "good", twice: true },
  "good, 1.2 by id": { version: TLS12, options: NO_TICKET, certificate: "good", twice: true },
  "deep": { certificate: "deep" },
  "expired": { certificate: "expired" },
  "early": { certificate: "early" },
  "server": { certificate: "server", version: TLS12 },
  "self": { certificate: "self" },
  "stranger, 1.3 by ticket": { version: TLS13, certificate: "stranger", twice: true },
  "stranger, 1.2 by ticket": { version: TLS12, certificate: "stranger", twice: true },
  "odd": { certificate: "odd" },
  "a name": { version: TLS13, serverName: SNI_NAME },
  "a name, 1.2": { version: TLS12, serverName: SNI_NAME.toUpperCase(), twice: true },
  "a name, hello retry": { version: TLS13, serverName: SNI_NAME, groups: "X448:X25519" },
  "another name": { serverName: OTHER_NAME },
  "not a name": { serverName: "not a name" },
  "no group in common": { version: TLS13, groups: "X448" },
  "no cipher in common": { version: TLS12, ciphers: "NULL-SHA256:@SECLEVEL=0" },
  "cut off": { version: TLS13, cut: true },
  "cut off, 1.2": { version: TLS12, cut: true },
  "hasty": { hasty: true },
  "silent": { raw: latin1("") },
  "no TLS": { raw: latin1("EHLO client.example.test\r\n") },
  "HTTP": { raw: latin1("GET / HTTP/1.0\r\n\r\n") },
  "an alert": { raw: fromHex("15030100020230") },
};

/** Sends a guest to the tlsproxy at `socket`: once, or twice. */
export function invite(guest: Guest, to: {
  socket: string;
  endpoints: readonly string[];
  certificates: ClientCertificates;
}): void {
  const { certificate, twice, cut, raw, hasty, ...offer } = guest;
  const options: TlsClientOptions = {
    ...offer,
    ...(certificate !== undefined && { certificate: to.certificates.clients[certificate] }),
  };
  const [first, second] = to.endpoints;
  if (raw !== undefined || hasty) return call(to.socket, first, raw ?? helloOf(options));
  using session = visit(to.socket, first, { options, cut });
  if (twice) {
    assert(session !== undefined, "a handshake that fails brings no session");
    visit(to.socket, second, { options: { ...options, session: session.pointer }, cut })
      ?.[Symbol.dispose]();
  }
}

/** Whether a guest agrees on TLS 1.3. */
export function speaksTls13(guest: Guest): boolean {
  return guest.version === undefined || guest.version === TLS13;
}

/** How many endpoints a guest needs. */
export function visitsOf(guest: Guest): number {
  return guest.twice ? 2 : 1;
}

/** Someone who says one thing, and leaves when there is an answer. */
function call(socket: string, endpoint: string, words: Bytes): void {
  const ends = beginSession(socket, { remoteEndpoint: endpoint });
  if (words.length > 0) {
    assert(sendWhole(ends.remote, words) === undefined);
    awaitAny("the server's answer", [{ fd: ends.remote }]);
  }
  endSession(ends);
}

/** The ClientHello of a client. */
function helloOf(options: TlsClientOptions): Bytes {
  const pair = socketPair();
  assert(typeof pair !== "number");
  const bytes = new Uint8Array(4096);
  using client = new TlsClient(pair[0], options);
  assert(client.handshake() === "waiting");
  const count = receive(pair[1], bytes, bytes.length);
  for (const fd of pair) closeDescriptor(fd);
  return bytes.slice(0, count);
}

/** A whole session, or what comes of it; gives the session to be brought back. */
function visit(
  socket: string,
  endpoint: string,
  how: { options: TlsClientOptions; cut?: boolean },
): (Disposable & { pointer: SslSession }) | undefined {
  const ends = beginSession(socket, { remoteEndpoint: endpoint });
  const client = new TlsClient(ends.remote, how.options);
  let step = client.handshake();
  while (step === "waiting") {
    awaitAny("the server's part of the handshake", [{ fd: ends.remote }]);
    step = client.handshake();
  }
  let session: (Disposable & { pointer: SslSession }) | undefined;
  if (step === "done") {
    // The ticket of TLS 1.3 comes before what the server says.
    assert(sendWhole(ends.local, latin1("250 Hello\r\n")) === undefined);
    for (let got = 0; got === 0; got = client.read().length) {
      awaitAny("what the server says", [{ fd: ends.remote }]);
    }
    session = client.session();
    if (!how.cut) client.shutdown();
  }
  client[Symbol.dispose]();
  endSession(ends);
  return session;
}

/** A difference between the logs that is meant. */
export interface Difference {
  /** Whose lines they are. */
  readonly side: "postfix" | "ours";
  /** The lines, as {@linkcode shapeOf} makes them. */
  readonly line: RegExp;
  /** In which visits; absent: in all. */
  readonly when?: (guest: Guest, visit: number) => boolean;
  /** What is left of a line; absent: nothing. */
  readonly becomes?: (line: string) => string;
  readonly why: string;
}

const isResumed13 = (guest: Guest, visit: number) => visit === 1 && speaksTls13(guest);

/** All of them. */
export const DIFFERENCES: readonly Difference[] = [
  {
    side: "postfix",
    line: /^initializing the server-side TLS engine$/,
    why: "a process of Postfix's begins with its first client; ours says so when it starts",
  },
  {
    side: "postfix",
    line: /^PEER: save session ID to smtpd cache$/,
    when: (guest) => speaksTls13(guest),
    why: "a ticket of TLS 1.3 holds its whole session: nobody could ask for it by id",
  },
  {
    side: "postfix",
    line: / TLS connection established from (?!.* server-digest ).* server-signature /,
    when: isResumed13,
    becomes: (line) => line.replace(/ server-signature .*$/, ""),
    why: "nothing was signed; Postfix says what signed the first session, later releases do not",
  },
  {
    side: "postfix",
    line: /^warning: tls_text_name: PEER: non-printable content in peer subject CN$/,
    why: "a name that cannot be shown is left out of lines, and nothing is said of that",
  },
  {
    side: "ours",
    line: /^PEER: Issuing session ticket, key expiration: N$/,
    when: isResumed13,
    why: "a client of TLS 1.3 uses each ticket once; Postfix gives it no other one",
  },
  {
    side: "ours",
    line: /^SSL_accept:SSLv3\/TLS write session ticket$/,
    when: isResumed13,
    why: "the same ticket",
  },
  {
    side: "ours",
    line: /^session \S+ with PEER \((?:failed|broken): /,
    why: "the steps of a session that failed; Postfix keeps no record of them",
  },
  {
    side: "ours",
    line: /^lost connection with PEER: /,
    why: "what ended a connection is known, and Postfix keeps it to itself",
  },
];

/** A line without what is another in each session: the peer, ids, times, addresses and bytes. */
export function shapeOf(line: string, endpoint: string): string {
  const text = line.replaceAll(endpoint, "PEER")
    .replace(/[0-9A-F]{64}&s=\w+&l=\d+/g, "ID")
    .replace(/(?<=key expiration: )\d+/, "N");
  if (/^(?:read from|write to) [0-9A-F]+ \[[0-9A-F]+\] /.test(text)) {
    return text.replace(/(?<=^\w+ \w+ )[0-9A-F]+ \[[0-9A-F]+\]/, "BIO [MEMORY]")
      .replace(/\d+ bytes => (-?)\d+/, "N bytes => $1N").replace(/\(0x[0-9A-F]+\)/, "(0xN)");
  }
  const isDump = /^[0-9a-f]{4} (?:(?:[0-9a-f]{2}[ |-]| {3}){16} .*|- <SPACES\/NULLS>)$/.test(text);
  return isDump ? "DUMP" : text;
}
