import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import type { FileGround } from "../../../lib/config/paths.ts";
import { latin1 } from "../../../lib/base/bytes.ts";
import { opensslVersionNumber } from "../../../lib/tls/version.ts";
import { isOfThisOpenSsl, parseDatabaseName } from "../../../lib/tlsmgr/database.ts";

const MAIL_OWNER = 107;
/** Folders and their owners; others cannot be examined. */
const OWNERS: Readonly<Record<string, number>> = {
  "/etc/postfix": 0,
  "/queue": 0,
  "/queue/own": MAIL_OWNER,
};

const GROUND: FileGround = {
  queueDirectory: "/queue",
  dataDirectory: "/var/lib/postfix",
  mailOwner: "postfix",
  ownerUid: MAIL_OWNER,
  folderOwner: (path) => OWNERS[path],
};

function parse(value: string) {
  return parseDatabaseName("smtpd_tls_session_cache_database", value, {
    ground: GROUND,
    defaultType: "hash",
  });
}

for (const type of ["btree", "hash", "lmdb", "dbm", "sdbm", "cdb", "dbz"]) {
  Deno.test(`parseDatabaseName() takes ${type}: for the append file`, () => {
    assertEquals(parse(`${type}:/data/scache`), {
      shown: `${type}:/data/scache`,
      path: "/data/scache.postern",
      warnings: [],
    });
  });
}

Deno.test("parseDatabaseName() gives a name without a type the default one", () => {
  assertEquals(parse("/data/scache"), {
    shown: "hash:/data/scache",
    path: "/data/scache.postern",
    warnings: [],
  });
});

Deno.test("parseDatabaseName() takes a relative path from the queue directory", () => {
  assertEquals(parse("own/scache").path, "/queue/own/scache.postern");
  assertEquals(parse("btree:scache").path, "/var/lib/postfix/scache.postern");
});

Deno.test("parseDatabaseName() moves a file out of a folder of somebody else's, and says so", () => {
  assertEquals(parse("btree:/etc/postfix/scache"), {
    shown: "btree:/var/lib/postfix/scache",
    path: "/var/lib/postfix/scache.postern",
    warnings: [
      "request to update table btree:/etc/postfix/scache in non-postfix directory /etc/postfix",
      "redirecting the request to postfix-owned data_directory /var/lib/postfix",
    ],
  });
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

const OURS = `${opensslVersionNumber}`;

for (
  const [id, kept] of [
    [`A1&s=smtpd&l=${OURS}`, true],
    [`A1&s=smtpd&l=${OURS}0`, false],
    [`A1&s=smtpd&l=1${OURS}`, false],
    ["A1&s=smtpd&l=805306720", OURS === "805306720"],
    ["&l=1", false],
    ["l=1", true],
    ["A1&s=smtpd&l=", true],
    ["A1&s=smtpd&l=12x", true],
    ["A1&s=smtpd&k=12", true],
    ["smtp&[mx.example]:25&&&&0123456789", true],
    ["0123456789", true],
    ["", true],
  ] as const
) {
  Deno.test(`isOfThisOpenSsl() ${kept ? "keeps" : "drops"} ${JSON.stringify(id)}`, () => {
    assertEquals(isOfThisOpenSsl(latin1(id)), kept);
  });
}
