/** What Postfix's tlsproxy and its clients send, read, and made again byte for byte. */

import { assert, assertEquals } from "@std/assert";
import { ListPrinter } from "../../lib/attr/print.ts";
import { type Bytes, concat, fromHex } from "../../lib/base/bytes.ts";
import {
  type ContextAttributes,
  decodeTlsContext,
  PEER_STATUS,
  printTlsContext,
} from "../../lib/proto/tls_context.ts";
import { TLS_LEVEL } from "../../lib/proto/tls_levels.ts";
import {
  decodeClientSettings,
  decodeServerSettings,
  printClientSettings,
  printServerSettings,
} from "../../lib/proto/tls_params.ts";
import {
  decodeHandOff,
  printHandOff,
  roleIn,
  settingsFollow,
  TLSPROXY_ANNOUNCEMENT,
  TLSPROXY_FLAG,
  TLSPROXY_READY,
  TLSPROXY_UNAVAILABLE,
} from "../../lib/proto/tlsproxy.ts";
import { goldenHex, goldenList } from "./golden.ts";
import { readerOf } from "./lists.ts";

const SMTP_HAND_OFF = {
  remoteEndpoint: "[127.0.0.1]:10025",
  flags: TLSPROXY_FLAG.clientRole | TLSPROXY_FLAG.sendContext,
  handshakeTimeoutS: 300,
  sessionTimeoutS: 600,
  serverId: "smtp",
};

/** smtp(8)'s list B with `part` in place of what begins at `from` and ends before `to`. */
function clientListWith(part: Bytes, from: string, to: string): Bytes {
  const list = goldenList("client_settings_3_7");
  const at = lastIndexOf(list, from);
  return concat(list.subarray(0, at), part, list.subarray(lastIndexOf(list, to)));
}

function lastIndexOf(list: Bytes, name: string): number {
  if (name === "") return list.length - 1;
  const text = String.fromCharCode(...list);
  return text.lastIndexOf(`\0${name}\0`) + 1;
}

Deno.test("tlsproxy's announcement and status lists are the captured ones", () => {
  assertEquals(TLSPROXY_ANNOUNCEMENT, goldenHex("tlsproxy_announcement"));
  assertEquals(TLSPROXY_READY, goldenHex("tlsproxy_status_ready"));
  assertEquals(TLSPROXY_UNAVAILABLE, goldenHex("tlsproxy_status_unavailable"));
});

Deno.test("decodeHandOff() reads postscreen's request, and printHandOff() makes it", () => {
  const golden = goldenHex("postscreen_request");
  const request = decodeHandOff(readerOf(golden));
  assertEquals(request, {
    remoteEndpoint: "[127.0.0.1]:47846",
    flags: TLSPROXY_FLAG.serverRole,
    handshakeTimeoutS: 300,
    sessionTimeoutS: 300,
    serverId: "smtpd",
  });
  assert(request !== undefined);
  assertEquals(roleIn(request.flags), "server");
  assertEquals(settingsFollow(request.flags, 0), false);
  assertEquals(printHandOff(new ListPrinter().begin(), request), golden);
});

Deno.test("smtp(8)'s request of 1261 bytes is made by printing both lists into one buffer", () => {
  const settings = decodeClientSettings(readerOf(goldenList("client_settings_3_7")));
  assert(settings !== undefined);
  const printer = new ListPrinter().begin();
  printHandOff(printer, SMTP_HAND_OFF);
  assertEquals(printer.length, 81);
  const bytes = printClientSettings(printer, settings);
  assertEquals(bytes.length, 1261);
  assertEquals(bytes.subarray(0, 192), goldenHex("client_request_first_bytes"));
  assertEquals(bytes.subarray(81), goldenList("client_settings_3_7"));
});

Deno.test("decodeClientSettings() reads smtp(8)'s list of 3.7", () => {
  const settings = decodeClientSettings(readerOf(goldenList("client_settings_3_7")));
  assert(settings !== undefined);
  assertEquals([settings.release, settings.contextAttributes], ["3.7", 22]);
  assertEquals(settings.parameters.size, 20);
  assertEquals(settings.parameters.get("tls_config_file"), "default");
  assertEquals(settings.parameters.get("tls_daemon_random_bytes"), 32);
  assertEquals(settings.init.logParameter, "smtp_tls_loglevel");
  assertEquals([settings.init.verifyDepth, settings.init.digest], [9, "sha256"]);
  assertEquals(settings.start, {
    timeoutS: 300,
    tlsLevel: TLS_LEVEL.encrypt,
    nexthop: "127.0.0.1",
    host: "127.0.0.1",
    namaddr: "127.0.0.1[127.0.0.1]:10025",
    sni: "",
    serverId: "smtp&[127.0.0.1]:10025&127.0.0.1&127.0.0.1&",
    helo: "mx.example.test",
    protocols: ">=TLSv1",
    cipherGrade: "medium",
    cipherExclusions: "eNULL",
    matchPatterns: [],
    digest: "sha256",
    dane: undefined,
  });
});

Deno.test("decodeClientSettings() reads the captured match patterns in their place", () => {
  const list = clientListWith(goldenHex("match_patterns"), "argv_size", "mdalg");
  const settings = decodeClientSettings(readerOf(list));
  assert(settings !== undefined);
  assertEquals(settings.start.matchPatterns, ["mx.example.test", ".example.test"]);
  assertEquals(printClientSettings(new ListPrinter().begin(), settings), list);
});

Deno.test("decodeClientSettings() reads the captured fingerprint group in its place", () => {
  const list = clientListWith(goldenHex("dane_fingerprint"), "dane", "");
  const settings = decodeClientSettings(readerOf(list));
  assert(settings !== undefined);
  const data = fromHex("53B04B8A2A4A7B45A7AEC031E45CEBDD8DD6D877E6DACC1B3EC47E4FB6BA0D25");
  assertEquals(settings.start.dane, {
    domain: "",
    records: [
      { usage: 3, selector: 1, matchingType: 255, data },
      { usage: 3, selector: 0, matchingType: 255, data },
    ],
  });
  assertEquals(printClientSettings(new ListPrinter().begin(), settings), list);
});

Deno.test("decodeServerSettings() reads postscreen's list of 3.12", () => {
  const golden = goldenList("server_settings_3_12");
  const settings = decodeServerSettings(readerOf(golden));
  assert(settings !== undefined);
  assertEquals(settings.contextAttributes, 26);
  assertEquals(settings.parameters.size, 20);
  assertEquals(settings.parameters.get("tls_ffdhe_auto_groups"), "ffdhe2048 ffdhe3072 ");
  assertEquals(settings.init.certFile, "/etc/postfix/cert.pem");
  assertEquals([settings.init.setSessionId, settings.init.askClientCert], [true, false]);
  assertEquals(settings.start, {
    logParameter: "postscreen_tls_loglevel",
    logLevel: "2",
    timeoutS: 300,
    enableRawKeys: false,
    requireClientCert: false,
    serverId: "127.0.0.1:10126",
    namaddr: "[127.0.0.1]:51586",
    cipherGrade: "medium",
    cipherExclusions: "",
    digest: "sha256",
    traceBytesMax: 102400,
    tracePeer: "127.0.0.1",
  });
  assertEquals(printServerSettings(new ListPrinter().begin(), settings), golden);
});

Deno.test("settingsFollow() sees 3.12's list behind postscreen's list A", () => {
  assertEquals(
    settingsFollow(TLSPROXY_FLAG.serverRole, goldenList("server_settings_3_12").length),
    true,
  );
});

for (
  const [file, golden, attributes] of [
    ["tls_context_22", goldenHex("tls_context_22"), 22],
    ["tls_context_26", goldenList("tls_context_26"), 26],
  ] as [string, Bytes, ContextAttributes][]
) {
  Deno.test(`printTlsContext() makes the captured ${file}, and decodeTlsContext() reads it`, () => {
    const summary = decodeTlsContext(readerOf(golden), attributes);
    assert(summary !== undefined);
    assertEquals(summary.peerCommonName, "mx.example.test");
    assertEquals([summary.level, summary.peerStatus], [TLS_LEVEL.encrypt, PEER_STATUS.certificate]);
    assertEquals([summary.protocol, summary.cipherName], ["TLSv1.3", "TLS_AES_256_GCM_SHA384"]);
    assertEquals([summary.cipherUsedBits, summary.cipherAlgorithmBits], [256, 256]);
    assertEquals(summary.clientSignature, { name: "", curve: "", bits: 0, digest: "" });
    assertEquals(summary.serverSignature, {
      name: "RSA-PSS",
      curve: "",
      bits: 2048,
      digest: "SHA256",
    });
    assertEquals(printTlsContext(new ListPrinter(), summary, attributes), golden);
  });
}
