/**
 * Security levels: their numbers on the wire and their names in settings (tls.h).
 *
 * @module
 */

/** Number of each level by name. */
export const TLS_LEVEL = {
  none: 0,
  may: 1,
  encrypt: 2,
  fingerprint: 3,
  "half-dane": 4,
  dane: 5,
  "dane-only": 6,
  verify: 7,
  secure: 8,
} as const;

/** Name of a security level. */
export type TlsLevelName = keyof typeof TLS_LEVEL;

/** A level that a sender could not make sense of. */
export const TLS_LEVEL_INVALID = -2;

/** A level that a sender did not find. */
export const TLS_LEVEL_NOT_FOUND = -1;

const NAMES = Object.keys(TLS_LEVEL) as TlsLevelName[];

/** Name of the level with this number; `undefined` when there is none. */
export function tlsLevelName(level: number): TlsLevelName | undefined {
  return NAMES[level];
}

/** Number of the level called `name`, in any case; `undefined` when there is none. */
export function tlsLevelNumber(name: string): number | undefined {
  const found = NAMES.find((known) => known === name.toLowerCase());
  return found === undefined ? undefined : TLS_LEVEL[found];
}

/** Whether this level demands that the peer's names match. */
export function levelMustMatch(level: number): boolean {
  return level > TLS_LEVEL.encrypt;
}
