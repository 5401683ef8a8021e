import { assertEquals } from "@std/assert";
import { certificateEnds } from "../../../lib/tls/certificate_ends.ts";
import { ServerContext } from "../../../lib/tls/context.ts";
import { SniMap } from "../../../lib/tls/sni_map.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { runChecked } from "../../support/process.ts";
import { policyOf, withCertificates } from "./_setup.ts";

/** The end of a certificate as the `openssl` command tells it. */
async function endOf(path: string): Promise<number> {
  const { stdout } = await runChecked("openssl", ["x509", "-noout", "-enddate", "-in", path]);
  return Date.parse(stdout.trim().replace("notAfter=", "")) / 1000;
}

testDescriptors(
  "certificateEnds() tells file, subject and end of each chain, those of server names included",
  () =>
    withCertificates(async (paths) => {
      const chain = `${paths.ca}.chain`;
      Deno.writeTextFileSync(
        chain,
        Deno.readTextFileSync(paths.ecKey) + Deno.readTextFileSync(paths.ecCertificate),
        { mode: 0o600 },
      );
      const sni = new SniMap(new Map([["mx.example.test", [chain]]]), "tls_server_sni_maps");
      const context = new ServerContext(policyOf(paths), sni);
      const ends = certificateEnds(context);
      assertEquals(certificateEnds(context), ends);
      context.close();
      sni.close();
      const own = ends.filter(({ shown }) => !shown.endsWith(" for mx.example.test"));
      const files = own.map(({ shown }) => /^certificate file "([^"]+)"/.exec(shown)?.[1] ?? shown);
      assertEquals(files, [paths.ecCertificate]);
      for (const [index, file] of files.entries()) {
        assertEquals(own[index].endsAtS, await endOf(file));
        assertEquals(own[index].subject, "/CN=localhost");
      }
      assertEquals(ends.length - own.length, 1);
      assertEquals(ends.at(-1)?.shown, `chain file "${chain}" for mx.example.test`);
      assertEquals(ends.at(-1)?.endsAtS, await endOf(paths.ecCertificate));
    }),
);
