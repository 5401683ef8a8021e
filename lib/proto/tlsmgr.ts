/**
 * The tlsmgr protocol: words, field order, both directions of both sides.
 *
 * One row a request (tls_mgr.c, tlsmgr.c). The server side is {@linkcode decodeAsk} and
 * {@linkcode printAnswer}, the client side {@linkcode printAsk} and {@linkcode decodeAnswer}. What
 * a request means is not known here.
 *
 * A peer's fault is a field of the result; nothing throws because of input.
 *
 * @module
 */

import { Base64Value } from "../attr/base64_value.ts";
import type { AttrFault } from "../attr/faults.ts";
import { AttrName } from "../attr/names.ts";
import { ListPrinter } from "../attr/print.ts";
import type { ListReader } from "../attr/read.ts";
import type { Bytes } from "../base/bytes.ts";
import { data, int, printRows, readRows, type Row, text } from "./_rows.ts";

/** Values of the attribute `status` (tls_mgr.h). */
export const TLSMGR_STATUS = {
  /** Done. */
  ok: 0,
  /** A valid request, but nothing was found or done. */
  err: -1,
  /** A bad or impossible request. */
  fail: -2,
} as const;

/** Largest number of bytes that one seed request may ask for. */
export const SEED_BYTES_MAX = 255;

/** Bytes of a ticket key's name. */
export const TICKET_KEY_NAME_BYTES = 16;

/** The session caches, by the name that is on the wire (TLS_MGR_SCACHE_*). */
export const CACHE_TYPES = ["smtpd", "smtp", "lmtp"] as const;

/** One of {@linkcode CACHE_TYPES}. */
export type CacheType = (typeof CACHE_TYPES)[number];

/** Whether `word` names a session cache. */
export function isCacheType(word: string): word is CacheType {
  return (CACHE_TYPES as readonly string[]).includes(word);
}

/** The requests. */
export type AskName = "seed" | "policy" | "lookup" | "update" | "delete" | "tktkey";

/**
 * What a received list is:
 * - one of the six requests;
 * - `unknown`: a request of another name, which gets no answer;
 * - `nameless`: its first attribute is not `request`; the answer is the status alone;
 * - `empty`: no attributes at all, which gets no answer.
 */
export type AskKind = AskName | "unknown" | "nameless" | "empty";

/** A request. Reused: {@linkcode decodeAsk} overwrites all of it. */
export class TlsmgrAsk {
  kind: AskKind = "empty";
  /** The request's name as sent; for the log. */
  name = "";
  /** All attributes were there. If not, the only answer is {@linkcode TLSMGR_STATUS}.fail. */
  complete = false;
  /**
   * What was wrong with the list. Worth a warning also when `complete`: then an attribute too many
   * followed, and the request is carried out.
   */
  fault: AttrFault | undefined;
  /** seed: number of bytes wanted, as sent. */
  size = 0;
  /** policy, lookup, update, delete: as sent, known or not. */
  cacheType = "";
  /** lookup, update, delete: latin1. */
  cacheId = "";
  /** update: text in the receive buffer; copy it before the buffer changes. */
  readonly session: Base64Value = new Base64Value();
  /** tktkey: empty, or the name of the key wanted; may have any length. */
  readonly keyName: Base64Value = new Base64Value();
}

/** An answer. Reused: call {@linkcode TlsmgrAnswer.reset} or a filler before each use. */
export class TlsmgrAnswer {
  /** One of {@linkcode TLSMGR_STATUS}, when it comes from a healthy server. */
  status: number = TLSMGR_STATUS.fail;
  /** seed: the random bytes. */
  readonly seed: Base64Value = new Base64Value();
  /** policy: 1 when there is a session database, else 0. */
  cachable = 0;
  /** policy: lifetime of a session, seconds. */
  timeout = 0;
  /** lookup: the session. */
  readonly session: Base64Value = new Base64Value();
  /** tktkey: the key; see ticket_key.ts. */
  readonly keyBuffer: Base64Value = new Base64Value();

  /** Sets the status and empties all else, which is what a failure looks like. */
  reset(status: number): this {
    this.status = status;
    this.seed.clear();
    this.cachable = 0;
    this.timeout = 0;
    this.session.clear();
    this.keyBuffer.clear();
    return this;
  }
}

interface AskRow {
  readonly kind: AskName;
  readonly word: AttrName;
  readonly takes: readonly Row<TlsmgrAsk>[];
  readonly gives: readonly Row<TlsmgrAnswer>[];
}

const REQUEST = new AttrName("request");
const PROTOCOL = new AttrName("protocol");
const TLSMGR_PROTOCOL = new AttrName("tlsmgr_protocol");

const size = int<TlsmgrAsk>("size", "size");
const cacheId = text<TlsmgrAsk>("cache_id", "cacheId");
const sessionIn = data<TlsmgrAsk>("session", "session");
const keyName = data<TlsmgrAsk>("keyname", "keyName");
const cacheType: Row<TlsmgrAsk> = {
  ...text<TlsmgrAsk>("cache_type", "cacheType"),
  // The three known words are constants, so that no string is made for them.
  read(reader, into) {
    const word = reader.wantWord(cacheType.name, CACHE_WORDS);
    if (word === undefined) return false;
    into.cacheType = typeof word === "string" ? word : word.text;
    return true;
  },
};
const CACHE_WORDS = CACHE_TYPES.map((type) => new AttrName(type));

const status = int<TlsmgrAnswer>("status", "status");
const seed = data<TlsmgrAnswer>("seed", "seed");
const cachable = int<TlsmgrAnswer>("cachable", "cachable");
const timeout = int<TlsmgrAnswer>("timeout", "timeout");
const sessionOut = data<TlsmgrAnswer>("session", "session");
const keyBuffer = data<TlsmgrAnswer>("keybuf", "keyBuffer");

function row(
  kind: AskName,
  shape: { takes: readonly Row<TlsmgrAsk>[]; gives: readonly Row<TlsmgrAnswer>[] },
): AskRow {
  return { kind, word: new AttrName(kind), ...shape };
}

const ROWS: Readonly<Record<AskName, AskRow>> = {
  seed: row("seed", { takes: [size], gives: [status, seed] }),
  policy: row("policy", { takes: [cacheType], gives: [status, cachable, timeout] }),
  lookup: row("lookup", { takes: [cacheType, cacheId], gives: [status, sessionOut] }),
  update: row("update", { takes: [cacheType, cacheId, sessionIn], gives: [status] }),
  delete: row("delete", { takes: [cacheType, cacheId], gives: [status] }),
  tktkey: row("tktkey", { takes: [keyName], gives: [status, keyBuffer] }),
};

/** The six request names, in the protocol's order. */
export const ASK_NAMES = Object.keys(ROWS) as readonly AskName[];

const WORDS = ASK_NAMES.map((name) => ROWS[name].word);

/** The list that a server sends first on every connection. */
export const TLSMGR_ANNOUNCEMENT: Bytes = new ListPrinter().text(PROTOCOL, TLSMGR_PROTOCOL.text)
  .endCopy();

/** The two bytes that master(8) writes to wake a service up: `W` and a NUL. */
export const WAKE_UP_TRIGGER: Bytes = new Uint8Array([0x57, 0]);

/**
 * Whether the first bytes of a connection, `bytes[start, end)`, are a wake-up trigger: `"maybe"`
 * when there are too few to tell. No request begins with a trigger.
 */
export function triggerIn(bytes: Uint8Array, start: number, end: number): "yes" | "no" | "maybe" {
  if (end === start) return "maybe";
  if (bytes[start] !== WAKE_UP_TRIGGER[0]) return "no";
  if (end - start === 1) return "maybe";
  return bytes[start + 1] === WAKE_UP_TRIGGER[1] ? "yes" : "no";
}

/**
 * Server: reads one request.
 *
 * @param reader Opened with `READ.strict` on the list.
 */
export function decodeAsk(reader: ListReader, ask: TlsmgrAsk): void {
  ask.complete = false;
  ask.fault = undefined;
  ask.name = "";
  ask.size = 0;
  ask.cacheType = "";
  ask.cacheId = "";
  ask.session.clear();
  ask.keyName.clear();
  if (reader.count === 0) {
    ask.kind = "empty";
    return;
  }
  const word = reader.wantWord(REQUEST, WORDS);
  if (word === undefined) {
    ask.kind = "nameless";
  } else if (typeof word === "string") {
    ask.kind = "unknown";
    ask.name = word;
  } else {
    ask.kind = word.text as AskName;
    ask.name = word.text;
    ask.complete = readRows(ROWS[ask.kind].takes, reader, ask);
    reader.end();
  }
  ask.fault = reader.fault;
}

/**
 * Server: the reply to a request of this `kind`, every attribute of it, whatever the status; the
 * status alone for `nameless`; no bytes for `unknown` and `empty`. The bytes are good until the
 * printer's next use.
 */
export function printAnswer(printer: ListPrinter, kind: AskKind, answer: TlsmgrAnswer): Bytes {
  printer.begin();
  if (kind === "unknown" || kind === "empty") return NO_REPLY;
  if (kind === "nameless") status.print(printer, answer);
  else printRows(ROWS[kind].gives, printer, answer);
  return printer.end();
}

const NO_REPLY: Bytes = new Uint8Array(0);

/** Client: whether the list is exactly tlsmgr's announcement. The reader must be strict. */
export function decodeTlsmgrAnnouncement(reader: ListReader): boolean {
  return reader.wantExact(PROTOCOL, TLSMGR_PROTOCOL) && reader.end();
}

/** Client: a request of this name. The bytes are good until the printer's next use. */
export function printAsk(printer: ListPrinter, name: AskName, ask: TlsmgrAsk): Bytes {
  printer.begin().text(REQUEST, name);
  printRows(ROWS[name].takes, printer, ask);
  return printer.end();
}

/**
 * Client: reads the reply to a request called `name`. Attributes nobody asked for are skipped when
 * the reader was opened with `READ.missing`, which is what Postfix's clients do.
 *
 * @returns Whether all attributes were there; if not, the answer is a failure and the reader has
 * the fault.
 */
export function decodeAnswer(reader: ListReader, name: AskName, answer: TlsmgrAnswer): boolean {
  answer.reset(TLSMGR_STATUS.fail);
  if (readRows(ROWS[name].gives, reader, answer)) return reader.end();
  answer.reset(TLSMGR_STATUS.fail);
  return false;
}
