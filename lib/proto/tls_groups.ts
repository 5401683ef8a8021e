/**
 * The groups inside a client's TLS settings that are more than one attribute: match patterns,
 * DANE, TLSRPT.
 *
 * None has a name of its own on the wire; a count or a yes comes first and says what follows
 * (argv_attr_print.c, tls_proxy_client_print.c). Counts are believed only as far as attributes
 * follow.
 *
 * @module
 */

import { AttrName } from "../attr/names.ts";
import type { ListPrinter } from "../attr/print.ts";
import type { ListReader } from "../attr/read.ts";
import type { Bytes } from "../base/bytes.ts";
import { flag, int, printRows, readRows, type Row, text } from "./_rows.ts";

/** Elements of a string array on the wire (argv_attr.h). */
export const STRING_ARRAY_MAX = 1024;

/** Bytes of one TLSA record's data. */
export const TLSA_DATA_BYTES_MAX = 65535;

/** The private matching type for "digest with the session's `mdalg`" (tls_dane.c). */
export const TLSA_MATCHING_FINGERPRINT = 255;

/** One TLSA record, from DNS or made from settings. */
export interface TlsaRecord {
  usage: number;
  selector: number;
  /** 0 full, 1 SHA-256, 2 SHA-512, or {@linkcode TLSA_MATCHING_FINGERPRINT}. */
  matchingType: number;
  data: Bytes;
}

/** What the peer's certificate is compared with. */
export interface DaneTrust {
  /** TLSA base domain; empty when the records do not come from DNS. */
  domain: string;
  /** In the order of the wire. */
  records: TlsaRecord[];
}

/** What smtp(8) knows for a TLSRPT report (tlsrpt_wrapper.h). */
export interface TlsReportRequest {
  socketName: string;
  policyDomain: string;
  policyString: string;
  /** A number of the TLSRPT library. */
  tlsPolicyType: number;
  tlsPolicyStrings: string[];
  tlsPolicyDomain: string;
  mxPatterns: string[];
  senderAddress: string;
  receiverName: string;
  receiverAddress: string;
  receiverEhlo: string;
  skipReusedHandshakes: boolean;
  /** Bits: 1 have policy, 2 have TCP connection, 4 have EHLO, 8 already reported. */
  flags: number;
}

const ARGV_SIZE = new AttrName("argv_size");
const ARGV_VALUE = new AttrName("argv_value");
const DANE = new AttrName("dane");
const COUNT = new AttrName("count");
const DATA = new AttrName("data");
const TLSRPT = new AttrName("tlsrpt");

const DANE_ROWS: readonly Row<DaneTrust>[] = [text("domain", "domain")];

const TLSA_ROWS: readonly Row<TlsaRecord>[] = [
  int("usage", "usage"),
  int("selector", "selector"),
  int("mtype", "matchingType"),
  {
    name: DATA,
    optional: false,
    read(reader, into) {
      const data = reader.wantData(DATA);
      if (data === undefined) return false;
      into.data = data;
      if (data.length <= TLSA_DATA_BYTES_MAX) return true;
      reader.refuse(DATA, `of ${data.length} bytes`);
      return false;
    },
    print: (printer, from) => {
      printer.data(DATA, from.data);
    },
    has: () => true,
  },
];

/** The row of a string array that goes into field `key`. */
export function stringArray<T>(
  key: { [K in keyof T]: T[K] extends string[] ? K : never }[keyof T],
): Row<T> {
  return {
    name: ARGV_SIZE,
    optional: false,
    read(reader, into) {
      const texts = readStringArray(reader);
      if (texts === undefined) return false;
      into[key] = texts as T[typeof key];
      return true;
    },
    print(printer, from) {
      const texts = from[key] as string[];
      printer.int(ARGV_SIZE, texts.length);
      for (const value of texts) printer.text(ARGV_VALUE, value);
    },
    has: () => true,
  };
}

function readStringArray(reader: ListReader): string[] | undefined {
  const size = reader.wantInt(ARGV_SIZE);
  if (size === undefined) return undefined;
  if (size < 0 || size > STRING_ARRAY_MAX) {
    reader.refuse(ARGV_SIZE, size);
    return undefined;
  }
  const texts: string[] = [];
  while (texts.length < size) {
    const value = reader.wantText(ARGV_VALUE);
    if (value === undefined) return undefined;
    texts.push(value);
  }
  return texts;
}

/** The row of the DANE group; its field is `undefined` when the sender has none. */
export function daneGroup<T extends { dane: DaneTrust | undefined }>(): Row<T> {
  return {
    name: DANE,
    optional: false,
    read(reader, into) {
      const present = reader.wantInt(DANE);
      into.dane = undefined;
      if (present === undefined) return false;
      if (present === 0) return true;
      const dane: DaneTrust = { domain: "", records: [] };
      into.dane = dane;
      return readRows(DANE_ROWS, reader, dane) && readRecords(reader, dane.records);
    },
    print(printer, from) {
      const dane = from.dane;
      printer.int(DANE, dane === undefined ? 0 : 1);
      if (dane === undefined) return;
      printRows(DANE_ROWS, printer, dane);
      printer.int(COUNT, dane.records.length);
      for (const record of dane.records) printRows(TLSA_ROWS, printer, record);
    },
    has: () => true,
  };
}

function readRecords(reader: ListReader, records: TlsaRecord[]): boolean {
  const count = reader.wantInt(COUNT);
  if (count === undefined) return false;
  if (count < 0) {
    reader.refuse(COUNT, count);
    return false;
  }
  while (records.length < count) {
    const record: TlsaRecord = { usage: 0, selector: 0, matchingType: 0, data: new Uint8Array(0) };
    if (!readRows(TLSA_ROWS, reader, record)) return false;
    records.push(record);
  }
  return true;
}

const REPORT_ROWS: readonly Row<TlsReportRequest>[] = [
  text("rpt_socket_name", "socketName"),
  text("rpt_policy_domain", "policyDomain"),
  text("rpt_policy_string", "policyString"),
  int("tls_policy_type", "tlsPolicyType"),
  stringArray("tlsPolicyStrings"),
  text("tls_policy_domain", "tlsPolicyDomain"),
  stringArray("mxPatterns"),
  text("snd_mta_addr", "senderAddress"),
  text("rcv_mta_name", "receiverName"),
  text("rcv_mta_addr", "receiverAddress"),
  text("rcv_mta_ehlo", "receiverEhlo"),
  flag("skip_reused_hs", "skipReusedHandshakes"),
  int("flags", "flags"),
];

/**
 * The row of the TLSRPT group: `undefined` when the sender was built without it, `null` when it was
 * built with it but has nothing to report.
 */
export function reportGroup<T extends { tlsReport?: TlsReportRequest | null }>(): Row<T> {
  return {
    name: TLSRPT,
    optional: true,
    read(reader, into) {
      const present = reader.wantInt(TLSRPT);
      if (present === undefined) return false;
      into.tlsReport = present === 0 ? null : emptyReport();
      return into.tlsReport === null || readRows(REPORT_ROWS, reader, into.tlsReport);
    },
    print(printer: ListPrinter, from: T) {
      const report = from.tlsReport ?? null;
      printer.int(TLSRPT, report === null ? 0 : 1);
      if (report !== null) printRows(REPORT_ROWS, printer, report);
    },
    has: (from) => from.tlsReport !== undefined,
  };
}

function emptyReport(): TlsReportRequest {
  return {
    socketName: "",
    policyDomain: "",
    policyString: "",
    tlsPolicyType: 0,
    tlsPolicyStrings: [],
    tlsPolicyDomain: "",
    mxPatterns: [],
    senderAddress: "",
    receiverName: "",
    receiverAddress: "",
    receiverEhlo: "",
    skipReusedHandshakes: false,
    flags: 0,
  };
}
