/**
 * Delivery clients with our tlsmgr as the home of their sessions: smtp(8), lmtp(8), and smtp(8) behind
 * Postfix's own tlsproxy(8).
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { AttrClient, type Attribute } from "../support/attr_client.ts";
import { writeCertificates } from "../support/certificates.ts";
import { interopTest } from "../support/interop.ts";
import { LmtpServer } from "../support/lmtp_server.ts";
import type { PostfixOptions } from "../support/postfix_config.ts";
import { RESUMPTION_KINDS, type ResumptionKind } from "../support/resumption.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { Testbed } from "../support/testbed.ts";
import { waitUntil } from "../support/wait.ts";
import { countSessions, deliver, sendingSettings, type SessionCounts } from "./_delivery.ts";

const SMTP = { program: "smtp", cache: "smtp" } as const;
const MAILS = 4;

/** Settings of a server that resumes in this way only. */
function serverSettings({ version, tickets }: ResumptionKind): Record<string, string> {
  return {
    smtpd_tls_protocols: version,
    ...(!tickets && { tls_ssl_options: "NO_TICKET" }),
  };
}

function receiverOf(kind: ResumptionKind): Promise<Testbed> {
  const settings = serverSettings(kind);
  return Testbed.start({ name: "in", hostname: "receiver.example.test", tlsmgr: "ours", settings });
}

function senderTo(port: number, options: PostfixOptions = {}): Promise<Testbed> {
  const { settings, ...rest } = options;
  return Testbed.start({
    name: "out",
    hostname: "sender.example.test",
    tlsmgr: "ours",
    relayTo: port,
    settings: { ...sendingSettings(rest.relayBy ?? "smtp"), ...settings },
    ...rest,
  });
}

/** What the log must say once `mails` deliveries have been made, all but the first by resumption. */
function resumedAfter(mails: number): Omit<SessionCounts, "saved"> {
  return { lookups: mails, reloaded: mails - 1, reused: mails - 1 };
}

/** The counts without how often was saved: that is for the server's tickets to say. */
async function assertResumed(sender: Testbed, program: string, cache: string): Promise<void> {
  const client = { program, cache };
  const { saved, ...counts } = await waitUntil("all lines of the deliveries", async () => {
    const found = await countSessions(sender.postfix.maillog, client);
    return found.reused >= MAILS - 1 && found;
  }, { explain: () => sender.postfix.maillog.text() });
  assertEquals(counts, resumedAfter(MAILS));
  assert(saved >= 1);
}

/** Asserts that neither Postfix nor our tlsmgr, once it ran, logged anything worse than info. */
async function assertQuiet(bed: Testbed): Promise<void> {
  assertEquals(await bed.postfix.maillog.problems(), []);
  assertEquals(bed.tlsmgr?.faults() ?? [], []);
}

for (const kind of RESUMPTION_KINDS) {
  interopTest(`smtp with our tlsmgr resumes its last session: ${kind.label}`, async () => {
    await using receiver = await receiverOf(kind);
    await using sender = await senderTo(receiver.postfix.ports.smtpd);
    for (let mail = 0; mail < MAILS; mail++) await deliver(sender);
    await assertResumed(sender, "smtp", "smtp");
    const { maillog } = receiver.postfix;
    await waitUntil("the server to say so", async () => {
      return (await maillog.lines(/smtpd\[\d+\]: .*: Reusing old session/)).length === MAILS - 1;
    }, { explain: () => maillog.text() });
    await assertQuiet(sender);
    await assertQuiet(receiver);
  });

  interopTest(`lmtp with our tlsmgr resumes its last session: ${kind.label}`, async () => {
    await using folder = await TempFolder.make("lmtp");
    const certificates = await writeCertificates(folder.path);
    const { version, tickets } = kind;
    await using server = await LmtpServer.start({ certificates, version, tickets });
    await using sender = await senderTo(server.port, { relayBy: "lmtp" });
    for (let mail = 0; mail < MAILS; mail++) await deliver(sender);
    await assertResumed(sender, "lmtp", "lmtp");
    const resumed = Array.from({ length: MAILS - 1 }, () => `${version} resumed`);
    assertEquals(server.sessions(), [`${version} full`, ...resumed]);
    await assertQuiet(sender);
  });
}

interopTest("smtp resumes after our tlsmgr was killed and started again", async () => {
  await using receiver = await receiverOf(RESUMPTION_KINDS[0]);
  await using sender = await senderTo(receiver.postfix.ports.smtpd);
  await deliver(sender);
  // smtp saves the session behind the last byte of the mail.
  await sender.postfix.maillog.waitForLine(/smtp\[\d+\]: save session .* to smtp cache/);
  await sender.killTlsmgr();
  await deliver(sender);
  await sender.postfix.maillog.waitForLine(/smtp\[\d+\]: (?:.*: )?Reusing old session/);
  assertEquals((await countSessions(sender.postfix.maillog, SMTP)).reloaded, 1);
});

interopTest(
  "smtp makes a full handshake when its session was deleted or spoiled",
  async (t) => {
    await using receiver = await receiverOf(RESUMPTION_KINDS[0]);
    await using sender = await senderTo(receiver.postfix.ports.smtpd);
    const { maillog } = sender.postfix;
    await deliver(sender);
    const [, id] = await maillog.waitForLine(/smtp\[\d+\]: save session (\S+) to smtp cache/);
    const ask = async (request: string, ...more: Attribute[]) => {
      using client = await AttrClient.connectTo(
        sender.postfix.socketPath("tlsmgr"),
        "tlsmgr_protocol",
      );
      const entry: Attribute[] = [["request", request], ["cache_type", "smtp"], ["cache_id", id]];
      return (await client.ask([...entry, ...more])).attributes;
    };

    await t.step("what tlsmgr holds is the session that smtp saved", async () => {
      const [status, session] = await ask("lookup");
      assertEquals(status, ["status", "0"]);
      // An SSL_SESSION in DER is a sequence.
      assertMatch(atob(session[1]), /^\x30\x82/);
    });

    await t.step("deleted", async () => {
      assertEquals(await ask("delete"), [["status", "0"]]);
      await deliver(sender);
      assertEquals((await countSessions(maillog, SMTP)).reused, 0);
      // The next one is back to normal.
      await deliver(sender);
      await maillog.waitForLine(/smtp\[\d+\]: (?:.*: )?Reusing old session/);
    });

    await t.step("spoiled", async () => {
      const before = await countSessions(maillog, SMTP);
      assertEquals(await ask("update", ["session", btoa("no session at all")]), [["status", "0"]]);
      await deliver(sender);
      assertEquals((await countSessions(maillog, SMTP)).reused, before.reused);
      await deliver(sender);
      assertEquals((await countSessions(maillog, SMTP)).reused, before.reused + 1);
    });
  },
);

// Two minutes are the shortest lifetime that there is.
if (Deno.env.get("POSTERN_NIGHTLY") === "1") {
  interopTest("smtp makes a full handshake when its session has expired", async () => {
    await using receiver = await receiverOf(RESUMPTION_KINDS[0]);
    await using sender = await senderTo(receiver.postfix.ports.smtpd, {
      settings: { smtp_tls_session_cache_timeout: "1s" },
    });
    await deliver(sender);
    await waitUntil(
      "the end of the session",
      () => / delete smtp session id=/.test(sender.tlsmgr?.log ?? ""),
      { timeLimitMs: 300_000, explain: () => sender.tlsmgr?.log ?? "" },
    );
    await deliver(sender);
    assertEquals((await countSessions(sender.postfix.maillog, SMTP)).reused, 0);
    await deliver(sender);
    await sender.postfix.maillog.waitForLine(/smtp\[\d+\]: (?:.*: )?Reusing old session/);
  });
}

interopTest("smtp behind Postfix's tlsproxy resumes sessions that our tlsmgr keeps", async () => {
  await using receiver = await receiverOf(RESUMPTION_KINDS[2]);
  await using sender = await senderTo(receiver.postfix.ports.smtpd, {
    settings: {
      smtp_tls_connection_reuse: "yes",
      tlsproxy_tls_loglevel: "2",
      tlsproxy_client_loglevel: "2",
      tlsproxy_client_security_level: "encrypt",
      // A connection that is kept would need no session.
      smtp_connection_cache_time_limit: "1s",
      smtp_connection_reuse_count_limit: "1",
    },
  });
  for (let mail = 0; mail < MAILS; mail++) await deliver(sender);
  await assertResumed(sender, "tlsproxy", "smtp");
  await assertQuiet(sender);
});
