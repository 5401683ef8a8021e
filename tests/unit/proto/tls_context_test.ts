import { assertEquals } from "@std/assert";
import { ListPrinter } from "../../../lib/attr/print.ts";
import {
  type ContextAttributes,
  decodeTlsContext,
  emptySummary,
  printTlsContext,
  type SignatureSummary,
  type TlsSummary,
} from "../../../lib/proto/tls_context.ts";
import { readerOf, Seeded } from "../../wire/lists.ts";

const WIDTHS: readonly ContextAttributes[] = [22, 24, 25, 26];

function printable(random: Seeded): string {
  return random.text().replace(/[^ -~\x80-\xff]/g, ".");
}

function someSignature(random: Seeded): SignatureSummary {
  return {
    name: printable(random),
    curve: printable(random),
    bits: random.below(5000),
    digest: printable(random),
  };
}

function someSummary(random: Seeded): TlsSummary {
  return {
    peerCommonName: printable(random),
    issuerCommonName: printable(random),
    peerFingerprint: printable(random),
    peerKeyFingerprint: printable(random),
    level: random.below(9),
    peerStatus: random.below(64),
    protocol: printable(random),
    cipherName: printable(random),
    cipherUsedBits: random.below(257),
    cipherAlgorithmBits: random.below(257),
    keyExchange: printable(random),
    keyExchangeCurve: printable(random),
    keyExchangeBits: random.below(9000),
    clientRawKey: random.flip(),
    serverRawKey: random.flip(),
    clientSignature: someSignature(random),
    serverSignature: someSignature(random),
    namaddr: printable(random),
    reported: random.flip(),
    traceBytesLeft: random.int32(),
  };
}

Deno.test("printTlsContext() prints exactly as many attributes as wanted", () => {
  for (const width of WIDTHS) {
    const bytes = printTlsContext(new ListPrinter(), emptySummary(), width);
    assertEquals(readerOf(bytes).count, width);
  }
});

Deno.test("decodeTlsContext(printTlsContext(x)) is x as far as the width goes", () => {
  const random = new Seeded(67);
  const printer = new ListPrinter();
  for (let i = 0; i < 200; i++) {
    const width = random.pick(WIDTHS);
    const summary = someSummary(random);
    if (width < 24) Object.assign(summary, { clientRawKey: false, serverRawKey: false });
    if (width < 25) summary.reported = false;
    if (width < 26) summary.traceBytesLeft = 0;
    const bytes = printTlsContext(printer, summary, width);
    assertEquals(decodeTlsContext(readerOf(bytes), width), summary);
  }
});

Deno.test("decodeTlsContext() refuses a context of another width", () => {
  for (const sent of WIDTHS) {
    for (const wanted of WIDTHS) {
      const bytes = printTlsContext(new ListPrinter(), emptySummary(), sent);
      assertEquals(decodeTlsContext(readerOf(bytes), wanted) !== undefined, sent === wanted);
    }
  }
});

Deno.test("printTlsContext() lets no control character through", () => {
  const summary = emptySummary();
  summary.peerCommonName = "a\nb\0c\x7fd\xe9";
  summary.serverSignature.name = "RSA\r\n";
  const read = decodeTlsContext(readerOf(printTlsContext(new ListPrinter(), summary, 26)), 26);
  assertEquals(read?.peerCommonName, "a?b?c?d\xe9");
  assertEquals(read?.serverSignature.name, "RSA??");
});
