/**
 * Protocol lists such as `>=TLSv1.2, !TLSv1.3`, by the rules of Postfix's tls/tls_misc.c
 * tls_proto_mask_lims().
 *
 * @module
 */
import { OP, VERSION } from "../ffi/openssl/constants.ts";

/** What a protocol list comes down to. */
export interface ProtocolBounds {
  /** `SSL_OP_NO_*` bits of the protocols that are excluded. */
  readonly excluded: bigint;
  /** Lowest version, or 0 for none. */
  readonly floor: number;
  /** Highest version, or 0 for none. */
  readonly ceiling: number;
}

/** Names in the order of their age. SSLv2 is known as a name only: OpenSSL 3 cannot speak it. */
const PROTOCOLS: readonly { name: string; version: number; excludes: bigint }[] = [
  { name: "sslv2", version: 0, excludes: 0n },
  { name: "sslv3", version: VERSION.SSLv3, excludes: OP.NO_SSLv3 },
  { name: "tlsv1", version: VERSION.TLSv1, excludes: OP.NO_TLSv1 },
  { name: "tlsv1.1", version: VERSION.TLSv1_1, excludes: OP.NO_TLSv1_1 },
  { name: "tlsv1.2", version: VERSION.TLSv1_2, excludes: OP.NO_TLSv1_2 },
  { name: "tlsv1.3", version: VERSION.TLSv1_3, excludes: OP.NO_TLSv1_3 },
];

/** The bounds that `list` sets; a text that says what is wrong with it, otherwise. */
export function parseProtocols(list: string): ProtocolBounds | string {
  let floor = 0;
  let ceiling = 0;
  let excluded = 0n;
  let included = 0n;
  for (const token of list.split(/[\s,:]+/)) {
    if (token === "") continue;
    if (token.startsWith(">=") || token.startsWith("<=")) {
      const version = parseBound(token.slice(2));
      if (version === undefined) return `"${token}" names no protocol version`;
      if (token[0] === ">") floor = version;
      else ceiling = version;
      continue;
    }
    const excludes = token.startsWith("!");
    const name = (excludes ? token.slice(1) : token).toLowerCase();
    const protocol = PROTOCOLS.find((known) => known.name === name);
    if (protocol === undefined) return `"${token}" names no protocol`;
    if (excludes) excluded |= protocol.excludes;
    else included |= protocol.excludes;
  }
  if (included !== 0n) {
    for (const { excludes } of PROTOCOLS) if ((included & excludes) === 0n) excluded |= excludes;
  }
  return { excluded, floor, ceiling };
}

/** Whether `bounds` leave TLS 1.3 in. */
export function allowsTls13(bounds: ProtocolBounds): boolean {
  return (bounds.excluded & OP.NO_TLSv1_3) === 0n &&
    (bounds.ceiling === 0 || bounds.ceiling >= VERSION.TLSv1_3);
}

function parseBound(text: string): number | undefined {
  const name = text.toLowerCase();
  if (name === "" || name === "none") return 0;
  const protocol = PROTOCOLS.find((known) => known.name === name);
  if (protocol !== undefined) return protocol.version === 0 ? undefined : protocol.version;
  return /^(0x)?[0-9a-f]{1,4}$/.test(name) ? Number.parseInt(name, 16) : undefined;
}
