/**
 * What a TLS log level shows (Postfix's tls/tls_misc.c tls_log_table).
 *
 * @module
 */

/** The parts of TLS that can be logged, one by one. */
export interface TlsLogShows {
  /** One line a handshake. */
  readonly summary: boolean;
  /** Why a certificate is not trusted. */
  readonly untrusted: boolean;
  /** Names and fingerprints of a peer's certificate. */
  readonly peercert: boolean;
  /** What the engine does, and each certificate of a chain. */
  readonly verbose: boolean;
  /** Each operation on a session cache, and each ticket. */
  readonly cache: boolean;
  /** States of the handshake, and alerts. */
  readonly sslDebug: boolean;
  /** The bytes of the handshake. */
  readonly handshakePackets: boolean;
  /** The bytes of the whole session. */
  readonly sessionPackets: boolean;
}

/** A part of what can be logged. */
export type TlsLogPart = keyof TlsLogShows;

/** The level that a word alone stands for; each level shows what the ones below it show. */
const LEVELS: ReadonlyMap<string, number> = new Map([
  ["none", 0],
  ["routine", 1],
  ["summary", 1],
  ["debug", 2],
  ["ssl-expert", 3],
  ["trace", 3],
  ["ssl-developer", 4],
]);

/** The lowest level that shows a part, and the word that shows it alone. */
const PARTS: Readonly<Record<TlsLogPart, { from: number; word: string }>> = {
  summary: { from: 1, word: "summary" },
  untrusted: { from: Infinity, word: "untrusted" },
  peercert: { from: Infinity, word: "peercert" },
  verbose: { from: 2, word: "verbose" },
  cache: { from: 2, word: "cache" },
  sslDebug: { from: 2, word: "ssl-debug" },
  handshakePackets: { from: 3, word: "ssl-handshake-packet-dump" },
  sessionPackets: { from: 4, word: "ssl-session-packet-dump" },
};

/** What the words of a log level show; words are in lower case. */
export function tlsLogShows(words: readonly string[]): TlsLogShows {
  const level = Math.max(0, ...words.map(levelOf));
  const shows = Object.entries(PARTS).map(([part, { from, word }]) => [
    part,
    level >= from || words.includes(word),
  ]);
  return Object.fromEntries(shows) as Record<TlsLogPart, boolean>;
}

/** Whether the words of a log level show `part`. */
export function showsTlsLog(words: readonly string[], part: TlsLogPart): boolean {
  return tlsLogShows(words)[part];
}

function levelOf(word: string): number {
  return /^[0-9]$/.test(word) ? Number(word) : LEVELS.get(word) ?? 0;
}
