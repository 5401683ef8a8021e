import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  asciiJson,
  ENTRY_HEADING,
  entryJson,
  entryLine,
  escapeKey,
  hashKey,
  showTime,
} from "../../../lib/cli/cache/entry_text.ts";
import { ABOUT_FILE } from "../../../lib/cli/cache/operand.ts";
import { FILE_SUFFIX } from "../../../lib/tlsmgr/database.ts";

const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));

Deno.test("escapeKey() lets nothing through that moves a cursor or splits a column", () => {
  assertMatch(escapeKey(ALL_BYTES), /^[\x21-\x7e]+$/);
  assertEquals(escapeKey("a b\\\x1b[2J\xff\n"), "a\\x20b\\x5c\\x1b[2J\\xff\\x0a");
  // No two keys look alike.
  assertEquals(new Set([...ALL_BYTES].map(escapeKey)).size, 256);
  assert(escapeKey("\\x41") !== escapeKey("A"));
});

Deno.test("asciiJson() is JSON of the same value in printable ASCII", () => {
  const value = { key: ALL_BYTES, list: ["\u2028", 1.5, null] };
  assertMatch(asciiJson(value), /^[\x20-\x7e]+$/);
  assertEquals(JSON.parse(asciiJson(value)), value);
});

Deno.test("hashKey() is the beginning of the SHA-256 of the key's bytes", async () => {
  // printf 'alpha' | sha256sum; printf '\377' | sha256sum
  assertEquals(await hashKey("alpha"), "8ed3f6ad685b959ead702251");
  assertEquals(await hashKey("\xff"), "a8100ae6aa1940d0b663bb31");
});

Deno.test("showTime() shows every time that a file can hold", () => {
  assertEquals(showTime(0), "1970-01-01T00:00:00Z");
  assertEquals(showTime(4_000_000_000), "2096-10-02T07:06:40Z");
  assertEquals(showTime(253_402_300_799), "9999-12-31T23:59:59Z");
  assertEquals(showTime(253_402_300_800), "@253402300800");
  assertEquals(showTime(Number.MAX_SAFE_INTEGER), "@9007199254740991");
});

Deno.test("entryLine() and entryJson() count an entry's last second as valid", () => {
  const entry = { key: "k", valueBytes: 12, expiresAtS: 1000 };
  assertEquals(entryLine("k", entry, 1000), "1970-01-01T00:16:40Z  valid         12  k\n");
  assertEquals(entryLine("k", entry, 1001), "1970-01-01T00:16:40Z  expired       12  k\n");
  assertEquals(ENTRY_HEADING.indexOf("key"), entryLine("k", entry, 0).lastIndexOf("k"));
  assertEquals(
    entryJson({ key: "k" }, entry, 1001),
    '{"key":"k","value_bytes":12,"expires_at":1000,"expired":true}\n',
  );
});

Deno.test("The help of cache commands names the suffix that tlsmgr gives its files", () => {
  assert(ABOUT_FILE.includes(`/smtpd_scache${FILE_SUFFIX}`));
});
