/**
 * The tlsproxy protocol around the TLS settings: announcement, the common request (list A), status.
 *
 * The settings themselves (list B) are in tls_params.ts, the report of a handshake in
 * tls_context.ts.
 *
 * @module
 */

import { AttrName } from "../attr/names.ts";
import { ListPrinter } from "../attr/print.ts";
import type { ListReader } from "../attr/read.ts";
import type { Bytes } from "../base/bytes.ts";
import { int, printRows, readRows, type Row, text } from "./_rows.ts";

/** Bits of the attribute `flags` (tls_proxy.h). */
export const TLSPROXY_FLAG = {
  /** tlsproxy is the TLS server. */
  serverRole: 1,
  /** tlsproxy is the TLS client. */
  clientRole: 2,
  /** Send the TLS context after the handshake. */
  sendContext: 4,
  /** Only tell whether the role is available (3.12). */
  probeOnly: 8,
} as const;

/** Which end of TLS tlsproxy is. */
export type TlsRole = "server" | "client";

/** List A: what every request begins with. */
export interface HandOffRequest {
  /** `[address]:port` of the remote SMTP peer; for the log. */
  remoteEndpoint: string;
  /** {@linkcode TLSPROXY_FLAG} bits. */
  flags: number;
  /** Limit of the handshake, seconds. */
  handshakeTimeoutS: number;
  /** Limit of an idle session, seconds. */
  sessionTimeoutS: number;
  /** Service name; for the log, and up to 3.11 the salt of the server's session cache ids. */
  serverId: string;
}

const PROTOCOL = new AttrName("protocol");
const TLSPROXY_PROTOCOL = new AttrName("tlsproxy_protocol");
const STATUS = new AttrName("status");

const HAND_OFF_ROWS: readonly Row<HandOffRequest>[] = [
  text("remote_endpoint", "remoteEndpoint"),
  int("flags", "flags"),
  // The same name twice: only the position tells them apart.
  int("timeout", "handshakeTimeoutS"),
  int("timeout", "sessionTimeoutS"),
  text("serverid", "serverId"),
];

/** The list that tlsproxy sends first on every connection. */
export const TLSPROXY_ANNOUNCEMENT: Bytes = new ListPrinter()
  .text(PROTOCOL, TLSPROXY_PROTOCOL.text).endCopy();

/** Status list: the role is available; the descriptor may come. */
export const TLSPROXY_READY: Bytes = new ListPrinter().int(STATUS, 1).endCopy();

/** Status list: the role is not available. */
export const TLSPROXY_UNAVAILABLE: Bytes = new ListPrinter().int(STATUS, 0).endCopy();

/**
 * Reads list A. `undefined`: the reader has the fault. With a result the reader may have a fault
 * too: an attribute too many at the end, which Postfix warns of and ignores. The reader must be
 * strict.
 */
export function decodeHandOff(reader: ListReader): HandOffRequest | undefined {
  const request: HandOffRequest = {
    remoteEndpoint: "",
    flags: 0,
    handshakeTimeoutS: 0,
    sessionTimeoutS: 0,
    serverId: "",
  };
  if (!readRows(HAND_OFF_ROWS, reader, request)) return undefined;
  reader.end();
  return request;
}

/** Prints list A behind what the printer holds; ends the list. */
export function printHandOff(printer: ListPrinter, request: HandOffRequest): Bytes {
  printRows(HAND_OFF_ROWS, printer, request);
  return printer.end();
}

/** The role that `flags` ask for; `undefined` unless exactly one role bit is set. */
export function roleIn(flags: number): TlsRole | undefined {
  switch (flags & (TLSPROXY_FLAG.serverRole | TLSPROXY_FLAG.clientRole)) {
    case TLSPROXY_FLAG.serverRole:
      return "server";
    case TLSPROXY_FLAG.clientRole:
      return "client";
    default:
      return undefined;
  }
}

/**
 * Whether list B comes after list A: always in the client role; in the server role only from 3.12,
 * whose sender flushes both lists together, so that bytes have arrived behind A; never with a
 * probe or without a role.
 *
 * @param bytesBehind Bytes received behind list A's terminator, with the reads that brought list A.
 */
export function settingsFollow(flags: number, bytesBehind: number): boolean {
  if ((flags & TLSPROXY_FLAG.probeOnly) !== 0) return false;
  const role = roleIn(flags);
  return role === "client" || (role === "server" && bytesBehind > 0);
}

/** Client: whether the list is exactly tlsproxy's announcement. The reader must be strict. */
export function decodeTlsproxyAnnouncement(reader: ListReader): boolean {
  return reader.wantExact(PROTOCOL, TLSPROXY_PROTOCOL) && reader.end();
}

/** Client: the status; `undefined` is a fault. Any number but 0 means ready. */
export function decodeTlsproxyStatus(reader: ListReader): number | undefined {
  const status = reader.wantInt(STATUS);
  return reader.end() ? status : undefined;
}
