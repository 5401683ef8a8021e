import { assertEquals, assertMatch } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
// Opens the libraries before the tests begin, so that none of them is said to leak one.
import "../../../lib/tls/version.ts";
import { findOpenSsl, VERSION, versionText } from "../../../lib/cli/version.ts";

Deno.test("versionText() names all parts", async () => {
  const lines = versionText(await findOpenSsl()).split("\n");
  assertEquals(lines[0], `postern ${VERSION}`);
  assertEquals(lines[1], `Deno ${Deno.version.deno}`);
  assertEquals(lines[2], `V8 ${Deno.version.v8}`);
  assertMatch(lines[3], /^OpenSSL 3\.\d+\.\d+/);
  assertEquals(lines.slice(4), [""]);
});

Deno.test("versionText() says why there is no OpenSSL, and the rest nevertheless", () => {
  const lines = versionText({ fault: new FatalError("Cannot load libssl.so.3: gone") }).split("\n");
  assertEquals(lines[0], `postern ${VERSION}`);
  assertEquals(lines[3], "OpenSSL: not found: Cannot load libssl.so.3: gone");
});
