/** Which files are taken for a whole executable, and which checksums fit. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { latin1 } from "../../../../lib/base/bytes.ts";
import { FatalError } from "../../../../lib/base/errors.ts";
import { demandListed, demandWhole, sha256Of } from "../../../../lib/cli/install/whole_file.ts";

/** An executable in small: header, two section headers, what is compiled in, the end. */
function executable(): Uint8Array<ArrayBuffer> {
  const imageEnd = 256;
  const inner = latin1("d3n0l4nd some modules d3n0l4nd");
  const bytes = new Uint8Array(imageEnd + inner.length + 16);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(40, 128n, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 2, true);
  bytes.set(inner, imageEnd);
  view.setBigUint64(bytes.length - 8, BigInt(bytes.length - imageEnd), true);
  return bytes;
}

function refusal(bytes: Uint8Array): string {
  return assertThrows(() => demandWhole(bytes, "/x/postern"), FatalError).message;
}

Deno.test("demandWhole() takes a file that ends where its end says", () => {
  demandWhole(executable(), "/x/postern");
});

Deno.test("demandWhole() refuses a file that is cut off at any place", () => {
  const whole = executable();
  for (let length = 0; length < whole.length; length++) {
    const message = refusal(whole.subarray(0, length));
    assert(
      /: (?:it is (?:no ELF|cut off)|nothing is compiled)/.test(message),
      `${length}: ${message}`,
    );
  }
});

Deno.test("demandWhole() says what is wrong with a file", () => {
  const whole = executable();
  assertStringIncludes(refusal(latin1("#!/bin/sh\n")), "it is no ELF file of 64 bits");
  assertStringIncludes(
    refusal(whole.slice(0, 200)),
    "it is cut off: 200 bytes of a program of 256",
  );
  assertStringIncludes(refusal(whole.slice(0, 256)), "nothing is compiled into it");
  assertStringIncludes(refusal(whole.slice(0, -1)), "it is cut off, or something was added");
  const longer = new Uint8Array(whole.length + 1);
  longer.set(whole);
  assertStringIncludes(refusal(longer), "something was added");
});

Deno.test("demandListed() takes the sum of the file's name, or one without a name", async () => {
  const sha256 = await sha256Of(latin1("abc"));
  // FIPS 180-2, appendix B.1.
  assertEquals(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const demand = (sums: string) => demandListed(sha256, { sums, name: "postern", sumsPath: "/s" });
  demand(`${sha256}\n`);
  demand(`${sha256.toUpperCase()}  dist/postern\n`);
  demand(`${"0".repeat(64)}  other\n${sha256} *postern\n`);
  for (const sums of [`${sha256}  other\n`, `${"0".repeat(64)}  postern\n`, ""]) {
    assertThrows(() => demand(sums), FatalError);
  }
});
