/**
 * postscreen(8) with our tlsproxy (and our tlsmgr behind it).
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { certificatePems } from "../support/certificates.ts";
import { interopTest, servedBy } from "../support/interop.ts";
import { assertResumes, RESUMPTION_KINDS } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE, runSClient } from "../support/s_client.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { Testbed } from "../support/testbed.ts";
import { waitUntil } from "../support/wait.ts";

const SESSIONS = 50;

interopTest("postscreen with our tlsproxy: sessions resume, dialogues run", async (t) => {
  await using bed = await Testbed.start({ name: "scr", tlsmgr: "ours", tlsproxy: "ours" });
  const { ports, certificates, folders, maillog } = bed.postfix;
  const { ca } = certificates;
  const station = { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE };

  for (const kind of RESUMPTION_KINDS) {
    await t.step(`${kind.label}, with a full dialogue`, async () => {
      await assertResumes(kind, { ca, folder: folders.root, make: station });
    });
  }

  await t.step("the dialogue went on in postscreen, inside TLS", async () => {
    await maillog.waitForLine(
      /postscreen\[\d+\]: NOQUEUE: reject: RCPT from \[127\.0\.0\.1\]:\d+: 450 4\.3\.2 /,
    );
    await maillog.waitForLine(/postscreen\[\d+\]: PASS NEW \[127\.0\.0\.1\]:\d+/);
    assertEquals(await maillog.lines(/postscreen\[\d+\]: HANGUP /), []);
  });

  const rsa13 = ["-sigalgs", "rsa_pss_rsae_sha256"];
  const ec13 = ["-sigalgs", "ecdsa_secp256r1_sha256"];
  const rsa12 = ["-cipher", "ECDHE-RSA-AES256-GCM-SHA384"];
  const ec12 = ["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"];
  for (
    const [version, extra, signature] of [
      ["TLSv1.3", rsa13, "RSA-PSS"],
      ["TLSv1.3", ec13, "ECDSA"],
      ["TLSv1.2", rsa12, /^RSA/],
      ["TLSv1.2", ec12, "ECDSA"],
    ] as const
  ) {
    await t.step(`a client that wants ${extra.join(" ")} is served over ${version}`, async () => {
      const report = await runSClient({ ...station, ca, version, extra });
      const seen = report.signature ?? "";
      const matches = typeof signature === "string" ? seen === signature : signature.test(seen);
      assert(matches, report.output);
    });
  }

  await bed.assertNoProblems();
});

interopTest("postscreen with our tlsproxy: a ticket used once is replaced", async () => {
  await using bed = await Testbed.start({ name: "once", tlsmgr: "ours", tlsproxy: "ours" });
  const { ports, certificates, folders } = bed.postfix;
  const session = {
    port: ports.postscreen,
    dialogue: POSTSCREEN_DIALOGUE,
    ca: certificates.ca,
    version: "TLSv1.3",
  } as const;
  const file = (turn: number) => `${folders.root}/ticket-${turn}.pem`;

  const first = await runSClient({ ...session, sessionOut: file(0) });
  assertEquals(first.resumed, false, first.output);
  const resumed: boolean[] = [];
  for (let turn = 0; turn < 5; turn++) {
    // Each ticket is offered once; the next turn has what this one was given, or nothing.
    const sessionIn = await exists(file(turn)) ? file(turn) : undefined;
    const report = await runSClient({ ...session, sessionIn, sessionOut: file(turn + 1) });
    resumed.push(report.resumed);
  }
  // Postfix's own tlsproxy gives no ticket in a resumed session: there every second one fails.
  if (servedBy("ours") === "ours") assertEquals(resumed, [true, true, true, true, true]);
  else assert(resumed[0], "The first ticket was not accepted");
  await bed.assertNoProblems();
});

interopTest(`postscreen with our tlsproxy: ${SESSIONS} sessions at once`, async () => {
  await using bed = await Testbed.start({ name: "many", tlsmgr: "ours", tlsproxy: "ours" });
  const { ports } = bed.postfix;
  const caPem = (await certificatePems())["ca.pem"];
  // One session first, so that everything that a process opens once is open.
  await talk(ports.postscreen, caPem, () => Promise.resolve());
  const base = await settledDescriptors(bed);

  let open = 0;
  let release = () => {};
  const all = new Promise<void>((resolve) => release = resolve);
  let descriptorsWhenAllAreOpen = 0;
  await Promise.all(
    Array.from({ length: SESSIONS }, () =>
      talk(ports.postscreen, caPem, async () => {
        if (++open === SESSIONS) {
          descriptorsWhenAllAreOpen = (await bed.tlsproxyDescriptors()).descriptors;
          release();
        }
        await all;
      })),
  );

  // Each session needs its connection to postscreen and the one to the remote peer.
  assert(
    descriptorsWhenAllAreOpen >= base + 2 * SESSIONS,
    `Not all sessions were open at once: ${descriptorsWhenAllAreOpen} descriptors, ${base} before`,
  );
  await waitUntil(
    `tlsproxy to close all but ${base} descriptors`,
    async () => {
      const { processes, descriptors } = await bed.tlsproxyDescriptors();
      return descriptors <= base * processes;
    },
    { explain: async () => `It has ${JSON.stringify(await bed.tlsproxyDescriptors())}` },
  );
  await bed.assertNoProblems();
});

/** A session through postscreen that waits for `meanwhile` in its middle. */
async function talk(port: number, caPem: string, meanwhile: () => Promise<void>): Promise<void> {
  using client = await SmtpClient.connect(port);
  await client.startTls(caPem);
  await client.say("EHLO client.example.test", "250 ");
  await meanwhile();
  await client.say("MAIL FROM:<sender@example.test>", "250 2.1.0 Ok");
  await client.say("RCPT TO:<recipient@example.test>", "450 4.3.2 ");
  await client.say("QUIT", "221 2.0.0 Bye");
  await client.readToEnd();
}

/** The number of open descriptors once the sessions that just ended are gone. */
async function settledDescriptors(bed: Testbed): Promise<number> {
  let last = -1;
  let unchanged = 0;
  return await waitUntil("the number of descriptors to settle", async () => {
    const count = (await bed.tlsproxyDescriptors()).descriptors;
    unchanged = count === last ? unchanged + 1 : 0;
    last = count;
    return unchanged >= 20 && count;
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
