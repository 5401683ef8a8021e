import { assertEquals } from "@std/assert";
import type { LogFields } from "../../../lib/log/log.ts";
import { MISSED, RESUMED } from "../../../lib/tls/agreed.ts";
import type { Handshake } from "../../../lib/tls/summary.ts";
import { END_REASONS, OUTCOMES, Story, unreadStory } from "../../../lib/tlsproxy/session_story.ts";
import { HandshakeDone, SessionEnd } from "../../../lib/tlsproxy/session_words.ts";
import { schemaFault } from "../../support/json_schema.ts";
import { LOG_SCHEMA } from "../../support/log_schema.ts";

const { properties } = LOG_SCHEMA as { properties: Record<string, { enum?: string[] }> };
const HEAD = {
  schema: 1,
  time: "2026-11-01T09:05:03.007Z",
  severity: "info",
  role: "tlsproxy",
  name: "postfix/tlsproxy",
  pid: 1,
  message: "DISCONNECT x",
};

const HANDSHAKE: Handshake = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  usedBits: 256,
  algorithmBits: 256,
  keyExchange: "X25519",
  keyExchangeCurve: "",
  keyExchangeBits: 0,
  serverSignature: { name: "ED25519", curve: "", bits: 0, digest: "" },
  clientSignature: { name: "RSA-PSS", curve: "", bits: 2048, digest: "SHA256" },
  resumed: false,
  ticketed: false,
  peerCertificate: {
    trusted: false,
    commonName: "client.example.test",
    issuerCommonName: "Client authority",
    fingerprint: "0A:1B",
    keyFingerprint: "2C:3D",
    subject: "/CN=client.example.test",
    issuer: "/CN=Client authority",
  },
  serverName: "mx.example.test",
};

function fieldsOf(event: { describe(fields: LogFields): void }): LogFields {
  const fields: LogFields = { ...HEAD };
  event.describe(fields);
  const known = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
  assertEquals(schemaFault(known, LOG_SCHEMA), undefined, JSON.stringify(known));
  return known as LogFields;
}

function storyOf(change: Partial<Story>): Story {
  return Object.assign(new Story(7, 100), { peer: "[192.0.2.1]:25", service: "smtpd" }, change);
}

Deno.test("the schema of the log has the words that a session's story is told in", () => {
  assertEquals(properties.outcome.enum, [...OUTCOMES]);
  assertEquals(properties.reason.enum, Object.keys(END_REASONS));
  assertEquals(properties.resumed.enum, [...RESUMED]);
  assertEquals(["", ...properties.not_resumed_because.enum!], [...MISSED]);
});

Deno.test("SessionEnd tells every outcome with every reason as the schema says", () => {
  for (const [reason, outcomes] of Object.entries(END_REASONS)) {
    for (const outcome of outcomes) {
      const story = storyOf({ endedMs: 112.34 });
      story.end(outcome, reason as keyof typeof END_REASONS, "error:0A000418:SSL routines::x:a:1:");
      const fields = fieldsOf(new SessionEnd(story));
      assertEquals([fields.outcome, fields.reason, fields.duration_ms], [outcome, reason, 12.3]);
      assertEquals(fields.alert, reason === "alert from peer" ? 48 : undefined);
      assertEquals(fields.protocol, undefined);
    }
  }
});

Deno.test("both events tell what was agreed on", () => {
  const story = storyOf({
    handedOverMs: 101,
    shakenMs: 104.5,
    endedMs: 200,
    version: 0x304,
    serverName: "mx.example.test",
    handshake: HANDSHAKE,
    moved: { bytesFromNet: 5, bytesToNet: 6 },
  });
  for (const event of [new HandshakeDone(story), new SessionEnd(story, "0.0 handed over")]) {
    const { session, peer, protocol, sni, handoff_ms, handshake_ms, signature } = fieldsOf(event);
    assertEquals([session, peer, protocol], ["7", "[192.0.2.1]:25", "TLSv1.3"]);
    assertEquals([sni, handoff_ms, handshake_ms], ["mx.example.test", 1, 3.5]);
    assertEquals(signature, "ED25519");
    const fields = fieldsOf(event);
    assertEquals(
      [fields.client_certificate, fields.client_subject_cn, fields.client_issuer_cn],
      ["untrusted", "client.example.test", "Client authority"],
    );
    assertEquals(
      [fields.client_fingerprint, fields.client_signature],
      ["0A:1B", "RSA-PSS-SHA256"],
    );
  }
  const { bytes_from_peer, bytes_to_peer, flight } = fieldsOf(new SessionEnd(story, "steps"));
  assertEquals([bytes_from_peer, bytes_to_peer, flight], [5, 6, "steps"]);
});

Deno.test("unreadStory() is a whole story", () => {
  const { outcome, reason, stage, session, peer } = fieldsOf(new SessionEnd(unreadStory(9, 5)));
  assertEquals(
    [outcome, reason, stage, session, peer],
    ["refused", "too many connections", "hand-off", "9", undefined],
  );
});

Deno.test("Story keeps a refusal, whatever the client does afterwards", () => {
  const story = new Story(1, 0);
  story.refuse("client role", "TLS client role is disabled by configuration");
  story.abandon("timeout");
  assertEquals([story.outcome, story.reason], ["refused", "client role"]);
  const probe = new Story(2, 0);
  probe.outcome = "probed";
  probe.abandon("stopped");
  assertEquals([probe.outcome, probe.reason], ["probed", "stopped"]);
});
