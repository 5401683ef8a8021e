/**
 * What a TLS log level shows (Postfix's tls/tls_misc.c tls_log_table).
 *
 * @module
 */

/** The level that a word alone stands for; each level shows what the ones below it show. */
const LEVELS: ReadonlyMap<string, number> = new Map([
  ["none", 0],
  ["routine", 1],
  ["summary", 1],
  ["debug", 2],
  ["ssl-expert", 3],
  ["ssl-developer", 4],
]);

/** The lowest level that shows each part; the part's own word shows it too. */
const SHOWN_FROM = { summary: 1, cache: 2 } as const;

/** A part of what can be logged: one line a handshake, or each operation on a session cache. */
export type TlsLogPart = keyof typeof SHOWN_FROM;

/** Whether the words of a log level show `part`. */
export function showsTlsLog(words: readonly string[], part: TlsLogPart): boolean {
  return words.some((word) => {
    const level = /^[0-9]$/.test(word) ? Number(word) : LEVELS.get(word) ?? 0;
    return word === part || level >= SHOWN_FROM[part];
  });
}
