import { assertEquals } from "@std/assert";
import { ListPrinter } from "../../../lib/attr/print.ts";
import { type Bytes, concat, toLatin1 } from "../../../lib/base/bytes.ts";
import { decodeAsk, printAnswer, TlsmgrAnswer, TlsmgrAsk } from "../../../lib/proto/tlsmgr.ts";
import { SessionCaches } from "../../../lib/tlsmgr/caches.ts";
import { carryOut, isChange, type RequestHall } from "../../../lib/tlsmgr/requests.ts";
import { TicketKeys } from "../../../lib/tlsmgr/ticket_keys.ts";
import { goldenHex } from "../../wire/golden.ts";
import { listOf, readerOf } from "../../wire/lists.ts";
import { makeCache, reactorAt } from "./_setup.ts";

const NOW = 1_795_226_248;

/** Everything below the sockets: bytes of a list in, bytes of the reply out. */
class Desk implements RequestHall {
  readonly caches = new SessionCaches([
    makeCache("smtpd"),
    makeCache("smtp", { timeoutS: 300 }),
    makeCache("lmtp", { database: false }),
  ]);
  readonly ticketKeys: TicketKeys;
  readonly faults: string[] = [];
  /** What the generator gives next, again and again; undefined: it fails. */
  random: Bytes | undefined = goldenHex("ticket_key").subarray(0, 80);
  now = NOW;
  /** What the generator was last asked to fill. */
  filled: Bytes | undefined;
  readonly #ask = new TlsmgrAsk();
  readonly #answer = new TlsmgrAnswer();
  readonly #printer = new ListPrinter();

  constructor(lifetimeS = 3600) {
    const reactor = reactorAt(() => this.now);
    this.ticketKeys = new TicketKeys({ fillRandom: this.fillRandom, reactor });
    this.ticketKeys.setLifetime(lifetimeS);
  }

  readonly fillRandom = (bytes: Bytes): boolean => {
    this.filled = bytes;
    if (this.random === undefined) return false;
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.random[i % this.random.length];
    return true;
  };

  nowS(): number {
    return this.now;
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  /** The reply to one list. */
  reply(list: Uint8Array): Bytes {
    decodeAsk(readerOf(list), this.#ask);
    const kind = carryOut(this.#ask, this.#answer, this);
    return concat(printAnswer(this.#printer, kind, this.#answer));
  }

  /** The reply to names and values, as names and values. */
  ask(...words: string[]): string[] {
    const reply = toLatin1(this.reply(listOf(...words)));
    return reply === "" ? [] : reply.slice(0, -2).split("\0");
  }

  /** The faults since the last call. */
  takeFaults(): string[] {
    return this.faults.splice(0);
  }
}

const ERR = "4294967295";
const FAIL = "4294967294";

Deno.test("seed: the captured request gets a reply of the captured shape", () => {
  const desk = new Desk();
  const reply = desk.reply(goldenHex("seed_request"));
  assertEquals(reply.length, goldenHex("seed_reply").length);
  assertEquals(desk.faults, []);
});

Deno.test("seed: the reply holds as many bytes of the generator as were asked for", () => {
  const desk = new Desk();
  desk.random = new Uint8Array([1]);
  assertEquals(desk.ask("request", "seed", "size", "3"), ["status", "0", "seed", "AQEB"]);
  assertEquals(desk.ask("request", "seed", "size", "255")[3], "AQEB".repeat(85));
});

Deno.test("seed: the random bytes are not kept", () => {
  const desk = new Desk();
  desk.ask("request", "seed", "size", "32");
  assertEquals(desk.filled, new Uint8Array(32));
});

for (
  const [size, shown] of [["0", "0"], ["256", "256"], [FAIL, "-2"], ["2147483648", "-2147483648"]]
) {
  Deno.test(`seed: a size of ${size} is refused`, () => {
    const desk = new Desk();
    assertEquals(desk.ask("request", "seed", "size", size), ["status", FAIL, "seed", ""]);
    assertEquals(desk.faults, [`bogus seed length "${shown}" in "seed" request`]);
  });
}

Deno.test("seed: a failing generator gives an error and no bytes", () => {
  const desk = new Desk();
  desk.random = undefined;
  assertEquals(desk.ask("request", "seed", "size", "32"), ["status", ERR, "seed", ""]);
  assertEquals(desk.faults.length, 1);
});

Deno.test("policy: the captured replies, with and without a database, and for an unknown type", () => {
  const desk = new Desk();
  assertEquals(desk.reply(goldenHex("policy_request")), goldenHex("policy_reply_smtpd"));
  assertEquals(
    desk.reply(listOf("request", "policy", "cache_type", "lmtp")),
    goldenHex("policy_reply_lmtp"),
  );
  assertEquals(desk.faults, []);
  assertEquals(
    desk.reply(listOf("request", "policy", "cache_type", "SMTPD")),
    goldenHex("policy_reply_unknown_type"),
  );
  assertEquals(desk.faults, ['bogus cache type "SMTPD" in "policy" request']);
});

Deno.test("policy: a cache of its own has a timeout of its own", () => {
  assertEquals(
    new Desk().ask("request", "policy", "cache_type", "smtp"),
    ["status", "0", "cachable", "1", "timeout", "300"],
  );
});

Deno.test("lookup, update: captured miss, update and hit, byte for byte", () => {
  const desk = new Desk();
  assertEquals(desk.reply(goldenHex("lookup_request")), goldenHex("lookup_reply_miss"));
  assertEquals(desk.reply(goldenHex("update_request")), goldenHex("update_reply"));
  assertEquals(desk.reply(goldenHex("lookup_request")), goldenHex("lookup_reply_hit"));
  assertEquals(desk.faults, []);
});

Deno.test("lookup: what is in one cache is not in another", () => {
  const desk = new Desk();
  desk.ask("request", "update", "cache_type", "smtpd", "cache_id", "x", "session", "YQ==");
  const other = desk.ask("request", "lookup", "cache_type", "smtp", "cache_id", "x");
  assertEquals(other, ["status", ERR, "session", ""]);
});

Deno.test("lookup: an entry is found until its lifetime is over", () => {
  const desk = new Desk();
  const lookup = ["request", "lookup", "cache_type", "smtp", "cache_id", "x"];
  desk.ask("request", "update", "cache_type", "smtp", "cache_id", "x", "session", "YQ==");
  desk.now = NOW + 300;
  assertEquals(desk.ask(...lookup), ["status", "0", "session", "YQ=="]);
  desk.now = NOW + 301;
  assertEquals(desk.ask(...lookup), ["status", ERR, "session", ""]);
});

Deno.test("update: a session of no bytes can be stored", () => {
  const desk = new Desk();
  desk.ask("request", "update", "cache_type", "smtpd", "cache_id", "x", "session", "");
  assertEquals(
    desk.ask("request", "lookup", "cache_type", "smtpd", "cache_id", "x"),
    ["status", "0", "session", ""],
  );
});

Deno.test("delete: an entry is removed once", () => {
  const desk = new Desk();
  desk.ask("request", "update", "cache_type", "smtpd", "cache_id", "xx", "session", "YQ==");
  assertEquals(desk.reply(goldenHex("delete_request")), goldenHex("update_reply"));
  assertEquals(
    desk.reply(goldenHex("delete_request")),
    listOf("status", ERR),
  );
});

Deno.test("lookup, update, delete: a cache without a database fails without a warning", () => {
  const desk = new Desk();
  const entry = ["cache_type", "lmtp", "cache_id", "x"];
  assertEquals(desk.ask("request", "lookup", ...entry), ["status", FAIL, "session", ""]);
  assertEquals(desk.ask("request", "update", ...entry, "session", "YQ=="), ["status", FAIL]);
  assertEquals(desk.ask("request", "delete", ...entry), ["status", FAIL]);
  assertEquals(desk.faults, []);
});

Deno.test("lookup, update, delete: an unknown cache type fails with a warning", () => {
  const desk = new Desk();
  const entry = ["cache_type", "pop3", "cache_id", "x"];
  assertEquals(desk.ask("request", "lookup", ...entry), ["status", FAIL, "session", ""]);
  assertEquals(desk.ask("request", "update", ...entry, "session", "YQ=="), ["status", FAIL]);
  assertEquals(desk.ask("request", "delete", ...entry), ["status", FAIL]);
  assertEquals(
    desk.faults,
    ["lookup", "update", "delete"].map((name) => `bogus cache type "pop3" in "${name}" request`),
  );
});

Deno.test("a warning shows the beginning of a long cache type only", () => {
  const desk = new Desk();
  desk.ask("request", "policy", "cache_type", "x".repeat(100_000));
  assertEquals(desk.faults[0].length < 200, true);
});

Deno.test("tktkey: the key of the captured reply, by no name and by its name", () => {
  const desk = new Desk();
  // The captured key was made 1799 seconds before the end of its encryption period.
  desk.now = 1_795_228_047 - 1799;
  assertEquals(desk.reply(goldenHex("tktkey_request")), goldenHex("tktkey_reply"));
  desk.random = undefined;
  assertEquals(desk.reply(goldenHex("tktkey_request")), goldenHex("tktkey_reply"));
  assertEquals(desk.reply(goldenHex("tktkey_request_by_name")), goldenHex("tktkey_reply"));
  desk.now = 1_795_228_047 + 1800;
  assertEquals(
    desk.reply(goldenHex("tktkey_request_by_name")),
    listOf("status", ERR, "keybuf", ""),
  );
  assertEquals(desk.faults, []);
});

Deno.test("tktkey: a failing generator and a lifetime of 0 give no key", () => {
  const desk = new Desk();
  desk.random = undefined;
  assertEquals(desk.ask("request", "tktkey", "keyname", ""), ["status", ERR, "keybuf", ""]);
  const off = new Desk(0);
  assertEquals(off.ask("request", "tktkey", "keyname", ""), ["status", ERR, "keybuf", ""]);
  assertEquals(
    off.reply(goldenHex("tktkey_request_by_name")),
    listOf("status", ERR, "keybuf", ""),
  );
});

Deno.test("tktkey: a name that is neither empty nor 16 bytes long fails with a warning", () => {
  const desk = new Desk();
  assertEquals(desk.ask("request", "tktkey", "keyname", "QUJD"), ["status", FAIL, "keybuf", ""]);
  assertEquals(desk.faults, ["invalid session ticket key name length: 3"]);
});

Deno.test("a request that lacks an attribute fails with all attributes of its reply", () => {
  const desk = new Desk();
  const replies: [string[], string[], string][] = [
    [["seed"], ["status", FAIL, "seed", ""], "size"],
    [["policy"], ["status", FAIL, "cachable", "0", "timeout", "0"], "cache_type"],
    [["lookup", "cache_type", "smtpd"], ["status", FAIL, "session", ""], "cache_id"],
    [["update", "cache_type", "smtpd", "cache_id", "x"], ["status", FAIL], "session"],
    [["delete", "cache_type", "smtpd"], ["status", FAIL], "cache_id"],
    [["tktkey"], ["status", FAIL, "keybuf", ""], "keyname"],
  ];
  for (const [words, reply, missing] of replies) {
    assertEquals(desk.ask("request", ...words), reply);
    assertEquals(desk.takeFaults(), [
      `missing attribute ${missing} in input from tlsmgr socket`,
    ]);
  }
});

Deno.test("a failure after a good lookup says nothing of the session", () => {
  const desk = new Desk();
  desk.reply(goldenHex("update_request"));
  assertEquals(desk.reply(goldenHex("lookup_request")), goldenHex("lookup_reply_hit"));
  assertEquals(
    desk.ask("request", "lookup", "cache_id", "x", "cache_type", "smtpd"),
    ["status", FAIL, "session", ""],
  );
  desk.ask("request", "tktkey", "keyname", "");
  assertEquals(
    desk.ask("request", "tktkey", "keyname", "A".repeat(22) + "=="),
    ["status", ERR, "keybuf", ""],
  );
});

Deno.test("attributes in the wrong order fail with a warning", () => {
  const desk = new Desk();
  assertEquals(
    desk.ask("request", "update", "cache_id", "x", "cache_type", "smtpd", "session", "YQ=="),
    ["status", FAIL],
  );
  assertEquals(desk.faults, [
    "unexpected attribute cache_id from tlsmgr socket (expecting: cache_type)",
  ]);
});

Deno.test("an extra attribute at the end is worth a warning, and the request is carried out", () => {
  const desk = new Desk();
  assertEquals(
    desk.ask("request", "policy", "cache_type", "smtpd", "extra", "1"),
    ["status", "0", "cachable", "1", "timeout", "3600"],
  );
  assertEquals(desk.faults, [
    "unexpected attribute extra from tlsmgr socket (expecting: (list terminator))",
  ]);
});

Deno.test("malformed numbers and base64 fail with a warning", () => {
  const desk = new Desk();
  assertEquals(desk.ask("request", "seed", "size", "x"), ["status", FAIL, "seed", ""]);
  assertEquals(desk.takeFaults(), [
    "malformed numerical data from tlsmgr socket while reading input attribute value: x",
  ]);
  const entry = ["cache_type", "smtpd", "cache_id", "x"];
  assertEquals(desk.ask("request", "update", ...entry, "session", "a*=="), ["status", FAIL]);
  assertEquals(desk.takeFaults(), [
    "malformed base64 data from tlsmgr socket while reading input attribute value: a*==",
  ]);
  assertEquals(desk.ask("request", "lookup", ...entry), ["status", ERR, "session", ""]);
});

Deno.test("a list that does not begin with a request gets the status alone", () => {
  const desk = new Desk();
  assertEquals(desk.ask("size", "32", "request", "seed"), ["status", FAIL]);
  assertEquals(desk.takeFaults(), [
    "unexpected attribute size from tlsmgr socket (expecting: request)",
  ]);
  assertEquals(desk.reply(listOf()), listOf("status", FAIL));
  assertEquals(desk.takeFaults(), ["missing attribute request in input from tlsmgr socket"]);
});

Deno.test("a request of an unknown name gets no reply, and the next one is served", () => {
  const desk = new Desk();
  assertEquals(desk.reply(listOf("request", "verify")).length, 0);
  assertEquals(desk.reply(goldenHex("policy_request")), goldenHex("policy_reply_smtpd"));
  assertEquals(desk.faults, []);
});

Deno.test("isChange() holds for the requests that change a cache", () => {
  const changing = ["seed", "policy", "lookup", "update", "delete", "tktkey", "unknown"] as const;
  assertEquals(changing.filter(isChange), ["update", "delete"]);
});
