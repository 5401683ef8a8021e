import { assertEquals } from "@std/assert";
import { argumentText, BASE64, type Encoding, HEX } from "../../../../lib/cli/query/encoding.ts";

const READS: readonly [Encoding, text: string, bytes: number[] | undefined][] = [
  [BASE64, "", []],
  [BASE64, "AP8=", [0, 255]],
  [BASE64, " A\tP\n8=\n", [0, 255]],
  [BASE64, "AP8", undefined],
  [BASE64, "A-8=", undefined],
  [BASE64, "ÄÄ==", undefined],
  [HEX, "", []],
  [HEX, "00fF", [0, 255]],
  [HEX, "00 ff\n1 0", [0, 255, 16]],
  [HEX, "00f", undefined],
  [HEX, "0x00", undefined],
  [HEX, "AP8=", undefined],
];

for (const [encoding, text, bytes] of READS) {
  const what = bytes === undefined ? "nothing" : `${bytes.length} bytes`;
  Deno.test(`${encoding.name} reads ${what} from ${JSON.stringify(text)}`, () => {
    const read = encoding.read(text);
    assertEquals(read === undefined ? undefined : [...read], bytes);
  });
}

for (const encoding of [BASE64, HEX]) {
  Deno.test(`${encoding.name} reads what it wrote`, () => {
    for (let length = 0; length < 300; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      assertEquals(encoding.read(encoding.write(bytes)), bytes);
    }
  });
}

Deno.test("argumentText() has a character for each byte of UTF-8", () => {
  assertEquals(argumentText("a é"), "a \xc3\xa9");
});
