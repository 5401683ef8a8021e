/** Names and times of certificates. */

import { assertEquals } from "@std/assert";
import { readCertificateChains } from "../../../../lib/cli/doctor/pem_certificates.ts";
import { certificatePems } from "../../../support/certificates.ts";
import { runChecked } from "../../../support/process.ts";

/** Unix seconds of what openssl prints: `notAfter=Nov 23 06:50:31 2026 GMT`. */
function seconds(printed: string, name: string): number {
  const [, text] = new RegExp(`^${name}=(.*)$`, "m").exec(printed)!;
  return Date.parse(text) / 1000;
}

Deno.test("readCertificateChains() reads names and times as openssl does", async () => {
  const pems = await certificatePems();
  const [[leaf, authority], ...others] = readCertificateChains(pems["rsa.pem"] + pems["ca.pem"]);
  assertEquals(others, []);
  const args = ["x509", "-noout", "-dates"];
  const { stdout } = await runChecked("openssl", args, { input: pems["rsa.pem"] });
  assertEquals(leaf.notBefore, seconds(stdout, "notBefore"));
  assertEquals(leaf.notAfter, seconds(stdout, "notAfter"));
  assertEquals([leaf.subject, leaf.issuer], ["localhost", "Ephemeral test authority"]);
  assertEquals(leaf.issuerDer, authority.subjectDer);
  assertEquals(authority.issuerDer, authority.subjectDer);
});

Deno.test("readCertificateChains() begins another chain at each private key", async () => {
  const pems = await certificatePems();
  const text = pems["rsa.key"] + pems["rsa.pem"] + pems["ec.key"] + pems["ec.pem"] + pems["ca.pem"];
  assertEquals(readCertificateChains(text).map((chain) => chain.length), [1, 2]);
});

Deno.test("readCertificateChains() leaves out what is no certificate, cut off or broken", async () => {
  const { "ec.pem": pem } = await certificatePems();
  assertEquals(readCertificateChains(""), []);
  const block = (inner: string) =>
    `-----BEGIN CERTIFICATE-----\n${inner}\n-----END CERTIFICATE-----\n`;
  const base64 = pem.replace(/-----[^-]+-----|\s/g, "");
  assertEquals(readCertificateChains(block("!!!")), []);
  for (const length of [4, 16, 40, 80]) {
    assertEquals(readCertificateChains(block(base64.slice(0, length))), [], `${length} characters`);
  }
  assertEquals(readCertificateChains(block(base64)).length, 1);
});
