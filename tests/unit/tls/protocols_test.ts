import { assert, assertEquals } from "@std/assert";
import { allowsTls13, parseProtocols } from "../../../lib/tls/protocols.ts";

/** `SSL_OP_NO_*` in OpenSSL 3. */
const NO = {
  SSLv3: 0x02000000n,
  TLSv1: 0x04000000n,
  TLSv1_1: 0x10000000n,
  TLSv1_2: 0x08000000n,
  TLSv1_3: 0x20000000n,
};
const ALL = NO.SSLv3 | NO.TLSv1 | NO.TLSv1_1 | NO.TLSv1_2 | NO.TLSv1_3;

/** What Postfix 3.12 with OpenSSL 3.0 makes of each list. */
const TABLE: [list: string, excluded: bigint, floor: number, ceiling: number][] = [
  ["", 0n, 0, 0],
  [">=TLSv1.2, <=TLSv1.3", 0n, 0x0303, 0x0304],
  ["!SSLv2, !SSLv3", NO.SSLv3, 0, 0],
  ["TLSv1.2:TLSv1.3", NO.SSLv3 | NO.TLSv1 | NO.TLSv1_1, 0, 0],
  [">= TLSv1.2", ALL & ~NO.TLSv1_2, 0, 0],
  ["SSLv2", 0n, 0, 0],
  ["!TLSv1.1", NO.TLSv1_1, 0, 0],
  ["<=0305", 0n, 0, 0x0305],
  ["<=TLSv1.1, >=TLSv1.3", 0n, 0x0304, 0x0302],
  ["TLSv1, !TLSv1", ALL, 0, 0],
  // The rules beside the table.
  ["tlsV1.2 SSLV3", ALL & ~(NO.TLSv1_2 | NO.SSLv3), 0, 0],
  [">=303 >=0x0302 <=0303", 0n, 0x0302, 0x0303],
  [">=None, <=none", 0n, 0, 0],
  [">=TLSv1.3, >=", 0n, 0, 0],
  [">=SSLv3", 0n, 0x0300, 0],
  [" , : \t", 0n, 0, 0],
  ["SSLv2, TLSv1.3", ALL & ~NO.TLSv1_3, 0, 0],
];

for (const [list, excluded, floor, ceiling] of TABLE) {
  Deno.test(`parseProtocols() of ${JSON.stringify(list)}`, () => {
    assertEquals(parseProtocols(list), { excluded, floor, ceiling });
  });
}

for (
  const list of [
    "bogus",
    ">=bogus",
    ">=SSLv2",
    "!0303",
    "0303",
    "!",
    "!!TLSv1",
    ">=0x",
    ">=12345",
    "TLSv1.2 bogus",
  ]
) {
  Deno.test(`parseProtocols() refuses ${JSON.stringify(list)}`, () => {
    const answer = parseProtocols(list);
    assert(typeof answer === "string");
    assert(answer.includes(`"${list.split(" ").at(-1)}"`), answer);
  });
}

Deno.test("allowsTls13() looks at exclusions and the ceiling", () => {
  const cases: [string, boolean][] = [
    ["", true],
    ["!TLSv1.3", false],
    ["TLSv1.2", false],
    ["<=TLSv1.2", false],
    [">=TLSv1.2", true],
    ["<=TLSv1.3", true],
  ];
  for (const [list, allowed] of cases) {
    const bounds = parseProtocols(list);
    assert(typeof bounds !== "string");
    assertEquals(allowsTls13(bounds), allowed, list);
  }
});
