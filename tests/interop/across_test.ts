/**
 * A session that smtpd(8) made is resumed by our tlsproxy, and the other way round.
 *
 * Tickets cross because both take their keys from one tlsmgr and use one session id context. Session
 * ids cross only to the smtpd service that is called `smtpd`, because the service name is part of the
 * cache id and postscreen of Postfix 3.7 calls itself that; a second postscreen, which lets loopback
 * clients pass, leads there.
 *
 * @module
 */

import { interopTest } from "../support/interop.ts";
import { assertResumes, TLS12_ID, TLS12_TICKET, TLS13_TICKET } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE, SMTPD_DIALOGUE } from "../support/s_client.ts";
import { Testbed } from "../support/testbed.ts";

for (const tlsmgr of ["ours", "postfix"] as const) {
  interopTest(`sessions cross between smtpd and our tlsproxy (tlsmgr: ${tlsmgr})`, async (t) => {
    await using bed = await Testbed.start({ name: "cross", tlsmgr, tlsproxy: "ours" });
    const { ports, certificates, folders, maillog } = bed.postfix;
    const plan = { ca: certificates.ca, folder: folders.root };
    const smtpd = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };
    const namedSmtpd = { port: ports.passed, dialogue: SMTPD_DIALOGUE };
    const tlsproxy = { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE };

    for (
      const [kind, server] of [
        [TLS12_TICKET, smtpd],
        [TLS13_TICKET, smtpd],
        [TLS12_ID, namedSmtpd],
      ] as const
    ) {
      await t.step(`${kind.label}: made by smtpd, resumed by tlsproxy`, async () => {
        await assertResumes(kind, { ...plan, make: server, resume: tlsproxy });
      });
      await t.step(`${kind.label}: made by tlsproxy, resumed by smtpd`, async () => {
        await assertResumes(kind, { ...plan, make: tlsproxy, resume: server });
      });
    }

    await t.step("smtpd itself took the sessions that it was to take", async () => {
      await maillog.waitForLine(
        /\/smtpd\[\d+\]: .*: Reusing old session \(RFC 5077 session ticket\)$/,
      );
      await maillog.waitForLine(
        /\/smtpd\[\d+\]: .*: reloaded session \S+&s=smtpd&l=\d+ from smtpd cache/,
      );
    });
    await bed.assertNoProblems();
  });
}
