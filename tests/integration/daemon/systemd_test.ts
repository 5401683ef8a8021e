/**
 * Both roles under systemd: notifications, sockets that it holds open, the journal.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { type Role, type TomlValue, toToml } from "../../support/postern.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { inTime } from "../../support/wait.ts";
import { Systemd, type UnitPlan } from "./_systemd.ts";

const ROLES: readonly Role[] = ["tlsmgr", "tlsproxy"];
const POLICY = [["request", "policy"], ["cache_type", "lmtp"]] as const;

/** What a role gives systemd to keep. */
function kept(role: Role): readonly string[] {
  return role === "tlsmgr" ? ["FDSTORE=1\nFDNAME=ticket-keys"] : [];
}

async function prepare(
  folder: TempFolder,
  plan: UnitPlan,
  { role = "tlsmgr", service = {}, ofRole = {}, parameters = {} }: {
    role?: Role;
    service?: Record<string, TomlValue>;
    ofRole?: Record<string, TomlValue>;
    parameters?: Record<string, TomlValue>;
  } = {},
): Promise<Systemd> {
  const text = toToml({
    queue_directory: folder.path,
    data_directory: folder.path,
    ...parameters,
    service: {
      user: "",
      core_dumps: true,
      ...service,
      [role]: { socket: folder.file("socket"), ...ofRole },
    },
  });
  const config = await folder.write("postern.toml", text);
  return await Systemd.prepare(plan, ["--role", role, "--config", config]);
}

/** A client that connects, asks and reads the answer, all of it as Postfix's programs do. */
async function ask(path: string): Promise<void> {
  using client = await inTime("a connection", AttrClient.connectTo(path, "tlsmgr_protocol"));
  const { attributes } = await inTime("an answer", client.ask([...POLICY]));
  assertEquals(attributes[0], ["status", "0"]);
}

for (const role of ROLES) {
  for (const kind of ["path", "abstract"] as const) {
    Deno.test(`${role} tells systemd at ${kind} socket that it serves, and that it ends`, async () => {
      await using folder = await TempFolder.make("sd");
      const notify = kind === "path" ? folder.file("notify") : `@${folder.path.slice(1)}`;
      await using systemd = await prepare(folder, { notify }, { role });
      await systemd.start();
      await systemd.notified("READY=1");
      const ready = [...kept(role), `READY=1\nSTATUS=Serving ${folder.file("socket")}`];
      assertEquals(systemd.notifications, ready);
      assert((await Deno.lstat(folder.file("socket"))).isSocket);
      await systemd.signal("SIGTERM");
      assertEquals(await systemd.ended(), 0);
      assertEquals(systemd.notifications.slice(ready.length), [
        "STOPPING=1\nSTATUS=Sessions come to their end",
      ]);
    });
  }
}

Deno.test("a role that cannot start never says READY=1", async () => {
  await using folder = await TempFolder.make("sd");
  const parameters = { smtpd_tls_session_cache_database: "btree:${data_directory}/" };
  await using systemd = await prepare(folder, { notify: folder.file("notify") }, { parameters });
  await systemd.start();
  assertEquals(await systemd.ended(), 78);
  assertEquals(systemd.notifications.filter((one) => one.includes("READY=1")), []);
});

Deno.test("NOTIFY_SOCKET that cannot be used is a warning, and the role serves", async () => {
  await using folder = await TempFolder.make("sd");
  await using systemd = await prepare(folder, { env: { NOTIFY_SOCKET: "vsock:2:1234" } });
  await systemd.start();
  await systemd.logged(/: ready: serving /);
  const lines = systemd.lines.filter((line) => line.includes("NOTIFY_SOCKET"));
  assertEquals(lines.length, 1);
  assertMatch(lines[0], /warning: cannot notify systemd at NOTIFY_SOCKET=vsock:2:1234: it is no /);
});

Deno.test("systemd's watchdog hears of the role at half of its interval, or of daemon_timeout", async () => {
  for (const parameters of [{}, { daemon_timeout: "1s" }] as Record<string, string>[]) {
    await using folder = await TempFolder.make("sd");
    const usec = parameters.daemon_timeout === undefined ? "100000" : "60000000";
    const plan = { notify: folder.file("notify"), env: { WATCHDOG_USEC: usec } };
    await using systemd = await prepare(folder, plan, { parameters });
    await systemd.start();
    await systemd.notified("WATCHDOG=1", 3);
  }
});

Deno.test("without a watchdog nothing is said of being alive", async () => {
  await using folder = await TempFolder.make("sd");
  await using systemd = await prepare(folder, { notify: folder.file("notify") });
  await systemd.start();
  await systemd.notified("READY=1");
  await ask(folder.file("socket"));
  await systemd.signal("SIGTERM");
  await systemd.ended();
  assertEquals(systemd.notifications.filter((one) => one.includes("WATCHDOG")), []);
});

Deno.test("a restart with the socket held open by systemd refuses no client", async () => {
  await using folder = await TempFolder.make("sd");
  const path = folder.file("held");
  const plan: UnitPlan = {
    notify: folder.file("notify"),
    sockets: [{ name: "tlsmgr", kind: "stream", path }],
  };
  await using systemd = await prepare(folder, plan);
  // Nobody serves, and the connection waits.
  const early = ask(path);
  await systemd.start();
  await early;
  for (let run = 1; run <= 3; run++) {
    await systemd.notified("READY=1", run);
    await ask(path);
    await systemd.signal("SIGTERM");
    const during = Promise.all(Array.from({ length: 5 }, () => askUntilServed(path)));
    assertEquals(await systemd.ended(run), 0);
    assert((await Deno.lstat(path)).isSocket, "the name stays");
    await systemd.start();
    await during;
  }
  await assertRejects(() => Deno.lstat(folder.file("socket")), Deno.errors.NotFound);
});

/** A connection that the ending service accepts is closed by it; a refused one is never tried again. */
async function askUntilServed(path: string): Promise<void> {
  for (;;) {
    try {
      return await ask(path);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) throw error;
      if (error instanceof Deno.errors.NotFound) throw error;
    }
  }
}

Deno.test("of several sockets a role takes the one with its name, or with its path", async () => {
  for (const name of ["postern-tlsmgr.socket", "connection", "postern-tlsmgr@mx.socket"]) {
    await using folder = await TempFolder.make("sd");
    const other = { name: "tlsproxy", kind: "stream", path: folder.file("other") } as const;
    const mine = { name, kind: "stream", path: folder.file("mine") } as const;
    await using systemd = await prepare(folder, { sockets: [other, mine] }, {
      service: { mode: "systemd" },
      ofRole: { socket: name === "connection" ? mine.path : folder.file("elsewhere") },
    });
    const pid = await systemd.start();
    await systemd.logged(/: ready: serving a socket of systemd's/);
    await ask(mine.path);
    const environment = await Deno.readTextFile(`/proc/${pid}/environ`);
    assert(environment.includes("LISTEN_FDS=2"), "the play told of two");
  }
});

Deno.test("a socket of the wrong kind, and a choice that cannot be made, are refused", async () => {
  const stream = { kind: "stream" } as const;
  const cases: [UnitPlan["sockets"], RegExp][] = [
    [
      [{ name: "tlsmgr", kind: "datagram", path: "a" }],
      /"tlsmgr" of systemd's: it is not a stream/,
    ],
    [[{ name: "tlsmgr", kind: "tcp" }], /it is not a UNIX-domain socket/],
    [[{ name: "tlsmgr", kind: "bound", path: "a" }], /it does not listen/],
    [[{ name: "tlsproxy", ...stream, path: "a" }], /none of "tlsproxy" has its name or path/],
    [
      [{ name: "a", ...stream, path: "a" }, { name: "b", ...stream, path: "b" }],
      /none of "a", "b" has its name or path/,
    ],
  ];
  for (const [sockets = [], pattern] of cases) {
    await using folder = await TempFolder.make("sd");
    for (const socket of sockets) {
      if (socket.path !== undefined) socket.path = folder.file(socket.path);
    }
    await using systemd = await prepare(folder, { sockets });
    await systemd.start();
    assertEquals(await systemd.ended(), 78);
    const errors = systemd.lines.filter((line) => pattern.test(line));
    assertEquals(errors.length, 1, systemd.lines.join("\n"));
  }
});

Deno.test("sockets for another process are not taken; mode = systemd then says so", async () => {
  await using folder = await TempFolder.make("sd");
  const sockets = [{ name: "tlsmgr", kind: "stream", path: folder.file("held") }] as const;
  {
    await using systemd = await prepare(folder, { sockets: [...sockets] });
    await systemd.addressTo(1);
    await systemd.start();
    await systemd.logged(/: ready: serving \/.*\/socket$/);
  }
  await Deno.remove(folder.file("held"));
  await using systemd = await prepare(folder, { sockets: [...sockets] }, {
    service: { mode: "systemd" },
  });
  await systemd.addressTo(1);
  await systemd.start();
  assertEquals(await systemd.ended(), 78);
  await systemd.logged(/systemd has passed no socket \(LISTEN_FDS\)/);
});

Deno.test("mode = standalone leaves systemd's socket alone", async () => {
  await using folder = await TempFolder.make("sd");
  const plan: UnitPlan = {
    sockets: [{ name: "tlsmgr", kind: "stream", path: folder.file("held") }],
  };
  await using systemd = await prepare(folder, plan, { service: { mode: "standalone" } });
  await systemd.start();
  await systemd.logged(/: ready: serving \/.*\/socket$/);
  await ask(folder.file("socket"));
});

Deno.test("lines for the journal bear their priority, others do not", async () => {
  const parameters = { queue_directory: "/no/such/folder" };
  for (const journal of [true, false]) {
    await using folder = await TempFolder.make("sd");
    await using systemd = await prepare(folder, { journal }, { parameters });
    await systemd.start();
    await systemd.logged(/: ready: serving /);
    const ours = systemd.lines.filter((line) => line.includes("postfix/tlsmgr["));
    const marks = ours.map((line) =>
      line.replace(/^(<\d>)?postfix\/tlsmgr\[\d+\]: (warning|ready): .*$/, "$1 $2")
    );
    assertEquals(
      marks,
      journal ? ["<4> warning", "<6> ready"] : [" warning", " ready"],
      systemd.lines.join("\n"),
    );
  }
});

Deno.test("a role works in queue_directory: relative paths begin there", async () => {
  await using folder = await TempFolder.make("sd");
  await using systemd = await prepare(folder, {});
  const pid = await systemd.start();
  await systemd.logged(/: ready: /);
  assertEquals(await Deno.readLink(`/proc/${pid}/cwd`), await Deno.realPath(folder.path));
});

Deno.test("with recycle an idle tlsproxy ends in order, and the next one finds the socket", async () => {
  await using folder = await TempFolder.make("sd");
  const path = folder.file("held");
  const sockets = [{ name: "tlsproxy", kind: "stream", path } as const];
  await using systemd = await prepare(folder, { sockets }, {
    role: "tlsproxy",
    service: { recycle: true },
    parameters: { max_idle: "1s" },
  });
  for (const run of [1, 2]) {
    await systemd.start();
    assertEquals(await systemd.ended(run), 0);
  }
  const ends = systemd.lines.filter((line) => line.includes("(max_idle)"));
  assertEquals(ends.length, 2, systemd.lines.join("\n"));
});

Deno.test("a reload is told to systemd: when it begins, and how it ends", async () => {
  for (const role of ROLES) {
    await using folder = await TempFolder.make("sd");
    await using systemd = await prepare(folder, { notify: folder.file("notify") }, { role });
    await systemd.start();
    await systemd.notified("READY=1");
    await systemd.signal("SIGHUP");
    await systemd.notified("READY=1", 2);
    const [, reloading, ready] = systemd.notifications.slice(kept(role).length);
    const found = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n/.exec(reloading);
    assert(found !== null, reloading);
    // Within the time that the machine has been up, which this clock counts.
    const uptimeS = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
    const seconds = Number(found[1]) / 1e6;
    assert(seconds > 0 && seconds <= uptimeS + 1, `${seconds} of ${uptimeS}`);
    assertEquals(ready, `READY=1\nSTATUS=Serving ${folder.file("socket")}`);
    await Deno.writeTextFile(folder.file("postern.toml"), "ipc_timeout = true");
    await systemd.signal("SIGHUP");
    await systemd.notified("; the last reload failed: the settings have errors");
    if (role === "tlsmgr") await ask(folder.file("socket"));
  }
});

Deno.test("tlsmgr takes other settings while it serves, and names what takes a restart", async () => {
  await using folder = await TempFolder.make("sd");
  await using systemd = await prepare(folder, {});
  await systemd.start();
  await systemd.logged(/: ready: /);
  const path = folder.file("postern.toml");
  const text = await Deno.readTextFile(path);
  using client = await AttrClient.connectTo(folder.file("socket"), "tlsmgr_protocol");
  const timeout = "lmtp_tls_session_cache_timeout";
  await Deno.writeTextFile(
    path,
    `${timeout} = "1234s"\nsyslog_name = "other"\n${text}[cache]\nsync = "never"\n`,
  );
  await systemd.signal("SIGHUP");
  await systemd.logged(/: reload: the new settings are in force$/);
  const { attributes } = await inTime("an answer", client.ask([...POLICY]));
  assertEquals(attributes.at(-1), ["timeout", "1234"], "on a connection of before");
  const named = "syslog_name, cache.smtpd.sync, cache.smtp.sync, cache.lmtp.sync";
  await systemd.logged(new RegExp(`warning: reload: takes a restart: ${named}$`));
  // A folder that is missing: nothing of it is taken.
  const database = 'smtp_tls_session_cache_database = "btree:/no/such/folder/cache"\n';
  await Deno.writeTextFile(path, `${timeout} = "4321s"\n${database}${text}`);
  await systemd.signal("SIGHUP");
  await systemd.logged(/error: reload: the new settings cannot be served: .*\/no\/such\/folder/);
  const later = await inTime("an answer", client.ask([...POLICY]));
  assertEquals(later.attributes.at(-1), ["timeout", "1234"]);
});
