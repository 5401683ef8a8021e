import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { FatalError } from "../../../../lib/base/errors.ts";
import { Door, type DoorGround, VISITORS_MAX } from "../../../../lib/daemon/desk/door.ts";
import { textReply } from "../../../../lib/daemon/desk/reply.ts";
import { TempFolder } from "../../../support/temp_folder.ts";
import { inTime, waitUntil } from "../../../support/wait.ts";
import {
  connectTo,
  leaveDeadName,
  readToEnd,
  request,
  send,
  visit,
} from "../../../support/http_visit.ts";

const SETTING = "[service.ROLE] control";

interface Bed extends AsyncDisposable {
  readonly folder: TempFolder;
  readonly path: string;
  readonly door: Door;
  readonly warnings: string[];
}

async function openDoor(ground: Partial<DoorGround> = {}): Promise<Bed> {
  const folder = await TempFolder.make("door");
  const path = folder.file("socket");
  const warnings: string[] = [];
  const door = Door.open({ transport: "unix", path }, {
    answer: ({ method, path }) => Promise.resolve(textReply(200, `${method} ${path}`)),
    title: "door",
    log: { warn: (text) => void warnings.push(text) },
    clock: new ManualClock(1_700_000_000),
    ...ground,
  }, SETTING);
  return {
    ...{ folder, path, door, warnings },
    async [Symbol.asyncDispose]() {
      door.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Door answers one request a connection, and says goodbye", async () => {
  await using bed = await openDoor();
  assertEquals(
    await visit(bed.path, request("/a?b") + request("/second")),
    "HTTP/1.1 200 OK\r\n" +
      "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n" +
      "Content-Type: text/plain; charset=utf-8\r\n" +
      "Content-Length: 7\r\n" +
      "Cache-Control: no-store\r\n" +
      "X-Content-Type-Options: nosniff\r\n" +
      "Connection: close\r\n\r\n" +
      "GET /a\n",
  );
  const head = await visit(bed.path, request("/a", { method: "HEAD" }));
  assertMatch(head, /^HTTP\/1\.1 200 OK\r\n[^]*\r\nContent-Length: 8\r\n[^]*\r\n\r\n$/);
});

Deno.test("Door.open() makes a name for its own account only, which goes with it", async () => {
  const bed = await openDoor();
  const { mode, uid } = await Deno.lstat(bed.path);
  assertEquals([(mode ?? 0) & 0o7777, uid], [0o600, Deno.uid()]);
  assertEquals(Deno.umask() & 0o177, 0o022, "the mask of the process is as before");
  bed.door.close();
  bed.door.close();
  await assertRejects(() => Deno.lstat(bed.path), Deno.errors.NotFound);
  await bed.folder[Symbol.asyncDispose]();
});

Deno.test("Door.open() takes a dead process's name, and nobody else's", async () => {
  await using bed = await openDoor();
  const ground = { answer: () => Promise.reject(), title: "", log: bed.door, clock: bed.door };
  const open = (path: string) =>
    Door.open({ transport: "unix", path }, ground as unknown as DoorGround, SETTING);
  const error = assertThrows(() => open(bed.path), FatalError, "another process already serves it");
  assertStringIncludes(error.hint ?? "", SETTING);
  assertStringIncludes(await visit(bed.path, request("/")), "200 OK");
  const dead = bed.folder.file("dead");
  leaveDeadName(dead);
  assert((await Deno.lstat(dead)).isSocket);
  open(dead).close();
  await assertRejects(() => Deno.lstat(dead), Deno.errors.NotFound);
  const file = await bed.folder.write("file", "precious");
  const link = bed.folder.file("link");
  await Deno.symlink(file, link);
  for (const path of [file, link, bed.folder.path]) {
    assertThrows(() => open(path), FatalError, "a file that is not a socket is there");
  }
  assertEquals(await Deno.readTextFile(file), "precious");
  assert((await Deno.lstat(link)).isSymlink);
});

Deno.test({
  name: "Door.close() leaves a name that somebody else has put in its place",
  // Later runtimes than the one of the executable remove whatever is there by themselves.
  ignore: !Deno.version.deno.startsWith("2.4."),
  fn: async () => {
    const bed = await openDoor();
    await Deno.remove(bed.path);
    await Deno.writeTextFile(bed.path, "");
    bed.door.close();
    assert((await Deno.lstat(bed.path)).isFile);
    await bed.folder[Symbol.asyncDispose]();
  },
});

Deno.test("Door.open() listens at a port, and says what is in the way", () => {
  const ground: DoorGround = {
    answer: () => Promise.resolve(textReply(200, "")),
    title: "metrics",
    log: { warn() {} },
    clock: new ManualClock(),
  };
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr as Deno.NetAddr;
  const place = { transport: "tcp", hostname: "127.0.0.1", port } as const;
  const error = assertThrows(
    () => Door.open(place, ground, "[service.ROLE] metrics"),
    FatalError,
    `Cannot listen on "127.0.0.1:${port}": Address already in use`,
  );
  assertStringIncludes(error.hint ?? "", "[service.ROLE] metrics");
  other.close();
  Door.open(place, ground, "").close();
});

Deno.test("Door refuses heads that are too long or no HTTP, and reads a body to no end", async () => {
  await using bed = await openDoor();
  const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`;
  assertMatch(await visit(bed.path, long), /^HTTP\/1\.1 431 /);
  assertMatch(await visit(bed.path, "\x16\x03\x01\r\n\r\n"), /^HTTP\/1\.1 400 /);
  const body = `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n${"y".repeat(60_000)}`;
  assertMatch(await visit(bed.path, body), /\r\n\r\nPOST \/a\n$/);
  assertEquals(bed.warnings, []);
});

Deno.test("Door does not mind visitors who leave at any time", async () => {
  await using bed = await openDoor();
  const whole = request("/");
  for (const length of [0, 1, 10, whole.length]) {
    const connection = await connectTo(bed.path);
    await send(connection, whole.slice(0, length));
    connection.close();
  }
  using half = await connectTo(bed.path);
  await send(half, "GET / HTTP");
  await half.closeWrite();
  assertEquals(await readToEnd(half), "");
  assertStringIncludes(await visit(bed.path, whole), "200 OK");
  assertEquals(bed.warnings, []);
});

Deno.test("Door sends away who asks nothing, and who does not take the answer", async () => {
  const answer = () => Promise.resolve(textReply(200, "x".repeat(10_000_000)));
  await using bed = await openDoor({ answer, visitLimitMs: 20 });
  using silent = await connectTo(bed.path);
  assertEquals(await readToEnd(silent), "");
  using slow = await connectTo(bed.path);
  await send(slow, "GET / HTTP/1.1\r\n");
  assertEquals(await readToEnd(slow), "");
  using deaf = await connectTo(bed.path);
  await send(deaf, request("/"));
  // Nothing is read before the door has given up, which it has when others have come and gone.
  using later = await connectTo(bed.path);
  assertEquals(await readToEnd(later), "");
  using last = await connectTo(bed.path);
  assertEquals(await readToEnd(last), "");
  const taken = await readToEnd(deaf);
  assert(taken.length < 10_000_000, `${taken.length} bytes`);
  assertEquals(bed.warnings, []);
});

Deno.test("Door has room for whoever asks, however many there are who do not", async () => {
  await using bed = await openDoor({ visitLimitMs: 3_600_000 });
  const silent: Deno.Conn[] = [];
  for (let i = 0; i < 3 * VISITORS_MAX; i++) {
    const connection = await connectTo(bed.path);
    await send(connection, "GET /");
    silent.push(connection);
  }
  assertStringIncludes(await visit(bed.path, request("/")), "200 OK");
  // Those who came first have made room for those who came later.
  for (const connection of silent.slice(0, 2 * VISITORS_MAX)) {
    assertEquals(await readToEnd(connection), "");
  }
  const last = silent.at(-1)!;
  await send(last, "x HTTP/1.1\r\nHost: y\r\n\r\n");
  assertStringIncludes(await readToEnd(last), "GET /x\n");
  for (const connection of silent) connection.close();
});

Deno.test("Door sends nobody away who is being answered", async () => {
  const wanted = Promise.withResolvers<void>();
  let asked = 0;
  const answer = async () => {
    asked++;
    await wanted.promise;
    return textReply(200, "done");
  };
  await using bed = await openDoor({ answer });
  const visits = Array.from({ length: VISITORS_MAX }, () => visit(bed.path, request("/")));
  await waitUntil("all of them to have asked", () => asked === VISITORS_MAX);
  using late = await connectTo(bed.path);
  assertEquals(await readToEnd(late), "");
  wanted.resolve();
  for (const text of await Promise.all(visits)) assertStringIncludes(text, "done");
});

Deno.test("Door answers 500 when an answer cannot be made, and tells it once", async () => {
  await using bed = await openDoor({ answer: () => Promise.reject(new TypeError("oops")) });
  for (let i = 0; i < 3; i++) {
    assertMatch(await visit(bed.path, request("/x")), /^HTTP\/1\.1 500 /);
  }
  assertEquals(bed.warnings, ["door: cannot answer /x: oops"]);
});

Deno.test("Door goes on when the system refuses it a connection", async () => {
  await using folder = await TempFolder.make("door");
  const path = folder.file("socket");
  const listener = Deno.listen({ transport: "unix", path });
  let refusals = 2;
  const warnings: string[] = [];
  const pauses: number[] = [];
  const door = new Door(
    {
      accept: () =>
        refusals-- > 0 ? Promise.reject(new Error("Too many open files")) : listener.accept(),
      close: () => listener.close(),
    },
    {
      answer: () => Promise.resolve(textReply(200, "well")),
      title: "door",
      log: { warn: (text) => void warnings.push(text) },
      clock: new ManualClock(),
      pause: (ms) => {
        pauses.push(ms);
        return Promise.resolve();
      },
    },
  );
  assertStringIncludes(await inTime("an answer", visit(path, request("/"))), "well");
  assertEquals(pauses, [1000, 1000]);
  assertEquals(warnings, ["door: cannot accept a connection: Too many open files"]);
  door.close();
});
