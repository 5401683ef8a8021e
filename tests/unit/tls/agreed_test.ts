import { assertEquals } from "@std/assert";
import { type Agreed, cipherName, groupName, protocolName } from "../../../lib/tls/agreed.ts";
import type { ServerEngine } from "../../../lib/tls/engine.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import type { TlsClientOptions } from "../../support/tls_client.ts";
import {
  Hall,
  type HallOptions,
  Meeting,
  TIMEOUT_S,
  TLS12,
  TLS13,
  withCertificates,
} from "./_setup.ts";

/** `SSL_OP_NO_TICKET` */
const NO_TICKET = 1n << 14n;
const BY_ID = { version: TLS12, options: NO_TICKET } as const;

function agreedBy(engine: ServerEngine): Agreed {
  const agreed: Agreed = { version: 0, cipherId: 0, groupId: 0, resumed: "full", missed: "" };
  engine.agreed(agreed);
  return agreed;
}

/** What is said of a client's first visit, and of the next one, with the session of the first. */
async function visits(
  client: TlsClientOptions,
  { between = () => {}, ...options }: HallOptions & { between?: (hall: Hall) => void } = {},
): Promise<{ first: Agreed; second: Agreed }> {
  let told: { first: Agreed; second: Agreed } | undefined;
  await withCertificates((paths) => {
    const hall = new Hall(paths, options);
    {
      using first = new Meeting(hall, client);
      assertEquals(first.shake(), "done");
      using session = first.client.session();
      first.client.shutdown();
      between(hall);
      using second = new Meeting(hall, { ...client, session: session.pointer });
      assertEquals(second.shake(), "done");
      told = { first: agreedBy(first.engine), second: agreedBy(second.engine) };
    }
    hall.close();
  });
  return told!;
}

testDescriptors("ServerEngine.agreed() tells in numbers what has names", async () => {
  const { first } = await visits({ version: TLS13, groups: "P-256" });
  assertEquals([first.version, first.cipherId], [0x304, 0x1302]);
  assertEquals(
    [protocolName(first.version), cipherName(first.cipherId), groupName(first.groupId)],
    ["TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp256r1"],
  );
  const ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  const { first: older } = await visits({ version: TLS12, ciphers, groups: "X25519:P-256" });
  assertEquals([older.version, older.cipherId], [0x303, 0xc02b]);
  assertEquals(
    [protocolName(older.version), cipherName(older.cipherId), groupName(older.groupId)],
    ["TLSv1.2", ciphers, "x25519"],
  );
});

Deno.test("numbers that were never agreed on have no name", () => {
  assertEquals([protocolName(0), cipherName(0), groupName(0)], ["", "", ""]);
});

for (
  const [name, client, resumed] of [
    ["by id", BY_ID, "session id"],
    ["by ticket", { version: TLS12 }, "ticket"],
    ["of TLS 1.3", { version: TLS13 }, "psk"],
  ] as const
) {
  testDescriptors(`ServerEngine.agreed() tells of a session resumed ${name}`, async () => {
    const { first, second } = await visits(client);
    assertEquals([first.resumed, first.missed], ["full", ""]);
    assertEquals([second.resumed, second.missed], [resumed, ""]);
  });
}

for (
  const [missed, client, between] of [
    ["not in cache", BY_ID, (hall: Hall) => hall.tlsmgr.sessions.clear()],
    ["no answer", BY_ID, (hall: Hall) => void (hall.tlsmgr.reachable = false)],
    ["unknown ticket key", { version: TLS12 }, (hall: Hall) => forgetKeys(hall)],
    ["unknown ticket key", { version: TLS13 }, (hall: Hall) => forgetKeys(hall)],
  ] as const
) {
  const version = client.version === TLS13 ? "TLS 1.3" : "TLS 1.2";
  testDescriptors(
    `ServerEngine.agreed() tells why nothing is resumed: ${missed}, ${version}`,
    async () => {
      const { second } = await visits(client, { between });
      assertEquals([second.resumed, second.missed], ["full", missed]);
    },
  );
}

testDescriptors("ServerEngine.agreed() tells that a session there is not usable", async () => {
  const { second } = await visits(BY_ID, {
    between(hall) {
      for (const [key, session] of hall.tlsmgr.sessions) {
        hall.tlsmgr.sessions.set(key, session.slice(1));
      }
    },
  });
  assertEquals([second.resumed, second.missed], ["full", "not usable"]);
});

/** No key that a ticket was made with is known any more, here or there. */
function forgetKeys(hall: Hall): void {
  hall.tlsmgr.clock.advance(3 * TIMEOUT_S * 1000);
  hall.tlsmgr.replaceKey();
}
