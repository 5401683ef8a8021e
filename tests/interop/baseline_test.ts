/**
 * Postfix with its own tlsmgr(8) and tlsproxy(8): proves the harness without postern.
 *
 * What fails here is a fault of the harness or of the machine, not of postern.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { AttrClient } from "../support/attr_client.ts";
import { certificatePems } from "../support/certificates.ts";
import { interopTest } from "../support/interop.ts";
import { passDescriptor } from "../support/pass_fd.ts";
import { assertResumes, RESUMPTION_KINDS } from "../support/resumption.ts";
import { POSTSCREEN_DIALOGUE, SMTPD_DIALOGUE } from "../support/s_client.ts";
import { Testbed } from "../support/testbed.ts";

const withoutPostern = { needsPostern: false };

interopTest("Postfix alone resumes sessions in smtpd and in postscreen", async (t) => {
  await using bed = await Testbed.start({ name: "base" });
  const { ports, certificates, folders } = bed.postfix;
  const plan = { ca: certificates.ca, folder: folders.root };
  for (const kind of RESUMPTION_KINDS) {
    await t.step(`smtpd: ${kind.label}`, async () => {
      const make = { port: ports.smtpd, dialogue: SMTPD_DIALOGUE };
      await assertResumes(kind, { ...plan, make });
    });
    await t.step(`postscreen: ${kind.label}`, async () => {
      const make = { port: ports.postscreen, dialogue: POSTSCREEN_DIALOGUE };
      await assertResumes(kind, { ...plan, make });
    });
  }
  await bed.assertNoProblems();
}, withoutPostern);

interopTest("Postfix's tlsmgr answers the attribute client", async () => {
  await using bed = await Testbed.start({ name: "attr" });
  using client = await AttrClient.connectTo(
    bed.postfix.socketPath("tlsmgr"),
    "tlsmgr_protocol",
  );
  const policy = await client.ask([["request", "policy"], ["cache_type", "smtpd"]]);
  assertEquals(policy.attributes, [["status", "0"], ["cachable", "1"], ["timeout", "3600"]]);
  assertEquals(
    new TextDecoder().decode(policy.raw),
    "status\0" + "0\0" + "cachable\0" + "1\0" + "timeout\0" + "3600\0" + "\0",
  );
  const miss = await client.ask([
    ["request", "lookup"],
    ["cache_type", "smtpd"],
    ["cache_id", "none"],
  ]);
  assertEquals(miss.attributes, [["status", "4294967295"], ["session", ""]]);
}, withoutPostern);

interopTest("Postfix's tlsproxy takes a connection from the Python client", async () => {
  await using bed = await Testbed.start({ name: "pass" });
  await using session = await passDescriptor(bed.postfix.socketPath("tlsproxy"));
  assertMatch(await session.reported("announcement"), /tlsproxy_protocol/);
  assertEquals(await session.reported("status"), "[b'status', b'1']");
  await session.reported("passed");

  const tls = await session.handshake((await certificatePems())["ca.pem"]);
  await tls.write(new TextEncoder().encode("from the remote peer\r\n"));
  await session.local.waitFor(
    "the decrypted line",
    () => session.local.stdout === "from the remote peer\r\n",
  );
  await session.local.write("from the local client\r\n");
  const buffer = new Uint8Array(100);
  const count = await tls.read(buffer);
  assertEquals(
    new TextDecoder().decode(buffer.subarray(0, count ?? 0)),
    "from the local client\r\n",
  );
}, withoutPostern);
