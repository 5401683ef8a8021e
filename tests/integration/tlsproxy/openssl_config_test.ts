/**
 * tlsproxy: the configuration file of OpenSSL itself (`tls_config_file`, `tls_config_name`).
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { posternBinary, toToml } from "../../support/postern.ts";
import { runCommand } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { writeCertificates } from "../../support/certificates.ts";
import { assertTalks, Bed } from "./_bed.ts";

const CHACHA = "TLS_CHACHA20_POLY1305_SHA256";

/** A file whose application section `name` allows one suite of TLS 1.3. */
const configText = (name: string) => `
${name} = app
[app]
ssl_conf = ssl
[ssl]
system_default = suites
[suites]
Ciphersuites = ${CHACHA}
`;

/** The suite of TLS 1.3 that a session gets. */
async function suiteWith(parameters: Record<string, string>): Promise<string> {
  await using bed = await Bed.start({ parameters });
  const { handshake, local, remote } = await bed.established({}, { version: "TLSv1_3" });
  await assertTalks({ local, remote });
  return handshake.cipher;
}

Deno.test("tlsproxy: a file of OpenSSL settings is read, or none, or the system's", async () => {
  await using folder = await TempFolder.make("conf");
  const plain = await folder.write("openssl.cnf", configText("openssl_conf"));
  const named = await folder.write("named.cnf", configText("postern"));
  assertEquals(await suiteWith({ tls_config_file: plain }), CHACHA);
  assertEquals(await suiteWith({ tls_config_file: named, tls_config_name: "postern" }), CHACHA);
  assert(await suiteWith({ tls_config_file: "none" }) !== CHACHA);
  assert(await suiteWith({}) !== CHACHA);
});

Deno.test("tlsproxy: a file of OpenSSL settings that cannot be used ends the start", async () => {
  await using folder = await TempFolder.make("conf");
  const certificates = await writeCertificates(folder.path);
  const named = await folder.write("named.cnf", configText("postern"));
  const broken = await folder.write("broken.cnf", "[nothing\n");
  const rows: [Record<string, string>, RegExp][] = [
    [
      { tls_config_file: "/nowhere/openssl.cnf" },
      /Cannot read OpenSSL configuration file "\/nowhere\/openssl\.cnf": No such file/,
    ],
    [
      { tls_config_file: broken },
      /Cannot use OpenSSL configuration file ".*broken\.cnf": missing close square bracket/,
    ],
    [
      { tls_config_file: named, tls_config_name: "absent" },
      /Cannot use OpenSSL configuration file ".*named\.cnf": it names no section for "absent"/,
    ],
    [{ tls_config_file: "relative.cnf" }, /tls_config_file/],
  ];
  for (const [parameters, words] of rows) {
    const settings = await folder.write(
      "postern.toml",
      toToml({
        queue_directory: folder.path,
        smtpd_tls_security_level: "may",
        smtpd_tls_cert_file: certificates.rsaCertificate,
        smtpd_tls_key_file: certificates.rsaKey,
        ...parameters,
        service: { tlsproxy: { socket: folder.file("tlsproxy.sock") } },
      }),
    );
    const args = ["--role", "tlsproxy", "--config", settings];
    const { code, stderr } = await runCommand(posternBinary(), args);
    assertEquals(code, 78, stderr);
    assertMatch(stderr, words);
  }
});
