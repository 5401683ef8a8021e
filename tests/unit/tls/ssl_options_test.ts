import { assertEquals } from "@std/assert";
import { sslOptions } from "../../../lib/tls/ssl_options.ts";

const DEFAULT = 0xC0000850n;

/** Bits as openssl/ssl.h of OpenSSL 3.0 has them. */
const TABLE: [disabled: string, options: string, bits: bigint][] = [
  ["", "", DEFAULT],
  ["TLSEXT_PADDING", "", DEFAULT & ~0x50n],
  ["CRYPTOPRO_TLSEXT_BUG, DONT_INSERT_EMPTY_FRAGMENTS", "", DEFAULT & ~0x80000840n],
  ["NETSCAPE_CHALLENGE_BUG", "", DEFAULT & ~0x40n],
  ["cve-2010-4180 CVE-2005-2969", "", DEFAULT & ~0x40n],
  ["LEGACY_SERVER_CONNECT TLS_ROLLBACK_BUG", "", DEFAULT & ~0x40n],
  ["0x10", "", DEFAULT & ~0x50n],
  ["0xFFFFFFFF", "", 0x40000000n],
  ["", "NO_TICKET", DEFAULT | 0x4000n],
  ["", "no_ticket, NO_COMPRESSION", DEFAULT | 0x24000n],
  ["", "PRIORITIZE_CHACHA ENABLE_MIDDLEBOX_COMPAT", DEFAULT | 0x300000n],
  ["", "LEGACY_SERVER_CONNECT", DEFAULT | 0x4n],
  ["", "NO_SESSION_RESUMPTION_ON_RENEGOTIATION NO_RENEGOTIATION", DEFAULT | 0x10000n],
  // Bits that other parameters decide about, and SSL_OP_ALL, cannot be set.
  ["", "0x3E400080", DEFAULT],
  ["TLSEXT_PADDING", "0x10", DEFAULT & ~0x50n],
  ["", "0x4000", DEFAULT | 0x4000n],
];

for (const [disabled, options, bits] of TABLE) {
  Deno.test(`sslOptions() of ${JSON.stringify(disabled)} and ${JSON.stringify(options)}`, () => {
    assertEquals(sslOptions(disabled, options), { bits, unknown: [] });
  });
}

Deno.test("sslOptions() names the words that mean nothing", () => {
  const { bits, unknown } = sslOptions("16384 bogus", "NO_TICKET 0x NO_SSLv3 0xg constructor");
  assertEquals(bits, (DEFAULT & ~0x40n) | 0x4000n);
  assertEquals(unknown, ["16384", "bogus", "0x", "NO_SSLv3", "0xg", "constructor"]);
});
