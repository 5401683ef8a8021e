import { assertEquals, assertMatch } from "@std/assert";
import { fromUtf8 } from "../../../lib/base/bytes.ts";
import { Notifier, takePulseInterval } from "../../../lib/daemon/notify.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { bind, receive, unixAddress, unixDatagram } from "../../../lib/ffi/libc/socket.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { FakeEnvironment } from "./_environment.ts";

const noComplaint = (text: string) => {
  throw new Error(`Nothing was to complain about: ${text}`);
};

testDescriptors("Notifier says each state in the lines of sd_notify(3)", async () => {
  await using folder = await TempFolder.make("nf");
  const path = folder.file("notify");
  const systemd = unixDatagram();
  assertEquals(bind(systemd, unixAddress(path)!), 0);
  const environment = new FakeEnvironment({ NOTIFY_SOCKET: path });
  const notifier = Notifier.fromEnvironment(environment, noComplaint);
  assertEquals(environment.size, 0, "no child shall speak for this process");
  notifier.ready("Serving /a");
  notifier.reloading(123_456_789_012_345n);
  notifier.pulse();
  notifier.stopping("Ending");
  notifier.close();
  notifier.pulse();
  const bytes = new Uint8Array(512);
  const heard: string[] = [];
  for (;;) {
    const count = receive(systemd, bytes, bytes.length);
    if (count < 0) break;
    heard.push(fromUtf8(bytes.subarray(0, count)));
  }
  closeFile(systemd);
  assertEquals(heard, [
    "READY=1\nSTATUS=Serving /a",
    "RELOADING=1\nMONOTONIC_USEC=123456789012345\nSTATUS=Reading the settings again",
    "WATCHDOG=1",
    "STOPPING=1\nSTATUS=Ending",
  ]);
});

testDescriptors("Notifier without NOTIFY_SOCKET says nothing to nobody", () => {
  const notifier = Notifier.fromEnvironment(new FakeEnvironment(), noComplaint);
  notifier.ready("Serving");
  notifier.close();
});

testDescriptors("Notifier complains once about a socket that it cannot use", async () => {
  await using folder = await TempFolder.make("nf");
  const cases: [string, RegExp][] = [
    ["relative", /: it is no socket's name$/],
    ["@", /: it is no socket's name$/],
    [`/${"x".repeat(200)}`, /: it is no socket's name$/],
    [folder.file("nobody"), /: No such file or directory$/],
    ["@postern-nobody-listens-here", /: Connection refused$/],
  ];
  for (const [name, pattern] of cases) {
    const complaints: string[] = [];
    const environment = new FakeEnvironment({ NOTIFY_SOCKET: name });
    const notifier = Notifier.fromEnvironment(environment, (text) => void complaints.push(text));
    notifier.ready("Serving");
    notifier.close();
    assertEquals(complaints.length, 1, name);
    assertMatch(complaints[0], pattern);
  }
});

Deno.test("takePulseInterval() is half of the shorter limit, and only for the process it names", () => {
  const take = (variables: Record<string, string>, limitMs = 60_000) => {
    const environment = new FakeEnvironment(variables);
    const interval = takePulseInterval(environment, { pid: 77, limitMs });
    assertEquals(environment.size, 0);
    return interval;
  };
  assertEquals(take({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "77" }), 15_000);
  assertEquals(take({ WATCHDOG_USEC: "30000000" }, 10_000), 5_000);
  assertEquals(take({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "78" }), undefined);
  assertEquals(take({ WATCHDOG_PID: "77" }), undefined);
  assertEquals(take({ WATCHDOG_USEC: "0" }), undefined);
  assertEquals(take({ WATCHDOG_USEC: "-5" }), undefined);
  assertEquals(take({ WATCHDOG_USEC: "10" }), 50);
});
