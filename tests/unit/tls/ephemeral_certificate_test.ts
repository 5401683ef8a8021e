import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { type KeyKind, writeEphemeralCertificate } from "../../../lib/tls/ephemeral_certificate.ts";
import { runChecked } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const KINDS: readonly [kind: KeyKind, words: string][] = [
  ["ECDSA P-256", "prime256v1"],
  ["RSA-2048", "(2048 bit)"],
];

for (const [kind, words] of KINDS) {
  Deno.test(`writeEphemeralCertificate() makes ${kind} files that openssl accepts`, async () => {
    await using folder = await TempFolder.make("eph");
    const path = folder.file("a.pem");
    writeEphemeralCertificate(path, kind, "host.example");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const openssl = async (...args: string[]) => (await runChecked("openssl", args)).stdout;
    const text = await openssl("x509", "-in", path, "-noout", "-text");
    for (const part of [words, "Version: 3 (0x2)", "Subject: CN = host.example"]) {
      assertStringIncludes(text.replaceAll("CN=", "CN = "), part);
    }
    // Self-signed, valid at this moment, and the key in the file is its own.
    await runChecked("openssl", ["verify", "-CAfile", path, path]);
    assertEquals(
      await openssl("pkey", "-in", path, "-pubout"),
      await openssl("x509", "-in", path, "-noout", "-pubkey"),
    );
  });
}

Deno.test("writeEphemeralCertificate() leaves a file alone that is there", async () => {
  await using folder = await TempFolder.make("eph");
  const path = await folder.write("a.pem", "precious");
  const error = assertThrows(
    () => writeEphemeralCertificate(path, "ECDSA P-256", "host.example"),
    FatalError,
  );
  assertStringIncludes(error.message, `Cannot create "${path}": `);
  assertEquals(await Deno.readTextFile(path), "precious");
});
