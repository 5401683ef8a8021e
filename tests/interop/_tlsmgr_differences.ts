/**
 * Where our tlsmgr deliberately answers otherwise than Postfix 3.7.11, step by step, and why.
 *
 * @module
 */

import type { Outcome } from "./_tlsmgr_dialogue.ts";

/** Steps that differ for one reason. */
export interface Difference {
  readonly reason: string;
  /** Names of steps of the script. */
  readonly steps: readonly string[];
  /** What Postfix answers. */
  readonly postfix: RegExp;
  /** What ours answers where Postfix answered that. */
  readonly ours: (postfix: Outcome) => Outcome;
}

function inScene(scene: string, ...steps: readonly string[]): string[] {
  return steps.map((step) => `${scene}: ${step}`);
}

/** The faults that each data attribute can have, by the attribute in question. */
function withFault(request: string, ...attributes: readonly string[]): string[] {
  const faults = ["without", "nothing from", "other name for", "upper case", "extra before"];
  return inScene(
    `attributes of ${request}`,
    ...attributes.flatMap((name) => faults.map((fault) => `${fault} ${name}`)),
    "request twice",
    "in braces",
  );
}

// deno-fmt-ignore
const MALFORMED_NUMBERS = [
  "+", "-", "--32", "+-32", "32 ", "32\n", "3 2", "0x20", "1e2", "32.0", "32,0", "", " ", "abc",
  "32abc", "\xb2", "\xd9\xa3", "0b11", "32;", "\x01",
];

/** All differences. */
export const DIFFERENCES: readonly Difference[] = [
  {
    reason:
      "A request that fails before it is understood is answered by Postfix with the data that " +
      "the last answer of that kind left in memory: the random numbers, the session or the key of " +
      "whatever client was served before. Ours has no data in it",
    steps: [
      ...inScene("seed", ...MALFORMED_NUMBERS.map((size) => JSON.stringify(size))),
      ...withFault("seed", "size"),
      ...inScene("attributes of seed", "an empty value of size", "words for size"),
      ...withFault("lookup", "cache_type", "cache_id"),
      ...inScene("attributes of lookup", "twice cache_type"),
      ...withFault("tktkey", "keyname"),
      ...inScene("attributes of tktkey", "a number for keyname", "words for keyname"),
      ...inScene("order", "lookup: id, type", "lookup: two types"),
      ...inScene(
        "tktkey",
        ...["*", "A", "AAAAA", "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAA"]
          .map((text) => `a name written ${JSON.stringify(text)}`),
      ),
      ...inScene("stale bytes", "no id", "nothing", "wrong order", "extra in the middle"),
      ...inScene("stale bytes", "a malformed seed", "a malformed key", "no key name"),
      "long lists: 1000 attributes",
    ],
    postfix: /^status\|4294967294\|(?:seed|session|keybuf)\|[^|]+\|\|$/,
    ours: (postfix) => postfix.replace(/[^|]+\|\|$/, "||"),
  },
  {
    reason:
      "A key of an unknown name is answered by Postfix with the name that was asked for in the " +
      "place of the key. Ours has no data in it",
    steps: inScene(
      "tktkey",
      "a name with one other byte",
      "an unknown name",
      "a name of zeros",
    ).concat("stale bytes: an unknown key"),
    postfix: /^status\|4294967295\|keybuf\|[A-Za-z0-9+/]{22}==\|\|$/,
    ours: () => "status|4294967295|keybuf|||",
  },
  {
    reason:
      "A list whose end is missing when the client leaves is answered by Postfix as a failed " +
      "request, stale data included. Ours answers complete lists only",
    steps: inScene(
      "ends",
      "behind the request word",
      "in the second name",
      "in the second value",
      "before the terminator",
      "in base64",
      "in a list that is wrong already",
    ),
    postfix: /^status\|4294967294\|(?:seed\|[^|]*\|)?\|closed$/,
    ours: () => "closed",
  },
  {
    reason:
      "When Postfix finds a fault in a long list it takes what it has not read yet for another " +
      "list, and answers that, too. Ours reads each list to its end and answers it once",
    steps: inScene("long lists", "no type", "first attribute"),
    postfix: /^status\|4294967294\|\|status\|4294967294\|\|$/,
    ours: () => "status|4294967294||",
  },
  {
    reason:
      "Ours has limits: a session of more than max_entry_bytes, or under an id of more than 4096 " +
      "bytes, is not stored",
    steps: inScene("long lists", "a large session", "a long id"),
    postfix: /^status\|0\|\|$/,
    ours: () => "status|4294967295||",
  },
  {
    reason: "What was not stored is not found",
    steps: inScene("long lists", "the large session", "the long id"),
    postfix: /^status\|0\|session\|[^|]+\|\|$/,
    ours: () => "status|4294967295|session|||",
  },
];
