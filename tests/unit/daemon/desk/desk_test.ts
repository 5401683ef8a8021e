import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FatalError } from "../../../../lib/base/errors.ts";
import { Desk, type DeskGround } from "../../../../lib/daemon/desk/desk.ts";
import type { Subject } from "../../../../lib/daemon/desk/routes.ts";
import type { Status } from "../../../../lib/daemon/desk/status.ts";
import { TempFolder } from "../../../support/temp_folder.ts";
import { waitUntil } from "../../../support/wait.ts";
import { request, visit } from "../../../support/http_visit.ts";

const SUBJECT: Subject = {
  state: "serving",
  isWell: () => Promise.resolve(true),
  metrics: () => "postern_x 1\n",
  status: () => Promise.resolve({ role: "tlsproxy" } as Status),
  reload: () => Promise.resolve({ fault: undefined, lines: [] }),
};

interface Bed extends AsyncDisposable {
  readonly folder: TempFolder;
  readonly lines: string[];
  /** Opens a desk; the socket of its service is `socket` in the folder. */
  open(service?: Partial<DeskGround["service"]>, ground?: Partial<DeskGround>): Desk;
}

async function prepare(): Promise<Bed> {
  const folder = await TempFolder.make("desk");
  const lines: string[] = [];
  using stack = new DisposableStack();
  const desks = stack.move();
  return {
    folder,
    lines,
    open(service = {}, ground = {}) {
      const desk = desks.use(
        new Desk({
          service: {
            mode: "detect",
            socket: folder.file("socket"),
            control: "",
            metrics: "",
            ...service,
          },
          opener: "self",
          jail: undefined,
          log: {
            info: (text) => void lines.push(`info: ${text}`),
            warn: (text) => void lines.push(`warning: ${text}`),
          },
          retryMs: 10,
          ...ground,
        }, SUBJECT),
      );
      desk.open();
      return desk;
    },
    async [Symbol.asyncDispose]() {
      desks.dispose();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function namesIn(folder: TempFolder): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(folder.path)) names.push(name);
  return names.sort();
}

Deno.test("Desk opens a control socket unasked, metrics when asked, and takes both away", async () => {
  await using bed = await prepare();
  const desk = bed.open({ metrics: bed.folder.file("metrics") });
  assertEquals(await namesIn(bed.folder), ["metrics", "socket.control"]);
  const control = await visit(bed.folder.file("socket.control"), request("/status"));
  assertStringIncludes(control, '{"role":"tlsproxy"}');
  const metrics = await visit(bed.folder.file("metrics"), request("/status"));
  assertStringIncludes(metrics, "404 Not Found");
  desk[Symbol.dispose]();
  assertEquals(await namesIn(bed.folder), []);
  assertEquals(bed.lines, []);
});

Deno.test("Desk has no control socket under master(8), nor when it is off, nor without /run/postern", async () => {
  await using bed = await prepare();
  bed.open({}, { opener: "master" });
  bed.open({ control: "off" });
  assertEquals(await namesIn(bed.folder), []);
  const named = bed.folder.file("named");
  bed.open({ control: named }, { opener: "master" });
  assertEquals(await namesIn(bed.folder), ["named"]);
  assertEquals(bed.lines, []);
});

Deno.test("Desk does without a control socket that it cannot have, and says so once", async () => {
  await using bed = await prepare();
  const path = bed.folder.file("none/socket");
  bed.open({ socket: path });
  assertEquals(bed.lines, [
    `warning: control socket: Cannot listen on "${path}.control": No such file or directory; ` +
    `Create the folder "${bed.folder.file("none")}", or choose another path in ` +
    "[service.ROLE] control",
  ]);
  await Deno.mkdir(bed.folder.file("none"));
  await waitUntil("the socket", () => bed.lines.includes("info: control socket: open"));
  assertEquals(bed.lines.length, 2);
  assertStringIncludes(await visit(`${path}.control`, request("/readyz")), "serving");
});

Deno.test("Desk waits for the name of a process that lets its last sessions end", async () => {
  await using bed = await prepare();
  const old = bed.open();
  bed.open();
  assertEquals(bed.lines.length, 1);
  assertStringIncludes(bed.lines[0], "another process already serves it");
  old[Symbol.dispose]();
  await waitUntil("the socket", () => bed.lines.includes("info: control socket: open"));
});

Deno.test("Desk ends the start when metrics cannot be had, but not under master(8)", async () => {
  await using bed = await prepare();
  const metrics = bed.folder.file("metrics");
  const old = bed.open({ control: "off", metrics });
  const error = assertThrows(() => bed.open({ control: "off", metrics }), FatalError);
  assertStringIncludes(error.hint ?? "", "[service.ROLE] metrics");
  assertEquals(bed.lines, []);
  bed.open({ control: "off", metrics }, { opener: "master" });
  assertEquals(bed.lines.length, 1);
  old[Symbol.dispose]();
  await waitUntil("metrics", () => bed.lines.includes("info: metrics: open"));
});

Deno.test("Desk.giveWay() lets a successor have the metrics, unless systemd sees to it that there is none", async () => {
  await using bed = await prepare();
  const metrics = bed.folder.file("metrics");
  const old = bed.open({ metrics });
  old.giveWay();
  assertEquals(await namesIn(bed.folder), ["socket.control"]);
  const late = bed.open({ control: "off", metrics: bed.folder.file("socket.control") }, {
    opener: "master",
  });
  const successor = bed.open();
  late.giveWay();
  old[Symbol.dispose]();
  // Had the first of the two gone on trying, it would have been faster.
  await waitUntil("a successor's socket", () => bed.lines.includes("info: control socket: open"));
  assert(!bed.lines.includes("info: metrics: open"), bed.lines.join("\n"));
  const held = bed.open({ control: "off", metrics }, { opener: "systemd" });
  held.giveWay();
  assertEquals(await namesIn(bed.folder), ["metrics", "socket.control"]);
  successor[Symbol.dispose]();
});

Deno.test("Desk finds its places below a folder that the process is shut into", async () => {
  await using bed = await prepare();
  // What the process would see is tried here without a jail, below a folder called like the jail.
  const inner = bed.folder.path;
  bed.open({ socket: `/jail${inner}/socket` }, { jail: "/jail/" });
  assertEquals(await namesIn(bed.folder), ["socket.control"]);
  const outside = { control: "off", metrics: bed.folder.file("metrics") };
  const error = assertThrows(
    () => bed.open(outside, { jail: "/jail" }),
    FatalError,
    "is shut into",
  );
  assertStringIncludes(error.hint ?? "", "below that folder");
  await assertRejects(() => Deno.lstat(bed.folder.file("metrics")), Deno.errors.NotFound);
  assert(bed.lines.length === 0, bed.lines.join("\n"));
});
