/**
 * The TLS context: what tlsproxy tells its client about a finished handshake
 * (tls_proxy_context_print.c).
 *
 * Each release of Postfix wants its own number of attributes, not one more or less.
 *
 * @module
 */

import type { ListPrinter } from "../attr/print.ts";
import type { ListReader } from "../attr/read.ts";
import type { Bytes } from "../base/bytes.ts";
import { type FieldsOf, flag, int, readRows, type Row, text } from "./_rows.ts";

/** Attributes of a TLS context: Postfix 3.7 and 3.8, 3.9, 3.10 and 3.11, 3.12. */
export type ContextAttributes = 22 | 24 | 25 | 26;

/** Bits of {@linkcode TlsSummary.peerStatus} (tls.h). */
export const PEER_STATUS = {
  /** The peer sent a certificate. */
  certificate: 1,
  /** The chain is trusted; also after a fingerprint or DANE match. */
  trusted: 4,
  /** Trusted, and the peer matches as the level demands. */
  matched: 8,
  /** Matched, and the level is not half-dane. */
  secured: 16,
  /** The peer sent a raw public key; 3.9 and later. */
  rawKey: 32,
} as const;

/** How one side signed the handshake; empty and 0 where it did not or nobody knows. */
export interface SignatureSummary {
  /** `RSA-PSS`, `ECDSA`, `ED25519`. */
  name: string;
  curve: string;
  /** Bits of an RSA key. */
  bits: number;
  digest: string;
}

/** A finished handshake. All text is latin1; control characters in it are sent as `?`. */
export interface TlsSummary {
  /** The certificate subject's name, or empty. */
  peerCommonName: string;
  issuerCommonName: string;
  /** Upper-case hexadecimal with colons. */
  peerFingerprint: string;
  peerKeyFingerprint: string;
  /** The effective level, a number of tls_levels.ts; 0 in the server role. */
  level: number;
  /** {@linkcode PEER_STATUS} bits. */
  peerStatus: number;
  /** `TLSv1.3`. */
  protocol: string;
  /** OpenSSL's name. */
  cipherName: string;
  cipherUsedBits: number;
  cipherAlgorithmBits: number;
  /** `X25519`, `ECDHE`, `DHE`; empty below TLS 1.3. */
  keyExchange: string;
  keyExchangeCurve: string;
  keyExchangeBits: number;
  /** The TLS client used a raw public key; 3.9 and later. */
  clientRawKey: boolean;
  /** The TLS server used a raw public key; 3.9 and later. */
  serverRawKey: boolean;
  clientSignature: SignatureSummary;
  serverSignature: SignatureSummary;
  /** Client role: `namaddr` of START; server role: `remote_endpoint` of list A. */
  namaddr: string;
  /** A TLSRPT event was reported already; 3.10 and later. */
  reported: boolean;
  /** Bytes left for a TLS trace, 0 for none, -1 when used up; 3.12. */
  traceBytesLeft: number;
}

/**
 * A string without control characters. smtp(8) keeps the context of a connection that it wants to
 * use again as lines of text, which a line feed from a certificate would spoil.
 */
function line<T>(wire: string, key: FieldsOf<T, string>): Row<T> {
  const row = text<T>(wire, key);
  return {
    ...row,
    print(printer, from) {
      // deno-lint-ignore no-control-regex -- control characters are what is looked for
      const value = String(from[key]).replace(/[\0-\x1f\x7f]/g, "?");
      printer.text(row.name, value);
    },
  };
}

/** Smallest context that has the row. */
interface ContextRow {
  readonly since: ContextAttributes;
  readonly row: Row<TlsSummary>;
}

function all(...rows: readonly Row<TlsSummary>[]): readonly ContextRow[] {
  return rows.map((row) => ({ since: 22, row }));
}

function since(attributes: ContextAttributes, row: Row<TlsSummary>): ContextRow {
  return { since: attributes, row };
}

/** Rows of the signature in field `key`; their names begin with `prefix`. */
function signatureRows(
  prefix: string,
  key: "clientSignature" | "serverSignature",
): readonly Row<TlsSummary>[] {
  const rows: readonly Row<SignatureSummary>[] = [
    line(`${prefix}_signature`, "name"),
    line(`${prefix}_signature_curve`, "curve"),
    int(`${prefix}_signature_bits`, "bits"),
    line(`${prefix}_signature_digest`, "digest"),
  ];
  return rows.map((row) => ({
    name: row.name,
    optional: false,
    read: (reader, into) => row.read(reader, into[key]),
    print: (printer, from) => row.print(printer, from[key]),
    has: () => true,
  }));
}

const CONTEXT_ROWS: readonly ContextRow[] = [
  ...all(
    line("peer_CN", "peerCommonName"),
    line("issuer_CN", "issuerCommonName"),
    line("peer_fingerprint", "peerFingerprint"),
    line("peer_pubkey_fingerprint", "peerKeyFingerprint"),
    int("level", "level"),
    int("peer_status", "peerStatus"),
    line("cipher_protocol", "protocol"),
    line("cipher_name", "cipherName"),
    int("cipher_usebits", "cipherUsedBits"),
    int("cipher_algbits", "cipherAlgorithmBits"),
    line("key_exchange", "keyExchange"),
    line("key_exchange_curve", "keyExchangeCurve"),
    int("key_exchange_bits", "keyExchangeBits"),
  ),
  since(24, flag("ctos_rpk", "clientRawKey")),
  since(24, flag("stoc_rpk", "serverRawKey")),
  ...all(
    ...signatureRows("clnt", "clientSignature"),
    ...signatureRows("srvr", "serverSignature"),
    line("namaddr", "namaddr"),
  ),
  since(25, flag("rpt_reported", "reported")),
  since(26, int("trace_size_limit", "traceBytesLeft")),
];

/**
 * Prints the context with exactly as many attributes as the client wants. The bytes are good until
 * the printer's next use.
 */
export function printTlsContext(
  printer: ListPrinter,
  summary: TlsSummary,
  attributes: ContextAttributes,
): Bytes {
  printer.begin();
  for (const { since, row } of CONTEXT_ROWS) {
    if (since <= attributes) row.print(printer, summary);
  }
  return printer.end();
}

/** Client: reads a context of that many `attributes`. `undefined`: the reader has the fault. */
export function decodeTlsContext(
  reader: ListReader,
  attributes: ContextAttributes,
): TlsSummary | undefined {
  const summary = emptySummary();
  const rows = CONTEXT_ROWS.filter((row) => row.since <= attributes).map(({ row }) => row);
  return readRows(rows, reader, summary) && reader.end() ? summary : undefined;
}

/** A summary in which nothing is known. */
export function emptySummary(): TlsSummary {
  const unsigned = { name: "", curve: "", bits: 0, digest: "" };
  return {
    peerCommonName: "",
    issuerCommonName: "",
    peerFingerprint: "",
    peerKeyFingerprint: "",
    level: 0,
    peerStatus: 0,
    protocol: "",
    cipherName: "",
    cipherUsedBits: 0,
    cipherAlgorithmBits: 0,
    keyExchange: "",
    keyExchangeCurve: "",
    keyExchangeBits: 0,
    clientRawKey: false,
    serverRawKey: false,
    clientSignature: { ...unsigned },
    serverSignature: { ...unsigned },
    namaddr: "",
    reported: false,
    traceBytesLeft: 0,
  };
}
