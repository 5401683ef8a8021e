import { assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { drainErrors } from "../../../lib/ffi/openssl/error_queue.ts";
import { ServerContext } from "../../../lib/tls/context.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { Hall, Meeting, policyOf, TLS12, withCertificates } from "./_setup.ts";

/** The 4096-bit group of RFC 7919: OpenSSL chooses a smaller one by itself. */
async function groupFile(folder: { file(name: string): string }): Promise<string> {
  const path = folder.file("dh.pem");
  const { code, stderr } = await new Deno.Command("openssl", {
    args: ["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe4096", "-out", path],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return path;
}

testDescriptors(
  "DHE works with OpenSSL's choice of a group and with a file's",
  () =>
    withCertificates(async (paths, folder) => {
      const file = await groupFile(folder);
      for (const dhFile of ["", file, "auto"]) {
        const hall = new Hall(paths, { tickets: false, cache: false, policy: { dhFile } });
        using meeting = new Meeting(hall, { version: TLS12, ciphers: "DHE+aRSA:ADH@SECLEVEL=0" });
        assertEquals([dhFile, meeting.shake()], [dhFile, "done"]);
        // The parameters of one context are not another's.
        assertEquals([dhFile, meeting.client.temporaryKeyBits === 4096], [dhFile, dhFile === file]);
        hall.close();
      }
    }),
);

testDescriptors(
  "a DH file that cannot be used is refused by its name",
  () =>
    withCertificates(async (paths, folder) => {
      const text = await folder.write("no.pem", "no parameters\n");
      const files: [string, string][] = [
        ["/nowhere/dh.pem", 'Cannot read DH parameter file "/nowhere/dh.pem"'],
        [text, `Cannot use DH parameter file "${text}"`],
        [paths.ecCertificate, `Cannot use DH parameter file "${paths.ecCertificate}"`],
      ];
      for (const [dhFile, words] of files) {
        assertThrows(() => new ServerContext(policyOf(paths, { dhFile })), FatalError, words);
        assertEquals(drainErrors(), []);
      }
    }),
);
