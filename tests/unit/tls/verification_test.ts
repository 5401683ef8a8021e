import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import { ServerContext, type ServerPolicy } from "../../../lib/tls/context.ts";
import type { Handshake } from "../../../lib/tls/summary.ts";
import type { CertificatePaths } from "../../support/certificates.ts";
import {
  type ClientCertificates,
  type ClientKind,
  writeClientCertificates,
} from "../../support/client_certificates.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { runChecked } from "../../support/process.ts";
import type { TempFolder } from "../../support/temp_folder.ts";
import {
  Hall,
  type HallOptions,
  Meeting,
  policyOf,
  TLS12,
  TLS13,
  withCertificates,
} from "./_setup.ts";

const PEER = "[192.0.2.1]:25";

interface Bench {
  readonly paths: CertificatePaths;
  readonly folder: TempFolder;
  readonly files: ClientCertificates;
}

function testClients(name: string, run: (bench: Bench) => void | Promise<void>): void {
  testDescriptors(name, () =>
    withCertificates(async (paths, folder) => {
      await run({ paths, folder, files: await writeClientCertificates(folder.path) });
    }));
}

/** A server that asks, trusting the clients' authority. */
function asking(bench: Bench, options: HallOptions = {}): Hall {
  const trust = { ...policyOf(bench.paths).trust, caFile: bench.files.ca };
  return new Hall(bench.paths, {
    tickets: false,
    cache: false,
    ...options,
    policy: {
      trust,
      clientCertificates: { depth: 9, acceptServerUse: false },
      ...options.policy,
    },
  });
}

/** What the server says after a handshake with a client of `kind`. */
function meet(
  hall: Hall,
  bench: Bench,
  kind: ClientKind | undefined,
  version = TLS13,
): { handshake: Handshake; lines: string[] } {
  using meeting = new Meeting(hall, {
    version,
    ...(kind !== undefined && { certificate: bench.files.clients[kind] }),
  });
  assertEquals(meeting.shake(), "done");
  const handshake = meeting.engine.summary();
  meeting.engine.report(handshake);
  return { handshake, lines: hall.lines.splice(0) };
}

testClients("a trusted client is told by its names and fingerprints", async (bench) => {
  const hall = asking(bench);
  for (const version of [TLS12, TLS13]) {
    const { peerCertificate: certificate } = meet(hall, bench, "good", version).handshake;
    assert(certificate !== undefined);
    assertEquals(certificate.trusted, true);
    assertEquals(certificate.commonName, "client.example.test");
    assertEquals(certificate.issuerCommonName, "Client authority");
    const { chain } = bench.files.clients.good;
    const openssl = async (...args: string[]) =>
      (await runChecked("openssl", args, { cwd: bench.folder.path })).stdout;
    const print = await openssl("x509", "-in", chain, "-noout", "-fingerprint", "-sha256");
    assertEquals(certificate.fingerprint, print.trim().split("=")[1]);
    const key = await openssl("x509", "-in", chain, "-noout", "-pubkey");
    const keyFile = await bench.folder.write("pub.pem", key);
    await openssl("pkey", "-pubin", "-in", keyFile, "-outform", "DER", "-out", "pub.der");
    const digest = await openssl("dgst", "-sha256", "-c", "pub.der");
    assertEquals(certificate.keyFingerprint, digest.trim().split("= ")[1].toUpperCase());
  }
  hall.close();
});

testClients("a chain through an intermediate authority is trusted, up to the depth", (bench) => {
  const hall = asking(bench);
  const { peerCertificate: certificate } = meet(hall, bench, "deep").handshake;
  assertEquals(certificate?.trusted, true);
  // An authority without a common name is called by its organization.
  assertEquals(certificate?.issuerCommonName, "Middle authority");
  hall.close();
  const shallow = asking(bench, {
    logLevel: "untrusted",
    // OpenSSL counts what is between leaf and root, and is told one more.
    policy: { clientCertificates: { depth: -1, acceptServerUse: false } },
  });
  const { handshake, lines } = meet(shallow, bench, "deep");
  assertEquals(handshake.peerCertificate?.trusted, false);
  assertEquals(lines.length, 1);
  assertMatch(lines[0], /certificate verification failed for \[192\.0\.2\.1\]:25: /);
  shallow.close();
});

const FAILED = `certificate verification failed for ${PEER}: `;

for (
  const [kind, line] of [
    ["expired", `client ${FAILED}certificate has expired`],
    ["early", `client ${FAILED}certificate not yet valid`],
    ["self", `${FAILED}self-signed certificate`],
    ["stranger", `${FAILED}untrusted issuer /CN=Other authority`],
    ["server", `${FAILED}not designated for use as a client certificate`],
  ] as const
) {
  testClients(`a client's certificate of kind "${kind}" is reported, and no more`, (bench) => {
    const hall = asking(bench, { logLevel: "1 untrusted" });
    for (const version of [TLS12, TLS13]) {
      const { handshake, lines } = meet(hall, bench, kind, version);
      assertEquals(handshake.peerCertificate?.trusted, false);
      assertEquals(lines[0], line);
      assertMatch(lines[1], /^Untrusted TLS connection established from /);
      assertEquals(lines.length, 2);
    }
    hall.close();
  });
}

testClients("a certificate for servers only is good when that is allowed", (bench) => {
  const hall = asking(bench, {
    policy: { clientCertificates: { depth: 9, acceptServerUse: true } },
  });
  const trusted = (kind: ClientKind) => meet(hall, bench, kind).handshake.peerCertificate?.trusted;
  assertEquals([trusted("server"), trusted("good"), trusted("stranger")], [true, true, false]);
  hall.close();
});

testClients("a client without a certificate is anonymous, asked or not", (bench) => {
  const hall = asking(bench, { logLevel: "1 untrusted" });
  const { handshake, lines } = meet(hall, bench, undefined);
  assertEquals(handshake.peerCertificate, undefined);
  assertMatch(lines.join("\n"), /^Anonymous TLS connection established from [^\n]*$/);
  hall.close();
  const silent = new Hall(bench.paths, { tickets: false, cache: false });
  assertEquals(meet(silent, bench, "good").handshake.peerCertificate, undefined);
  silent.close();
});

testClients("names that would spoil a line are not shown", (bench) => {
  const hall = asking(bench);
  assertEquals(meet(hall, bench, "odd").handshake.peerCertificate?.commonName, "");
  hall.close();
});

testClients("the summary names both signatures in TLS 1.3", (bench) => {
  const hall = asking(bench, { logLevel: "1" });
  const { lines } = meet(hall, bench, "good");
  assertMatch(
    lines[0],
    /^Trusted TLS connection established from .* server-signature ECDSA \(prime256v1\) server-digest SHA256 client-signature ECDSA \(prime256v1\) client-digest SHA256$/,
  );
  hall.close();
});

testClients("peercert and verbose say who the client is", (bench) => {
  const shown = asking(bench, { logLevel: "peercert" });
  const { lines, handshake } = meet(shown, bench, "good");
  const { fingerprint, keyFingerprint } = handshake.peerCertificate!;
  const line = `${PEER}: subject_CN=client.example.test, issuer=Client authority, ` +
    `fingerprint=${fingerprint}, pkey_fingerprint=${keyFingerprint}`;
  assertEquals(lines, [line]);
  shown.close();
  const verbose = asking(bench, { logLevel: "verbose" });
  const all = meet(verbose, bench, "good").lines;
  for (
    const line of [
      `${PEER}: depth=1 verify=1 subject=/CN=Client authority/O=Tests`,
      `${PEER}: depth=0 verify=1 subject=/CN=client.example.test/O=Good`,
      "subject=/CN=client.example.test/O=Good",
      "issuer=/CN=Client authority/O=Tests",
      `${PEER}: subject_CN=client.example.test, issuer=Client authority, fingerprint=`,
    ]
  ) assert(all.some((said) => said.startsWith(line)), line);
  verbose.close();
});

testClients("authorities that cannot be used are refused by their file", async (bench) => {
  const { paths, folder } = bench;
  const { trust } = policyOf(paths);
  const noPem = await folder.write("no.pem", "nothing here\n");
  const rows: [Partial<ServerPolicy["trust"]>, string][] = [
    [{ caFile: "/nowhere/ca.pem" }, 'Cannot read CA certificate file "/nowhere/ca.pem"'],
    [{ caFile: noPem }, `Cannot use CA certificate file "${noPem}"`],
    [{ caPath: "/nowhere/ca" }, 'Cannot read CA folder "/nowhere/ca"'],
    [{ caPath: noPem }, `Cannot read CA folder "${noPem}": it is no folder`],
  ];
  for (const [change, words] of rows) {
    const error = assertThrows(
      () => new ServerContext(policyOf(paths, { trust: { ...trust, ...change } })),
      FatalError,
      words,
    );
    assert(error.hint?.includes("CA"));
    assertEquals(drainErrors(), []);
  }
});

testClients("authorities of a folder are found by hash", async (bench) => {
  const { folder, files, paths } = bench;
  const hashed = await runChecked("openssl", ["x509", "-hash", "-noout", "-in", files.ca]);
  await Deno.mkdir(folder.file("hashed"));
  await Deno.copyFile(files.ca, folder.file(`hashed/${hashed.stdout.trim()}.0`));
  const trust = { ...policyOf(paths).trust, caPath: folder.file("hashed") };
  const hall = asking(bench, { policy: { trust } });
  assertEquals(meet(hall, bench, "good").handshake.peerCertificate?.trusted, true);
  assertEquals(meet(hall, bench, "stranger").handshake.peerCertificate?.trusted, false);
  hall.close();
});

testClients("a digest that OpenSSL does not have is refused by its parameter", (bench) => {
  const error = assertThrows(
    () => new ServerContext(policyOf(bench.paths, { fingerprintDigest: "sha257" })),
    FatalError,
  );
  assertEquals(
    error.message,
    "Cannot use tlsproxy_tls_fingerprint_digest = sha257: OpenSSL does not have this digest",
  );
});

/** Whether a session made at `first` is resumed at `second`, with a certificate of `kind`. */
function resumes(
  first: Hall,
  second: Hall,
  options: { version: number; certificate?: { chain: string; key: string } },
): boolean {
  using one = new Meeting(first, options);
  assertEquals(one.shake(), "done");
  using session = one.client.session();
  using two = new Meeting(second, { ...options, session: session.pointer });
  assertEquals(two.shake(), "done");
  return two.client.resumed;
}

testClients("a session is resumed under the rules it was made under, and no others", (bench) => {
  const { files, paths } = bench;
  const trust = { ...policyOf(paths).trust, caFile: files.ca };
  const rules = { depth: 9, acceptServerUse: false };
  const servers: [string, HallOptions][] = [
    ["asks nothing", { policy: { trust } }],
    ["asks", { policy: { trust, clientCertificates: rules } }],
    ["requires", { policy: { trust, clientCertificates: rules }, requireCertificate: true }],
    ["asks, less deep", {
      policy: { trust, clientCertificates: { ...rules, depth: 1 } },
    }],
    ["asks, trusting nobody", {
      policy: { trust: policyOf(paths).trust, clientCertificates: rules },
    }],
  ];
  const kinds = [
    { name: "id", version: TLS12, tickets: false, cache: true },
    { name: "ticket 1.2", version: TLS12, tickets: true, cache: false },
    { name: "ticket 1.3", version: TLS13, tickets: true, cache: false },
    { name: "stateful 1.3", version: TLS13, tickets: false, cache: true },
  ];
  for (const { name, version, tickets, cache } of kinds) {
    for (const [made, from] of servers) {
      for (const [used, to] of servers) {
        const first = new Hall(paths, { ...from, tickets, cache });
        const second = new Hall(paths, { ...to, tickets, cache, tlsmgr: first.tlsmgr });
        const resumed = resumes(first, second, { version, certificate: files.clients.good });
        assertEquals(
          resumed,
          made === used,
          `${name}: made where the server ${made}, used where ${used}`,
        );
        first.close();
        second.close();
      }
    }
  }
});
