/**
 * What the differential test asks: a few hundred requests of every kind, sound and deviant.
 *
 * A scene is one connection; its steps build on each other.
 *
 * @module
 */

import { bytesOf, type Scene, type Step } from "./_tlsmgr_dialogue.ts";

/** The bytes of the list of alternating names and values. */
function list(...words: readonly string[]): Uint8Array {
  return bytesOf(words.map((word) => `${word}\0`).join("") + "\0");
}

/** A step that sends one list. */
function ask(name: string, ...words: readonly string[]): Step {
  return { name, send: () => [list(...words)] };
}

/** A step that sends bytes as they are, each string a segment; `|` stands for a NUL. */
function raw(name: string, ...segments: readonly string[]): Step {
  return { name, send: () => segments.map((text) => bytesOf(text.replaceAll("|", "\0"))) };
}

/** As {@linkcode raw}, and the client sends no more. */
function cutOff(name: string, text: string): Step {
  return { ...raw(name, text), ends: true };
}

function scene(name: string, steps: readonly Step[]): Scene {
  return { name, steps: steps.map((step) => ({ ...step, name: `${name}: ${step.name}` })) };
}

const CACHES = ["smtpd", "smtp", "lmtp"] as const;
const SESSION = btoa("a session, which is opaque here");

/** `length` bytes that look like a binary session, in base64. */
function blob(length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode((i * 7 + (i >> 8) + length) & 255);
  return btoa(text);
}

/** The attributes of each request in order, as a sound request has them. */
const SOUND: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  seed: [["size", "32"]],
  policy: [["cache_type", "smtpd"]],
  lookup: [["cache_type", "smtpd"], ["cache_id", "id"]],
  update: [["cache_type", "smtpd"], ["cache_id", "id"], ["session", SESSION]],
  delete: [["cache_type", "smtpd"], ["cache_id", "id"]],
  tktkey: [["keyname", ""]],
};

function sound(request: string): readonly (readonly [string, string])[] {
  return [["request", request], ...SOUND[request]];
}

const seeds = scene("seed", [
  // deno-fmt-ignore
  ...[
    "0", "1", "2", "3", "31", "32", "33", "254", "255", "256", "257", "65536", "2147483647",
    "2147483648", "4294967294", "4294967295", "4294967296", "4294967328", "18446744073709551615",
    "18446744073709551616", "99999999999999999999999", "-1", "-0", "-32", "-4294967264",
    "-18446744073709551584", "+32", "+", "-", "--32", "+-32", " 32", "  \t32", "\n\v\f\r32", "32 ",
    "32\n", "3 2", "032", "0000000000000000000000000000000032", "0x20", "1e2", "32.0", "32,0", "",
    " ", "abc", "32abc", "\xb2", "\xd9\xa3", "0b11", "32;", "\x01",
  ].map((size) => ask(JSON.stringify(size), "request", "seed", "size", size)),
]);

const policies = scene("policy", [
  // deno-fmt-ignore
  ...[
    ...CACHES, "", "SMTPD", "Smtp", "smtpd ", " smtpd", "smtpdx", "smt", "pop3", "smtpd\n",
    "\xff\xfe", "0", "*", "%s%n", "../smtpd", "x".repeat(300), "x".repeat(5000),
  ].map((type) => ask(JSON.stringify(type.slice(0, 40)), "request", "policy", "cache_type", type)),
]);

/** What can be done with one entry, for each cache. */
const entries = CACHES.map((cache) =>
  scene(`entries of ${cache}`, [
    ask("miss", "request", "lookup", "cache_type", cache, "cache_id", "id"),
    ask("delete nothing", "request", "delete", "cache_type", cache, "cache_id", "id"),
    ask("store", "request", "update", "cache_type", cache, "cache_id", "id", "session", SESSION),
    ask("find", "request", "lookup", "cache_type", cache, "cache_id", "id"),
    ask("find again", "request", "lookup", "cache_type", cache, "cache_id", "id"),
    ask("replace", "request", "update", "cache_type", cache, "cache_id", "id", "session", "bmV3"),
    ask("find the other", "request", "lookup", "cache_type", cache, "cache_id", "id"),
    ask("store nothing", "request", "update", "cache_type", cache, "cache_id", "0", "session", ""),
    ask("find nothing", "request", "lookup", "cache_type", cache, "cache_id", "0"),
    ask("delete", "request", "delete", "cache_type", cache, "cache_id", "id"),
    ask("delete again", "request", "delete", "cache_type", cache, "cache_id", "id"),
    ask("miss after delete", "request", "lookup", "cache_type", cache, "cache_id", "id"),
    ask("leave an entry", "request", "update", ...entry(cache, "mine"), "session", btoa(cache)),
  ])
);

function entry(cache: string, id: string): string[] {
  return ["cache_type", cache, "cache_id", id];
}

const apart = scene(
  "caches are apart",
  CACHES.flatMap((cache) => [
    ask(`the entry in ${cache}`, "request", "lookup", ...entry(cache, "mine")),
    ask(`delete the entry in ${cache}`, "request", "delete", ...entry(cache, "mine")),
  ]),
);

const noCaches = scene(
  "unknown caches",
  ["", "SMTPD", "pop3", "smtpd ", "y".repeat(200)]
    .flatMap((cache) => {
      const shown = JSON.stringify(cache.slice(0, 10));
      return [
        ask(`lookup in ${shown}`, "request", "lookup", ...entry(cache, "id")),
        ask(`update in ${shown}`, "request", "update", ...entry(cache, "id"), "session", SESSION),
        ask(`delete in ${shown}`, "request", "delete", ...entry(cache, "id")),
      ];
    }),
);

/** Every byte that can stand in a value: in one id, and each in an id of its own. */
const everyByte = String.fromCharCode(...Array.from({ length: 255 }, (_, i) => i + 1));
const ids = scene("ids", [
  // deno-fmt-ignore
  ...[
    everyByte, "", " ", "\xff", "=", "&&", "id\n", "%s", "../../etc/passwd", "{", "}",
    "A".repeat(100), "B".repeat(1000), "C".repeat(2000), "D".repeat(4000), "E".repeat(4096),
  ].flatMap((id, index) => {
    const shown = `${index} of ${id.length} bytes`;
    const value = btoa(`value ${index}`);
    return [
      ask(`store ${shown}`, "request", "update", ...entry("smtpd", id), "session", value),
      ask(`find ${shown}`, "request", "lookup", ...entry("smtpd", id)),
    ];
  }),
  ...["id\nx", "ID", "\xfe"].map((id, index) =>
    ask(`no such id ${index}`, "request", "lookup", ...entry("smtpd", id))
  ),
  ask("delete the id of every byte", "request", "delete", ...entry("smtpd", everyByte)),
  ask("delete the empty id", "request", "delete", ...entry("smtpd", "")),
]);

const SIZES = [1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 1000, 1735, 2900, 3000, 3071, 3072, 4095, 4096];
const LARGE_SIZES = [8191, 8192, 10_000, 20_000, 32_768, 49_152, 65_535, 65_536];
const sizes = scene(
  "session sizes",
  [...SIZES, ...LARGE_SIZES].flatMap((size) => [
    ask(
      `store ${size}`,
      "request",
      "update",
      ...entry("smtp", `of ${size}`),
      "session",
      blob(size),
    ),
    ask(`find ${size}`, "request", "lookup", ...entry("smtp", `of ${size}`)),
  ]),
);

/** What a base64 decoder may think of differently. */
// deno-fmt-ignore
const BASE64_TEXTS = [
  "YQ==", "YWI=", "YWJj", "YR==", "YWJ=", "Y===", "====", "=", "==", "A", "AA", "AAA", "AAA=",
  "YQ==YQ==", "YQ==****", "YWI=YWJj", "YQ=A", "YQ=*", " YQ==", "YQ== ", "YQ==\n", "YQ\n==", "YW\nJj",
  "a*==", "****", "-_-_", "+/+/", "////", "YQ%3D%3D", "\xff\xff\xff\xff", "{}{}", "AAAAAAA", "=AAA",
  "AAAA=", "AAAA====",
];
const base64Sessions = scene(
  "base64",
  BASE64_TEXTS.flatMap((text, index) => {
    const shown = `${index} ${JSON.stringify(text)}`;
    return [
      ask(
        `store ${shown}`,
        "request",
        "update",
        ...entry("lmtp", `text ${index}`),
        "session",
        text,
      ),
      ask(`find ${shown}`, "request", "lookup", ...entry("lmtp", `text ${index}`)),
    ];
  }),
);

function keyNameOf(key: string): string {
  return btoa(atob(key).slice(0, 16));
}

const ticketKeys = scene("tktkey", [
  ask("the key to encrypt with", "request", "tktkey", "keyname", ""),
  ask("the key again", "request", "tktkey", "keyname", ""),
  {
    name: "the key by name",
    send: ({ ticketKey }) => [list("request", "tktkey", "keyname", keyNameOf(ticketKey))],
  },
  {
    name: "the key by a name that is written loosely",
    send: ({ ticketKey }) => {
      const name = keyNameOf(ticketKey);
      return [list("request", "tktkey", "keyname", `${loosened(name)}****`)];
    },
  },
  {
    name: "a name with one other byte",
    send: ({ ticketKey }) => {
      const name = atob(ticketKey).slice(0, 15) +
        String.fromCharCode(atob(ticketKey).charCodeAt(15) ^ 1);
      return [list("request", "tktkey", "keyname", btoa(name))];
    },
  },
  {
    name: "the whole key as a name",
    send: ({ ticketKey }) => [list("request", "tktkey", "keyname", ticketKey)],
  },
  ask("an unknown name", "request", "tktkey", "keyname", btoa("0123456789abcdef")),
  ask("a name of zeros", "request", "tktkey", "keyname", btoa("\0".repeat(16))),
  ...[1, 2, 15, 17, 32, 255, 4000].map((length) =>
    ask(`a name of ${length} bytes`, "request", "tktkey", "keyname", blob(length))
  ),
  ...["*", "A", "AAAAA", "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAA"].map((text) =>
    ask(`a name written ${JSON.stringify(text)}`, "request", "tktkey", "keyname", text)
  ),
  ask("the key after all that", "request", "tktkey", "keyname", ""),
]);

/** The same data with another last letter: two or four bits of it do not count. */
function loosened(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const at = text.indexOf("=") - 1;
  return text.slice(0, at) + alphabet[alphabet.indexOf(text[at]) + 1] + text.slice(at + 1);
}

/** Every request with one thing wrong about its attributes. */
const attributes = Object.keys(SOUND).map((request) => {
  const good = sound(request);
  const steps: Step[] = [ask("sound", ...good.flat())];
  for (let at = 1; at < good.length; at++) {
    const [name] = good[at];
    const variant = (what: string, changed: readonly (readonly [string, string])[]) =>
      steps.push(ask(`${what} ${name}`, ...changed.flat()));
    variant("without", good.toSpliced(at, 1));
    variant("nothing from", good.slice(0, at));
    variant("twice", good.toSpliced(at, 0, good[at]));
    variant("other name for", good.toSpliced(at, 1, [`${name}s`, good[at][1]]));
    variant("upper case", good.toSpliced(at, 1, [name.toUpperCase(), good[at][1]]));
    variant("extra before", good.toSpliced(at, 0, ["extra", "1"]));
    variant("an empty value of", good.toSpliced(at, 1, [name, ""]));
    variant("a number for", good.toSpliced(at, 1, [name, "7"]));
    variant("words for", good.toSpliced(at, 1, [name, "two words"]));
  }
  steps.push(
    ask("extra behind", ...good.flat(), "extra", "1"),
    ask("two extra behind", ...good.flat(), "extra", "1", "more", ""),
    ask("request twice", "request", request, ...good.flat()),
    ask("request behind", ...good.slice(1).flat(), "request", request),
    ask("backwards", ...good.toReversed().flat()),
    ask("in braces", "request", request, "{", "", ...good.slice(1).flat(), "}", ""),
    ask("sound again", ...good.flat()),
  );
  return scene(`attributes of ${request}`, steps);
});

const orders = scene("order", [
  ask(
    "update: id, type, session",
    "request",
    "update",
    "cache_id",
    "id",
    "cache_type",
    "smtpd",
    "session",
    SESSION,
  ),
  ask(
    "update: session, type, id",
    "request",
    "update",
    "session",
    SESSION,
    ...entry("smtpd", "id"),
  ),
  ask(
    "update: type, session, id",
    "request",
    "update",
    "cache_type",
    "smtpd",
    "session",
    SESSION,
    "cache_id",
    "id",
  ),
  ask("lookup: id, type", "request", "lookup", "cache_id", "id", "cache_type", "smtpd"),
  ask("lookup with a session", "request", "lookup", ...entry("smtpd", "id"), "session", SESSION),
  ask("lookup: two types", "request", "lookup", "cache_type", "smtp", ...entry("smtpd", "id")),
  ask("policy with an id", "request", "policy", ...entry("smtpd", "id")),
  ask("seed with a policy", "request", "seed", "size", "1", "cache_type", "smtpd"),
]);

const words = scene("request words", [
  // deno-fmt-ignore
  ...[
    "", "SEED", "Seed", "seed ", " seed", "verify", "protocol", "status", "lookups", "look", "\xff",
    "0", "seed\n", "%n", "z".repeat(300), "z".repeat(3000), "__proto__", "constructor", "unknown",
    "nameless", "empty",
  ].map((word) => ask(JSON.stringify(word.slice(0, 20)), "request", word)),
  ask("unknown with attributes", "request", "verify", "cache_type", "smtpd", "cache_id", "id"),
  ask("upper case with attributes", "request", "LOOKUP", ...entry("smtpd", "id")),
  ask("a sound one after all that", "request", "policy", "cache_type", "smtpd"),
]);

const noRequests = scene("first attributes", [
  ask("size", "size", "32", "request", "seed"),
  ask("REQUEST", "REQUEST", "seed", "size", "32"),
  ask("requests", "requests", "seed", "size", "32"),
  ask("reques", "reques", "seed", "size", "32"),
  ask("blank before", " request", "seed", "size", "32"),
  ask("the announcement", "protocol", "tlsmgr_protocol"),
  ask("a reply", "status", "0"),
  ask("a brace", "{", ""),
  ask("a closing brace", "}", ""),
  ask("8-bit", "\xff\xfe", "\x80"),
  ask("an empty value", "x", ""),
  ask("a line", "request=seed\nsize=32\n\n", ""),
  ask("a long name", "n".repeat(3000), "x"),
  raw("an HTTP request", "GET / HTTP/1.0\r\n\r\n|||"),
  raw("garbage", "\x16\x03\x01\x02|\x01|\x01\xfc\x03\x03|\xff|||"),
  raw("the empty list and more", "|x|"),
  raw("three NULs", "|||"),
  raw("ten NULs", "|".repeat(10)),
]);

const shortStrings = scene("short strings", [
  raw("one NUL", "|"),
  raw("two NULs", "||"),
  raw("x and NUL", "x|"),
  raw("w and NUL", "w|"),
  raw("F and NUL", "F|"),
  raw("r and NUL", "r|"),
  raw("a wake-up", "W|"),
]);

const pipelined = scene("pipelined", [
  raw("two lists", "request|policy|cache_type|smtpd||request|seed|size|32||"),
  raw("a list and the beginning of one", "request|seed|size|01||request|po"),
  raw("a list and one byte", "request|seed|size|01||r"),
  raw("a list and a NUL", "request|seed|size|01|||"),
  raw("a list and a wake-up", "request|policy|cache_type|lmtp||W|"),
  raw("a bad list and a good one", "size|32||request|policy|cache_type|smtpd||"),
  raw("an unknown list and a good one", "request|verify||request|policy|cache_type|smtpd||"),
  raw("twenty lists", "request|policy|cache_type|smtp||".repeat(20)),
  raw(
    "an update and the lookup for it",
    `request|update|cache_type|smtpd|cache_id|p|session|${SESSION}||` +
      "request|lookup|cache_type|smtpd|cache_id|p||",
  ),
  ask("only the first of them was done", "request", "lookup", ...entry("smtpd", "p")),
  ask("sound", "request", "seed", "size", "16"),
]);

const LOOKUP_TEXT = "request|lookup|cache_type|smtpd|cache_id|in pieces||";
const pieces = scene("pieces", [
  ask("store", "request", "update", ...entry("smtpd", "in pieces"), "session", SESSION),
  // The first piece has three bytes at least: one or two are a string to Postfix.
  ...Array.from({ length: LOOKUP_TEXT.length - 3 }, (_, i) => i + 3)
    .filter((cut) => cut % 4 === 0 || cut > LOOKUP_TEXT.length - 3)
    .map((cut) => raw(`cut at ${cut}`, LOOKUP_TEXT.slice(0, cut), LOOKUP_TEXT.slice(cut))),
  raw("every byte from the fourth", LOOKUP_TEXT.slice(0, 3), ...LOOKUP_TEXT.slice(3)),
]);

const ends = scene("ends", [
  cutOff("at once", ""),
  cutOff("after a request", "request|policy|cache_type|smtpd||"),
  cutOff("in the first name", "requ"),
  cutOff("behind the first name", "request|"),
  cutOff("in the request word", "request|se"),
  cutOff("behind the request word", "request|seed|"),
  cutOff("in the second name", "request|seed|si"),
  cutOff("in the second value", "request|seed|size|03"),
  cutOff("before the terminator", "request|seed|size|032|"),
  cutOff("in base64", "request|update|cache_type|smtpd|cache_id|cut|session|YWJ"),
  cutOff("behind an unknown word", "request|verify|"),
  cutOff("after an unknown request", "request|verify||"),
  cutOff("in a list that is wrong already", "size|032|req"),
  ask("the session that was cut off", "request", "lookup", ...entry("smtpd", "cut")),
]);

/** What comes back when something is asked wrongly right after a good answer full of secrets. */
const stale = scene("stale bytes", [
  ask("store", "request", "update", ...entry("smtpd", "secret"), "session", SESSION),
  ...[
    ["a miss", "request", "lookup", ...entry("smtpd", "other")],
    ["an unknown cache", "request", "lookup", ...entry("pop3", "secret")],
    ["no id", "request", "lookup", "cache_type", "smtpd"],
    ["nothing", "request", "lookup"],
    ["wrong order", "request", "lookup", "cache_id", "secret", "cache_type", "smtpd"],
    [
      "extra in the middle",
      "request",
      "lookup",
      "cache_type",
      "smtpd",
      "x",
      "y",
      "cache_id",
      "secret",
    ],
    ["a bad seed", "request", "seed", "size", "0"],
    ["a malformed seed", "request", "seed", "size", "x"],
    ["a bad key", "request", "tktkey", "keyname", "QUJD"],
    ["a malformed key", "request", "tktkey", "keyname", "*"],
    ["no key name", "request", "tktkey"],
    ["an unknown key", "request", "tktkey", "keyname", btoa("fedcba9876543210")],
  ].flatMap(([name, ...words]) => [
    ask(`a seed before ${name}`, "request", "seed", "size", "33"),
    ask(`a key before ${name}`, "request", "tktkey", "keyname", ""),
    ask(`the session before ${name}`, "request", "lookup", ...entry("smtpd", "secret")),
    ask(name, ...words),
  ]),
  ask(
    "a session that is malformed",
    "request",
    "update",
    ...entry("smtpd", "bad"),
    "session",
    "a*==",
  ),
  ask("is not stored", "request", "lookup", ...entry("smtpd", "bad")),
  ask("a seed of its own after a session", "request", "seed", "size", "1"),
]);

/** Lists that Postfix reads in several pieces, of which it forgets one when it answers. */
const long = scene("long lists", [
  ask("a sound update", "request", "update", ...entry("smtpd", "long"), "session", blob(30_000)),
  ask("an unknown cache", "request", "update", ...entry("pop3", "long"), "session", blob(30_000)),
  ask("extra behind", "request", "policy", "cache_type", "smtpd", "extra", "x".repeat(3000)),
  ask("1000 attributes", "request", "seed", ...Array.from({ length: 999 }, () => ["x", ""]).flat()),
  ask(
    "a session that is malformed at its end",
    ...["request", "update", ...entry("smtpd", "long"), "session", `${blob(30_000)}*===`],
  ),
  ask("no type", "request", "update", "cache_id", "long", "session", blob(30_000)),
  ask("first attribute", "session", blob(30_000), "request", "update"),
  ask("a large session", "request", "update", ...entry("smtpd", "large"), "session", blob(65_537)),
  ask("the large session", "request", "lookup", ...entry("smtpd", "large")),
  ask("a long id", "request", "update", ...entry("smtpd", "i".repeat(4097)), "session", SESSION),
  ask("the long id", "request", "lookup", ...entry("smtpd", "i".repeat(4097))),
  ask("sound", "request", "policy", "cache_type", "smtpd"),
]);

/** Requests for settings under which the caches are open. */
export const OPEN_SCENES: readonly Scene[] = [
  seeds,
  policies,
  ...entries,
  apart,
  noCaches,
  ids,
  sizes,
  base64Sessions,
  ticketKeys,
  ...attributes,
  orders,
  words,
  noRequests,
  shortStrings,
  pipelined,
  pieces,
  ends,
  stale,
  long,
];

/** Requests for settings under which caches are disabled in one way or another. */
export const SHUT_SCENES: readonly Scene[] = CACHES.map((cache) =>
  scene(`shut ${cache}`, [
    ask("policy", "request", "policy", "cache_type", cache),
    ask("lookup", "request", "lookup", ...entry(cache, "id")),
    ask("update", "request", "update", ...entry(cache, "id"), "session", SESSION),
    ask("lookup after update", "request", "lookup", ...entry(cache, "id")),
    ask("delete", "request", "delete", ...entry(cache, "id")),
    ask("update without a session", "request", "update", ...entry(cache, "id")),
    ask("update with bad base64", "request", "update", ...entry(cache, "id"), "session", "*"),
    ask("ticket key", "request", "tktkey", "keyname", ""),
    {
      name: "ticket key by name",
      // Where there are no keys, there is none of this name either.
      send: ({ ticketKey }) => [
        list("request", "tktkey", "keyname", ticketKey === "" ? blob(16) : keyNameOf(ticketKey)),
      ],
    },
    ask("ticket key by a short name", "request", "tktkey", "keyname", "QUJD"),
    ask("seed", "request", "seed", "size", "32"),
  ])
);

/** Requests about which something is logged, fewer of them than ours logs in a row. */
export const WARNING_SCENES: readonly Scene[] = [
  ...attributes.filter(({ name }) => /seed|lookup|tktkey/.test(name)),
  orders,
  scene("warnings", [
    ask("bad size", "request", "seed", "size", "0"),
    ask("negative size", "request", "seed", "size", "-1"),
    ask("malformed size", "request", "seed", "size", "3 2"),
    ask("bad key", "request", "tktkey", "keyname", "QUJD"),
    ask("malformed key", "request", "tktkey", "keyname", "*"),
    ask("unknown cache", "request", "policy", "cache_type", "a\nb"),
    ask("unknown request", "request", "verify", "cache_type", "smtpd"),
    ask("no request", "a\tb", "request"),
    raw("empty list", "|||"),
  ]),
];
