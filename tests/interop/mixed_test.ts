/**
 * One part ours, the other Postfix's own, both ways round.
 *
 * @module
 */

import { interopTest } from "../support/interop.ts";
import { assertResumes, RESUMPTION_KINDS } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE, SMTPD_DIALOGUE } from "../support/s_client.ts";
import { Testbed } from "../support/testbed.ts";

const PAIRS = [
  { tlsmgr: "ours", tlsproxy: "postfix" },
  { tlsmgr: "postfix", tlsproxy: "ours" },
] as const;

for (const pair of PAIRS) {
  const names = `tlsmgr: ${pair.tlsmgr}, tlsproxy: ${pair.tlsproxy}`;
  interopTest(`mixed parts (${names}) resume sessions`, async (t) => {
    await using bed = await Testbed.start({ name: "mix", ...pair });
    const { ports, certificates, folders } = bed.postfix;
    const plan = { ca: certificates.ca, folder: folders.root };
    for (const kind of RESUMPTION_KINDS) {
      await t.step(`postscreen: ${kind.label}`, async () => {
        const make = { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE };
        await assertResumes(kind, { ...plan, make });
      });
      await t.step(`smtpd: ${kind.label}`, async () => {
        const make = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };
        await assertResumes(kind, { ...plan, make });
      });
    }
    await bed.assertNoProblems();
  });
}
