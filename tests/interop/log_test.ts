/**
 * The log beside Postfix's own: `-v` in master.cf, and lines through postlogd(8).
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { parseLogLine } from "../support/log_schema.ts";
import { posternBinary, toToml } from "../support/postern.ts";
import { startProcess } from "../support/process.ts";
import { assertResumes, TLS12_ID } from "../support/resumption.ts";
import { SMTPD_DIALOGUE } from "../support/s_client.ts";
import { assertKeepsSecrets } from "../support/secrets.ts";
import { prepareUnderMaster } from "./_under_master.ts";

interopTest("-v in master.cf tells the settings in force, and each request to tlsmgr", async () => {
  await using postfix = await prepareUnderMaster({ name: "mvb" });
  const { certificates, folders, maillog, ports } = postfix;
  const path = `${folders.config}/master.cf`;
  const entries = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, entries.replace(/^tlsmgr .* tlsmgr$/m, "$& -v"));
  assert(await Deno.readTextFile(path) !== entries);
  await postfix.start();
  const make = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };
  await assertResumes(TLS12_ID, { ca: certificates.ca, folder: folders.root, make });
  for (
    const line of [
      /tlsmgr\[\d+\]: smtpd_tls_session_cache_database = \S+:/,
      /tlsmgr\[\d+\]: policy smtpd: status 0, cachable 1, timeout \d+$/,
      /tlsmgr\[\d+\]: update smtpd [0-9A-F]{64}&s=\S+, session of \d+ bytes: status 0$/,
      /tlsmgr\[\d+\]: lookup smtpd [0-9A-F]{64}&s=\S+: status 0, session of [1-9]\d* bytes$/,
    ]
  ) await maillog.waitForLine(line);
  assertKeepsSecrets(await maillog.text());
  assertEquals(await maillog.problems(), []);
});

interopTest("lines that are objects go through postlogd(8) whole, also long ones", async () => {
  await using postfix = await prepareUnderMaster({ name: "mjs" });
  const { folders, maillog } = postfix;
  await postfix.start();
  const settings = `${folders.root}/objects.toml`;
  const socket = `${folders.root}/objects.sock`;
  await Deno.writeTextFile(
    settings,
    toToml({
      queue_directory: folders.queue,
      data_directory: folders.root,
      syslog_name: "objects",
      maillog_file: maillog.path,
      // Three bytes a character.
      maillog_file_prefixes: `/var /${"€".repeat(980)}`,
      log: { format: "json", verbose: 1 },
      service: { user: "", tlsmgr: { socket } },
    }),
  );
  await using role = startProcess(posternBinary(), ["--role", "tlsmgr", "--config", settings]);
  await maillog.waitForLine(/ objects\/tlsmgr\[\d+\]: @cee: \{.*"message":"ready: /);
  role.signal("SIGTERM");
  assertEquals(await role.ended(), 0, role.output());
  const lines = await maillog.lines(/ objects\/tlsmgr\[\d+\]: @cee: /);
  const objects = lines.map((line) => parseLogLine(line.slice(line.indexOf("{"))));
  const long = objects.find(({ message }) => /^maillog_file_prefixes = /.test(String(message)));
  assert(String(long!.message).endsWith("€"), String(long!.message));
  assert(new TextEncoder().encode(JSON.stringify(long)).length > 3000);
  assert(!role.stderr.includes("@cee"), role.stderr);
});
