import { assert, assertEquals } from "@std/assert";
import { ListPrinter } from "../../../lib/attr/print.ts";
import { toLatin1 } from "../../../lib/base/bytes.ts";
import {
  decodeClientSettings,
  decodeServerSettings,
  printClientSettings,
  printServerSettings,
} from "../../../lib/proto/tls_params.ts";
import type { PostfixRelease } from "../../../lib/proto/tls_settings.ts";
import { goldenList } from "../../wire/golden.ts";
import { listOf, readerOf, Seeded } from "../../wire/lists.ts";
import {
  someClientInit,
  someClientStart,
  someParameters,
  someServerInit,
  someServerStart,
} from "../../wire/settings.ts";

/** Attributes of PARAMS and START (the groups counted as they are sent), and of the TLS context. */
const RELEASES: [PostfixRelease, number, 22 | 24 | 25 | 26][] = [
  ["3.7", 20, 22],
  ["3.8", 19, 22],
  ["3.9", 19, 24],
  ["3.10", 19, 25],
  ["3.11", 18, 25],
  ["3.12", 19, 26],
];

/** The words of 3.7's list B; a list of names and values. */
function clientWords(): string[] {
  return toLatin1(goldenList("client_settings_3_7")).slice(0, -2).split("\0");
}

/** Words with the attribute `name` (its first, or its last, occurrence) taken out. */
function without(words: string[], name: string, last = false): string[] {
  const at = last ? words.lastIndexOf(name) : words.indexOf(name);
  return words.toSpliced(at, 2);
}

Deno.test("decodeClientSettings(printClientSettings(x)) is x for every release", () => {
  const random = new Seeded(12);
  const printer = new ListPrinter();
  for (const [release, parameterCount, contextAttributes] of RELEASES) {
    for (let i = 0; i < 60; i++) {
      const parameters = someParameters(random, release);
      assertEquals(parameters.size, parameterCount);
      const init = someClientInit(random);
      const start = someClientStart(random, release, i % 2 === 0);
      const bytes = printClientSettings(printer.begin(), { parameters, init, start });
      const read = decodeClientSettings(readerOf(bytes));
      assert(read !== undefined);
      assertEquals(read.release, release);
      assertEquals(read.contextAttributes, contextAttributes);
      assertEquals(new Map([...read.parameters].sort()), new Map([...parameters].sort()));
      assertEquals(read.init, init);
      assertEquals(read.start, start);
    }
  }
});

Deno.test("decodeServerSettings(printServerSettings(x)) is x", () => {
  const random = new Seeded(13);
  const printer = new ListPrinter();
  for (let i = 0; i < 100; i++) {
    const parameters = someParameters(random, "server");
    const init = someServerInit(random);
    const start = someServerStart(random);
    const bytes = printServerSettings(printer.begin(), { parameters, init, start });
    const read = decodeServerSettings(readerOf(bytes));
    assert(read !== undefined);
    assertEquals(new Map([...read.parameters].sort()), new Map([...parameters].sort()));
    assertEquals(read.init, init);
    assertEquals(read.start, start);
    assertEquals(read.contextAttributes, start.traceBytesMax === undefined ? 25 : 26);
  }
});

Deno.test("decodeClientSettings() takes the early patch levels without tls_config_file", () => {
  const words = without(without(clientWords(), "config_file"), "config_name");
  const read = decodeClientSettings(readerOf(listOf(...words)));
  assertEquals(read?.release, "3.7");
  assertEquals(read?.parameters.has("tls_config_file"), false);
});

Deno.test("decodeClientSettings() takes 3.12 as it was before the log level came per session", () => {
  const random = new Seeded(14);
  const start = someClientStart(random, "3.11", true);
  const parameters = someParameters(random, "3.12");
  const init = someClientInit(random);
  const bytes = printClientSettings(new ListPrinter().begin(), { parameters, init, start });
  const read = decodeClientSettings(readerOf(bytes));
  assertEquals([read?.release, read?.contextAttributes], ["3.12", 25]);
});

Deno.test("decodeClientSettings() gives where PARAMS and INIT end", () => {
  const bytes = goldenList("client_settings_3_7");
  const end = decodeClientSettings(readerOf(bytes))?.initEnd ?? 0;
  assertEquals(toLatin1(bytes, end - 13, end + 12), "mdalg\0sha256\0timeout\x00300\0");
});

Deno.test("decodeClientSettings() refuses a list without a required attribute", () => {
  const reader = readerOf(listOf(...without(clientWords(), "tls_ssl_options")));
  assertEquals(decodeClientSettings(reader), undefined);
  assertEquals(reader.fault, {
    kind: "unexpected",
    found: "tls_dane_digests",
    expecting: "tls_ssl_options",
  });
});

Deno.test("decodeClientSettings() refuses every list that ends too early", () => {
  const words = clientWords();
  for (let end = 0; end < words.length; end += 2) {
    const reader = readerOf(listOf(...words.slice(0, end)));
    assertEquals(decodeClientSettings(reader), undefined);
    assertEquals(reader.fault?.kind, "missing");
  }
});

Deno.test("decodeClientSettings() refuses unknown attributes anywhere", () => {
  const words = clientWords();
  for (let at = 0; at <= words.length; at += 2) {
    const reader = readerOf(listOf(...words.toSpliced(at, 0, "surprise", "1")));
    assertEquals(decodeClientSettings(reader), undefined);
    assertEquals(reader.fault?.kind, "unexpected");
  }
});

Deno.test("decodeClientSettings() refuses lists in another order", () => {
  const words = clientWords();
  const at = words.indexOf("host");
  const swapped = words.toSpliced(at, 2).toSpliced(at - 2, 0, "host", "h");
  assertEquals(decodeClientSettings(readerOf(listOf(...swapped))), undefined);
});

Deno.test("decodeServerSettings() refuses the client role's list", () => {
  const reader = readerOf(goldenList("client_settings_3_7"));
  assertEquals(decodeServerSettings(reader), undefined);
  assertEquals(reader.fault, {
    kind: "unexpected",
    found: "tls_low_cipherlist",
    expecting: "tls_null_cipherlist",
  });
});
