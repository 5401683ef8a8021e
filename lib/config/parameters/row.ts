/**
 * The shape of a row of the parameter table, and what several of its files share.
 *
 * @module
 */

import type { Bounds } from "../kinds.ts";

/** The two daemons. */
export type RoleName = "tlsmgr" | "tlsproxy";

/** All roles, for walks over both. */
export const ROLE_NAMES = ["tlsmgr", "tlsproxy"] as const;

/**
 * Whether a part of the program acts on a setting: always, never, for some values only, or for all
 * values but some. What is set and not obeyed is a warning.
 */
export type Obeyed = boolean | { readonly only: readonly string[] } | {
  readonly except: readonly string[];
};

/** One row. */
export interface Parameter extends Bounds {
  /** Default as an expression; absent keys have it. */
  readonly initial: string;
  /** Default when the OpenSSL at run time is 3.5 or later. */
  readonly initialFromOpenSsl35?: string;
  /** The value may be a TOML table, which stands for an `inline:` lookup table. */
  readonly tableForm?: boolean;
  readonly roles: readonly RoleName[];
  /** Postfix release that introduced the name; 2.0 also stands for older ones. */
  readonly since: string;
  /** What to do instead, for a name that postconf calls deprecated; it is honoured all the same. */
  readonly deprecated?: string;
  /** Postfix release since which the value has no effect there either. */
  readonly ignoredSince?: string;
  /** What to do instead, beside {@linkcode Parameter.ignoredSince}. */
  readonly instead?: string;
  /** Why a value changes nothing here; one clause, for a note. */
  readonly noEffect?: string;
  /** Set by the program; what a file says is overwritten. */
  readonly readOnly?: boolean;
  /** @default {true} */
  readonly obeyed?: Obeyed;
  /** One line of plain text. */
  readonly help: string;
  /**
   * A few sentences for the manual. A blank line parts paragraphs, other line breaks are blanks, a
   * line that begins with `- ` is an item of a list and goes on until the next one or a blank line,
   * and `*...*` encloses literal text.
   */
  readonly text: string;
}

export const BOTH = ROLE_NAMES;
export const TLSMGR = ["tlsmgr"] as const;
export const TLSPROXY = ["tlsproxy"] as const;

/** Cipher grades (tls_misc.c: tls_cipher_grade_table), without the one that means a mistake. */
export const GRADES = ["high", "medium", "low", "export", "null"] as const;

/** TLS levels of a client (tls_level.c), and the empty one that leaves it to the obsolete booleans. */
export const CLIENT_LEVELS = [
  "",
  "none",
  "may",
  "encrypt",
  "fingerprint",
  "dane",
  "dane-only",
  "verify",
  "secure",
] as const;

/** Help and manual text of a parameter that is here as the default of `name`. */
export function defaultOf(name: string, owner: string) {
  return {
    help: `Default of ${name}.`,
    text: `\
tlsproxy takes this value where *${name}* is not set, and reads it by the same
rules. ${owner} reads it for itself.`,
  };
}
