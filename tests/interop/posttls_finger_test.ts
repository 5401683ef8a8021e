/**
 * posttls-finger(1), which connects twice and says whether the session was reused, with our tlsmgr
 * behind smtpd(8), and behind Postfix's tlsproxy(8) as its TLS client.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { runChecked } from "../support/process.ts";
import { RESUMPTION_KINDS } from "../support/resumption.ts";
import { Testbed } from "../support/testbed.ts";

/** Connects as `options` say; all that it printed. */
async function finger(bed: Testbed, options: readonly string[]): Promise<string> {
  const { ports, folders, certificates } = bed.postfix;
  const { stdout, stderr } = await runChecked("posttls-finger", [
    ...["-c", "-l", "secure", "-F", certificates.ca, "-L", "verbose,cache"],
    ...options,
    `[127.0.0.1]:${ports.smtpd}`,
    "mx.example.test",
  ], { env: { MAIL_CONFIG: folders.config }, cwd: folders.queue });
  return stdout + stderr;
}

const REUSED = "Found a previously used server.  Done reconnecting.";

for (const kind of RESUMPTION_KINDS) {
  interopTest(`posttls-finger finds its session at smtpd: ${kind.label}`, async () => {
    await using bed = await Testbed.start({
      name: "finger",
      tlsmgr: "ours",
      settings: { ...(!kind.tickets && { tls_ssl_options: "NO_TICKET" }) },
    });
    const output = await finger(bed, ["-r", "1", "-p", kind.version]);
    assertStringIncludes(output, REUSED);
    assertStringIncludes(output, `: ${kind.version} with cipher`);
    const how = kind.tickets ? " (RFC 5077 session ticket)" : "";
    const [reused] = await bed.postfix.maillog.waitForLine(
      /smtpd\[\d+\]: .*: Reusing old session.*/,
    );
    assertEquals(reused.replace(/^.*: /, ""), `Reusing old session${how}`);
    await bed.assertNoProblems();
  });
}

interopTest(
  "posttls-finger behind Postfix's tlsproxy finds its session in our tlsmgr",
  async () => {
    await using bed = await Testbed.start({
      name: "finger",
      tlsmgr: "ours",
      settings: {
        smtp_tls_session_cache_database: "btree:${data_directory}/smtp_scache",
        smtp_tls_loglevel: "cache",
        tlsproxy_client_loglevel: "2",
        tlsproxy_client_security_level: "encrypt",
      },
    });
    // Here it does not connect twice by itself.
    for (let turn = 0; turn < 2; turn++) {
      assertStringIncludes(await finger(bed, ["-X"]), "Verified TLS connection established to ");
    }
    await bed.postfix.maillog.waitForLine(/tlsproxy\[\d+\]: reloaded session .* from smtp cache/);
    assertEquals(bed.tlsmgr?.faults() ?? [], []);
  },
);
