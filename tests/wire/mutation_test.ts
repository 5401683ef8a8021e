/** Captured lists with random damage: never a throw, a hang or a list beyond the limits. */

import { assert, assertEquals } from "@std/assert";
import { Base64Value } from "../../lib/attr/base64_value.ts";
import { describeAttrFault } from "../../lib/attr/faults.ts";
import { ListPrinter } from "../../lib/attr/print.ts";
import { ListReader, READ } from "../../lib/attr/read.ts";
import { LIST_FAULT, LIST_MORE, ListScanner } from "../../lib/attr/scan.ts";
import { type Bytes, concat } from "../../lib/base/bytes.ts";
import { decodeTlsContext } from "../../lib/proto/tls_context.ts";
import { decodeClientSettings, decodeServerSettings } from "../../lib/proto/tls_params.ts";
import {
  ASK_NAMES,
  decodeAnswer,
  decodeAsk,
  printAnswer,
  TlsmgrAnswer,
  TlsmgrAsk,
} from "../../lib/proto/tlsmgr.ts";
import { decodeHandOff } from "../../lib/proto/tlsproxy.ts";
import { goldenHex, goldenList } from "./golden.ts";
import { Seeded } from "./lists.ts";

const LIMITS = { bytesMax: 1600, attributesMax: 53 };

const SEEDS: readonly Bytes[] = [
  ..."seed policy lookup update delete tktkey".split(" ").map((name) =>
    goldenHex(`${name}_request`)
  ),
  ..."seed_reply lookup_reply_hit tktkey_reply postscreen_request tls_context_22".split(" ")
    .map(goldenHex),
  ..."client_settings_3_7 server_settings_3_12 tls_context_26".split(" ").map(goldenList),
  concat(new Uint8Array(0), goldenHex("dane_fingerprint"), new Uint8Array(1)),
];

/** `bytes` with a few bytes changed, put in, taken out, or a stretch repeated. */
function damage(bytes: Bytes, random: Seeded): Bytes {
  let damaged = bytes;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(damaged.length);
    const head = damaged.subarray(0, at);
    const tail = damaged.subarray(at);
    switch (random.below(5)) {
      case 0:
        damaged = concat(head, random.bytes(3), tail.subarray(1));
        break;
      case 1:
        damaged = concat(head, new Uint8Array([random.pick([0, 0x20, 0x3d, 0x30, 0xff])]), tail);
        break;
      case 2:
        damaged = concat(head, tail.subarray(random.below(4)));
        break;
      case 3:
        damaged = concat(head, tail.subarray(0, random.below(200)), tail);
        break;
      default:
        damaged = concat(damaged.subarray(0, Math.max(1, at)));
    }
    if (damaged.length === 0) return new Uint8Array(1);
  }
  return damaged;
}

/** Runs every decoder over the list; each must answer, and have a fault when it fails. */
function readAll(list: Bytes, scanner: ListScanner, random: Seeded): void {
  const strict = () => new ListReader().open(list, scanner, READ.strict);
  const printer = new ListPrinter();

  const ask = new TlsmgrAsk();
  decodeAsk(strict(), ask);
  const answered = printAnswer(printer, ask.kind, new TlsmgrAnswer());
  assertEquals(answered.length === 0, ask.kind === "unknown" || ask.kind === "empty");
  if (!ask.complete && answered.length > 0) assert(ask.fault !== undefined);
  if (ask.complete) checkCanonical(ask.session);
  if (ask.fault !== undefined) assert(describeAttrFault(ask.fault, "socket").length < 400);

  const reply = new ListReader().open(list, scanner, READ.missing);
  const done = decodeAnswer(reply, random.pick(ASK_NAMES), new TlsmgrAnswer());
  assertEquals(done, reply.fault === undefined);

  for (
    const decode of [
      decodeHandOff,
      decodeClientSettings,
      decodeServerSettings,
      (reader: ListReader) => decodeTlsContext(reader, 22),
      (reader: ListReader) => decodeTlsContext(reader, 26),
    ]
  ) {
    const reader = strict();
    if (decode(reader) === undefined) assert(reader.fault !== undefined);
  }
}

function checkCanonical(value: Base64Value): void {
  const again = new Base64Value();
  again.set(value.data());
  assertEquals(again.text(), value.text());
}

Deno.test("damaged lists are answered by every decoder without a throw", () => {
  const random = new Seeded(20260821);
  const scanner = new ListScanner(LIMITS);
  const seen = { complete: 0, more: 0, fault: 0 };
  for (let i = 0; i < 6000; i++) {
    const list = damage(random.pick(SEEDS), random);
    scanner.reset();
    const end = scanner.scan(list, list.length);
    if (end === LIST_MORE) seen.more++;
    else if (end === LIST_FAULT) seen.fault++;
    else {
      seen.complete++;
      assert(end <= list.length && end <= LIMITS.bytesMax && list[end - 1] === 0);
      assert(scanner.count <= LIMITS.attributesMax);
      readAll(list, scanner, random);
    }
  }
  // The damage must be of every kind, or the test proves nothing.
  assert(seen.complete > 1000 && seen.more > 500 && seen.fault > 10, JSON.stringify(seen));
});

Deno.test("damaged lists give the same answer whole and in pieces", () => {
  const random = new Seeded(7);
  for (let i = 0; i < 1500; i++) {
    const list = damage(random.pick(SEEDS), random);
    const whole = new ListScanner(LIMITS);
    const pieces = new ListScanner(LIMITS);
    const wanted = whole.scan(list, list.length);
    let got = LIST_MORE;
    for (let end = 0; got === LIST_MORE && end < list.length;) {
      end = Math.min(list.length, end + 1 + random.below(60));
      got = pieces.scan(list, end);
    }
    assertEquals([got, pieces.count, pieces.fault], [wanted, whole.count, whole.fault]);
  }
});

Deno.test("random bytes are answered without a throw", () => {
  const random = new Seeded(99);
  const scanner = new ListScanner(LIMITS);
  for (let i = 0; i < 2000; i++) {
    const list = random.bytes(400).map((byte) => byte < 90 ? 0 : byte);
    scanner.reset();
    if (scanner.scan(list, list.length) > 0) readAll(list, scanner, random);
  }
});
