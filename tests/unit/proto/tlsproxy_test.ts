import { assert, assertEquals } from "@std/assert";
import { ListPrinter } from "../../../lib/attr/print.ts";
import {
  decodeHandOff,
  decodeTlsproxyAnnouncement,
  decodeTlsproxyStatus,
  printHandOff,
  roleIn,
  settingsFollow,
  TLSPROXY_ANNOUNCEMENT,
  TLSPROXY_READY,
  TLSPROXY_UNAVAILABLE,
} from "../../../lib/proto/tlsproxy.ts";
import { listOf, readerOf, Seeded } from "../../wire/lists.ts";

Deno.test("decodeHandOff() tells the two timeouts apart by position", () => {
  const reader = readerOf(
    listOf(
      "remote_endpoint",
      "[::1]:25",
      "flags",
      "6",
      "timeout",
      "30",
      "timeout",
      "600",
      "serverid",
      "smtp",
    ),
  );
  assertEquals(decodeHandOff(reader), {
    remoteEndpoint: "[::1]:25",
    flags: 6,
    handshakeTimeoutS: 30,
    sessionTimeoutS: 600,
    serverId: "smtp",
  });
});

Deno.test("decodeHandOff() refuses a list with one timeout", () => {
  const reader = readerOf(
    listOf("remote_endpoint", "[::1]:25", "flags", "6", "timeout", "30", "serverid", "smtp"),
  );
  assertEquals(decodeHandOff(reader), undefined);
  assertEquals(reader.fault, { kind: "unexpected", found: "serverid", expecting: "timeout" });
});

Deno.test("decodeHandOff() accepts an attribute too many and keeps the fault", () => {
  const words = [
    "remote_endpoint",
    "",
    "flags",
    "1",
    "timeout",
    "1",
    "timeout",
    "1",
    "serverid",
    "",
  ];
  const reader = readerOf(listOf(...words, "extra", "1"));
  assertEquals(decodeHandOff(reader)?.flags, 1);
  assertEquals(reader.fault?.kind, "unexpected");
});

Deno.test("decodeHandOff(printHandOff(x)) is x", () => {
  const random = new Seeded(5);
  const printer = new ListPrinter();
  for (let i = 0; i < 100; i++) {
    const request = {
      remoteEndpoint: random.text(),
      flags: random.below(16),
      handshakeTimeoutS: random.int32(),
      sessionTimeoutS: random.int32(),
      serverId: random.text(),
    };
    assertEquals(decodeHandOff(readerOf(printHandOff(printer.begin(), request))), request);
  }
});

Deno.test("roleIn() wants exactly one role bit", () => {
  assertEquals([0, 1, 2, 3, 4, 5, 6, 7, 9].map(roleIn), [
    undefined,
    "server",
    "client",
    undefined,
    undefined,
    "server",
    "client",
    undefined,
    "server",
  ]);
});

Deno.test("settingsFollow() depends on role, probe and what has arrived", () => {
  assertEquals(settingsFollow(1, 0), false);
  assertEquals(settingsFollow(1, 1), true);
  assertEquals(settingsFollow(6, 0), true);
  assertEquals(settingsFollow(9, 100), false);
  assertEquals(settingsFollow(14, 0), false);
  assertEquals(settingsFollow(3, 100), false);
});

Deno.test("tlsproxy's constant lists are read back by its client side", () => {
  assert(decodeTlsproxyAnnouncement(readerOf(TLSPROXY_ANNOUNCEMENT)));
  assertEquals(decodeTlsproxyStatus(readerOf(TLSPROXY_READY)), 1);
  assertEquals(decodeTlsproxyStatus(readerOf(TLSPROXY_UNAVAILABLE)), 0);
  assertEquals(decodeTlsproxyStatus(readerOf(listOf("status", "1", "more", ""))), undefined);
  assertEquals(decodeTlsproxyStatus(readerOf(listOf())), undefined);
});
