/**
 * `postern query` against Postfix's tlsmgr and against ours: the same line gives the same text and the
 * same exit code.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { posternBinary } from "../support/postern.ts";
import { type CommandResult, runCommand } from "../support/process.ts";
import { Testbed } from "../support/testbed.ts";

const SETTINGS = {
  smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
  smtp_tls_session_cache_database: "btree:${data_directory}/smtp_scache",
  smtp_tls_session_cache_timeout: "2h",
};

/** Options before the socket, words behind it, and the exit code that is wanted. */
const LINES: readonly (readonly [options: string, words: string, code: number])[] = [
  ...["1", "2", "32", "255"].map((size) => ["", `seed ${size}`, 0] as const),
  ...["0", "256", "65536", "2147483648", "4294967295"].map((size) =>
    ["", `seed ${size}`, 2] as const
  ),
  ...["-1", "-2147483648"].map((size) => ["--", `seed ${size}`, 2] as const),
  ...["smtpd", "smtp", "lmtp"].flatMap((cache) => [
    ["", `policy ${cache}`, 0] as const,
    ["--json", `policy ${cache}`, 0] as const,
  ]),
  ...["", "SMTPD", "pop3"].map((cache) => ["", `policy ${cache}`, 2] as const),
  ...["smtpd", "smtp"].flatMap((cache) =>
    [
      ["", `lookup ${cache} id`, 1],
      ["", `delete ${cache} id`, 1],
      ["", `update ${cache} id c2Vzc2lvbg==`, 0],
      ["", `lookup ${cache} id`, 0],
      ["--show-secrets", `lookup ${cache} id`, 0],
      ["--show-secrets --json", `lookup ${cache} id`, 0],
      ["--show-secrets --hex", `lookup ${cache} id`, 0],
      ["--hex", `update ${cache} é 00FF`, 0],
      ["--show-secrets", `lookup ${cache} é`, 0],
      ["", `update ${cache} nothing `, 0],
      ["--show-secrets", `lookup ${cache} nothing`, 0],
      ["", `delete ${cache} id`, 0],
      ["", `delete ${cache} id`, 1],
      ["--json", `lookup ${cache} id`, 1],
    ] as const
  ),
  ...["lmtp", "pop3"].flatMap((cache) =>
    [
      ["", `lookup ${cache} id`, 2],
      ["", `update ${cache} id YQ==`, 2],
      ["", `delete ${cache} id`, 2],
    ] as const
  ),
  ["", "tktkey", 0],
  ["--json", "tktkey", 0],
  ["--show-secrets", "tktkey", 0],
  ["", "tktkey MDEyMzQ1Njc4OWFiY2RlZg==", 1],
  ["--hex", "tktkey 00", 2],
  ["", "tktkey YWJj", 2],
];

function query(socket: string, options: string, words: string): Promise<CommandResult> {
  const before = options.split(" ").filter((word) => word !== "");
  return runCommand(posternBinary(), ["query", ...before, socket, ...words.split(" ")]);
}

/** What two servers must say alike: random bytes and times have placeholders. */
function comparable({ code, stdout, stderr }: CommandResult): string {
  return `${code}\n${stdout}${stderr}`
    .replace(/^(seed +)(\S+)/gm, (_all, head: string, seed: string) => head + atob(seed).length)
    .replace(/^(key(?:_name)? +)(\S+)/gm, (_all, head: string, key: string) => {
      return head + atob(key).length;
    })
    .replace(/^(key_encrypts_until +).*/gm, "$1a time")
    .replace(/("key_name":)"[^"]{22}=="/, "$1a name")
    .replace(/("key_encrypts_until":)\d{10}/, "$1a time");
}

interopTest("query gives the same answers of Postfix's tlsmgr and of ours", async () => {
  await using theirs = await Testbed.start({ name: "theirs", settings: SETTINGS });
  await using ours = await Testbed.start({ name: "ours", tlsmgr: "ours", settings: SETTINGS });
  assert(LINES.length >= 60);
  for (const [options, words, code] of LINES) {
    const [one, other] = await Promise.all(
      [theirs, ours].map(({ postfix }) => query(postfix.socketPath("tlsmgr"), options, words)),
    );
    const line = `query ${options} SOCKET ${words}`;
    assertEquals([line, comparable(other)], [line, comparable(one)]);
    assertEquals([line, one.code, one.stderr], [line, code, ""]);
  }
});
