import { assertEquals } from "@std/assert";
import { latin1 } from "../../../lib/base/bytes.ts";
import { TLSMGR_STATUS, TlsmgrAnswer, TlsmgrAsk } from "../../../lib/proto/tlsmgr.ts";
import { exchangeWords } from "../../../lib/tlsmgr/exchange_words.ts";

const SECRET = latin1("secret".repeat(20));

Deno.test("exchangeWords() tells request and answer, and of secrets only how long they are", () => {
  const ask = new TlsmgrAsk();
  const answer = new TlsmgrAnswer().reset(TLSMGR_STATUS.ok);
  ask.name = "policy";
  ask.cacheType = "smtpd";
  ask.cacheId = "0A1B&s=smtpd";
  ask.size = 32;
  for (const value of [ask.session, answer.seed, answer.session, answer.keyBuffer]) {
    value.set(SECRET);
  }
  ask.keyName.set(latin1("0123456789abcdef"));
  answer.cachable = 1;
  answer.timeout = 3600;
  assertEquals(exchangeWords("seed", ask, answer), "seed of 32 bytes: status 0, 120 bytes");
  assertEquals(
    exchangeWords("policy", ask, answer),
    "policy smtpd: status 0, cachable 1, timeout 3600",
  );
  assertEquals(
    exchangeWords("lookup", ask, answer),
    "lookup smtpd 0A1B&s=smtpd: status 0, session of 120 bytes",
  );
  assertEquals(
    exchangeWords("update", ask, answer),
    "update smtpd 0A1B&s=smtpd, session of 120 bytes: status 0",
  );
  assertEquals(exchangeWords("delete", ask, answer), "delete smtpd 0A1B&s=smtpd: status 0");
  assertEquals(
    exchangeWords("tktkey", ask, answer),
    "tktkey 30313233343536373839616263646566: status 0, key of 120 bytes",
  );
  ask.keyName.clear();
  assertEquals(
    exchangeWords("tktkey", ask, answer),
    "tktkey (current): status 0, key of 120 bytes",
  );
  // What is no key's name may be anything.
  ask.keyName.set(SECRET);
  assertEquals(
    exchangeWords("tktkey", ask, answer),
    "tktkey (name of 120 bytes): status 0, key of 120 bytes",
  );
  assertEquals(exchangeWords("unknown", ask, answer), 'unknown request "policy": status 0');
});

Deno.test("exchangeWords() shows no more than a line's worth of a client's text", () => {
  const ask = new TlsmgrAsk();
  ask.cacheType = "smtpd";
  ask.cacheId = "x".repeat(10_000);
  const words = exchangeWords("delete", ask, new TlsmgrAnswer());
  assertEquals(words.replace(/: status .*/, "").length, "delete ".length + 200);
});
