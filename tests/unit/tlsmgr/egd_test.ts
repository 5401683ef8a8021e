import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EgdSource } from "../../../lib/tlsmgr/egd.ts";
import { SOURCE_LIMIT_MS } from "../../../lib/tlsmgr/entropy_source.ts";
import { openDescriptors, testDescriptors } from "../../support/descriptors.ts";
import { type EgdOptions, EgdServer, type Misbehaviour } from "../../support/egd_server.ts";
import { waitUntil } from "../../support/wait.ts";
import { Asked, LoopRig } from "./_entropy_rig.ts";

/** A client and its server. */
class Bed implements AsyncDisposable {
  readonly rig = new LoopRig();
  readonly path = this.rig.file("egd");
  readonly source: EgdSource;
  server: EgdServer | undefined;

  constructor(options: EgdOptions | "none" = {}) {
    if (options !== "none") this.server = EgdServer.start(this.path, options);
    this.source = new EgdSource(this.path, { name: `egd:${this.path}`, reactor: this.rig.reactor });
  }

  /** Asks and waits for the end of it. */
  async ask(count: number): Promise<Asked> {
    const asked = new Asked(this.source, count);
    await this.rig.turnUntil("the end of the question", () => asked.ends > 0);
    return asked;
  }

  /** Asks, waits until `probe` is true, and lets the time run out. */
  async askInVain(count: number, probe: (asked: Asked) => boolean): Promise<Asked> {
    const asked = new Asked(this.source, count);
    await this.rig.turnUntil("the server's part", () => probe(asked));
    this.rig.advance(SOURCE_LIMIT_MS - 1);
    assertEquals(asked.ends, 0);
    this.rig.advance(1);
    assertEquals(asked.ends, 1);
    return asked;
  }

  /** The bytes of the requests on connection `index`. */
  requests(index = 0): number[] {
    return this.server!.received[index] ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.source.close();
    await this.server?.[Symbol.asyncDispose]();
    this.rig[Symbol.dispose]();
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

testDescriptors("EgdSource asks as Postfix does, over one connection that is kept", async () => {
  await using bed = new Bed();
  const first = await bed.ask(32);
  assertEquals([first.fault, first.bytes], [undefined, upTo(32)]);
  const second = await bed.ask(255);
  assertEquals(second.bytes.length, 255);
  // The captured request for 32 bytes is 01 20.
  assertEquals(bed.requests(), [1, 32, 1, 255]);
  assertEquals(bed.server!.connections, 1);
});

testDescriptors("EgdSource takes an answer that comes byte by byte", async () => {
  await using bed = new Bed({ bytewise: true });
  assertEquals((await bed.ask(32)).bytes, upTo(32));
});

testDescriptors("EgdSource waits for the rest when the server has too little", async () => {
  await using bed = new Bed({ available: 10 });
  const asked = new Asked(bed.source, 32);
  await bed.rig.turnUntil("the second request", () => bed.requests().length === 4);
  assertEquals(bed.requests(), [1, 32, 2, 22]);
  assertEquals([asked.ends, asked.bytes], [0, upTo(10)]);
  bed.server!.fill(100);
  await bed.rig.turnUntil("the end of the question", () => asked.ends > 0);
  assertEquals([asked.fault, asked.bytes], [undefined, upTo(32)]);
});

testDescriptors("EgdSource waits for a server that has nothing yet", async () => {
  await using bed = new Bed({ available: 0 });
  const asked = new Asked(bed.source, 8);
  await bed.rig.turnUntil("the second request", () => bed.requests().length === 4);
  bed.server!.fill(8);
  await bed.rig.turnUntil("the end of the question", () => asked.ends > 0);
  assertEquals([asked.fault, asked.bytes], [undefined, upTo(8)]);
});

testDescriptors("EgdSource says why it cannot connect", async () => {
  await using bed = new Bed("none");
  const asked = await bed.ask(32);
  assertEquals(asked.fault, {
    kind: "open",
    text: `cannot connect to EGD server ${bed.path}: No such file or directory`,
  });
  const long = new EgdSource("/" + "x".repeat(200), { name: "egd:x", reactor: bed.rig.reactor });
  assertMatch(new Asked(long, 1).fault?.text ?? "", /: a socket path has 1 to 107 bytes$/);
  await Deno.writeTextFile(bed.path, "no socket");
  assertMatch((await bed.ask(1)).fault?.text ?? "", /: Connection refused$/);
});

/** How a question ends that a server does not answer as it should. */
const FAULTS: Partial<Record<Misbehaviour, RegExp>> = {
  "hangs up":
    /^cannot (read from|write to) EGD server .*: (it closed the connection|Broken pipe|Connection reset by peer)$/,
  "closes on a question":
    /^cannot read from EGD server .*: (it closed the connection|Connection reset by peer)$/,
  "cuts short": /^cannot read 1 bytes from EGD server .*: it closed the connection$/,
  "gives too much": /^cannot read 32 bytes from EGD server .*: it sent 33 or more$/,
  "babbles": /^cannot read 32 bytes from EGD server .*: it sent 35 or more$/,
};

for (const [misbehaviour, fault] of Object.entries(FAULTS)) {
  testDescriptors(
    `EgdSource fails, and connects again, when a server ${misbehaviour}`,
    async () => {
      await using bed = new Bed({ misbehaviour: misbehaviour as Misbehaviour });
      for (const connections of [1, 2]) {
        const asked = await bed.ask(32);
        assertEquals([asked.ends, asked.fault?.kind], [1, "read"]);
        assertMatch(asked.fault?.text ?? "", fault);
        assertStringIncludes(asked.fault?.text ?? "", bed.path);
        await waitUntil("the server to see it", () => bed.server!.connections === connections);
      }
    },
  );
}

testDescriptors("EgdSource gives a silent server ten seconds", async () => {
  await using bed = new Bed({ misbehaviour: "silent" });
  const asked = await bed.askInVain(32, () => bed.requests().length === 2);
  assertEquals(asked.fault, {
    kind: "read",
    text: `cannot read from EGD server ${bed.path}: Connection timed out`,
  });
});

testDescriptors("EgdSource gives a server that stalls in the middle ten seconds", async () => {
  await using bed = new Bed({ misbehaviour: "stalls in the middle" });
  const asked = await bed.askInVain(32, ({ bytes }) => bytes.length === 17);
  assertEquals(
    asked.fault?.text,
    `cannot read 15 bytes from EGD server ${bed.path}: Connection timed out`,
  );
});

testDescriptors("EgdSource reports a server that stays empty as Postfix does", async () => {
  await using bed = new Bed({ misbehaviour: "empty" });
  const asked = await bed.askInVain(32, () => bed.requests().length === 4);
  assertEquals(asked.fault?.text, `EGD server ${bed.path} reports zero bytes available`);
});

testDescriptors("EgdSource believes nothing that it has not asked for", async () => {
  await using bed = new Bed({ misbehaviour: "greets" });
  const asked = new Asked(bed.source, 32);
  await bed.rig.turnUntil("the end of the question", () => asked.ends > 0);
  // The greeting 1, 2, 3 reads as an answer of one byte and something behind it.
  assertMatch(asked.fault?.text ?? "", /it sent \d+ or more$/);
  assertEquals(asked.bytes, []);
});

testDescriptors(
  "EgdSource connects again when the server went away between two questions",
  async () => {
    await using bed = new Bed({ misbehaviour: "restarts" });
    assertEquals((await bed.ask(4)).fault, undefined);
    const watched = bed.rig.reactor.watched;
    await bed.rig.turnUntil("the end of the connection", () => bed.rig.reactor.watched < watched);
    assertEquals((await bed.ask(4)).bytes, [4, 5, 6, 7]);
    assertEquals(bed.server!.connections, 2);
  },
);

testDescriptors("EgdSource.close() gives up what is asked, and is silent about it", async () => {
  await using bed = new Bed({ misbehaviour: "silent" });
  const before = openDescriptors().size;
  const asked = new Asked(bed.source, 32);
  assert(openDescriptors().size > before);
  bed.source.close();
  bed.rig.advance(2 * SOURCE_LIMIT_MS);
  assertEquals(asked.ends, 0);
});

Deno.test("EgdServer speaks all five commands", async () => {
  const path = `${await Deno.makeTempDir({ prefix: "postern-egd-" })}/s`;
  {
    await using server = EgdServer.start(path, { available: 3 });
    using client = await Deno.connect({ transport: "unix", path });
    const exchange = async (request: number[], count: number): Promise<number[]> => {
      await client.write(Uint8Array.from(request));
      const answer: number[] = [];
      while (answer.length < count) {
        const chunk = new Uint8Array(count - answer.length);
        const got = await client.read(chunk);
        assert(got !== null, `${count} bytes after ${request}`);
        answer.push(...chunk.subarray(0, got));
      }
      return answer;
    };
    assertEquals(await exchange([0], 4), [0, 0, 0, 24]);
    assertEquals(await exchange([1, 2], 3), [2, 0, 1]);
    assertEquals(await exchange([1, 9], 2), [1, 2]);
    assertEquals(await exchange([1, 9], 1), [0]);
    // 512 bits in two bytes, then nothing: what there is afterwards shows that it was taken.
    await client.write(Uint8Array.of(3, 2, 0, 2, 7, 7));
    assertEquals(await exchange([0], 4), [0, 0, 2, 0]);
    assertEquals(await exchange([2, 3], 3), [3, 4, 5]);
    const id = String(Deno.pid);
    const [length, ...digits] = await exchange([4], 1 + id.length);
    assertEquals([length, String.fromCharCode(...digits)], [id.length, id]);
    assertEquals(server.connections, 1);
  }
  await Deno.remove(path.slice(0, -2), { recursive: true });
});
