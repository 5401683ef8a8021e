import { assert, assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../lib/base/errors.ts";
import { loadSettings, type Settings } from "../../../lib/config/settings.ts";
import {
  isJournal,
  openDaemonTarget,
  openLogTarget,
  reopenLogTarget,
} from "../../../lib/daemon/log_target.ts";
import { openLog } from "../../../lib/log/log.ts";
import { closeFile } from "../../../lib/ffi/libc/file.ts";
import { bind, unixAddress, unixDatagram } from "../../../lib/ffi/libc/socket.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { FakeEnvironment } from "./_environment.ts";

function settingsOf(destination: string, parameters = ""): Settings {
  const { settings } = loadSettings({
    text: `syslog_name = "mx"\n${parameters}\n[log]\ndestination = "${destination}"\n`,
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

testDescriptors("reopenLogTarget() goes on in a fresh file, under the same number", async () => {
  await using folder = await TempFolder.make("lt");
  const path = folder.file("log");
  const target = openLogTarget(settingsOf(path), new FakeEnvironment(), ALONE);
  const log = openLog({ ...target, pid: 1 });
  log.info("before");
  await Deno.rename(path, folder.file("log.1"));
  log.info("still");
  assertEquals(reopenLogTarget(target), undefined);
  log.info("after");
  const textOf = async (name: string) =>
    (await Deno.readTextFile(folder.file(name))).replace(/^.*: /gm, "");
  assertEquals([await textOf("log.1"), await textOf("log")], ["before\nstill\n", "after\n"]);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  closeFile(target.fd);
});

testDescriptors(
  "reopenLogTarget() stays with the old file where there can be no fresh one",
  async () => {
    await using folder = await TempFolder.make("lt");
    const path = folder.file("log");
    const target = openLogTarget(settingsOf(path), new FakeEnvironment(), ALONE);
    await Deno.rename(path, folder.file("log.1"));
    await Deno.symlink("/elsewhere", path);
    assertEquals(
      reopenLogTarget(target),
      `Cannot open log file "${path}" again: it is a symbolic link`,
    );
    openLog({ ...target, pid: 1 }).info("text");
    assert((await Deno.readTextFile(folder.file("log.1"))).endsWith(": text\n"));
    closeFile(target.fd);
  },
);

Deno.test("reopenLogTarget() leaves alone what is no file of its own", () => {
  assertEquals(reopenLogTarget({ fd: 2, name: "n", stamped: false }), undefined);
});

testDescriptors(
  "openLogTarget() takes maillog_file for where [log] says nothing else",
  async () => {
    await using folder = await TempFolder.make("lt");
    const parameters = (mode: string) =>
      `maillog_file = "${folder.file("mail.log")}"\nmaillog_file_prefixes = "${folder.path}"\n` +
      `queue_directory = "${folder.path}"\nmaillog_file_permissions = "${mode}"`;
    const open = (destination: string, mode = "0644") =>
      openLogTarget(settingsOf(destination, parameters(mode)), new FakeEnvironment(), ALONE);
    const target = open("stderr");
    assertEquals([target.stamped, target.file?.path], [true, folder.file("mail.log")]);
    assertEquals((await Deno.stat(folder.file("mail.log"))).mode! & 0o777, 0o644 & ~Deno.umask());
    closeFile(target.fd);

    const other = open(folder.file("other"));
    assertEquals(other.file?.path, folder.file("other"));
    closeFile(other.fd);
    assertThrows(() => open("stderr", "rw"), FatalError, '"rw" are no file mode bits');

    // postlogd(8) is there.
    await Deno.mkdir(folder.file("public"));
    const path = folder.file("public/postlog");
    const reader = unixDatagram();
    assertEquals(bind(reader, unixAddress(path)!), 0);
    const daemon = open("stderr");
    assertEquals([daemon.datagramTo, daemon.stamped], [unixAddress(path), true]);
    for (const fd of [reader, daemon.fd]) closeFile(fd);
  },
);

Deno.test("openLogTarget() refuses a maillog_file that its prefixes do not allow", () => {
  const settings = settingsOf("stderr", 'maillog_file = "/etc/mail.log"');
  assertThrows(
    () => openLogTarget(settings, new FakeEnvironment(), ALONE),
    FatalError,
    'Cannot log to "/etc/mail.log": maillog_file_prefixes do not allow it',
  );
});

Deno.test("openLogTarget() takes /dev/stdout for standard output", () => {
  const settings = settingsOf("stderr", 'maillog_file = "/dev/stdout"\nqueue_directory = "/none"');
  const { fd, file } = openLogTarget(settings, new FakeEnvironment(), ALONE);
  assertEquals([fd, file], [1, undefined]);
});
