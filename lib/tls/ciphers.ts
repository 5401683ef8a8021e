/**
 * Cipher grades and exclusions, made into one OpenSSL cipher list (Postfix's tls/tls_misc.c
 * tls_set_ciphers()). Lists govern TLS 1.2 and older only.
 *
 * @module
 */

/** The list of each grade. */
export interface GradeLists {
  readonly high: string;
  readonly medium: string;
  readonly null: string;
}

/** What goes into a cipher list. */
export interface CipherChoice {
  /** `high`, `medium`, `null`; `low` and `export` mean `medium`. Any case. */
  readonly grade: string;
  /** Tokens to exclude, in order; blanks, commas and colons between them. */
  readonly exclusions: readonly string[];
  readonly lists: GradeLists;
}

/** An OpenSSL cipher list, or what is wrong with the choice. */
export type CipherList = { readonly list: string } | { readonly fault: string };

/** The cipher list for a grade without the excluded ciphers. */
export function cipherList(choice: CipherChoice): CipherList {
  const base = listOf(choice.grade, choice.lists);
  if (base === undefined) return { fault: `invalid cipher grade: "${choice.grade}"` };
  let list = base;
  for (const token of choice.exclusions.join(" ").split(/[\s,:]+/)) {
    if (token === "") continue;
    if (/^[!+\-@]/.test(token)) {
      return { fault: `invalid excluded cipher "${token}": it may not begin with "${token[0]}"` };
    }
    list += `:!${token}`;
  }
  return { list };
}

function listOf(grade: string, lists: GradeLists): string | undefined {
  switch (grade.toLowerCase()) {
    case "high":
      return lists.high;
    case "medium":
    case "low":
    case "export":
      return lists.medium;
    case "null":
      return lists.null;
    default:
      return undefined;
  }
}
