/**
 * Certificates of a PEM file: names and times, read from their DER form without OpenSSL (RFC 5280, 4.1).
 *
 * Only what tells an operator whether a chain is in order and in time. A block that is no certificate is
 * left out: OpenSSL refuses it with better words when the file is loaded.
 *
 * @module
 */
import { toHex } from "../../base/bytes.ts";

/** One certificate. */
export interface CertificateFacts {
  /** Common name of the subject, or hexadecimal DER where there is none. */
  readonly subject: string;
  readonly issuer: string;
  /** The names as DER, for comparison. */
  readonly subjectDer: string;
  readonly issuerDer: string;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const SEQUENCE = 0x30;
const VERSION = 0xa0;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
/** The object identifier 2.5.4.3, common name. */
const COMMON_NAME = "0603550403";
const BLOCK = /-----BEGIN ((?:X509 )?CERTIFICATE|[A-Z ]*PRIVATE KEY)-----([^-]*)-----END /g;

/** The chains of a file, leaf first as they stand; a private key begins another one. */
export function readCertificateChains(text: string): CertificateFacts[][] {
  const chains: CertificateFacts[][] = [[]];
  for (const [, label, base64] of text.matchAll(BLOCK)) {
    if (label.endsWith("KEY")) {
      chains.push([]);
      continue;
    }
    const facts = readCertificate(decode(base64));
    if (facts !== undefined) chains[chains.length - 1].push(facts);
  }
  return chains.filter((chain) => chain.length > 0);
}

function decode(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64.replace(/\s/g, "")), (char) => char.charCodeAt(0));
  } catch {
    // Not base64, so not a certificate.
    return new Uint8Array();
  }
}

/** One element of DER: its tag, its content, and where the next one begins. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

function readCertificate(der: Uint8Array): CertificateFacts | undefined {
  const outer = elementAt(der, 0);
  const inner = outer?.tag === SEQUENCE ? elementAt(der, outer.content) : undefined;
  if (inner?.tag !== SEQUENCE) return undefined;
  // version?, serialNumber, signature, issuer, validity, subject
  const parts: Element[] = [];
  for (let at = inner.content; at < inner.end && parts.length < 6;) {
    const element = elementAt(der, at);
    if (element === undefined) return undefined;
    if (element.tag !== VERSION) parts.push(element);
    at = element.end;
  }
  const [, , issuer, validity, subject] = parts;
  if (subject?.tag !== SEQUENCE || validity.tag !== SEQUENCE) return undefined;
  const begin = elementAt(der, validity.content);
  const end = begin === undefined ? undefined : elementAt(der, begin.end);
  const [notBefore, notAfter] = [readTime(der, begin), readTime(der, end)];
  if (notBefore === undefined || notAfter === undefined) return undefined;
  const [subjectDer, issuerDer] = [subject, issuer].map((name) =>
    toHex(der.subarray(name.start, name.end))
  );
  return {
    subject: commonName(subjectDer),
    issuer: commonName(issuerDer),
    subjectDer,
    issuerDer,
    notBefore,
    notAfter,
  };
}

function elementAt(der: Uint8Array, start: number): Element | undefined {
  if (start + 2 > der.length) return undefined;
  let length = der[start + 1];
  let content = start + 2;
  if (length >= 0x80) {
    const count = length - 0x80;
    if (count === 0 || count > 4 || content + count > der.length) return undefined;
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + der[content + i];
    content += count;
  }
  const end = content + length;
  return end > der.length ? undefined : { tag: der[start], start, content, end };
}

/** Unix seconds of a time as certificates have it: always with seconds and `Z`. */
function readTime(der: Uint8Array, element: Element | undefined): number | undefined {
  if (element === undefined) return undefined;
  const text = String.fromCharCode(...der.subarray(element.content, element.end));
  const digits = element.tag === UTC_TIME ? (text < "5" ? `20${text}` : `19${text}`) : text;
  if (element.tag !== UTC_TIME && element.tag !== GENERALIZED_TIME) return undefined;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

function commonName(nameDer: string): string {
  const at = nameDer.lastIndexOf(COMMON_NAME);
  if (at < 0) return nameDer;
  const length = Number.parseInt(nameDer.slice(at + 12, at + 14), 16);
  const hex = nameDer.slice(at + 14, at + 14 + 2 * length);
  return (hex.match(/../g) ?? []).map((pair) => String.fromCharCode(Number.parseInt(pair, 16)))
    // What steers a terminal has no place in a report.
    .join("").replace(/[^\x20-\x7e]/g, "?");
}
