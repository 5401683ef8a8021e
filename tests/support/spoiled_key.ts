/**
 * Private keys that do not sign.
 *
 * @module
 */

import { runChecked } from "./process.ts";

/**
 * Writes a private key of which only the public half belongs to `key`: the private exponent of RSA and its
 * remainders, or the scalar of an elliptic curve, are others (RFC 8017 A.1.2, RFC 5915). Answers its path.
 */
export async function spoilKey(key: string): Promise<string> {
  const der = `${key}.der`;
  await runChecked("openssl", ["pkey", "-in", key, "-traditional", "-outform", "DER", "-out", der]);
  const bytes = await Deno.readFile(der);
  const isRsa = bytes.length > 500;
  // Behind the outer SEQUENCE: version, then n, e, d, p, q, dp, dq; or the scalar.
  let at = headerOf(bytes, 0).end;
  for (let field = 0; at < bytes.length; field++) {
    const { end, length } = headerOf(bytes, at);
    if (isRsa ? [3, 6, 7].includes(field) : field === 1) bytes[end + length - 1] ^= 2;
    at = end + length;
  }
  await Deno.writeFile(der, bytes);
  const spoiled = `${key}.spoiled`;
  const label = `${isRsa ? "RSA" : "EC"} PRIVATE KEY`;
  const base64 = btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n");
  await Deno.writeTextFile(
    spoiled,
    `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`,
  );
  return spoiled;
}

/** The length of a DER element, and where its content begins. */
function headerOf(bytes: Uint8Array, at: number): { end: number; length: number } {
  const first = bytes[at + 1];
  if (first < 0x80) return { end: at + 2, length: first };
  const count = first & 0x7f;
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + bytes[at + 2 + i];
  return { end: at + 2 + count, length };
}
