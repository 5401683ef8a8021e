import { assert, assertEquals } from "@std/assert";
import { describeAttrFault } from "../../../lib/attr/faults.ts";
import { ListPrinter } from "../../../lib/attr/print.ts";
import { READ } from "../../../lib/attr/read.ts";
import { latin1 } from "../../../lib/base/bytes.ts";
import {
  ASK_NAMES,
  CACHE_TYPES,
  decodeAnswer,
  decodeAsk,
  decodeTlsmgrAnnouncement,
  isCacheType,
  printAnswer,
  printAsk,
  TLSMGR_ANNOUNCEMENT,
  TLSMGR_STATUS,
  TlsmgrAnswer,
  TlsmgrAsk,
  triggerIn,
} from "../../../lib/proto/tlsmgr.ts";
import { listOf, readerOf, Seeded } from "../../wire/lists.ts";

function ask(...words: string[]): TlsmgrAsk {
  const asked = new TlsmgrAsk();
  decodeAsk(readerOf(listOf(...words)), asked);
  return asked;
}

function warning(asked: TlsmgrAsk): string | undefined {
  return asked.fault === undefined ? undefined : describeAttrFault(asked.fault, "tlsmgr socket");
}

/** The failure reply to a request, by name. */
function failure(asked: TlsmgrAsk): Uint8Array {
  return printAnswer(
    new ListPrinter(),
    asked.kind,
    new TlsmgrAnswer().reset(TLSMGR_STATUS.fail),
  );
}

const FAIL = "4294967294";

Deno.test("decodeAsk() calls a request with a missing attribute incomplete", () => {
  const asked = ask("request", "lookup", "cache_type", "smtpd");
  assertEquals([asked.kind, asked.complete], ["lookup", false]);
  assertEquals(warning(asked), "missing attribute cache_id in input from tlsmgr socket");
  assertEquals(failure(asked), listOf("status", FAIL, "session", ""));
});

Deno.test("decodeAsk() calls a request in the wrong order incomplete", () => {
  const asked = ask("request", "update", "cache_id", "x", "cache_type", "smtpd", "session", "");
  assertEquals([asked.kind, asked.complete], ["update", false]);
  assertEquals(
    warning(asked),
    "unexpected attribute cache_id from tlsmgr socket (expecting: cache_type)",
  );
  assertEquals(failure(asked), listOf("status", FAIL));
});

Deno.test("decodeAsk() calls a request with a malformed value incomplete", () => {
  const seed = ask("request", "seed", "size", "many");
  assertEquals([seed.kind, seed.complete], ["seed", false]);
  assertEquals(failure(seed), listOf("status", FAIL, "seed", ""));
  const tktkey = ask("request", "tktkey", "keyname", "*");
  assertEquals([tktkey.kind, tktkey.complete], ["tktkey", false]);
  assertEquals(failure(tktkey), listOf("status", FAIL, "keybuf", ""));
});

Deno.test("decodeAsk() carries a request out that has an attribute too many, with a warning", () => {
  const asked = ask("request", "seed", "size", "32", "more", "1");
  assertEquals([asked.kind, asked.complete, asked.size], ["seed", true, 32]);
  assertEquals(
    warning(asked),
    "unexpected attribute more from tlsmgr socket (expecting: (list terminator))",
  );
});

Deno.test("decodeAsk() answers a list that does not begin with a request by the status alone", () => {
  const asked = ask("size", "32", "request", "seed");
  assertEquals([asked.kind, asked.complete], ["nameless", false]);
  assertEquals(
    warning(asked),
    "unexpected attribute size from tlsmgr socket (expecting: request)",
  );
  assertEquals(failure(asked), listOf("status", FAIL));
});

Deno.test("decodeAsk() has no answer to an unknown request, nor to an empty list", () => {
  const unknown = ask("request", "Seed", "size", "32");
  assertEquals([unknown.kind, unknown.name, unknown.complete], ["unknown", "Seed", false]);
  assertEquals(failure(unknown).length, 0);
  const empty = ask();
  assertEquals([empty.kind, empty.complete], ["empty", false]);
  assertEquals(failure(empty).length, 0);
});

Deno.test("decodeAsk() forgets the request before", () => {
  const asked = new TlsmgrAsk();
  decodeAsk(
    readerOf(
      listOf(
        "request",
        "update",
        "cache_type",
        "smtp",
        "cache_id",
        "i",
        "session",
        "Zm9v",
        "x",
        "",
      ),
    ),
    asked,
  );
  assert(asked.complete && asked.fault !== undefined);
  decodeAsk(readerOf(listOf("request", "seed", "size", "1")), asked);
  assertEquals([asked.cacheType, asked.cacheId, asked.session.textBytes], ["", "", 0]);
  assertEquals(asked.fault, undefined);
});

Deno.test("decodeAsk() hands on unknown cache types and key names of any length", () => {
  assertEquals(ask("request", "policy", "cache_type", "SMTPD").cacheType, "SMTPD");
  assertEquals(isCacheType("SMTPD"), false);
  assert(CACHE_TYPES.every(isCacheType));
  assertEquals(ask("request", "tktkey", "keyname", "Zm9v").keyName.data(), latin1("foo"));
});

Deno.test("printAnswer() gives every attribute whatever the status", () => {
  const want: Record<string, string[]> = {
    seed: ["status", FAIL, "seed", ""],
    policy: ["status", FAIL, "cachable", "0", "timeout", "0"],
    lookup: ["status", FAIL, "session", ""],
    update: ["status", FAIL],
    delete: ["status", FAIL],
    tktkey: ["status", FAIL, "keybuf", ""],
  };
  assertEquals([...ASK_NAMES].sort(), Object.keys(want).sort());
  const answer = new TlsmgrAnswer();
  answer.seed.set(latin1("x"));
  answer.session.set(latin1("x"));
  answer.keyBuffer.set(latin1("x"));
  answer.reset(TLSMGR_STATUS.fail);
  for (const name of ASK_NAMES) {
    assertEquals(printAnswer(new ListPrinter(), name, answer), listOf(...want[name]));
  }
});

Deno.test("triggerIn() knows a wake-up trigger from its first two bytes", () => {
  const cases: [string, string][] = [
    ["", "maybe"],
    ["W", "maybe"],
    ["W\0", "yes"],
    ["W\0more", "yes"],
    ["Wx", "no"],
    ["r", "no"],
    ["\0", "no"],
  ];
  for (const [text, answer] of cases) {
    const bytes = latin1(`--${text}`);
    assertEquals(triggerIn(bytes, 2, bytes.length), answer, JSON.stringify(text));
  }
});

Deno.test("decodeTlsmgrAnnouncement() wants exactly the announcement", () => {
  assert(decodeTlsmgrAnnouncement(readerOf(TLSMGR_ANNOUNCEMENT)));
  for (
    const words of [
      [],
      ["protocol", "tlsproxy_protocol"],
      ["proto", "tlsmgr_protocol"],
      ["protocol", "tlsmgr_protocol", "more", ""],
    ]
  ) {
    assertEquals(decodeTlsmgrAnnouncement(readerOf(listOf(...words))), false);
  }
});

Deno.test("decodeAnswer() skips unknown attributes and fails on missing ones", () => {
  const answer = new TlsmgrAnswer();
  const wide = listOf(
    "v",
    "2",
    "status",
    "0",
    "hint",
    "",
    "cachable",
    "1",
    "timeout",
    "9",
    "z",
    "",
  );
  assert(decodeAnswer(readerOf(wide, READ.missing), "policy", answer));
  assertEquals([answer.status, answer.cachable, answer.timeout], [0, 1, 9]);
  const short = readerOf(listOf("status", "0", "cachable", "1"), READ.missing);
  assertEquals(decodeAnswer(short, "policy", answer), false);
  assertEquals([answer.status, answer.cachable], [TLSMGR_STATUS.fail, 0]);
  assertEquals(short.fault, { kind: "missing", name: "timeout" });
});

Deno.test("decodeAsk(printAsk(x)) is x", () => {
  const random = new Seeded(3);
  const printer = new ListPrinter();
  const sent = new TlsmgrAsk();
  const got = new TlsmgrAsk();
  for (let i = 0; i < 600; i++) {
    const name = random.pick(ASK_NAMES);
    sent.size = random.int32();
    sent.cacheType = random.flip() ? random.pick(CACHE_TYPES) : random.text(8);
    sent.cacheId = random.text();
    sent.session.set(random.bytes(300));
    sent.keyName.set(random.bytes(20));
    decodeAsk(readerOf(printAsk(printer, name, sent)), got);
    assertEquals([got.kind, got.name, got.complete, got.fault], [name, name, true, undefined]);
    if (name === "seed") assertEquals(got.size, sent.size);
    if (name === "tktkey") assertEquals(got.keyName.text(), sent.keyName.text());
    if (name !== "seed" && name !== "tktkey") assertEquals(got.cacheType, sent.cacheType);
    if (name === "lookup" || name === "delete") assertEquals(got.cacheId, sent.cacheId);
    if (name === "update") assertEquals(got.session.data(), sent.session.data());
  }
});

Deno.test("decodeAnswer(printAnswer(x)) is x", () => {
  const random = new Seeded(4);
  const printer = new ListPrinter();
  const sent = new TlsmgrAnswer();
  const got = new TlsmgrAnswer();
  for (let i = 0; i < 600; i++) {
    const name = random.pick(ASK_NAMES);
    sent.reset(random.pick(Object.values(TLSMGR_STATUS)));
    if (name === "seed") sent.seed.set(random.bytes(255));
    if (name === "policy") sent.cachable = random.below(2);
    if (name === "policy") sent.timeout = random.below(8_640_001);
    if (name === "lookup") sent.session.set(random.bytes(3000));
    if (name === "tktkey") sent.keyBuffer.set(random.bytes(88));
    assert(decodeAnswer(readerOf(printAnswer(printer, name, sent)), name, got));
    assertEquals(
      [got.status, got.cachable, got.timeout],
      [sent.status, sent.cachable, sent.timeout],
    );
    assertEquals(got.seed.data(), sent.seed.data());
    assertEquals(got.session.data(), sent.session.data());
    assertEquals(got.keyBuffer.data(), sent.keyBuffer.data());
  }
});
