import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromUtf8 } from "../../../lib/base/bytes.ts";
import { closeFile, readFile } from "../../../lib/ffi/libc/file.ts";
import {
  bind,
  connect,
  pipe,
  receive,
  unixAddress,
  unixDatagram,
} from "../../../lib/ffi/libc/socket.ts";
import { type LogOptions, type OpenLog, openLog } from "../../../lib/log/log.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { parseLogLine } from "../../support/log_schema.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const NAME = { name: "postfix/tlsproxy", pid: 1234 } as const;
const JSON_LOG = { ...NAME, stamped: false, format: "json" } as const;

/** What `write` puts into a log of its own. */
function logged(options: Omit<LogOptions, "fd">, write: (log: OpenLog) => void): string {
  const ends = pipe();
  assert(typeof ends !== "number");
  {
    using log = openLog({ ...options, fd: ends[1] });
    write(log);
  }
  const bytes = new Uint8Array(65536);
  const count = readFile(ends[0], bytes, bytes.length);
  for (const fd of ends) closeFile(fd);
  return fromUtf8(bytes.subarray(0, Math.max(count, 0)));
}

testDescriptors("openLog() writes an object a line, of every severity", () => {
  const text = logged({ ...JSON_LOG, thread: 1 }, (log) => {
    assertEquals(log.isStructured, true);
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    log.fatal("e");
  });
  const lines = text.split("\n");
  assertEquals(lines.pop(), "");
  assertEquals(
    lines.map(parseLogLine).map(({ severity, message, role, thread }) => [
      severity,
      message,
      role,
      thread,
    ]),
    [
      ["debug", "a", "tlsproxy", 1],
      ["info", "b", "tlsproxy", 1],
      ["warning", "c", "tlsproxy", 1],
      ["error", "d", "tlsproxy", 1],
      ["fatal", "e", "tlsproxy", 1],
    ],
  );
});

testDescriptors(
  "openLog() leaves objects alone in a file, and puts the priority before them for the journal",
  () => {
    const stamped = { ...JSON_LOG, stamped: true, host: "mx" };
    for (const log of [JSON_LOG, { ...JSON_LOG, priorities: true }]) {
      const text = logged(log, (log) => log.warn("odd"));
      const priority = "priorities" in log ? "<4>" : "";
      assert(text.startsWith(`${priority}{"schema":1,`), text);
      parseLogLine(text.slice(priority.length));
    }
    const text = logged(stamped, (log) => log.warn("odd"));
    assert(text.startsWith('{"schema":1,'), text);
  },
);

testDescriptors("openLog() marks objects in lines of syslog's shape with a cookie", async () => {
  await using folder = await TempFolder.make("forms");
  const address = unixAddress(folder.file("socket"))!;
  const reader = unixDatagram();
  const fd = unixDatagram();
  assertEquals([bind(reader, address), connect(fd, address)], [0, 0]);
  const stamp = "[A-Z][a-z]{2} [ 1-3]\\d \\d\\d:\\d\\d:\\d\\d";
  const bytes = new Uint8Array(65536);
  const heads = [
    [{ stamped: false, facility: 2 }, `^<20>${stamp} postfix/tlsproxy\\[1234\\]: @cee: `],
    [{ stamped: true, host: "mx" }, `^${stamp} mx postfix/tlsproxy\\[1234\\]: @cee: `],
  ] as const;
  for (const [options, head] of heads) {
    const log = openLog({ ...JSON_LOG, ...options, fd, datagramTo: address });
    log.warn("x".repeat(9000));
    const text = fromUtf8(bytes.subarray(0, receive(reader, bytes, bytes.length)));
    assertMatch(text, new RegExp(head));
    assert(text.length < 4000, `${text.length} bytes`);
    const object = parseLogLine(text.slice(text.indexOf("{")));
    assertEquals(object.shortened, ["message"]);
  }
  for (const open of [reader, fd]) closeFile(open);
});

testDescriptors("openLog() tells its witness what became of each line", () => {
  const told: string[] = [];
  const defer = () => {};
  const text = logged({ ...NAME, stamped: false, defer }, (log) => {
    log.watch({
      written: (severity) => told.push(severity),
      lost: () => told.push("lost"),
      folded: (count) => told.push(`${count} folded`),
    });
    log.info("a");
    for (let i = 0; i < 4; i++) log.warn("b");
    log.error("c");
    log.error("c");
  });
  assertEquals(told, ["info", "warning", "3 folded", "error", "error"]);
  assertEquals(text.split("\n").map((line) => line.replace("postfix/tlsproxy[1234]: ", "")), [
    "a",
    "warning: b",
    "warning: last message repeated 3 times",
    "error: c",
    "error: c",
    "",
  ]);
  const broken = openLog({ ...NAME, stamped: false, fd: -1 });
  broken.watch({
    written: () => told.push("written"),
    lost: () => told.push("lost"),
    folded: () => told.push("folded"),
  });
  broken.warn("a");
  assertEquals(told.pop(), "lost");
});

testDescriptors("openLog() tells how often an object was repeated, and of which session", () => {
  const about = { describe: (fields: Record<string, unknown>) => void (fields.session = "7") };
  const text = logged({ ...JSON_LOG, defer: () => {} }, (log) => {
    for (let i = 0; i < 4; i++) log.warn("b", about);
  });
  const [first, second] = text.trimEnd().split("\n").map(parseLogLine);
  assertEquals([first.message, first.repeated], ["b", undefined]);
  assertEquals(
    [second.message, second.repeated, second.session, second.severity],
    ["last message repeated 3 times", 3, "7", "warning"],
  );
});
