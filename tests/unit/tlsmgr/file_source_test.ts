import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { SOURCE_LIMIT_MS, type SourceName } from "../../../lib/tlsmgr/entropy_source.ts";
import { FileSource } from "../../../lib/tlsmgr/file_source.ts";
import { testDescriptors } from "../../support/descriptors.ts";
import { runChecked, startProcess } from "../../support/process.ts";
import { Asked, LoopRig } from "./_entropy_rig.ts";

class Bed extends LoopRig {
  readonly sources: FileSource[] = [];

  source(kind: SourceName["kind"], path: string): FileSource {
    const { reactor, slowCalls } = this;
    const source = new FileSource({ kind, path }, { name: path, reactor, slowCalls });
    this.sources.push(source);
    return source;
  }

  write(name: string, bytes: Uint8Array): string {
    Deno.writeFileSync(this.file(name), bytes);
    return this.file(name);
  }

  async makeFifo(name: string): Promise<string> {
    await runChecked("mkfifo", [this.file(name)]);
    return this.file(name);
  }

  override [Symbol.dispose](): void {
    for (const source of this.sources) source.close();
    super[Symbol.dispose]();
  }
}

const counted = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

testDescriptors("FileSource reads a device with one read, and keeps it open", () => {
  using bed = new Bed();
  const source = bed.source("device", "/dev/urandom");
  const first = new Asked(source, 32);
  const second = new Asked(source, 32);
  assertEquals([first.ends, first.fault, first.pieces], [1, undefined, [32]]);
  assertEquals(second.pieces, [32]);
  assertNotEquals(first.bytes, second.bytes);
  assertEquals(bed.slowCalls.count, 0);
});

testDescriptors("FileSource says why a device cannot be opened or read", () => {
  using bed = new Bed();
  const missing = bed.file("missing");
  assertEquals(new Asked(bed.source("device", missing), 1).fault, {
    kind: "open",
    text: `cannot open entropy device ${missing}: No such file or directory`,
  });
  assertEquals(
    new Asked(bed.source("device", bed.folder), 1).fault?.text,
    `cannot open entropy device ${bed.folder}: Is a directory`,
  );
  assertEquals(new Asked(bed.source("device", "/dev/null"), 1).fault, {
    kind: "read",
    text: "cannot read from entropy device /dev/null: end of file",
  });
});

testDescriptors("FileSource opens a device anew after a failure", () => {
  using bed = new Bed();
  const path = bed.file("device");
  Deno.symlinkSync("/dev/null", path);
  const source = bed.source("device", path);
  assertEquals(new Asked(source, 4).fault?.kind, "read");
  Deno.removeSync(path);
  Deno.symlinkSync("/dev/zero", path);
  assertEquals(new Asked(source, 4).bytes, [0, 0, 0, 0]);
});

testDescriptors("FileSource reads a plain file by slow calls, in pieces, and closes it", () => {
  using bed = new Bed();
  const content = counted(20_000);
  const source = bed.source("file", bed.write("random", content));
  const asked = new Asked(source, 18_000);
  const lengths: (number | undefined)[] = [];
  for (let call = bed.slowCalls.waiting[0]; call; call = bed.slowCalls.waiting[0]) {
    lengths.push(call.length);
    assertEquals(asked.ends, 0);
    call.succeed();
  }
  assertEquals(lengths, [8192, 8192, 1616]);
  assertEquals([asked.ends, asked.fault, asked.pieces], [1, undefined, [8192, 8192, 1616]]);
  assertEquals(asked.bytes, [...content.subarray(0, 18_000)]);
});

testDescriptors(
  "FileSource is content with a plain file that ends early, but not with an empty one",
  () => {
    using bed = new Bed();
    const short = new Asked(bed.source("file", bed.write("short", counted(5))), 32);
    bed.slowCalls.succeedAll();
    assertEquals([short.ends, short.fault, short.bytes], [1, undefined, [0, 1, 2, 3, 4]]);
    const path = bed.write("empty", new Uint8Array());
    const empty = new Asked(bed.source("file", path), 32);
    bed.slowCalls.succeedAll();
    assertEquals(empty.fault, {
      kind: "read",
      text: `cannot read from entropy file ${path}: end of file`,
    });
  },
);

testDescriptors("FileSource says so when a plain file cannot be read", () => {
  using bed = new Bed();
  const path = bed.write("random", counted(5));
  const asked = new Asked(bed.source("file", path), 32);
  bed.slowCalls.waiting[0].fail();
  assertEquals(asked.fault?.text, `cannot read from entropy file ${path}: the read failed`);
});

testDescriptors("FileSource gives a disk ten seconds, and asks it no more until it is back", () => {
  using bed = new Bed();
  const path = bed.write("random", counted(40));
  const source = bed.source("file", path);
  const asked = new Asked(source, 32);
  const [stuck] = bed.slowCalls.waiting;
  bed.advance(SOURCE_LIMIT_MS);
  const text = `cannot read from entropy file ${path}: Connection timed out`;
  assertEquals([asked.ends, asked.fault?.text], [1, text]);
  assertEquals(new Asked(source, 32).fault?.text, text);
  assertEquals(bed.slowCalls.count, 1);
  // It comes back after all: too late for the one who asked.
  stuck.succeed();
  assertEquals([asked.ends, asked.bytes], [1, []]);
  const again = new Asked(source, 4);
  bed.slowCalls.succeedAll();
  assertEquals(again.bytes, [0, 1, 2, 3]);
});

testDescriptors(
  "FileSource.close() keeps the file open for a slow call that is outstanding",
  () => {
    using bed = new Bed();
    const source = bed.source("file", bed.write("random", counted(40)));
    const asked = new Asked(source, 32);
    const [{ fd }] = bed.slowCalls.waiting;
    source.close();
    const target = () => Deno.readLinkSync(`/proc/self/fd/${fd}`);
    assertMatch(target(), /\/random$/);
    bed.slowCalls.succeedAll();
    let isOpen = true;
    try {
      isOpen = target().endsWith("/random");
    } catch {
      isOpen = false;
    }
    assertEquals([isOpen, asked.ends, asked.bytes], [false, 0, []]);
  },
);

for (const kind of ["file", "device"] as const) {
  testDescriptors(
    `FileSource waits for the writer of a FIFO (${kind}) without standing still`,
    async () => {
      using bed = new Bed();
      const path = await bed.makeFifo("fifo");
      const source = bed.source(kind, path);
      const asked = new Asked(source, 16);
      for (let i = 0; i < 20; i++) bed.advance(100);
      assertEquals([asked.ends, bed.slowCalls.count], [0, 0]);
      // Two lots for the file, with a pause in which the FIFO is open and has nothing.
      await using writer = startProcess("sh", ["-c", `exec cat >"$0"`, path]);
      await writer.write("12345678");
      await bed.turnUntil("the first bytes", () => {
        bed.clock.advance(5);
        return asked.bytes.length === 8;
      });
      if (kind === "device") return assertEquals([asked.ends, asked.fault], [1, undefined]);
      bed.advance(100);
      assertEquals(asked.ends, 0);
      await writer.write("abcdefghijkl");
      await bed.turnUntil("the rest", () => {
        bed.clock.advance(5);
        return asked.ends > 0;
      });
      assertEquals([asked.fault, String.fromCharCode(...asked.bytes)], [
        undefined,
        "12345678abcdefgh",
      ]);
    },
  );
}

testDescriptors("FileSource gives a FIFO that nobody writes to ten seconds", async () => {
  using bed = new Bed();
  const path = await bed.makeFifo("fifo");
  const asked = new Asked(bed.source("file", path), 16);
  bed.advance(SOURCE_LIMIT_MS - 1);
  assertEquals(asked.ends, 0);
  bed.advance(1);
  assertEquals(asked.fault?.text, `cannot read from entropy file ${path}: Connection timed out`);
  // Nothing looks at it any more.
  bed.advance(SOURCE_LIMIT_MS);
  assertEquals(asked.ends, 1);
});

testDescriptors(
  "FileSource reads a device named as a file up to the amount, a bit each turn",
  () => {
    using bed = new Bed();
    const asked = new Asked(bed.source("file", "/dev/zero"), 300_000);
    assert(asked.bytes.length < 300_000);
    for (let i = 0; i < 3; i++) bed.advance(1);
    assertEquals([asked.ends, asked.fault, asked.bytes.length], [1, undefined, 300_000]);
  },
);
