/**
 * smtpd(8) with our tlsmgr.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { runCommand } from "../support/process.ts";
import {
  assertResumes,
  RESUMPTION_KINDS,
  TLS12_ID,
  TLS12_TICKET,
  TLS13_TICKET,
} from "../support/resumption.ts";
import { runSClient, SMTPD_DIALOGUE } from "../support/s_client.ts";
import { Testbed } from "../support/testbed.ts";

interopTest("smtpd with our tlsmgr: sessions resume and mail is taken", async (t) => {
  await using bed = await Testbed.start({ name: "mgr", tlsmgr: "ours" });
  const { ports, certificates, folders, maillog } = bed.postfix;
  const make = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };

  for (const kind of RESUMPTION_KINDS) {
    await t.step(kind.label, async () => {
      await assertResumes(kind, { ca: certificates.ca, folder: folders.root, make });
    });
  }

  await t.step("smtpd found the session in the cache", async () => {
    await maillog.waitForLine(/smtpd\[\d+\]: .*: reloaded session [0-9A-F]+&s=.* from smtpd cache/);
    await maillog.waitForLine(/smtpd\[\d+\]: .*: Reusing old session$/);
    await maillog.waitForLine(/smtpd\[\d+\]: .*: Reusing old session \(RFC 5077 session ticket\)$/);
  });

  await t.step("swaks delivers a mail over TLS", async () => {
    const swaks = await runCommand("swaks", [
      "--server",
      `127.0.0.1:${ports.smtpd}`,
      "--tls",
      "--tls-verify",
      "--tls-ca-path",
      certificates.ca,
      "--from",
      "sender@example.test",
      "--to",
      "recipient@example.test",
    ]);
    assertEquals(swaks.code, 0, swaks.stdout + swaks.stderr);
    assertStringIncludes(swaks.stdout, "=== TLS started");
    const queueId = /250 2\.0\.0 Ok: queued as (\S+)/.exec(swaks.stdout)?.[1];
    assert(queueId !== undefined, swaks.stdout);
    await maillog.waitForLine(new RegExp(`/discard\\[\\d+\\]: ${queueId}: .*status=sent`));
    await maillog.waitForLine(new RegExp(`/qmgr\\[\\d+\\]: ${queueId}: removed`));
  });

  await bed.assertNoProblems();
});

interopTest("smtpd with our tlsmgr and no session database: only tickets resume", async (t) => {
  await using bed = await Testbed.start({ name: "nodb", tlsmgr: "ours", sessionCache: false });
  const { ports, certificates, folders } = bed.postfix;
  const { ca } = certificates;
  const make = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };

  for (const kind of [TLS12_TICKET, TLS13_TICKET]) {
    await t.step(kind.label, async () => {
      await assertResumes(kind, { ca, folder: folders.root, make });
    });
  }

  await t.step(`${TLS12_ID.label} makes a full handshake`, async () => {
    const session = { ...make, ca, version: TLS12_ID.version, tickets: false };
    const file = `${folders.root}/session.pem`;
    const made = await runSClient({ ...session, sessionOut: file });
    assert(made.sessionId !== undefined, made.output);
    const again = await runSClient({ ...session, sessionIn: file });
    assertEquals(again.resumed, false, again.output);
  });

  await bed.assertNoProblems();
});
