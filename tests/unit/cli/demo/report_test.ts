import { assertEquals, assertStringIncludes } from "@std/assert";
import { relayProgram, sessionTable, stayText } from "../../../../lib/cli/demo/report.ts";
import type { SessionFindings } from "../../../../lib/cli/demo/session.ts";

const session = (resumed: boolean, cipher: string) =>
  ({
    handshake: { resumed, cipher },
    handshakeMs: 12.345,
    echoedBytes: 1000,
  }) as unknown as SessionFindings;

Deno.test("sessionTable() lines up what each session was", () => {
  const table = sessionTable([
    {
      protocol: "TLSv1.2",
      how: "session id",
      sessions: [session(false, "LONG-NAME"), session(true, ""), session(true, "")],
    },
    {
      protocol: "TLSv1.3",
      how: "ticket",
      sessions: [session(false, "SHORT"), session(true, ""), session(false, "")],
    },
  ]);
  assertEquals(
    table,
    "protocol  by          first         second           third            cipher     bytes to and fro\n" +
      "TLSv1.2   session id  full 12.3 ms  resumed 12.3 ms  resumed 12.3 ms  LONG-NAME  3000 intact\n" +
      "TLSv1.3   ticket      full 12.3 ms  resumed 12.3 ms  full 12.3 ms     SHORT      3000 intact\n",
  );
});

Deno.test("stayText() and relayProgram() name the sockets and the port", () => {
  const folder = {
    path: "/d",
    settingsFile: "/d/postern.toml",
    tlsmgrSocket: "/d/private/tlsmgr",
    tlsproxySocket: "/d/private/tlsproxy",
  };
  const text = stayText(folder, "/d/relay.py", 4711);
  for (const words of ["/d/private/tlsmgr", "/d/private/tlsproxy", "/d/relay.py", ":4711"]) {
    assertStringIncludes(text, words);
  }
  const program = relayProgram(folder, 4711);
  assertStringIncludes(program, '"/d/private/tlsproxy"');
  assertStringIncludes(program, '("127.0.0.1", 4711)');
});
