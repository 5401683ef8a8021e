import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Bytes } from "../../../lib/base/bytes.ts";
import { flock, LOCK } from "../../../lib/ffi/libc/file.ts";
import { libcFileIo } from "../../../lib/store/file_io.ts";
import {
  EXCHANGE_BYTES,
  type ExchangeFault,
  ExchangeFile,
  UPDATE_LIMIT_MS,
} from "../../../lib/tlsmgr/exchange_file.ts";
import { openDescriptors, testDescriptors } from "../../support/descriptors.ts";
import { LoopRig } from "./_entropy_rig.ts";

/** One exchange file, and a pool that gives 1, 2, 3 and so on. */
class Bed extends LoopRig {
  readonly path = this.file("prng_exch");
  /** What was mixed in. */
  readonly stirred: number[][] = [];
  /** Ends of updates. */
  readonly ends: (ExchangeFault | undefined)[] = [];
  works = true;
  readonly exchange = this.open();
  #fills = 0;

  /** Another user of the file. */
  open(): ExchangeFile {
    return new ExchangeFile(this.path, {
      io: libcFileIo,
      slowCalls: this.slowCalls,
      reactor: this.reactor,
      pool: {
        stir: (bytes: Bytes) => {
          this.stirred.push([...bytes]);
          bytes.fill(0);
        },
        fill: (bytes: Bytes) => {
          bytes.fill(++this.#fills);
          return this.works;
        },
      },
    });
  }

  update(): void {
    this.exchange.update((fault) => this.ends.push(fault));
  }

  get content(): number[] {
    return [...Deno.readFileSync(this.path)];
  }

  set content(bytes: number[]) {
    Deno.writeFileSync(this.path, Uint8Array.from(bytes), { mode: 0o600 });
  }

  /** Lets `work` happen while another process has the lock. */
  whileLocked(work: () => void): void {
    using other = Deno.openSync(this.path);
    other.lockSync(true);
    work();
    other.unlockSync();
  }

  override [Symbol.dispose](): void {
    this.exchange.close();
    super[Symbol.dispose]();
  }
}

const filled = (byte: number) => new Array<number>(EXCHANGE_BYTES).fill(byte);

testDescriptors("ExchangeFile.updateNow() makes the file, private and 1024 bytes long", () => {
  using bed = new Bed();
  assertEquals(bed.exchange.updateNow(), undefined);
  const { mode, size } = Deno.statSync(bed.path);
  assertEquals([mode! & 0o7777, size], [0o600, 1024]);
  assertEquals([bed.stirred, bed.content], [[[]], filled(1)]);
});

testDescriptors("ExchangeFile mixes in what it finds before it draws what it leaves", () => {
  using bed = new Bed();
  bed.content = filled(200);
  assertEquals(bed.exchange.updateNow(), undefined);
  assertEquals([bed.stirred, bed.content], [[filled(200)], filled(1)]);
  bed.update();
  bed.slowCalls.succeedAll();
  assertEquals(bed.ends, [undefined]);
  assertEquals([bed.stirred[1], bed.content], [filled(1), filled(2)]);
});

testDescriptors("ExchangeFile.update() leaves reading and writing to the slow calls", () => {
  using bed = new Bed();
  bed.content = filled(200);
  bed.update();
  assertEquals(bed.slowCalls.waiting.map(({ call }) => call), ["read"]);
  assertEquals([bed.stirred, bed.ends], [[], []]);
  bed.slowCalls.waiting[0].succeed();
  assertEquals([bed.stirred, bed.slowCalls.waiting.map(({ call }) => call)], [[filled(200)], [
    "write",
  ]]);
  assertEquals(bed.content, filled(200));
  bed.slowCalls.waiting[0].succeed();
  assertEquals([bed.ends, bed.content], [[undefined], filled(1)]);
});

testDescriptors("ExchangeFile holds the exclusive lock while it updates, and no longer", () => {
  using bed = new Bed();
  using other = Deno.openSync(bed.path, { create: true, write: true, mode: 0o600 });
  const fd = [...openDescriptors()].find(([, target]) => target === bed.path)![0];
  const isLocked = () => {
    const result = flock(fd, LOCK.exclusive | LOCK.nonBlocking);
    if (result === 0) flock(fd, LOCK.unlock);
    return result !== 0;
  };
  assert(other.statSync().isFile);
  bed.update();
  assertEquals(isLocked(), true);
  bed.slowCalls.waiting[0].succeed();
  assertEquals(isLocked(), true);
  bed.slowCalls.waiting[0].succeed();
  assertEquals(isLocked(), false);
  bed.exchange.updateNow();
  assertEquals(isLocked(), false);
});

testDescriptors(
  "ExchangeFile.update() tries a lock that another process has again and again",
  () => {
    using bed = new Bed();
    bed.content = filled(5);
    bed.whileLocked(() => {
      bed.update();
      for (let i = 0; i < 50; i++) bed.advance(100);
      assertEquals([bed.slowCalls.count, bed.ends], [0, []]);
    });
    bed.advance(100);
    bed.slowCalls.succeedAll();
    assertEquals([bed.ends, bed.content], [[undefined], filled(1)]);
  },
);

testDescriptors("ExchangeFile.update() gives a lock ten seconds", () => {
  using bed = new Bed();
  bed.content = filled(5);
  bed.whileLocked(() => {
    bed.update();
    bed.advance(UPDATE_LIMIT_MS);
  });
  assertEquals(bed.ends, [{
    kind: "failed",
    text: `cannot lock PRNG exchange file ${bed.path}: Connection timed out`,
  }]);
  bed.advance(UPDATE_LIMIT_MS);
  assertEquals([bed.ends.length, bed.content], [1, filled(5)]);
});

testDescriptors("ExchangeFile.updateNow() does not wait for a lock", () => {
  using bed = new Bed();
  bed.content = filled(5);
  bed.whileLocked(() => assertEquals(bed.exchange.updateNow()?.kind, "busy"));
  assertEquals(bed.content, filled(5));
});

testDescriptors("ExchangeFile: two processes with one file never find the same content", () => {
  using bed = new Bed();
  bed.content = filled(99);
  const other = bed.open();
  // Both begin at the same moment: the second one has to wait for the first.
  bed.update();
  const ends: unknown[] = [];
  other.update((fault) => ends.push(fault));
  bed.slowCalls.succeedAll();
  bed.advance(100);
  bed.slowCalls.succeedAll();
  assertEquals([bed.ends, ends], [[undefined], [undefined]]);
  assertEquals(bed.stirred, [filled(99), filled(1)]);
  other.close();
});

testDescriptors("ExchangeFile fills a short file up, and does not cut a long one", () => {
  using bed = new Bed();
  bed.content = [1, 2, 3];
  bed.exchange.updateNow();
  assertEquals([bed.stirred[0], bed.content], [[1, 2, 3], filled(1)]);
  bed.content = [...filled(4), 8, 9];
  bed.exchange.updateNow();
  assertEquals([bed.stirred[1], bed.content], [filled(4), [...filled(2), 8, 9]]);
});

testDescriptors("ExchangeFile leaves a file alone that is not private, and follows no link", () => {
  using bed = new Bed();
  bed.content = filled(5);
  Deno.chmodSync(bed.path, 0o644);
  const open = bed.exchange.updateNow();
  assertEquals(
    open?.text,
    `tls_prng_exch_open: cannot use PRNG exchange file ${bed.path}: its mode 0644 lets others in`,
  );
  assertMatch(open?.hint ?? "", /set its mode to 0600/);
  Deno.renameSync(bed.path, bed.file("elsewhere"));
  Deno.symlinkSync(bed.file("elsewhere"), bed.path);
  bed.update();
  assertMatch(bed.ends[0]?.text ?? "", /cannot use PRNG exchange file .*: it is a symbolic link$/);
  assertEquals([...Deno.readFileSync(bed.file("elsewhere"))], filled(5));
  assertEquals(bed.stirred, []);
});

testDescriptors("ExchangeFile says in Postfix's words that it cannot open the file", () => {
  using bed = new Bed();
  const exchange = new ExchangeFile(`${bed.folder}/none/prng_exch`, {
    io: libcFileIo,
    slowCalls: bed.slowCalls,
    reactor: bed.reactor,
    pool: { stir: () => {}, fill: () => true },
  });
  const text = `tls_prng_exch_open: cannot open PRNG exchange file ${bed.folder}/none/prng_exch: ` +
    "No such file or directory";
  assertEquals(exchange.updateNow()?.text, text);
});

testDescriptors("ExchangeFile tells that the open file was removed, and makes it anew", () => {
  using bed = new Bed();
  bed.exchange.updateNow();
  Deno.removeSync(bed.path);
  bed.update();
  assertEquals(bed.ends, [{ kind: "removed", text: "PRNG exchange file was removed" }]);
  bed.update();
  bed.slowCalls.succeedAll();
  assertEquals([bed.ends[1], bed.content], [undefined, filled(2)]);
});

testDescriptors("ExchangeFile reports a disk that fails, and gives the lock back", () => {
  using bed = new Bed();
  bed.content = filled(5);
  bed.update();
  bed.slowCalls.waiting[0].fail();
  bed.update();
  bed.slowCalls.waiting[0].succeed();
  bed.slowCalls.waiting[0].fail();
  assertEquals(bed.ends.map((fault) => fault?.text), [
    `cannot read PRNG exchange file ${bed.path}`,
    `cannot write PRNG exchange file ${bed.path}`,
  ]);
  assertEquals(bed.exchange.updateNow(), undefined);
});

testDescriptors(
  "ExchangeFile gives a disk ten seconds, and asks it no more until it is back",
  () => {
    using bed = new Bed();
    bed.content = filled(5);
    bed.update();
    const [stuck] = bed.slowCalls.waiting;
    bed.advance(UPDATE_LIMIT_MS);
    assertMatch(
      bed.ends[0]?.text ?? "",
      /^cannot read PRNG exchange file .*: Connection timed out$/,
    );
    bed.update();
    assertMatch(bed.ends[1]?.text ?? "", /Connection timed out$/);
    assertMatch(bed.exchange.updateNow()?.text ?? "", /Connection timed out$/);
    assertEquals(bed.slowCalls.count, 1);
    stuck.succeed();
    assertEquals(bed.ends.length, 2);
    assertEquals(bed.exchange.updateNow(), undefined);
  },
);

testDescriptors("ExchangeFile writes nothing when the generator fails", () => {
  using bed = new Bed();
  bed.content = filled(5);
  bed.works = false;
  assertMatch(bed.exchange.updateNow()?.text ?? "", /the generator failed$/);
  bed.update();
  bed.slowCalls.waiting[0].succeed();
  assertMatch(bed.ends[0]?.text ?? "", /the generator failed$/);
  assertEquals([bed.content, bed.slowCalls.waiting], [filled(5), []]);
});

testDescriptors(
  "ExchangeFile.updateNow() at the end does not wait for an update that is under way",
  () => {
    using bed = new Bed();
    bed.content = filled(5);
    bed.update();
    assertEquals(bed.exchange.updateNow(), undefined);
    assertEquals(bed.content, filled(1));
    bed.exchange.close();
    // The read comes back when the service has gone: its descriptor was kept for it.
    bed.slowCalls.succeedAll();
    assertEquals([bed.ends, bed.content], [[], filled(1)]);
    assertNotEquals(bed.stirred.length, 0);
  },
);
