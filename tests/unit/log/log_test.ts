import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { closeFile, OPEN, openFile, readFile } from "../../../lib/ffi/libc/file.ts";
import { libc } from "../../../lib/ffi/libc/libc.ts";
import {
  bind,
  connect,
  pipe,
  receive,
  unixAddress,
  unixDatagram,
} from "../../../lib/ffi/libc/socket.ts";
import { type Log, openLog } from "../../../lib/log/log.ts";
import { printable, stampOf } from "../../../lib/log/text_form.ts";
import { LineWriter } from "../../../lib/log/writer.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { TempFolder } from "../../support/temp_folder.ts";

/** What `write` puts into a log. */
function logged(write: (log: Log) => void, stamped = false): string {
  const ends = pipe();
  assert(typeof ends !== "number");
  write(openLog({ name: "postfix/tlsproxy", pid: 1234, fd: ends[1], stamped }));
  const bytes = new Uint8Array(65536);
  const count = readFile(ends[0], bytes, bytes.length);
  for (const fd of ends) closeFile(fd);
  return fromUtf8(bytes.subarray(0, Math.max(count, 0)));
}

testDescriptors("openLog() words every severity as Postfix does", () => {
  const text = logged((log) => {
    log.info("CONNECT from [192.0.2.1]:25");
    log.warn("something odd");
    log.error("one session failed");
    log.fatal("cannot go on");
  });
  assertEquals(
    text,
    "postfix/tlsproxy[1234]: CONNECT from [192.0.2.1]:25\n" +
      "postfix/tlsproxy[1234]: warning: something odd\n" +
      "postfix/tlsproxy[1234]: error: one session failed\n" +
      "postfix/tlsproxy[1234]: fatal: cannot go on\n",
  );
});

testDescriptors("openLog() puts time and host in front when told so", () => {
  const text = logged((log) => log.info("text"), true);
  const host = Deno.hostname().split(".")[0];
  assertMatch(
    text,
    /^[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d \S+ postfix\/tlsproxy\[1234\]: text\n$/,
  );
  assert(text.includes(` ${host} `));
});

testDescriptors("openLog() puts the journal's priority in front when told so", () => {
  const ends = pipe();
  assert(typeof ends !== "number");
  const log = openLog({ name: "n", pid: 1, fd: ends[1], stamped: false, priorities: true });
  log.info("a");
  log.warn("b");
  log.error("c");
  log.fatal("d");
  const bytes = new Uint8Array(4096);
  const count = readFile(ends[0], bytes, bytes.length);
  for (const fd of ends) closeFile(fd);
  assertEquals(
    fromUtf8(bytes.subarray(0, count)),
    "<6>n[1]: a\n<4>n[1]: warning: b\n<3>n[1]: error: c\n<2>n[1]: fatal: d\n",
  );
});

testDescriptors(
  "openLog() sends datagrams to syslog, also after its socket was made anew",
  async () => {
    await using folder = await TempFolder.make("log");
    const path = folder.file("syslog");
    const address = unixAddress(path)!;
    const fd = unixDatagram();
    const heard: string[] = [];
    const bytes = new Uint8Array(4096);
    let log: Log | undefined;
    for (const word of ["one", "two"]) {
      const syslog = unixDatagram();
      assertEquals(bind(syslog, address), 0);
      if (log === undefined) {
        assertEquals(connect(fd, address), 0);
        log = openLog({ name: "n", pid: 1, fd, stamped: false, facility: 2, datagramTo: address });
      }
      log.warn(word);
      const count = receive(syslog, bytes, bytes.length);
      heard.push(
        fromUtf8(bytes.subarray(0, count)).replace(/[A-Z][a-z]{2} [ 1-3]\d [\d:]{8}/, "TIME"),
      );
      closeFile(syslog);
      await Deno.remove(path);
    }
    closeFile(fd);
    assertEquals(heard, ["<20>TIME n[1]: warning: one", "<20>TIME n[1]: warning: two"]);
  },
);

testDescriptors("openLog() counts datagrams that find the queue full", async () => {
  await using folder = await TempFolder.make("log");
  const address = unixAddress(folder.file("postlog"))!;
  const reader = unixDatagram();
  const fd = unixDatagram();
  assertEquals([bind(reader, address), connect(fd, address)], [0, 0]);
  const options = { name: "n", pid: 1, fd, stamped: true, host: "mx", datagramTo: address };
  const log = openLog(options);
  for (let i = 0; i < 2000; i++) log.info(`line ${i}`);
  const bytes = new Uint8Array(4096);
  let kept = 0;
  while (receive(reader, bytes, bytes.length) > 0) kept++;
  log.info("last");
  const count = receive(reader, bytes, bytes.length);
  assert(kept > 0 && kept < 2000, `${kept} were kept`);
  assert(
    fromUtf8(bytes.subarray(0, count)).endsWith(
      ` mx n[1]: warning: ${2000 - kept} log lines were lost`,
    ),
  );
  for (const open of [reader, fd]) closeFile(open);
});

Deno.test("stampOf() writes the day with a blank and the time with zeros", () => {
  assertEquals(stampOf(new Date(2026, 10, 1, 9, 5, 3)), "Nov  1 09:05:03");
  assertEquals(stampOf(new Date(2026, 0, 31, 23, 59, 59)), "Jan 31 23:59:59");
  assertEquals(stampOf(new Date(2026, 11, 10, 0, 0, 0)), "Dec 10 00:00:00");
});

Deno.test("printable() leaves nothing that ends a line or drives a terminal", () => {
  let controls = "";
  for (let code = 0; code < 0xa0; code++) {
    if (code < 0x20 || code >= 0x7f) controls += String.fromCharCode(code);
  }
  assertEquals(printable(controls), "?".repeat(controls.length));
  assertEquals(printable("a\u2028b\u2029c"), "a?b?c");
  assertEquals(printable("Grüße 🔒 ~ !"), "Grüße 🔒 ~ !");
});

testDescriptors("a peer's text cannot forge a line", () => {
  const text = logged((log) => log.warn("from x\npostfix/tlsmgr[1]: fatal: forged\r\x1b[2J"));
  assertEquals(
    text,
    "postfix/tlsproxy[1234]: warning: from x?postfix/tlsmgr[1]: fatal: forged??[2J\n",
  );
});

testDescriptors("a long line is cut, says so, and still ends with a newline", () => {
  const text = logged((log) => {
    log.info("x".repeat(5000));
    log.info("next");
  });
  const [long, next] = text.split("\n");
  const kept = /^postfix\/tlsproxy\[1234\]: (x+) \[… (\d+) bytes cut\]$/.exec(long)!;
  assertEquals(kept[1].length + Number(kept[2]), 5000);
  assert(utf8(long).length + 1 <= 2048 && utf8(long).length > 2040, `${long.length}`);
  assertEquals(next, "postfix/tlsproxy[1234]: next");
});

testDescriptors("a line of exactly the limit is not cut", () => {
  const room = 2047 - "postfix/tlsproxy[1234]: ".length;
  assertEquals(logged((log) => log.info("y".repeat(room))).length, 2048);
  assert(logged((log) => log.info("y".repeat(room - 1) + "z")).endsWith("z\n"));
});

const lossOf = (count: number) => `${count} lost`;

testDescriptors("LineWriter counts lines that it cannot write, and never throws", () => {
  const closed = new LineWriter(-1);
  closed.write("lost", lossOf);
  closed.write("lost", lossOf);
  assertEquals(closed.lost, 2);

  const ends = pipe();
  assert(typeof ends !== "number");
  const broken = new LineWriter(ends[1]);
  broken.write("arrives", lossOf);
  assertEquals(broken.lost, 0);
  closeFile(ends[0]);
  broken.write("lost", lossOf);
  assertEquals(broken.lost, 1);
  closeFile(ends[1]);
});

testDescriptors(
  "LineWriter does not wait for a reader that does not read, and owns up later",
  () => {
    const ends = pipe();
    assert(typeof ends !== "number");
    // A writer must not wait on a descriptor without O_NONBLOCK either.
    libc.fcntl(ends[1], 4, 0);
    const writer = new LineWriter(ends[1]);
    for (let i = 0; i < 1000; i++) writer.write("x".repeat(1000), lossOf);
    const { lost } = writer;
    assert(lost > 0);
    const bytes = new Uint8Array(1_000_000);
    const count = readFile(ends[0], bytes, bytes.length);
    const complete = fromUtf8(bytes.subarray(0, count)).split("\n");
    assertEquals(complete.length - 1 + lost, 1000);
    assertEquals(complete.pop(), "");
    writer.write("next", lossOf);
    assertEquals(writer.lost, 0);
    const after = readFile(ends[0], bytes, bytes.length);
    assertEquals(fromUtf8(bytes.subarray(0, after)), `${lost} lost\nnext\n`);
    for (const fd of ends) closeFile(fd);
  },
);

testDescriptors("a log on a broken descriptor does not throw", () => {
  const fd = openFile("/dev/full", OPEN.writeOnly | OPEN.closeOnExec);
  for (const broken of [-1, fd]) {
    const log = openLog({ name: "postfix/tlsmgr", pid: 1, fd: broken, stamped: false });
    log.info("a");
    log.warn("b");
    log.error("c");
    log.fatal("d");
  }
  closeFile(fd);
});
