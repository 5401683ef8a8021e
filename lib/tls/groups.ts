/**
 * Key-exchange groups: one list made of curves and finite-field groups (Postfix's tls/tls_dh.c
 * tls_auto_groups()).
 *
 * @module
 */

/**
 * The other names that OpenSSL has for a group (SP 800-186, SEC 2): it refuses a list that holds two of
 * them as a whole.
 */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["p-192", "prime192v1"],
  ["secp192r1", "prime192v1"],
  ["p-224", "secp224r1"],
  ["p-256", "prime256v1"],
  ["secp256r1", "prime256v1"],
  ["p-384", "secp384r1"],
  ["p-521", "secp521r1"],
  ["k-163", "sect163k1"],
  ["b-163", "sect163r2"],
  ["k-233", "sect233k1"],
  ["b-233", "sect233r1"],
  ["k-283", "sect283k1"],
  ["b-283", "sect283r1"],
  ["k-409", "sect409k1"],
  ["b-409", "sect409r1"],
  ["k-571", "sect571k1"],
  ["b-571", "sect571r1"],
]);

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
    const identity = ALIASES.get(lower) ?? lower;
    if (seen.has(identity) || !known(name)) continue;
    seen.add(identity);
    groups.push(name);
  }
  return groups;
}
