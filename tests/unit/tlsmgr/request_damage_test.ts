/** The whole service, given lists with random damage in random pieces. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Bytes, concat, toLatin1 } from "../../../lib/base/bytes.ts";
import { nightly } from "../../support/nightly.ts";
import { type Random, seededBytes, seededRandom } from "../../support/random.ts";
import { goldenHex } from "../../wire/golden.ts";
import { listOf } from "../../wire/lists.ts";
import { ServiceRig } from "./_service_rig.ts";

const ROUNDS = nightly(1500, 60_000);
const SETTINGS = `smtpd_tls_session_cache_database = "btree:\${data_directory}/scache"\n`;
const POLICY = ["request", "policy", "cache_type", "lmtp"];
const POLICY_REPLY = "status|0|cachable|0|timeout|3600||";

const SEEDS: readonly Bytes[] = "seed policy lookup update delete tktkey".split(" ")
  .map((name) => goldenHex(`${name}_request`));

/** Every reply that there is; data stand only behind a status of 0. */
const REPLY = new RegExp(
  "^(?:" + [
    "status\\|0\\|seed\\|[A-Za-z0-9+/]+=*\\|\\|",
    "status\\|0\\|cachable\\|[01]\\|timeout\\|3600\\|\\|",
    "status\\|0\\|session\\|[A-Za-z0-9+/]*=*\\|\\|",
    "status\\|0\\|keybuf\\|[A-Za-z0-9+/]{118}==\\|\\|",
    "status\\|0\\|\\|",
    "status\\|429496729[45]\\|(?:seed|session|keybuf)\\|\\|\\|",
    "status\\|4294967294\\|cachable\\|0\\|timeout\\|0\\|\\|",
    "status\\|429496729[45]\\|\\|",
  ].join("|") + ")$",
);

/** `bytes` with a few bytes put in, taken out or changed, most of all those with a meaning. */
function damage(bytes: Bytes, random: Random): Bytes {
  let damaged = bytes;
  for (let left = random(4); left > 0; left--) {
    const at = random(damaged.length + 1);
    const put = random(3) === 0
      ? seededBytes(random, random(3))
      : new Uint8Array([[0, 0x20, 0x3d, 0x30, 0xff][random(5)]]);
    damaged = concat(damaged.subarray(0, at), put, damaged.subarray(at + random(3)));
  }
  return damaged;
}

Deno.test("service: damaged requests in pieces get replies of the right form, or none", () => {
  using rig = new ServiceRig(SETTINGS);
  const random = seededRandom(20_260_821);
  const honest = rig.connect();
  let damaged = rig.connect();
  const seen = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = damage(SEEDS[random(SEEDS.length)], random);
    const cut = random(bytes.length + 1);
    const pieces = random(2) === 0 ? [bytes] : [bytes.slice(0, cut), bytes.slice(cut)];
    for (const piece of pieces) {
      if (piece.length === 0) continue;
      const reply = damaged.exchange(piece);
      const isOver = reply.endsWith("closed");
      const text = isOver ? reply.slice(0, -"closed".length) : reply;
      if (text !== "") assertMatch(text, REPLY);
      const kind = isOver ? "closed" : text.split("|").slice(0, 2).join(" ");
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (!isOver) continue;
      damaged.close();
      damaged = rig.connect();
      break;
    }
    // What is left of a list that has not ended does not spoil the next one for ever.
    if (random(20) === 0) {
      damaged.close();
      damaged = rig.connect();
    }
    if (round % 50 === 0) assertEquals(honest.ask(...POLICY), POLICY_REPLY);
  }
  for (const kind of ["status 0", "status 4294967294", "status 4294967295", ""]) {
    assert((seen.get(kind) ?? 0) > ROUNDS / 100, `${kind}: ${JSON.stringify([...seen])}`);
  }
});

Deno.test("service: random bytes are survived", () => {
  using rig = new ServiceRig(SETTINGS);
  const random = seededRandom(5);
  for (let round = 0; round < ROUNDS / 10; round++) {
    const client = rig.connect();
    // Many zeros, so that lists come to an end.
    const bytes = seededBytes(random, 1 + random(2000)).map((byte) => byte < 80 ? 0 : byte);
    const reply = client.exchange(bytes);
    assert(["", "closed", "status|4294967294||"].includes(reply), toLatin1(bytes.slice(0, 40)));
    client.close();
  }
  assertEquals(rig.connect().exchange(listOf(...POLICY)), POLICY_REPLY);
});
