import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat, fromHex } from "../../../lib/base/bytes.ts";
import {
  findIdentities,
  IDENTITIES_MAX,
  offersTls13 as offers,
  PIECE_BYTES_MAX,
} from "../../../lib/tls/hello.ts";
import { seededBytes, seededRandom } from "../../support/random.ts";

/** Of an extension that lies in a room of other bytes, as it always does. */
function offersTls13(data: Bytes): boolean {
  return offers(concat(data, fromHex("0304 0304")), data.length);
}

/** Copies of what was found; the next call overwrites them. */
function identitiesOf(data: Bytes): Bytes[] {
  const found: Bytes[] = [];
  findIdentities(concat(data, new Uint8Array(64).fill(9)), data.length, found);
  return found.map((identity) => identity.slice());
}

Deno.test("offersTls13() finds TLS 1.3 among the versions of a client", () => {
  assertEquals(offersTls13(fromHex("02 0304")), true);
  assertEquals(offersTls13(fromHex("06 7a7a 0304 0303")), true);
  assertEquals(offersTls13(fromHex("04 0303 0302")), false);
  assertEquals(offers(fromHex("02 0304"), -1), false, "no such extension");
});

Deno.test("offersTls13() takes no version out of a list with a wrong length", () => {
  for (const hex of ["", "00", "02", "02 03", "03 0304", "01 0304", "04 0304", "ff 0304", "0304"]) {
    assertEquals(offersTls13(fromHex(hex)), false, hex);
  }
  // Half a version at the end, and 0304 across two versions.
  assertEquals(offersTls13(fromHex("03 0303 03")), false);
  assertEquals(offersTls13(fromHex("04 0303 0400")), false);
});

/** A pre_shared_key extension; binders behind the identities are what OpenSSL looks at. */
function preSharedKey(...identities: Bytes[]): Bytes {
  const list = concat(...identities.map((identity) =>
    concat(
      Uint8Array.of(identity.length >> 8, identity.length & 255),
      identity,
      Uint8Array.of(1, 2, 3, 4),
    )
  ));
  const length = Uint8Array.of(list.length >> 8, list.length & 255);
  return concat(length, list, fromHex("0021 20"), new Uint8Array(32));
}

Deno.test("findIdentities() reads the identities of a client, long ones in part", () => {
  const one = new Uint8Array(200).fill(1);
  const two = new Uint8Array(32).fill(2);
  const start = one.slice(0, PIECE_BYTES_MAX);
  assertEquals(identitiesOf(preSharedKey(one)), [start]);
  assertEquals(identitiesOf(preSharedKey(one, two)), [start, two]);
  const none: Bytes[] = [];
  findIdentities(new Uint8Array(8), -1, none);
  assertEquals(none, [], "no such extension");
});

Deno.test("findIdentities() looks at the first few identities only", () => {
  const many = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i));
  assertEquals(identitiesOf(preSharedKey(...many)), many.slice(0, IDENTITIES_MAX));
});

Deno.test("findIdentities() stops at the first identity that does not fit", () => {
  const cases: [hex: string, found: number][] = [
    ["", 0],
    ["00", 0],
    ["0000", 0],
    ["0007 0001 aa 00000000", 1],
    ["0008 0001 aa 00000000", 0],
    ["ffff 0001 aa 00000000", 0],
    ["0007 0002 aa 00000000", 0],
    ["0007 ffff aa 00000000", 0],
    ["0006 0001 aa 000000", 0],
    ["0007 0000 aa 00000000", 0],
    ["0001 00", 0],
    ["0008 0001 aa 00000000 00", 1],
    ["000d 0001 aa 00000000 0003 bb 000000", 1],
  ];
  for (const [hex, found] of cases) assertEquals(identitiesOf(fromHex(hex)).length, found, hex);
});

Deno.test("hostile extensions of any bytes are read without a fault", () => {
  const random = seededRandom(5);
  for (let i = 0; i < 20_000; i++) {
    const bytes = seededBytes(random, random(40));
    if (bytes.length > 1 && random(2) === 0) [bytes[0], bytes[1]] = [0, bytes.length - 2];
    offersTls13(bytes);
    const identities = identitiesOf(bytes);
    assert(identities.length <= IDENTITIES_MAX);
    for (const identity of identities) assert(identity.length > 0 && identity.length < 40);
  }
});
