/**
 * smtp(8), the delivery client, with our tlsmgr as the home of its sessions.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import type { Maillog } from "../support/maillog.ts";
import { runChecked } from "../support/process.ts";
import { Testbed } from "../support/testbed.ts";

interopTest("smtp with our tlsmgr resumes the session of its last delivery", async () => {
  await using receiver = await Testbed.start({ name: "in", hostname: "receiver.example.test" });
  await using sender = await Testbed.start({
    name: "out",
    hostname: "sender.example.test",
    tlsmgr: "ours",
    relayTo: receiver.postfix.ports.smtpd,
    settings: {
      smtp_tls_security_level: "encrypt",
      smtp_tls_loglevel: "2",
      smtp_tls_session_cache_database: "btree:${data_directory}/smtp_scache",
      // Every mail makes a connection of its own.
      smtp_connection_cache_on_demand: "no",
    },
  });
  const { maillog } = sender.postfix;

  await deliver(sender);
  assertEquals(await maillog.lines(/smtp\[\d+\]: .*reloaded session/), []);
  await deliver(sender);

  await maillog.waitForLine(/smtp\[\d+\]: .*reloaded session smtp&.* from smtp cache/);
  await maillog.waitForLine(/smtp\[\d+\]: .*: Reusing old session$/);
  await receiver.postfix.maillog.waitForLine(/smtpd\[\d+\]: .*: Reusing old session/);
  await sender.assertNoProblems();
  await receiver.assertNoProblems();
});

/** Hands one mail to the sender and waits until the receiver has taken it. */
async function deliver(sender: Testbed): Promise<void> {
  const { stdout } = await runChecked("swaks", [
    "--server",
    `127.0.0.1:${sender.postfix.ports.smtpd}`,
    "--from",
    "sender@example.test",
    "--to",
    "recipient@example.test",
  ]);
  const queueId = /250 2\.0\.0 Ok: queued as (\S+)/.exec(stdout)?.[1];
  if (queueId === undefined) throw new Error(`Cannot hand a mail over: no queue id\n${stdout}`);
  await sentFrom(sender.postfix.maillog, queueId);
}

async function sentFrom(maillog: Maillog, queueId: string): Promise<void> {
  const [line] = await maillog.waitForLine(new RegExp(`${queueId}: to=<.*status=.*`));
  if (!line.includes("status=sent")) throw new Error(`Cannot deliver a mail: ${line}`);
}
