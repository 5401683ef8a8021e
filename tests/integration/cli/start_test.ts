/** Roles that cannot start: one sentence, the right exit code, and nothing half-made left behind. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type CertificatePaths, writeCertificates } from "../../support/certificates.ts";
import { posternBinary, type TomlValue } from "../../support/postern.ts";
import { startProcess } from "../../support/process.ts";
import { assertRefusal, Bench, postern } from "./_run.ts";

/** A role ends with one `fatal:` line like `line`, and leaves no socket. */
async function assertFatal(
  parameters: (paths: CertificatePaths) => Record<string, TomlValue>,
  line: RegExp,
): Promise<void> {
  await using bench = await Bench.make();
  const paths = await writeCertificates(bench.folder.path);
  const args = await bench.prepare("tlsproxy", {
    parameters: { smtpd_tls_security_level: "may", ...parameters(paths) },
  });
  const { code, stdout, stderr } = await postern(args);
  assertEquals([code, stdout], [78, ""], stderr);
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 1, stderr);
  assertMatch(lines[0], /^postfix\/tlsproxy\[\d+\]: fatal: /);
  assertMatch(lines[0], line);
  await bench.assertNoSocket();
}

Deno.test("tlsproxy says that a key is missing", () =>
  assertFatal(
    ({ ecCertificate }) => ({
      smtpd_tls_eccert_file: ecCertificate,
      smtpd_tls_eckey_file: "/nowhere/key.pem",
    }),
    /Cannot read private key file "\/nowhere\/key\.pem": No such file or directory; Check /,
  ));

Deno.test("tlsproxy says that a key file holds no key", () =>
  assertFatal(
    ({ ecCertificate }) => ({
      smtpd_tls_eccert_file: ecCertificate,
      smtpd_tls_eckey_file: ecCertificate,
    }),
    /Cannot use private key file ".*\/ec\.pem": .*; Check /,
  ));

Deno.test("tlsproxy says that a key is not that of the certificate", () =>
  assertFatal(
    ({ rsaCertificate, ecKey }) => ({
      smtpd_tls_cert_file: rsaCertificate,
      smtpd_tls_key_file: ecKey,
    }),
    /Cannot use private key ".*\/ec\.key" with certificate ".*\/rsa\.pem": they do not belong together; Check /,
  ));

Deno.test("tlsproxy without a certificate warns, and runs", async () => {
  await using bench = await Bench.make();
  const args = await bench.prepare("tlsproxy", { parameters: { smtpd_tls_security_level: "may" } });
  await using role = startProcess(posternBinary(), args);
  await role.waitFor("readiness", () => /\bready\b/.test(role.stderr));
  assertStringIncludes(role.stderr, "warning: No server certs available. TLS can't be enabled");
  assert((await Deno.lstat(bench.socket("tlsproxy"))).isSocket);
  role.signal("SIGTERM");
  assertEquals(await role.ended(), 0);
  await bench.assertNoSocket();
});

for (const role of ["tlsmgr", "tlsproxy"] as const) {
  Deno.test(`${role} says that the path of its socket is too long`, async () => {
    await using bench = await Bench.make();
    const args = await bench.prepare(role, { socket: bench.folder.file("x".repeat(107)) });
    assertRefusal(
      await postern(args),
      78,
      /Cannot listen on .*: a socket path has 1 to 107 bytes$/,
    );
  });

  Deno.test(`${role} says that the folder of its socket is missing`, async () => {
    await using bench = await Bench.make();
    const args = await bench.prepare(role, { socket: bench.folder.file("none/socket") });
    assertRefusal(await postern(args), 78, /Cannot listen on .*: No such file or directory$/);
  });

  Deno.test(`${role} leaves a file alone that is not a socket`, async () => {
    await using bench = await Bench.make();
    const socket = await bench.folder.write("precious", "text");
    const args = await bench.prepare(role, { socket });
    assertRefusal(await postern(args), 78, /a file that is not a socket is there$/);
    assertEquals(await Deno.readTextFile(socket), "text");
  });

  Deno.test(`${role} leaves a socket alone that another process serves`, async () => {
    await using bench = await Bench.make();
    const args = await bench.prepare(role);
    await using first = startProcess(posternBinary(), args);
    await first.waitFor("readiness", () => /\bready\b/.test(first.stderr));
    const second = await postern(args);
    assertEquals(second.code, 78, second.stderr);
    assertStringIncludes(second.stderr, "another process already serves it");
    assert((await Deno.lstat(bench.socket(role))).isSocket);
    first.signal("SIGTERM");
    assertEquals(await first.ended(), 0);
    await bench.assertNoSocket();
  });

  Deno.test(`${role} takes over a socket that a killed process has left behind`, async () => {
    await using bench = await Bench.make();
    const args = await bench.prepare(role);
    await using first = startProcess(posternBinary(), args);
    await first.waitFor("readiness", () => /\bready\b/.test(first.stderr));
    first.signal("SIGKILL");
    await first.ended();
    assert((await Deno.lstat(bench.socket(role))).isSocket);
    await using second = startProcess(posternBinary(), args);
    await second.waitFor("readiness", () => /\bready\b/.test(second.stderr));
    second.signal("SIGTERM");
    assertEquals(await second.ended(), 0);
    await bench.assertNoSocket();
  });
}
