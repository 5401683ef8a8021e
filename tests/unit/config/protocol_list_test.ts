/**
 * What is told about protocol lists before anybody uses them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { splitList } from "../../../lib/config/kinds.ts";
import { checkProtocols } from "../../../lib/config/protocol_list.ts";

/** Severity and the beginning of the message of each problem. */
function problemsOf(list: string): string[] {
  return checkProtocols(splitList(list, ":")).map(({ severity, message }) =>
    `${severity}: ${message.slice(0, 24)}`
  );
}

const GOOD = [
  "",
  ">=TLSv1",
  ">=TLSv1.2, <=TLSv1.3",
  "!SSLv2, !SSLv3",
  "!SSLv2 !SSLv3 !TLSv1 !TLSv1.1",
  "!tlsv1:!tlsv1.1",
  "TLSv1.2:TLSv1.3",
  ">=0303",
  ">=0x303 <=0304",
  ">=none, <=",
  ">=SSLv3",
  "SSLv2, TLSv1.3",
];

for (const list of GOOD) {
  Deno.test(`checkProtocols() has nothing to say about ${JSON.stringify(list)}`, () => {
    assertEquals(checkProtocols(splitList(list, ":")), []);
  });
}

const ODD: readonly [string, string][] = [
  [">= TLSv1.2", 'warning: A blank after ">=": it b'],
  ["SSLv2", 'warning: A list of "SSLv2" alone '],
  ["!TLSv1.1", "warning: A protocol in the middle"],
  ["!TLSv1.2", "warning: A protocol in the middle"],
  ["TLSv1, TLSv1.2", "warning: A protocol in the middle"],
  ["<=TLSv1.1, >=TLSv1.3", "warning: No protocol is left: no "],
  ["TLSv1, !TLSv1", "warning: No protocol is left: no "],
];

for (const [list, expected] of ODD) {
  Deno.test(`checkProtocols() warns about ${JSON.stringify(list)}`, () => {
    assertEquals(problemsOf(list), [expected]);
  });
}

const BAD = [
  ["bogus", '"bogus" names no protocol'],
  [">=bogus", '">=bogus" names no protocol'],
  [">=SSLv2", '">=SSLv2" names no protocol'],
  ["!0303", '"!0303" names no protocol'],
  ["0303", '"0303" names no protocol'],
  ["!", '"!" names no protocol'],
  ["<=0305", 'OpenSSL knows no version "<=0305"'],
  [">=0x200", 'OpenSSL knows no version ">=0x200"'],
  [">=12345", '">=12345" names no protocol'],
];

for (const [list, expected] of BAD) {
  Deno.test(`checkProtocols() refuses ${JSON.stringify(list)}`, () => {
    assertEquals(
      checkProtocols(splitList(list, ":")).map(({ severity, message }) => [severity, message]),
      [["error", `Cannot read a protocol list: ${expected}`]],
    );
  });
}

Deno.test("checkProtocols() tells of each bad element", () => {
  assertEquals(problemsOf("x, >=0309, TLSv1.2, y").length, 3);
});
