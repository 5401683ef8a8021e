import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { parseDatabaseName } from "../../../lib/tlsmgr/database.ts";

const FOLDERS = { data: "/var/lib/postfix", defaultType: "hash" };

function parse(value: string) {
  return parseDatabaseName("smtpd_tls_session_cache_database", value, FOLDERS);
}

for (const type of ["btree", "hash", "lmdb", "dbm", "sdbm", "cdb", "dbz"]) {
  Deno.test(`parseDatabaseName() takes ${type}: for the append file`, () => {
    assertEquals(parse(`${type}:/data/scache`), {
      shown: `${type}:/data/scache`,
      path: "/data/scache.postern",
    });
  });
}

Deno.test("parseDatabaseName() gives a name without a type the default one", () => {
  assertEquals(parse("/data/scache"), {
    shown: "hash:/data/scache",
    path: "/data/scache.postern",
  });
});

Deno.test("parseDatabaseName() puts a relative path below the data directory", () => {
  assertEquals(parse("btree:scache").path, "/var/lib/postfix/scache.postern");
  assertEquals(parse("sub/scache").path, "/var/lib/postfix/sub/scache.postern");
});

Deno.test("parseDatabaseName() cuts at the first colon only", () => {
  assertEquals(parse("btree:/data/a:b").path, "/data/a:b.postern");
});

Deno.test("parseDatabaseName() has no file for memory:, with or without a name", () => {
  assertEquals(parse("memory:").path, undefined);
  assertEquals(parse("memory:smtpd").path, undefined);
});

for (const value of ["btree:", "btree:/data/"]) {
  Deno.test(`parseDatabaseName() refuses ${value}, which names no file`, () => {
    const error = assertThrows(() => parse(value), FatalError);
    assertStringIncludes(error.message, `smtpd_tls_session_cache_database = ${value}`);
    assertStringIncludes(error.hint ?? "", "Give a path");
  });
}
