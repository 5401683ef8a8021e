import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import type { CertificateFiles } from "../../../lib/tls/certificates.ts";
import { ServerContext, type ServerPolicy } from "../../../lib/tls/context.ts";
import { SniMap } from "../../../lib/tls/sni_map.ts";
import { tryChains } from "../../../lib/tls/trial.ts";
import type { CertificatePaths } from "../../support/certificates.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { spoilKey } from "../../support/spoiled_key.ts";
import { policyOf, TLS12, TLS13, withCertificates } from "./_setup.ts";

type Pair = readonly [certificate: string, key: string];

const rsaOf = ({ rsaCertificate, rsaKey }: CertificatePaths): Pair => [rsaCertificate, rsaKey];
const ecOf = ({ ecCertificate, ecKey }: CertificatePaths): Pair => [ecCertificate, ecKey];

function pairs(...files: readonly Pair[]): CertificateFiles {
  return {
    chainFiles: [],
    chainParameter: "tlsproxy_tls_chain_files",
    pairs: files.map(([certificateFile, keyFile]) => ({
      ...{ certificateFile, keyFile },
      certificateParameter: "tlsproxy_tls_cert_file",
      keyParameter: "tlsproxy_tls_key_file",
    })),
  };
}

/** Tries a context of these rules, and leaves nothing behind. */
function tried(policy: ServerPolicy, sni?: SniMap): readonly string[] {
  const context = new ServerContext(policy, sni);
  try {
    return tryChains(context);
  } finally {
    context.close();
    sni?.close();
    assertEquals(drainErrors(), [], "no error of OpenSSL's is left behind");
  }
}

function testTrial(name: string, run: (paths: CertificatePaths) => void | Promise<void>): void {
  testDescriptors(`tryChains() ${name}`, () => withCertificates(run));
}

testTrial("finds nothing wrong with keys that sign", (paths) => {
  const certificates = pairs(rsaOf(paths), ecOf(paths));
  assertEquals(tried(policyOf(paths, { certificates })), []);
});

testTrial(
  "knows by its file a key that does not sign, whichever of several it is",
  async (paths) => {
    for (const [good, bad] of [[ecOf, rsaOf], [rsaOf, ecOf]]) {
      const [certificate, key] = bad(paths);
      const spoiled = await spoilKey(key);
      for (
        const order of [[good(paths), [certificate, spoiled]], [
          [certificate, spoiled],
          good(paths),
        ]]
      ) {
        const certificates = pairs(...order as Pair[]);
        const error = assertThrows(() => tried(policyOf(paths, { certificates })), FatalError);
        assertMatch(
          error.message,
          /^Cannot use certificate file ".*" with private key ".*": a trial handshake failed: ./,
        );
        assertStringIncludes(error.message, `"${certificate}" with private key "${spoiled}"`);
        assertEquals(error.exitCode, 78);
      }
    }
  },
);

testTrial("tries chain files, and those of server names", async (paths) => {
  const concatenated = async (name: string, [certificate, key]: Pair): Promise<string> => {
    const texts = await Promise.all([key, certificate].map((file) => Deno.readTextFile(file)));
    await Deno.writeTextFile(`${paths.ca}.${name}`, texts.join(""));
    return `${paths.ca}.${name}`;
  };
  const good = await concatenated("good", ecOf(paths));
  const bad = await concatenated("bad", [paths.ecCertificate, await spoilKey(paths.ecKey)]);
  const files = (file: string) => ({ ...pairs(), chainFiles: [file] });
  const sni = (file: string) => new SniMap(new Map([["mx.example.test", [file]]]), "sni");
  assertEquals(tried(policyOf(paths, { certificates: files(good) }), sni(good)), []);
  const own = assertThrows(
    () => tried(policyOf(paths, { certificates: files(bad) })),
    FatalError,
  );
  assertStringIncludes(own.message, `Cannot use chain file "${bad}": a trial handshake failed`);
  const named = assertThrows(
    () => tried(policyOf(paths, { certificates: files(good) }), sni(bad)),
    FatalError,
  );
  assertStringIncludes(
    named.message,
    `Cannot use chain file "${bad}" for mx.example.test: a trial`,
  );
});

testTrial("takes every rule that leaves a handshake", (paths) => {
  const certificates = pairs(rsaOf(paths), ecOf(paths));
  const changes: Partial<ServerPolicy>[] = [
    { protocols: { excluded: 0n, floor: TLS13, ceiling: 0 } },
    { protocols: { excluded: 0n, floor: TLS12, ceiling: TLS12 } },
    { protocols: { excluded: 0n, floor: 0, ceiling: 0x301 }, cipherList: "ALL:@SECLEVEL=0" },
    { groups: ["secp521r1"] },
    { groups: ["P-256", "X25519"], protocols: { excluded: 0n, floor: TLS13, ceiling: 0 } },
    { groups: ["brainpoolP256r1"] },
    { cipherList: "aNULL:ALL" },
    { cipherList: "kRSA:ECDHE-ECDSA-AES128-SHA256" },
    { noTickets: true, preferServerCiphers: true },
    { clientCertificates: { depth: 9, acceptServerUse: false } },
  ];
  for (const change of changes) {
    assertEquals(
      tried(policyOf(paths, { certificates, ...change })),
      [],
      Deno.inspect(change),
    );
  }
});

testTrial("warns of a good key that the rules leave no handshake for", async (paths) => {
  const rules = {
    protocols: { excluded: 0n, floor: TLS12, ceiling: TLS12 },
    cipherList: "aECDSA",
  };
  const certificates = pairs(rsaOf(paths), ecOf(paths));
  const warnings = tried(policyOf(paths, { certificates, ...rules }));
  assertEquals(warnings.length, 1);
  assertStringIncludes(warnings[0], `certificate file "${paths.rsaCertificate}" with private key`);
  assertStringIncludes(warnings[0], "is not used: ");
  // The same rules do not excuse a key that does not sign.
  const spoiled = pairs([paths.rsaCertificate, await spoilKey(paths.rsaKey)], ecOf(paths));
  assertThrows(() => tried(policyOf(paths, { certificates: spoiled, ...rules })), FatalError);
});

testTrial("leaves the context as it serves", (paths) => {
  const context = new ServerContext(policyOf(paths, { certificates: pairs(rsaOf(paths)) }));
  assertEquals([tryChains(context), tryChains(context)], [[], []]);
  context.enableResumption({
    ...{ lifetimeS: 10, cachable: true, ticketable: false, alwaysIssueIds: false },
  });
  assert(context.resumption !== undefined);
  context.close();
});
