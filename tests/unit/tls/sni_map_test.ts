import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import { isHostName, SniMap } from "../../../lib/tls/sni_map.ts";
import type { CertificatePaths } from "../../support/certificates.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import type { TempFolder } from "../../support/temp_folder.ts";
import { Hall, type HallOptions, Meeting, TLS12, TLS13, withCertificates } from "./_setup.ts";

const PARAMETER = "tls_server_sni_maps";

function testNames(
  name: string,
  run: (paths: CertificatePaths, folder: TempFolder) => void | Promise<void>,
): void {
  testDescriptors(name, () => withCertificates(run));
}

/** A chain file with the RSA key, where the server's own is ECDSA. */
async function rsaChain(paths: CertificatePaths, folder: TempFolder): Promise<string> {
  const [key, certificate] = [paths.rsaKey, paths.rsaCertificate].map((path) =>
    Deno.readTextFileSync(path)
  );
  return await folder.write("rsa_chain.pem", key + certificate);
}

/** What the server shows to a client that asks for `serverName`. */
function shown(
  hall: Hall,
  serverName: string | undefined,
  version = TLS13,
): { signature: string; name: string; lines: string[] } {
  using meeting = new Meeting(hall, {
    version,
    ...(serverName !== undefined && { serverName }),
  });
  assertEquals(meeting.shake(), "done");
  const handshake = meeting.engine.summary();
  const signature = version === TLS13
    ? handshake.serverSignature?.name ?? ""
    : handshake.cipher.includes("RSA")
    ? "RSA-PSS"
    : "ECDSA";
  meeting.engine.report(handshake);
  return { signature, name: handshake.serverName, lines: hall.lines.splice(0) };
}

const OPTIONS: HallOptions = { tickets: false, cache: false, logLevel: "1" };

testNames("a name gets its certificates, whatever its case; others get the server's own", async (
  paths,
  folder,
) => {
  const chain = await rsaChain(paths, folder);
  const sni = new SniMap(new Map([["Mail.Example.Test", [chain]]]), PARAMETER);
  const hall = new Hall(paths, { ...OPTIONS, sni });
  for (const version of [TLS12, TLS13]) {
    const found = shown(hall, "mail.EXAMPLE.test", version);
    assertEquals([found.signature, found.name], ["RSA-PSS", "mail.EXAMPLE.test"]);
    assert(found.lines[0].includes(" from [192.0.2.1]:25 to mail.EXAMPLE.test: TLSv1."));
    const other = shown(hall, "other.example.test", version);
    assertEquals([other.signature, other.name], ["ECDSA", ""]);
    assertEquals(
      other.lines[0],
      "TLS SNI other.example.test from [192.0.2.1]:25 not matched, using default chain",
    );
    const none = shown(hall, undefined, version);
    assertEquals([none.signature, none.name, none.lines.length], ["ECDSA", "", 1]);
  }
  hall.close();
  sni.close();
});

testNames("a parent with a dot in front stands for all names below it", async (paths, folder) => {
  const chain = await rsaChain(paths, folder);
  const sni = new SniMap(new Map([[".example.test", [chain]]]), PARAMETER);
  const hall = new Hall(paths, { ...OPTIONS, sni });
  const signatureFor = (name: string) => shown(hall, name).signature;
  assertEquals(signatureFor("a.example.test"), "RSA-PSS");
  assertEquals(signatureFor("a.b.example.test"), "RSA-PSS");
  assertEquals(signatureFor("example.test"), "ECDSA");
  assertEquals(signatureFor("aexample.test"), "ECDSA");
  hall.close();
  sni.close();
});

testNames("a name that is no host name is not looked up", async (paths, folder) => {
  const chain = await rsaChain(paths, folder);
  const sni = new SniMap(new Map([[".test", [chain]]]), PARAMETER);
  const hall = new Hall(paths, { ...OPTIONS, sni });
  for (const name of ["-x.test", "a..test", "a b.test", "192.0.2.1"]) {
    const { signature, lines } = shown(hall, name);
    assertEquals(signature, "ECDSA");
    assertEquals(lines[0], `warning: TLS SNI from [192.0.2.1]:25 is invalid: ${name}`);
  }
  hall.close();
  sni.close();
});

testNames("a second hello asks for the same name without another word", async (paths, folder) => {
  const chain = await rsaChain(paths, folder);
  const sni = new SniMap(new Map([["mail.test", [chain]]]), PARAMETER);
  const hall = new Hall(paths, { ...OPTIONS, sni, policy: { groups: ["secp384r1"] } });
  // The client guesses X25519, so the server asks it to try again.
  using meeting = new Meeting(hall, { serverName: "mail.test", groups: "X25519:secp384r1" });
  assertEquals(meeting.shake(), "done");
  assertEquals(meeting.engine.summary().serverName, "mail.test");
  assertEquals(hall.lines, []);
  hall.close();
  sni.close();
});

testNames("chains are read when the map is made, and the name at fault is told", async (
  paths,
  folder,
) => {
  const noKey = await folder.write("nokey.pem", Deno.readTextFileSync(paths.rsaCertificate));
  for (const file of [noKey, "/nowhere/chain.pem"]) {
    const error = assertThrows(
      () => new SniMap(new Map([["mail.test", [file]]]), PARAMETER),
      FatalError,
    );
    assert(`${error.message} ${error.hint}`.includes(file));
    assertEquals(drainErrors(), []);
  }
  const error = assertThrows(
    () => new SniMap(new Map([["mail.test", ["/nowhere/chain.pem"]]]), PARAMETER),
    FatalError,
  );
  assert(error.hint?.includes(`${PARAMETER} (mail.test)`));
});

testNames("sessions that began before the map was closed keep their certificates", async (
  paths,
  folder,
) => {
  const chain = await rsaChain(paths, folder);
  const sni = new SniMap(new Map([["mail.test", [chain]]]), PARAMETER);
  const hall = new Hall(paths, { ...OPTIONS, sni });
  using meeting = new Meeting(hall, { serverName: "mail.test" });
  assertEquals(meeting.shake(), "done");
  sni.close();
  hall.close();
  assertEquals(meeting.engine.summary().serverSignature?.name, "RSA-PSS");
});

Deno.test("isHostName() of what valid_hostname() takes and refuses", () => {
  const label = "a".repeat(63);
  for (const name of ["a", "a.b", "A-1.b_c", "_x.y", label, `${label}.${label}`, "1a.2"]) {
    assertEquals([name, isHostName(name)], [name, true]);
  }
  const long = Array(5).fill(label).join(".");
  for (
    const name of ["", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "1.2", "é", `${label}a`, long]
  ) {
    assertEquals([name, isHostName(name)], [name, false]);
  }
});
