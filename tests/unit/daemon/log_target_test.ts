import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { loadSettings, type Settings } from "../../../lib/config/settings.ts";
import { isJournal, openDaemonTarget, openLogTarget } from "../../../lib/daemon/log_target.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { bind, unixAddress, unixDatagram } from "../../../lib/ffi/libc/socket.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { FakeEnvironment } from "./_environment.ts";

function settingsOf(destination: string): Settings {
  const { settings } = loadSettings({
    text: `syslog_name = "mx"\n[log]\ndestination = "${destination}"\n`,
    file: "/postern.toml",
    role: "tlsmgr",
    overrides: [],
  });
  assert(settings !== undefined);
  return settings;
}

const ALONE = { underMaster: false };

testDescriptors(
  "openLogTarget() opens a file for stamped lines, with a mode that lets nobody in",
  async () => {
    await using folder = await TempFolder.make("lt");
    const path = folder.file("log");
    const { fd, stamped, name } = openLogTarget(settingsOf(path), new FakeEnvironment(), ALONE);
    assertEquals([stamped, name], [true, "mx/tlsmgr"]);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    closeFile(fd);
    await Deno.symlink("/elsewhere", folder.file("link"));
    const link = settingsOf(folder.file("link"));
    assertThrows(
      () => openLogTarget(link, new FakeEnvironment(), ALONE),
      FatalError,
      "symbolic link",
    );
  },
);

testDescriptors("openLogTarget() takes standard error for the journal only when it is", () => {
  const { dev, ino } = Deno.statSync("/proc/self/fd/2");
  const priorities = (stream: string) =>
    openLogTarget(settingsOf("stderr"), new FakeEnvironment({ JOURNAL_STREAM: stream }), ALONE)
      .priorities;
  assertEquals([priorities(`${dev}:${ino}`), priorities("1:1"), priorities("")], [
    true,
    false,
    false,
  ]);
  assertEquals(isJournal(4095, `${dev}:${ino}`), false);
});

testDescriptors(
  "openDaemonTarget() prefers postlogd(8), and shows the host that master(8) says",
  async () => {
    await using folder = await TempFolder.make("lt");
    const path = folder.file("postlog");
    const reader = unixDatagram();
    assertEquals(bind(reader, unixAddress(path)!), 0);
    const environment = new FakeEnvironment({
      POSTLOG_SERVICE: path,
      POSTLOG_HOSTNAME: "mx.example.test",
    });
    for (
      const target of [
        openDaemonTarget("postfix/tlsmgr", "mail", environment),
        openLogTarget(settingsOf("stderr"), environment, { underMaster: true }),
      ]
    ) {
      const { stamped, host, facility, datagramTo } = target;
      assertEquals([stamped, host, facility], [true, "mx", undefined]);
      assertEquals(datagramTo, unixAddress(path));
      closeFile(target.fd);
    }
    closeFile(reader);
  },
);
