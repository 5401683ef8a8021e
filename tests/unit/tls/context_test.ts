import { assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { Panic } from "../../../lib/base/assert.ts";
import { filesOf, ServerContext } from "../../../lib/tls/context.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { Hall, Meeting, policyOf, TLS12, TLS13, withCertificates } from "./_setup.ts";

testDescriptors(
  "a cipher list that selects nothing is refused by its name",
  () =>
    withCertificates((paths) => {
      const make = () => new ServerContext(policyOf(paths, { cipherList: "BOGUS" }));
      assertThrows(make, FatalError, 'Cannot use cipher list "BOGUS": it selects no cipher');
    }),
);

testDescriptors(
  "a protocol version that OpenSSL does not know is refused",
  () =>
    withCertificates((paths) => {
      for (const [floor, ceiling, words] of [[0, 0x305, "ceiling"], [0x305, 0, "floor"]] as const) {
        const protocols = { excluded: 0n, floor, ceiling };
        const make = () => new ServerContext(policyOf(paths, { protocols }));
        assertThrows(make, FatalError, `Cannot use protocol ${words} 0x0305`);
      }
    }),
);

testDescriptors(
  "floor, ceiling and exclusions decide about handshakes",
  () =>
    withCertificates((paths) => {
      const cases: [bigint, number, number, boolean, boolean][] = [
        [0n, TLS12, 0, true, true],
        [0n, TLS13, 0, false, true],
        [0n, 0, TLS12, true, false],
        [0x20000000n, 0, 0, true, false],
        [0x08000000n, 0, 0, false, true],
        [0n, TLS13, TLS12, false, false],
      ];
      for (const [excluded, floor, ceiling, ...wanted] of cases) {
        const protocols = { excluded, floor, ceiling };
        const hall = new Hall(paths, { cache: false, policy: { protocols } });
        const found = [TLS12, TLS13].map((version) => {
          using meeting = new Meeting(hall, { version });
          return meeting.shake() === "done";
        });
        assertEquals(found, wanted, `${excluded} ${floor} ${ceiling}`);
        hall.close();
      }
    }),
);

testDescriptors(
  "groups that are not known, or known twice, do not end the program",
  () =>
    withCertificates((paths) => {
      const groups = ["bogus", "P-224", "secp224r1", "prime256v1", "P-256", "FFDHE2048"];
      const hall = new Hall(paths, { policy: { groups } });
      for (const [offered, done] of [["P-256", true], ["X25519", false]] as const) {
        using meeting = new Meeting(hall, { version: TLS13, groups: offered });
        assertEquals(meeting.shake() === "done", done, offered);
      }
      hall.close();
      const unknown = new Hall(paths, { policy: { groups: ["bogus"] } });
      assertEquals(unknown.context.warnings.length, 1);
      using meeting = new Meeting(unknown, { version: TLS13, groups: "X25519" });
      assertEquals(meeting.shake(), "done");
      unknown.close();
    }),
);

testDescriptors("the server's cipher order wins when told so", () =>
  withCertificates((paths) => {
    const names = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"];
    for (const preferServerCiphers of [true, false]) {
      const policy = { preferServerCiphers, cipherList: names.join(":") };
      const hall = new Hall(paths, { policy });
      using meeting = new Meeting(hall, { version: TLS12, ciphers: names.toReversed().join(":") });
      meeting.shake();
      assertEquals(meeting.engine.summary().cipher, names[preferServerCiphers ? 0 : 1]);
      hall.close();
    }
  }));

testDescriptors(
  "a context lives as long as its sessions, and is not used after close()",
  () =>
    withCertificates((paths) => {
      const hall = new Hall(paths);
      using meeting = new Meeting(hall);
      hall.context.close();
      hall.context.close();
      assertEquals(meeting.shake(), "done");
      assertThrows(() => hall.context.pointer, Panic);
      assertThrows(() => hall.context.enableResumption(hall.context.resumption!), Panic);
      hall.resumption?.close();
    }),
);

Deno.test("filesOf() names all that a context is read from, and nothing else", () =>
  withCertificates((paths) => {
    const policy = policyOf(paths);
    const { certificates, trust } = policy;
    assertEquals(filesOf(policy), [paths.ecCertificate, paths.ecKey]);
    const more = {
      ...policy,
      certificates: { ...certificates, chainFiles: ["/chain"] },
      trust: { ...trust, caFile: "/authorities", caPath: "/folder" },
    };
    assertEquals(filesOf({ ...more, dhFile: "auto" }), ["/chain", "/authorities", "/folder"]);
    assertEquals(filesOf({ ...more, dhFile: "/dh" }), ["/chain", "/dh", "/authorities", "/folder"]);
  }));
