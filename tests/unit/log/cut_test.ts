import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { cutToBytes } from "../../../lib/log/cut.ts";

Deno.test("cutToBytes() leaves alone what fits", () => {
  assertEquals(cutToBytes("x".repeat(100), 100), utf8("x".repeat(100)));
  assertEquals(cutToBytes("🔒".repeat(25), 100), utf8("🔒".repeat(25)));
});

Deno.test("cutToBytes() keeps whole characters, and says how many bytes are missing", () => {
  for (const character of ["x", "é", "€", "🔒"]) {
    for (let blanks = 0; blanks < 5; blanks++) {
      const text = " ".repeat(blanks) + character.repeat(300);
      const bytes = cutToBytes(text, 100);
      assert(bytes.length <= 100 && bytes.length > 100 - 8, `${bytes.length} bytes`);
      const [, kept, missing] = /^( *\S+) \[… (\d+) bytes cut\]$/u.exec(fromUtf8(bytes))!;
      assertMatch(kept, new RegExp(`^ {${blanks}}${character}+$`, "u"));
      assertEquals(utf8(kept).length + Number(missing), utf8(text).length);
    }
  }
});
