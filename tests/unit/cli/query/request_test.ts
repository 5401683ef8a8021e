import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EXIT, FatalError } from "../../../../lib/base/errors.ts";
import { BASE64, HEX } from "../../../../lib/cli/query/encoding.ts";
import { readRequest, type Request } from "../../../../lib/cli/query/request.ts";

const READ: readonly [line: string, request: Request][] = [
  ["seed 32", { name: "seed", size: 32 }],
  ["seed 0", { name: "seed", size: 0 }],
  ["seed -1", { name: "seed", size: -1 }],
  ["seed 4294967295", { name: "seed", size: 4294967295 }],
  ["policy smtpd", { name: "policy", cacheType: "smtpd" }],
  ["policy pop3", { name: "policy", cacheType: "pop3" }],
  ["lookup smtp é", { name: "lookup", cacheType: "smtp", cacheId: "\xc3\xa9" }],
  ["delete lmtp -", { name: "delete", cacheType: "lmtp", cacheId: "-" }],
  ["update smtp id YWI=", {
    name: "update",
    cacheType: "smtp",
    cacheId: "id",
    session: new Uint8Array([97, 98]),
  }],
  ["tktkey", { name: "tktkey", keyName: undefined }],
  ["tktkey YWI=", { name: "tktkey", keyName: new Uint8Array([97, 98]) }],
];

for (const [line, request] of READ) {
  Deno.test(`readRequest() reads: ${line}`, () => {
    assertEquals(readRequest(line.split(" "), BASE64), request);
  });
}

Deno.test("readRequest() reads hexadecimal when told to", () => {
  assertEquals(readRequest(["tktkey", "6162"], HEX), readRequest(["tktkey", "YWI="], BASE64));
});

const WRONG: readonly [line: string, message: string, hint: string][] = [
  ["", "There is no request", "seed, policy, lookup, update, delete, tktkey"],
  ["sed", 'Unknown request "sed"', "Did you mean seed?"],
  ["nonsense", 'Unknown request "nonsense"', "Requests are seed, policy"],
  ["constructor", 'Unknown request "constructor"', "Requests are seed, policy"],
  ["seed", '"seed" has 0 arguments', "Write seed N"],
  ["seed 1 2", '"seed" has 2 arguments', "Write seed N"],
  ["seed x", 'Cannot ask for "x" random bytes', "Write seed 32"],
  ["seed 4294967296", 'Cannot ask for "4294967296" random bytes', "Write seed 32"],
  ["seed 1e2", 'Cannot ask for "1e2" random bytes', "Write seed 32"],
  ["policy", '"policy" has 0 arguments', "Write policy CACHE"],
  ["lookup smtpd", '"lookup" has 1 arguments', "Write lookup CACHE ID"],
  ["update smtpd id", '"update" has 2 arguments', "Write update CACHE ID DATA"],
  ["update smtpd id a*==", "Cannot read DATA: it is not base64", "--hex"],
  ["tktkey 616", "Cannot read NAME: it is not base64", "--hex"],
  ["tktkey a b", '"tktkey" has 2 arguments', "Write tktkey [NAME]"],
];

for (const [line, message, hint] of WRONG) {
  Deno.test(`readRequest() refuses: ${JSON.stringify(line)}`, () => {
    const words = line.split(" ").filter((word) => word !== "");
    const error = assertThrows(() => readRequest(words, BASE64), FatalError);
    assert(error instanceof FatalError);
    assertEquals(error.exitCode, EXIT.usage);
    assertStringIncludes(error.message, message);
    assertStringIncludes(error.hint ?? "", hint);
  });
}
