import { assertEquals } from "@std/assert";
import type { ListReader } from "../../../lib/attr/read.ts";
import {
  daneGroup,
  type DaneTrust,
  reportGroup,
  stringArray,
  TLSA_DATA_BYTES_MAX,
  type TlsReportRequest,
} from "../../../lib/proto/tls_groups.ts";
import { listOf, readerOf } from "../../wire/lists.ts";

interface Groups {
  patterns: string[];
  dane: DaneTrust | undefined;
  tlsReport?: TlsReportRequest | null;
}

const EMPTY: Groups = { patterns: [], dane: undefined };

function readPatterns(...words: string[]): { reader: ListReader; texts: string[] | undefined } {
  const reader = readerOf(listOf(...words));
  const groups = { ...EMPTY };
  const done = stringArray<Groups>("patterns").read(reader, groups) && reader.end();
  return { reader, texts: done ? groups.patterns : undefined };
}

function readDane(...words: string[]): { reader: ListReader; done: boolean; groups: Groups } {
  const reader = readerOf(listOf(...words));
  const groups = { ...EMPTY };
  const done = daneGroup<Groups>().read(reader, groups) && reader.end();
  return { reader, done, groups };
}

Deno.test("stringArray() reads as many values as it is told", () => {
  assertEquals(readPatterns("argv_size", "0").texts, []);
  const words = ["argv_size", "2", "argv_value", "a", "argv_value", ""];
  assertEquals(readPatterns(...words).texts, ["a", ""]);
});

Deno.test("stringArray() refuses a size that the values do not bear out", () => {
  const short = readPatterns("argv_size", "2", "argv_value", "a");
  assertEquals(short.reader.fault, { kind: "missing", name: "argv_value" });
  const long = readPatterns("argv_size", "0", "argv_value", "a");
  assertEquals(long.reader.fault?.kind, "unexpected");
});

Deno.test("stringArray() refuses unreasonable sizes without looking for the values", () => {
  for (
    const [size, value] of [["1025", "1025"], ["4294967295", "-1"], ["2147483647", "2147483647"]]
  ) {
    const { reader } = readPatterns("argv_size", size);
    assertEquals(reader.fault, { kind: "unreasonable", name: "argv_size", value });
  }
});

Deno.test("daneGroup() has nothing after a zero", () => {
  const { done, groups } = readDane("dane", "0");
  assertEquals([done, groups.dane], [true, undefined]);
});

Deno.test("daneGroup() reads records in the order of the wire", () => {
  const record = ["usage", "3", "selector", "1", "mtype", "1", "data", "Zm9v"];
  const other = ["usage", "2", "selector", "0", "mtype", "255", "data", ""];
  const { done, groups } = readDane("dane", "1", "domain", "d", "count", "2", ...record, ...other);
  assertEquals(done, true);
  assertEquals(groups.dane?.domain, "d");
  assertEquals(
    groups.dane?.records.map(({ usage, matchingType, data }) => [usage, matchingType, data.length]),
    [
      [3, 1, 3],
      [2, 255, 0],
    ],
  );
});

Deno.test("daneGroup() believes a count only as far as records follow", () => {
  const huge = readDane("dane", "1", "domain", "", "count", "2147483647");
  assertEquals(huge.reader.fault, { kind: "missing", name: "usage" });
  const negative = readDane("dane", "1", "domain", "", "count", "4294967295");
  assertEquals(negative.reader.fault, { kind: "unreasonable", name: "count", value: "-1" });
});

Deno.test("daneGroup() refuses record data of more than 16 bits of length", () => {
  for (
    const [size, fits] of [[TLSA_DATA_BYTES_MAX, true], [TLSA_DATA_BYTES_MAX + 1, false]] as const
  ) {
    const text = btoa("\0".repeat(size));
    const record = ["usage", "3", "selector", "0", "mtype", "0", "data", text];
    const { done, reader } = readDane("dane", "1", "domain", "", "count", "1", ...record);
    assertEquals(done, fits);
    assertEquals(reader.fault?.kind, fits ? undefined : "unreasonable");
  }
});

Deno.test("reportGroup() tells nothing-to-report from a report", () => {
  const groups: Groups = { ...EMPTY };
  assertEquals(reportGroup<Groups>().read(readerOf(listOf("tlsrpt", "0")), groups), true);
  assertEquals(groups.tlsReport, null);
  const reader = readerOf(listOf("tlsrpt", "1", "rpt_socket_name", "s"));
  assertEquals(reportGroup<Groups>().read(reader, groups), false);
  assertEquals(reader.fault, { kind: "missing", name: "rpt_policy_domain" });
});
