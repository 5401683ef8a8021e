/** What Postfix's tlsmgr and its clients send, read, and made again byte for byte. */

import { assert, assertEquals } from "@std/assert";
import { ListPrinter } from "../../lib/attr/print.ts";
import { READ } from "../../lib/attr/read.ts";
import { type Bytes, fromHex, toHex } from "../../lib/base/bytes.ts";
import { decodeTicketKey, encodeTicketKey } from "../../lib/proto/ticket_key.ts";
import {
  type AskName,
  decodeAnswer,
  decodeAsk,
  printAnswer,
  printAsk,
  TLSMGR_ANNOUNCEMENT,
  TLSMGR_STATUS,
  TlsmgrAnswer,
  TlsmgrAsk,
  triggerIn,
  WAKE_UP_TRIGGER,
} from "../../lib/proto/tlsmgr.ts";
import { goldenHex } from "./golden.ts";
import { readerOf } from "./lists.ts";

const CACHE_ID = "0137E3280E443F347F01B5EDA702862B581E1326ADF454FC2FBF3A988BDFD5A5" +
  "&s=127.0.0.1:10025&l=805306720";

/** The SSL_SESSION that the captured update stores and the captured lookup finds. */
const SESSION = fromHex(`
  308187020101020203030402C03004200137E3280E443F347F01B5EDA702862B581E1326ADF454FC2FBF3A988BDF
  D5A50430905300B1B50AA7E716091058E605213A9663220A13C89961D610B4113B727F1358F242561258AC8EEBCE
  0B1ECC2B16D1A10602046B00FA87A20402021C20A40E040C506F73746669782F544C5300AD03020101B30302011D`);

const SEED = fromHex("0D3E8B808514A7CB778751B5D3E74CE93AC2DFBD021EFF7B1B7A07869306E52F");

function askWith(fill: (ask: TlsmgrAsk) => void): TlsmgrAsk {
  const ask = new TlsmgrAsk();
  fill(ask);
  return ask;
}

function answerWith(status: number, fill: (answer: TlsmgrAnswer) => void = () => {}): TlsmgrAnswer {
  const answer = new TlsmgrAnswer().reset(status);
  fill(answer);
  return answer;
}

const ENTRY = (ask: TlsmgrAsk) => {
  ask.cacheType = "smtpd";
  ask.cacheId = CACHE_ID;
};

const REQUESTS: [string, AskName, TlsmgrAsk][] = [
  ["seed_request", "seed", askWith((ask) => ask.size = 32)],
  ["policy_request", "policy", askWith((ask) => ask.cacheType = "smtpd")],
  ["lookup_request", "lookup", askWith(ENTRY)],
  [
    "update_request",
    "update",
    askWith((ask) => {
      ENTRY(ask);
      ask.session.set(SESSION);
    }),
  ],
  [
    "delete_request",
    "delete",
    askWith((ask) => {
      ask.cacheType = "smtpd";
      ask.cacheId = "xx";
    }),
  ],
  ["tktkey_request", "tktkey", askWith(() => {})],
  [
    "tktkey_request_by_name",
    "tktkey",
    askWith((ask) => ask.keyName.set(goldenHex("ticket_key").subarray(0, 16))),
  ],
];

const POLICY = (cachable: number, timeout: number) => (answer: TlsmgrAnswer) => {
  answer.cachable = cachable;
  answer.timeout = timeout;
};

const REPLIES: [string, AskName, TlsmgrAnswer][] = [
  ["seed_reply", "seed", answerWith(TLSMGR_STATUS.ok, ({ seed }) => seed.set(SEED))],
  ["policy_reply_smtpd", "policy", answerWith(TLSMGR_STATUS.ok, POLICY(1, 3600))],
  ["policy_reply_lmtp", "policy", answerWith(TLSMGR_STATUS.ok, POLICY(0, 3600))],
  ["policy_reply_unknown_type", "policy", answerWith(TLSMGR_STATUS.fail)],
  ["lookup_reply_hit", "lookup", answerWith(TLSMGR_STATUS.ok, (a) => a.session.set(SESSION))],
  ["lookup_reply_miss", "lookup", answerWith(TLSMGR_STATUS.err)],
  ["update_reply", "update", answerWith(TLSMGR_STATUS.ok)],
  [
    "tktkey_reply",
    "tktkey",
    answerWith(TLSMGR_STATUS.ok, (a) => a.keyBuffer.set(goldenHex("ticket_key"))),
  ],
];

function contentsOfAsk(ask: TlsmgrAsk): (string | number | Bytes)[] {
  return [ask.size, ask.cacheType, ask.cacheId, ask.session.data(), ask.keyName.data()];
}

function contentsOfAnswer(answer: TlsmgrAnswer): (number | Bytes)[] {
  const { status, cachable, timeout, seed, session, keyBuffer } = answer;
  return [status, cachable, timeout, seed.data(), session.data(), keyBuffer.data()];
}

for (const [file, name, ask] of REQUESTS) {
  Deno.test(`printAsk() makes the captured ${file}, and decodeAsk() reads it`, () => {
    const golden = goldenHex(file);
    assertEquals(printAsk(new ListPrinter(), name, ask), golden);
    const read = new TlsmgrAsk();
    decodeAsk(readerOf(golden), read);
    assertEquals([read.kind, read.complete, read.fault], [name, true, undefined]);
    assertEquals(contentsOfAsk(read), contentsOfAsk(ask));
  });
}

for (const [file, name, answer] of REPLIES) {
  Deno.test(`printAnswer() makes the captured ${file}, and decodeAnswer() reads it`, () => {
    const golden = goldenHex(file);
    assertEquals(printAnswer(new ListPrinter(), name, answer), golden);
    const read = new TlsmgrAnswer();
    assert(decodeAnswer(readerOf(golden, READ.missing), name, read));
    assertEquals(contentsOfAnswer(read), contentsOfAnswer(answer));
  });
}

Deno.test("a stored session goes from the update to the lookup without being decoded", () => {
  const ask = new TlsmgrAsk();
  decodeAsk(readerOf(goldenHex("update_request")), ask);
  const stored = ask.session.text();
  const answer = answerWith(TLSMGR_STATUS.ok, ({ session }) => session.point(stored));
  assertEquals(printAnswer(new ListPrinter(), "lookup", answer), goldenHex("lookup_reply_hit"));
});

Deno.test("TLSMGR_ANNOUNCEMENT and WAKE_UP_TRIGGER are the captured ones", () => {
  assertEquals(TLSMGR_ANNOUNCEMENT, goldenHex("tlsmgr_announcement"));
  assertEquals(WAKE_UP_TRIGGER, goldenHex("wake_up_trigger"));
});

Deno.test("no captured request looks like a wake-up trigger", () => {
  for (const [file] of REQUESTS) {
    for (let end = 1; end < 4; end++) assertEquals(triggerIn(goldenHex(file), 0, end), "no");
  }
});

Deno.test("the captured key buffer is the captured ticket key", () => {
  const answer = new TlsmgrAnswer();
  assert(decodeAnswer(readerOf(goldenHex("tktkey_reply")), "tktkey", answer));
  const key = decodeTicketKey(answer.keyBuffer.data(), true);
  assert(key !== undefined);
  assertEquals(toHex(key.name), "3E23327009E604AA0D2CA5E417344591");
  assertEquals(key.encryptUntil, 1795228047);
  assertEquals(encodeTicketKey(key, { littleEndian: true }), goldenHex("ticket_key"));
});
