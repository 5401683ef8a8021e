/**
 * The desk of a running service: who may ask what, what hostile visitors can do to the service (nothing),
 * and what becomes of its names.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connectTo, request, send, visit } from "../../support/http_visit.ts";
import { freePorts } from "../../support/ports.ts";
import { posternBinary, type Role, toToml } from "../../support/postern.ts";
import { runChecked, runCommand, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { waitUntil } from "../../support/wait.ts";
import { Bed as Tlsmgr } from "../tlsmgr/_bed.ts";
import { assertTalks, Bed as Tlsproxy } from "../tlsproxy/_bed.ts";
import { Systemd } from "./_systemd.ts";

/** Connections that ask nothing: far more than a door has room for. */
const CROWD = 400;
/** Descriptors of a door that is full, and what the system opens meanwhile. */
const DOOR_DESCRIPTORS_MAX = 24;

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("tlsmgr shows its numbers at a port, and more at its control socket, which goes with it", async () => {
  const [port] = freePorts(1);
  const bed = await Tlsmgr.start(undefined, { metrics: `127.0.0.1:${port}` });
  const control = `${bed.socket}.control`;
  assertEquals(((await Deno.lstat(control)).mode ?? 0) & 0o777, 0o600);
  await bed.assertServes();
  const metrics = await visit({ port }, request("/metrics", { host: `127.0.0.1:${port}` }));
  assertMatch(metrics, /^HTTP\/1\.1 200 OK\r\n/);
  assertStringIncludes(metrics, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
  assertStringIncludes(metrics, '\npostern_tlsmgr_requests_total{type="policy",status="ok"} 1\n');
  for (const [path, body] of [["/healthz", "ok"], ["/readyz", "serving"]]) {
    assertMatch(await visit({ port }, request(path)), new RegExp(`^HTTP/1.1 200 [^]*\n${body}\n$`));
    assertMatch(await visit(control, request(path)), new RegExp(`^HTTP/1.1 200 [^]*\n${body}\n$`));
  }
  assertMatch(await visit({ port }, request("/status")), /^HTTP\/1\.1 404 /);
  assertMatch(await visit({ port }, request("/reload", { method: "POST" })), /^HTTP\/1\.1 404 /);
  assertMatch(
    await visit({ port }, request("/metrics", { host: "evil.example" })),
    /^HTTP\/1\.1 421 /,
  );
  assertMatch(await visit(control, request("/status")), /"role":"tlsmgr"/);
  assertEquals(await bed.tlsmgr.stop(), 0);
  assert(!await isThere(control), "the name has gone");
  await assertRejects(() => connectTo({ port }), Deno.errors.ConnectionRefused);
  assertEquals(bed.tlsmgr.problems(), []);
  await bed[Symbol.asyncDispose]();
});

Deno.test("tlsproxy lets itself be watched while it drains, and leaves the metrics to a successor", async () => {
  await using bed = await Tlsproxy.start({ service: { drain_timeout: 300 } });
  const control = `${bed.socket}.control`;
  const open = await bed.established();
  assertMatch(await visit(control, request("/readyz")), /^HTTP\/1\.1 200 [^]*serving\n$/);
  bed.tlsproxy.signal("SIGTERM");
  await waitUntil(
    "the drain",
    async () => /^HTTP\/1\.1 503 [^]*draining\n$/.test(await visit(control, request("/readyz"))),
  );
  assertMatch(await visit(control, request("/healthz")), /^HTTP\/1\.1 200 /);
  assertMatch(await visit(control, request("/status")), /"state":"draining"/);
  await assertTalks(open);
  await open.local.close();
  assertEquals(await bed.ended(), 0);
  assert(!await isThere(control), "the name has gone");
});

Deno.test("tlsproxy serves, and ends at once, whatever a crowd does at its doors", async () => {
  const [port] = freePorts(1);
  await using bed = await Tlsproxy.start({ role: { metrics: `127.0.0.1:${port}` } });
  const control = `${bed.socket}.control`;
  const before = await bed.tlsproxy.countDescriptors();
  await using stack = new AsyncDisposableStack();
  for (let i = 0; i < CROWD; i++) {
    const connection = stack.adopt(
      await connectTo(i % 2 === 0 ? { port } : control),
      (one) => one.close(),
    );
    const text = i % 3 === 0 ? "GET /metrics HTTP/1.1\r\n" : i % 3 === 1 ? "" : "\x00".repeat(8000);
    // The door may have closed it already.
    await send(connection, text).catch(() => {});
  }
  for (let i = 0; i < 3; i++) await bed.honestSession();
  assertMatch(await visit({ port }, request("/metrics")), /^HTTP\/1\.1 200 /);
  assertMatch(await visit(control, request("/status")), /^HTTP\/1\.1 200 /);
  const during = await bed.tlsproxy.countDescriptors();
  assert(during <= before + 2 * DOOR_DESCRIPTORS_MAX, `${before} descriptors, then ${during}`);
  bed.tlsproxy.signal("SIGTERM");
  assertEquals(await bed.ended(), 0);
  assertEquals(bed.tlsproxy.problems(), []);
});

Deno.test("a role does not start when its metrics cannot be had, and says what to do", async () => {
  await using folder = await TempFolder.make("desk");
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const file = await folder.write("file", "precious");
  for (
    const [metrics, why] of [
      [`127.0.0.1:${port}`, /"127\.0\.0\.1:\d+": Address already in use; Stop the process /],
      [file, /a file that is not a socket is there; Move that file away/],
      [folder.file("none/metrics"), /No such file or directory; Create the folder /],
    ] as const
  ) {
    const config = await folder.write(
      "postern.toml",
      toToml({
        queue_directory: folder.path,
        data_directory: folder.path,
        service: { user: "", tlsmgr: { socket: folder.file("socket"), metrics } },
      }),
    );
    const args = ["--role", "tlsmgr", "--config", config];
    const { code, stderr } = await runCommand(posternBinary(), args);
    assertEquals(code, 78, stderr);
    assertMatch(stderr, /^postfix\/tlsmgr\[\d+\]: fatal: Cannot listen on .*\n$/);
    assertMatch(stderr, why);
    assert(!await isThere(folder.file("socket")), "its socket has gone");
    assert(!await isThere(folder.file("socket.control")), "so has the control socket");
  }
  assertEquals(await Deno.readTextFile(file), "precious");
  taken.close();
});

Deno.test("a role serves without its control socket, with one warning", async () => {
  await using folder = await TempFolder.make("desk");
  await folder.write("socket.control", "precious");
  const config = await folder.write(
    "postern.toml",
    toToml({
      queue_directory: folder.path,
      data_directory: folder.path,
      service: { user: "", tlsmgr: { socket: folder.file("socket") } },
    }),
  );
  await using role = startProcess(posternBinary(), ["--role", "tlsmgr", "--config", config]);
  await role.waitFor("readiness", () => /: ready: /.test(role.stderr));
  role.signal("SIGTERM");
  assertEquals(await role.ended(), 0);
  const warnings = role.stderr.split("\n").filter((line) => /warning|error|fatal/.test(line));
  assertEquals(warnings.length, 1, role.stderr);
  assertMatch(warnings[0], /: warning: control socket: Cannot listen on .*; Move that file away/);
  assertEquals(await Deno.readTextFile(folder.file("socket.control")), "precious");
});

Deno.test("control = off opens nothing", async () => {
  await using bed = await Tlsmgr.start(undefined, { control: "off" });
  assert(!await isThere(`${bed.socket}.control`));
  await bed.assertServes();
});

Deno.test("a dead process's control socket is taken over", async () => {
  await using bed = await Tlsmgr.start();
  const control = `${bed.socket}.control`;
  await bed.kill();
  assert(await isThere(control), "a killed process leaves its name");
  await bed.startAgain();
  assertMatch(await visit(control, request("/readyz")), /serving\n$/);
});

Deno.test("with a socket of systemd's the control socket is where the settings say, or nowhere", async () => {
  await using folder = await TempFolder.make("desk");
  for (const control of ["", folder.file("control")]) {
    const config = await folder.write(
      "postern.toml",
      toToml({
        queue_directory: folder.path,
        data_directory: folder.path,
        service: { user: "", tlsmgr: { socket: folder.file("own"), control } },
      }),
    );
    const sockets = [{ name: "tlsmgr", kind: "stream", path: folder.file("held") }] as const;
    await using systemd = await Systemd.prepare({ sockets: [...sockets] }, [
      ...["--role", "tlsmgr", "--config", config],
    ]);
    await systemd.start();
    await systemd.logged(/: ready: serving a socket of systemd's/);
    if (control !== "") assertMatch(await visit(control, request("/readyz")), /serving\n$/);
    await systemd.signal("SIGTERM");
    assertEquals(await systemd.ended(), 0);
    assertEquals(systemd.lines.filter((line) => /warning|error|fatal/.test(line)), []);
    assert(
      !await isThere(folder.file("held.control")) && !await isThere(folder.file("own.control")),
    );
    await Deno.remove(folder.file("held"));
  }
});

const isRoot = Deno.uid() === 0;

for (const chroot of [false, true]) {
  const how = chroot ? "shut into its folder" : "with another account";
  const name = `a role that root starts ${how} has a control socket of that account's`;
  Deno.test({
    name: isRoot ? name : `${name} (skipped: not root)`,
    ignore: !isRoot,
    fn: () => privileged(chroot),
  });
}

async function privileged(chroot: boolean): Promise<void> {
  await using folder = await TempFolder.make("desk");
  const id = async (flag: string) => Number((await runChecked("id", [flag, "games"])).stdout);
  const [uid, gid] = [await id("-u"), await id("-g")];
  for (const name of ["data", "private"]) {
    await Deno.mkdir(folder.file(name), { mode: 0o700 });
    await Deno.chown(folder.file(name), uid, gid);
  }
  for (const role of ["tlsmgr", "tlsproxy"] as Role[]) {
    const metrics = folder.file(`private/${role}.metrics`);
    const config = await folder.write(
      `${role}.toml`,
      toToml({
        queue_directory: folder.path,
        data_directory: folder.file("data"),
        mail_owner: "games",
        service: { chroot, require_tlsmgr: false, [role]: { metrics } },
      }),
    );
    await using process = startProcess(posternBinary(), ["--role", role, "--config", config]);
    await process.waitFor("readiness", () => /: ready: /.test(process.stderr));
    for (const path of [folder.file(`private/${role}.control`), metrics]) {
      const { uid: owner, mode } = await Deno.lstat(path);
      assertEquals([owner, (mode ?? 0) & 0o777], [uid, 0o600], path);
      const said = await visit(path, request("/metrics"));
      assertMatch(said, /\nprocess_resident_memory_bytes \d{7,}\n/);
      assertMatch(said, /\nprocess_open_fds \d+\n/);
    }
    process.signal("SIGTERM");
    assertEquals(await process.ended(), 0, process.stderr);
    for await (const { name } of Deno.readDir(folder.file("private"))) {
      throw new Error(`${name} has been left behind\n${process.stderr}`);
    }
    assertEquals(/control socket|metrics|error|fatal/.exec(process.stderr), null, process.stderr);
  }
}
