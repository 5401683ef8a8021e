/**
 * Entries of a cache as text for terminals and as JSON.
 *
 * A key holds any byte; what is printed is ASCII without control characters, so that no key can play
 * tricks on a terminal. A key is shown as a hash unless it is asked for, because it names a client or a
 * server and a session. Values are sessions: whoever has one can read what was encrypted under it, so
 * no command prints any part of them.
 *
 * @module
 */
import { latin1, toHex } from "../../base/bytes.ts";
import type { InspectedEntry } from "../../store/inspect.ts";

/** Hexadecimal digits of a hash that are shown: 96 bits, so that no two keys look alike. */
const HASH_DIGITS = 24;
/** The latest time that `Date` knows, unix seconds. */
const DATE_MAX_S = 8_640_000_000_000;

/** The beginning of the SHA-256 of `key`, which is latin1; lower case. */
export async function hashKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", latin1(key));
  return toHex(new Uint8Array(digest)).slice(0, HASH_DIGITS).toLowerCase();
}

/** `key` with `\xNN` for all that is not printable ASCII, for blanks and for `\` itself. */
export function escapeKey(key: string): string {
  return key.replace(/[^\x21-\x5b\x5d-\x7e]/g, (c) => `\\x${hex(c, 2)}`);
}

/** JSON in ASCII: other characters are `\uNNNN`. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\x7f-\uffff]/g, (c) => `\\u${hex(c, 4)}`);
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

/** A time as in RFC 3339, or `@` and unix seconds where that would need a longer year. */
export function showTime(unixS: number): string {
  const text = unixS > DATE_MAX_S ? "+" : new Date(unixS * 1000).toISOString();
  return text.startsWith("+") ? `@${unixS}` : text.replace(".000Z", "Z");
}

/** An entry as a line of JSON; `name` is `{ key }` or `{ key_hash }`. */
export function entryJson(
  name: { key: string } | { key_hash: string },
  { valueBytes, expiresAtS }: InspectedEntry,
  nowS: number,
): string {
  const fields = { value_bytes: valueBytes, expires_at: expiresAtS, expired: expiresAtS < nowS };
  return `${asciiJson({ ...name, ...fields })}\n`;
}

/** An entry as a line of text. */
export function entryLine(name: string, entry: InspectedEntry, nowS: number): string {
  const { valueBytes, expiresAtS } = entry;
  const state = expiresAtS < nowS ? "expired" : "valid";
  return `${showTime(expiresAtS).padEnd(20)}  ${state.padEnd(7)}  ` +
    `${String(valueBytes).padStart(7)}  ${name}\n`;
}

/** What stands above lines of {@linkcode entryLine}. */
export const ENTRY_HEADING = `${"expires at".padEnd(20)}  ${"state".padEnd(7)}  ` +
  `${"bytes".padStart(7)}  key\n`;
