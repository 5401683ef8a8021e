import { assert, assertEquals, assertMatch } from "@std/assert";
import { dumpLines } from "../../../lib/tls/session_log.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { latin1 } from "../../../lib/base/bytes.ts";
import { Hall, type HallOptions, Meeting, TLS12, TLS13, withCertificates } from "./_setup.ts";

const PEER = "[192.0.2.1]:25";

/** The lines of a handshake at `logLevel`, and of one that resumes its session. */
async function linesAt(
  logLevel: string,
  version: number,
  options: HallOptions = {},
): Promise<{ full: string[]; resumed: string[] }> {
  let result = { full: [] as string[], resumed: [] as string[] };
  await withCertificates((paths) => {
    const hall = new Hall(paths, { ...options, logLevel });
    using one = new Meeting(hall, { version });
    assertEquals(one.shake(), "done");
    one.engine.report(one.engine.summary());
    const full = hall.lines.splice(0);
    using session = one.client.session();
    using two = new Meeting(hall, { version, session: session.pointer });
    assertEquals(two.shake(), "done");
    assert(two.client.resumed);
    two.engine.report(two.engine.summary());
    result = { full, resumed: hall.lines.splice(0) };
    hall.close();
  });
  return result;
}

testDescriptors("levels 0 and 1 say nothing, and one line a handshake", async () => {
  assertEquals(await linesAt("0", TLS13), { full: [], resumed: [] });
  const { full, resumed } = await linesAt("1", TLS13);
  assertEquals([full.length, resumed.length], [1, 1]);
  assertMatch(full[0], /^Anonymous TLS connection established from \[192\.0\.2\.1\]:25: TLSv1\.3 /);
});

testDescriptors("cache shows what happens to sessions that are kept by id", async () => {
  const { full, resumed } = await linesAt("cache", TLS12, { tickets: false });
  const id = "[0-9A-F]{64}&s=smtp:25&l=[0-9]+";
  assertMatch(full.join("\n"), new RegExp(`^${escaped(PEER)}: save session ${id} to smtpd cache$`));
  assertMatch(
    resumed.join("\n"),
    new RegExp(
      `^${escaped(PEER)}: looking up session ${id} in smtpd cache\n` +
        `${escaped(PEER)}: reloaded session ${id} from smtpd cache\n` +
        `${escaped(PEER)}: Reusing old session$`,
    ),
  );
});

testDescriptors("cache shows what happens to tickets", async () => {
  for (const version of [TLS12, TLS13]) {
    const { full, resumed } = await linesAt("cache", version, { cache: false });
    const issuing = `${escaped(PEER)}: Issuing session ticket, key expiration: [0-9]+`;
    assertMatch(full.join("\n"), new RegExp(`^${issuing}$`));
    const lines = resumed.join("\n");
    assertMatch(lines, new RegExp(`${escaped(PEER)}: Decrypting session ticket, key expiration: `));
    assert(lines.includes(`${PEER}: Reusing old session (RFC 5077 session ticket)`));
  }
});

testDescriptors("ssl-debug shows states and alerts, and waiting is no error", async () => {
  const { full } = await linesAt("ssl-debug", TLS13);
  assert(full.includes("SSL_accept:SSLv3/TLS read client hello"), full.join("\n"));
  assertEquals(full.filter((line) => !line.startsWith("SSL_accept:")), []);
  assertEquals(full.filter((line) => line.includes("error in")), []);
  await withCertificates((paths) => {
    const hall = new Hall(paths, { logLevel: "ssl-debug", cache: false, tickets: false });
    using meeting = new Meeting(hall, { version: TLS12, ciphers: "ECDHE+aRSA" });
    assertEquals(meeting.shake(), "failed");
    assert(hall.lines.includes("SSL3 alert write:fatal:handshake failure"), hall.lines.join("\n"));
    assert(hall.lines.includes("SSL_accept:error in error"), hall.lines.join("\n"));
    hall.close();
  });
});

testDescriptors(
  "level 3 shows the bytes of the handshake, level 4 those behind it too",
  async () => {
    const read =
      /^read from [0-9A-F]{8,} \[[0-9A-F]{8,}\] \([0-9]+ bytes => [0-9]+ \(0x[0-9A-F]+\)\)$/;
    for (const [logLevel, more] of [["3", false], ["4", true]] as const) {
      await withCertificates((paths) => {
        const hall = new Hall(paths, { logLevel, cache: false, tickets: false });
        using meeting = new Meeting(hall, { version: TLS13 });
        assertEquals(meeting.shake(), "done");
        const lines = hall.lines.splice(0);
        assert(lines.some((line) => read.test(line)), lines.join("\n"));
        // The record of a ClientHello.
        assert(lines.some((line) => /^0000 16 03 01 /.test(line)));
        meeting.client.write(latin1("hello"));
        assert(meeting.engine.read(new Uint8Array(100)) > 0);
        assertEquals(hall.lines.some((line) => read.test(line)), more);
        hall.close();
      });
    }
  },
);

Deno.test("dumpLines() shows 16 bytes a line, and counts blanks and NULs at the end", () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, i) => i < 18 ? 0x41 + i : i === 18 ? 0x20 : 0);
  assertEquals(dumpLines(bytes), [
    "0000 41 42 43 44 45 46 47 48|49 4a 4b 4c 4d 4e 4f 50  ABCDEFGH IJKLMNOP",
    `0010 51 52 ${" ".repeat(14 * 3)} QR`,
    "0012 - <SPACES/NULLS>",
  ]);
  assertEquals(dumpLines(new Uint8Array([0x7f, 0x1f])), [
    `0000 7f 1f ${" ".repeat(14 * 3)} ..`,
  ]);
  assertEquals(dumpLines(new Uint8Array(2)), ["0000 - <SPACES/NULLS>"]);
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
