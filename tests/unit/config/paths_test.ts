/**
 * Where files of the settings are found and written.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type FileGround,
  redirectIntoDataDirectory,
  resolvePath,
} from "../../../lib/config/paths.ts";

const OWNERS: Readonly<Record<string, number>> = {
  "/": 0,
  "/etc/postfix": 0,
  "/var/spool/postfix": 0,
  "/var/spool/postfix/private": 107,
  "/var/lib/postfix": 107,
  "/srv": 107,
};

const GROUND: FileGround = {
  queueDirectory: "/var/spool/postfix",
  dataDirectory: "/var/lib/postfix",
  mailOwner: "postfix",
  ownerUid: 107,
  // "." would be the folder of whoever runs the test.
  folderOwner: (path) => OWNERS[path],
};

Deno.test("resolvePath() takes a relative path from the queue directory", () => {
  assertEquals(resolvePath("/etc/x.pem", "/q"), "/etc/x.pem");
  assertEquals(resolvePath("x.pem", "/q"), "/q/x.pem");
  assertEquals(resolvePath("etc/x.pem", "/q//"), "/q/etc/x.pem");
  assertEquals(resolvePath("x", "/"), "/x");
  assertEquals(resolvePath("", "/q"), "");
});

const PLACES: readonly [string, string][] = [
  ["/var/lib/postfix/prng_exch", "/var/lib/postfix/prng_exch"],
  ["/srv/cache", "/srv/cache"],
  ["/srv//cache", "/srv//cache"],
  ["private/cache", "/var/spool/postfix/private/cache"],
  // A folder that is not there is left to whoever opens the file.
  ["/lost/cache", "/lost/cache"],
];

for (const [path, expected] of PLACES) {
  Deno.test(`redirectIntoDataDirectory() leaves ${path} in its folder`, () => {
    assertEquals(redirectIntoDataDirectory(path, { kind: "file", shown: path }, GROUND), {
      path: expected,
      warnings: [],
    });
  });
}

const MOVED: readonly [string, string, string][] = [
  ["/etc/postfix/prng_exch", "/var/lib/postfix/prng_exch", "/etc/postfix"],
  ["/etc/postfix//prng_exch/", "/var/lib/postfix/prng_exch", "/etc/postfix"],
  ["/prng_exch", "/var/lib/postfix/prng_exch", "/"],
  ["prng_exch", "/var/lib/postfix/prng_exch", "."],
];

for (const [path, expected, folder] of MOVED) {
  Deno.test(`redirectIntoDataDirectory() moves ${path} and says so twice`, () => {
    assertEquals(redirectIntoDataDirectory(path, { kind: "file", shown: path }, GROUND), {
      path: expected,
      warnings: [
        `request to update file ${path} in non-postfix directory ${folder}`,
        "redirecting the request to postfix-owned data_directory /var/lib/postfix",
      ],
    });
  });
}

Deno.test("redirectIntoDataDirectory() shows a table with its type", () => {
  const what = { kind: "table", shown: "btree:/etc/postfix/scache" } as const;
  const { path, warnings } = redirectIntoDataDirectory("/etc/postfix/scache", what, GROUND);
  assertEquals(path, "/var/lib/postfix/scache");
  assertEquals(
    warnings[0],
    "request to update table btree:/etc/postfix/scache in non-postfix directory /etc/postfix",
  );
});
