/**
 * tlsproxy, server role: client certificates and server names.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type ClientCertificates,
  type ClientKind,
  writeClientCertificates,
} from "../../support/client_certificates.ts";
import { writeCertificates } from "../../support/certificates.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { assertTalks, Bed, type BedOptions, FLAGS } from "./_bed.ts";

const ASK = { smtpd_tls_ask_ccert: true };
const REQUIRE = {
  smtpd_tls_security_level: "encrypt",
  smtpd_tls_req_ccert: true,
};

interface Met {
  readonly endpoint: string;
  /** The TLS context that the local client was sent. */
  readonly context: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
}

function testClients(
  name: string,
  options: BedOptions,
  run: (
    meet: (kind?: ClientKind) => Promise<Met>,
    tools: { bed: Bed; clients: ClientCertificates },
  ) => Promise<void>,
): void {
  Deno.test(`tlsproxy, client certificates: ${name}`, async () => {
    await using folder = await TempFolder.make("cc");
    const clients = await writeClientCertificates(folder.path);
    const parameters = { smtpd_tls_CAfile: clients.ca, ...options.parameters };
    await using bed = await Bed.start({ ...options, parameters });
    const meet = async (kind?: ClientKind): Promise<Met> => {
      const before = bed.lines().length;
      const { endpoint, local, remote } = await bed.passed({
        flags: FLAGS.server | FLAGS.context,
      });
      await remote.tls({
        ca: bed.ca,
        ...(kind !== undefined && { certificate: clients.clients[kind] }),
      });
      const words = await local.readList();
      const context: Record<string, string> = {};
      for (let i = 0; i < words.length; i += 2) context[words[i]] = words[i + 1];
      await assertTalks({ local, remote });
      await local.close();
      await bed.waitForLine(`DISCONNECT ${endpoint}`);
      return { endpoint, context, lines: bed.lines().slice(before) };
    };
    await run(meet, { bed, clients });
  });
}

testClients("the local client is told who came", { parameters: ASK }, async (meet) => {
  const good = await meet("good");
  assertEquals(good.context.peer_CN, "client.example.test");
  assertEquals(good.context.issuer_CN, "Client authority");
  assertMatch(good.context.peer_fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assertMatch(good.context.peer_pubkey_fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  // Certificate, trusted.
  assertEquals(good.context.peer_status, "5");
  assertEquals(good.context.clnt_signature, "ECDSA");
  assertMatch(good.lines[1], /^Trusted TLS connection established from .* client-digest SHA256$/);
  const stranger = await meet("stranger");
  assertEquals(stranger.context.peer_status, "1");
  assertEquals(stranger.context.peer_CN, "stranger.example.test");
  assertMatch(stranger.lines[1], /^Untrusted TLS connection established from /);
  const nobody = await meet();
  assertEquals([nobody.context.peer_status, nobody.context.peer_fingerprint], ["0", ""]);
  assertMatch(nobody.lines[1], /^Anonymous TLS connection established from /);
});

testClients("other digests make other fingerprints", {
  parameters: { ...ASK, smtpd_tls_fingerprint_digest: "sha512" },
}, async (meet) => {
  const { context } = await meet("good");
  assertMatch(context.peer_fingerprint, /^([0-9A-F]{2}:){63}[0-9A-F]{2}$/);
});

testClients("a required certificate is reported, and why it is not trusted", {
  parameters: REQUIRE,
}, async (meet) => {
  assertEquals((await meet("good")).context.peer_status, "5");
  const { context, lines } = await meet("expired");
  assertEquals(context.peer_status, "1");
  assertMatch(lines[1], /^client certificate verification failed for .*: certificate has expired$/);
  assertEquals((await meet()).context.peer_status, "0");
});

Deno.test("tlsproxy, client certificates: untrusted clients are rejected when told so", async () => {
  await using folder = await TempFolder.make("cc");
  const { ca, clients } = await writeClientCertificates(folder.path);
  await using bed = await Bed.start({
    parameters: { smtpd_tls_CAfile: ca, ...REQUIRE, tls: { enforce_req_ccert: "reject" } },
    tlsmgr: false,
  });
  bed.startTlsmgr();
  for (
    const [certificate, why] of [
      [undefined, "no client certificate"],
      [clients.self, "an untrusted certificate"],
    ] as const
  ) {
    const { endpoint, local, remote } = await bed.passed();
    await remote.tls({ ca: bed.ca, ...(certificate !== undefined && { certificate }) });
    // Nothing of what the peer sends reaches the local client.
    assertEquals(await local.readEnd(), { data: "", how: "closed" });
    await bed.waitForLine(`rejected ${endpoint}: ${why} (enforce_req_ccert = reject)`);
  }
  const { local, remote } = await bed.passed();
  await remote.tls({ ca: bed.ca, certificate: clients.good });
  await assertTalks({ local, remote });
});

Deno.test("tlsproxy, server names: certificates by name, and the server's own for others", async () => {
  await using folder = await TempFolder.make("sni");
  const paths = await writeCertificates(folder.path);
  const chain = await folder.write(
    "chain.pem",
    Deno.readTextFileSync(paths.rsaKey) + Deno.readTextFileSync(paths.rsaCertificate),
  );
  const table = await folder.write("sni.txt", `# by name\nMX.example.test ${chain}\n`);
  await using bed = await Bed.start({
    parameters: {
      tls_server_sni_maps: `texthash:${table}`,
      smtpd_tls_cert_file: "",
      smtpd_tls_key_file: "",
    },
    tlsmgr: false,
  });
  bed.startTlsmgr();
  const suites = { TLSv1_2: "aRSA", TLSv1_3: undefined };
  for (const version of ["TLSv1_2", "TLSv1_3"] as const) {
    const session = await bed.passed();
    const ciphers = suites[version];
    await session.remote.tls({
      ca: bed.ca,
      version,
      serverName: "mx.example.test",
      ...(ciphers !== undefined && { ciphers }),
    });
    await assertTalks(session);
    const line = await bed.waitForLine(
      new RegExp(`established from ${escaped(session.endpoint)} to mx\\.example\\.test: TLS`),
    );
    if (version === "TLSv1_3") assert(line.includes("server-signature RSA-PSS"), line);
    const other = await bed.passed();
    await other.remote.tls({ ca: bed.ca, version });
    await assertTalks(other);
    await bed.waitForLine(
      `TLS SNI localhost from ${other.endpoint} not matched, using default chain`,
    );
  }
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
