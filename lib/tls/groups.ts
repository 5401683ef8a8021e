/**
 * Key-exchange groups: one list made of curves and finite-field groups (Postfix's tls/tls_dh.c
 * tls_auto_groups()).
 *
 * @module
 */

/** Names of OpenSSL's for the same group; a list that holds two of them is refused as a whole. */
const ALIASES: Readonly<Record<string, string>> = {
  "p-256": "prime256v1",
  secp256r1: "prime256v1",
  "p-384": "secp384r1",
  "p-521": "secp521r1",
};

/**
 * The groups of `lists` that OpenSSL knows, each once, in order; to be joined with colons.
 *
 * @param known tells whether OpenSSL takes a list of this name alone
 */
export function selectGroups(lists: readonly string[], known: (name: string) => boolean): string[] {
  const seen = new Set<string>();
  const groups: string[] = [];
  for (const name of lists.join(" ").split(/[\s,:]+/)) {
    if (name === "") continue;
    const lower = name.toLowerCase();
    const identity = ALIASES[lower] ?? lower;
    if (seen.has(identity) || !known(name)) continue;
    seen.add(identity);
    groups.push(name);
  }
  return groups;
}
