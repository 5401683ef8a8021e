/**
 * Roles that root starts: what they become, what they keep, and what they say when they cannot.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { writeCertificates } from "../../support/certificates.ts";
import { isInstalled } from "../../support/interop.ts";
import { posternBinary, type Role, type TomlValue, toToml } from "../../support/postern.ts";
import {
  readIfThere,
  runChecked,
  runCommand,
  type RunningProcess,
  startProcess,
} from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";

const ROLES: readonly Role[] = ["tlsmgr", "tlsproxy"];
/** An account that every Debian has, and is nobody's. */
const ACCOUNT = "games";
/** Root, and something to become. */
const isRoot = Deno.uid() === 0;

function rootTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: isRoot ? name : `${name} (skipped: not root)`, ignore: !isRoot, fn });
}

/** A queue directory with a data directory of the account's, and a key that only root may read. */
class Bench implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly uid: number;
  readonly gid: number;

  private constructor(folder: TempFolder, uid: number, gid: number) {
    this.folder = folder;
    this.uid = uid;
    this.gid = gid;
  }

  static async make(): Promise<Bench> {
    const folder = await TempFolder.make("pr");
    const id = async (flag: string) => Number((await runChecked("id", [flag, ACCOUNT])).stdout);
    const bench = new Bench(folder, await id("-u"), await id("-g"));
    await Deno.mkdir(folder.file("tls"));
    for (const name of ["data", "private"]) {
      await Deno.mkdir(folder.file(name), { mode: 0o700 });
      await Deno.chown(folder.file(name), bench.uid, bench.gid);
    }
    return bench;
  }

  async write(role: Role, more: {
    service?: Record<string, TomlValue>;
    parameters?: Record<string, TomlValue>;
  } = {}): Promise<string> {
    const text = toToml({
      queue_directory: this.folder.path,
      data_directory: this.folder.file("data"),
      mail_owner: ACCOUNT,
      ...more.parameters,
      service: { ...more.service, tlsproxy: { workers: 2 } },
    });
    return await this.folder.write(`${role}.toml`, text);
  }

  async start(role: Role, more: Parameters<Bench["write"]>[1] = {}): Promise<RunningProcess> {
    const config = await this.write(role, more);
    const process = startProcess(posternBinary(), ["--role", role, "--config", config]);
    try {
      await process.waitFor("readiness", () => /: ready: /.test(process.stderr));
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** The lines of all threads' status files that begin with `key`, without repetition. */
async function statusOfThreads(pid: number, key: string): Promise<string[]> {
  const found = new Set<string>();
  let threads = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const status = await readIfThere(`/proc/${pid}/task/${name}/status`);
    // The thread has ended since the listing.
    if (status === "") continue;
    found.add(new RegExp(`^${key}:\\s*(.*?)\\s*$`, "m").exec(status)?.[1] ?? "");
    threads++;
  }
  assert(threads > 3, `${threads} threads`);
  return [...found];
}

function four(id: number): string {
  return Array(4).fill(id).join("\t");
}

for (const role of ROLES) {
  rootTest(`${role}: no thread keeps a right of root's`, async () => {
    await using bench = await Bench.make();
    const { rsaCertificate, rsaKey } = await writeCertificates(bench.folder.file("tls"));
    await Deno.chmod(rsaKey, 0o600);
    await using process = await bench.start(role, {
      parameters: {
        smtpd_tls_security_level: "may",
        smtpd_tls_cert_file: rsaCertificate,
        smtpd_tls_key_file: rsaKey,
        smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
      },
    });
    const { pid } = process;
    assertEquals(await statusOfThreads(pid, "Uid"), [four(bench.uid)]);
    assertEquals(await statusOfThreads(pid, "Gid"), [four(bench.gid)]);
    assertEquals(await statusOfThreads(pid, "Groups"), [String(bench.gid)]);
    for (const set of ["CapPrm", "CapEff", "CapAmb"]) {
      assertEquals(await statusOfThreads(pid, set), ["0000000000000000"], set);
    }
    // A change of ids lets nobody look into the memory of a process that holds keys.
    assertEquals((await Deno.stat(`/proc/${pid}/mem`)).uid, 0);
    const socket = await Deno.lstat(bench.folder.file(`private/${role}`));
    assertEquals([socket.isSocket, socket.uid], [true, bench.uid]);
    const problems = process.stderr.split("\n").filter((line) => line.includes("warning: "));
    // Nobody plays tlsmgr here; keys and certificates are what counts.
    assertEquals(problems.filter((line) => !line.includes("server private/tlsmgr")), []);
    process.signal("SIGTERM");
    assertEquals(await process.ended(), 0, process.stderr);
    for await (const { name } of Deno.readDir(bench.folder.file("private"))) {
      throw new Error(`${name} has been left behind`);
    }
  });
}

rootTest("tlsmgr: what root opens belongs to the account, also in the next run", async () => {
  await using bench = await Bench.make();
  const parameters = {
    smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
    tls_random_exchange_name: "${data_directory}/prng_exch",
  };
  const list = [["cache_type", "smtpd"], ["cache_id", "a"]] as const;
  for (const first of [true, false]) {
    await using process = await bench.start("tlsmgr", { parameters });
    const path = bench.folder.file("private/tlsmgr");
    using client = await AttrClient.connectTo(path, "tlsmgr_protocol");
    if (first) {
      const update = await client.ask([["request", "update"], ...list, ["session", "QUFB"]]);
      assertEquals(update.attributes[0], ["status", "0"]);
    }
    const lookup = await client.ask([["request", "lookup"], ...list]);
    assertEquals(lookup.attributes, [["status", "0"], ["session", "QUFB"]]);
    process.signal("SIGTERM");
    assertEquals(await process.ended(), 0);
    assert(!/warning|error|fatal/.test(process.stderr), process.stderr);
  }
  const owners: Record<string, number | null> = {};
  for await (const { name } of Deno.readDir(bench.folder.file("data"))) {
    owners[name] = (await Deno.stat(bench.folder.file(`data/${name}`))).uid;
  }
  assertEquals(Object.keys(owners).sort(), [
    "prng_exch",
    "smtpd_scache.postern",
    "smtpd_scache.postern.lock",
  ]);
  assertEquals(Object.values(owners), [bench.uid, bench.uid, bench.uid]);
});

rootTest(
  "chroot shuts the process into queue_directory, with its caches outside of it",
  async () => {
    for (const role of ROLES) {
      await using bench = await Bench.make();
      await using data = await TempFolder.make("prd");
      await Deno.chown(data.path, bench.uid, bench.gid);
      await using process = await bench.start(role, {
        service: { chroot: true },
        parameters: {
          data_directory: data.path,
          smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
        },
      });
      const jail = await Deno.realPath(bench.folder.path);
      assertEquals(await Deno.readLink(`/proc/${process.pid}/root`), jail);
      assertEquals(await Deno.readLink(`/proc/${process.pid}/cwd`), jail);
      assertEquals(await statusOfThreads(process.pid, "Uid"), [four(bench.uid)]);
      if (role === "tlsmgr") {
        const path = bench.folder.file("private/tlsmgr");
        using client = await AttrClient.connectTo(path, "tlsmgr_protocol");
        const update = await client.ask([
          ["request", "update"],
          ...[["cache_type", "smtpd"], ["cache_id", "a"], ["session", "QUFB"]] as const,
        ]);
        assertEquals(update.attributes[0], ["status", "0"]);
      }
      process.signal("SIGTERM");
      assertEquals(await process.ended(), 0, process.stderr);
      assertEquals([...Deno.readDirSync(bench.folder.file("private"))], []);
    }
  },
);

rootTest(
  "[service] group takes the place of the account's own, user the place of mail_owner",
  async () => {
    await using bench = await Bench.make();
    const { stdout } = await runChecked("getent", ["group", "daemon"]);
    await using process = await bench.start("tlsmgr", {
      parameters: { mail_owner: "no-such-account" },
      service: { user: ACCOUNT, group: "daemon" },
    });
    assertEquals(await statusOfThreads(process.pid, "Uid"), [four(bench.uid)]);
    assertEquals(await statusOfThreads(process.pid, "Gid"), [four(Number(stdout.split(":")[2]))]);
  },
);

rootTest('user = "" stays root', async () => {
  await using bench = await Bench.make();
  await using process = await bench.start("tlsmgr", { service: { user: "" } });
  assertEquals(await statusOfThreads(process.pid, "Uid"), [four(0)]);
});

rootTest("accounts and groups that are not there, or are root's, are refused by name", async () => {
  const cases: [Record<string, string>, Record<string, string>, string][] = [
    [
      { mail_owner: "no-such" },
      {},
      'Cannot run as the account "no-such": there is none of that name',
    ],
    [{}, { user: "root" }, 'Cannot run as the account "root": it is root\'s'],
    [{}, { group: "no-such" }, 'Cannot run as the group "no-such": there is none of that name'],
    [{}, { group: "root" }, `Cannot run as the group of "${ACCOUNT}": it is root's`],
  ];
  for (const [parameters, service, message] of cases) {
    await using bench = await Bench.make();
    const config = await bench.write("tlsmgr", { parameters, service });
    const { code, stderr } = await runCommand(posternBinary(), [
      ...["--role", "tlsmgr", "--config", config],
    ]);
    assertEquals(code, 78, stderr);
    assertStringIncludes(stderr, message);
    assertEquals([...Deno.readDirSync(bench.folder.file("private"))], []);
  }
});

rootTest(
  "started without rights, a role says which file it may not read, and serves without need",
  async () => {
    assert(isInstalled("setpriv"), "setpriv is part of util-linux");
    await using bench = await Bench.make();
    const { rsaCertificate, rsaKey } = await writeCertificates(bench.folder.file("tls"));
    await Deno.chmod(rsaKey, 0o600);
    const run = async (role: Role, parameters: Record<string, TomlValue>) => {
      const config = await bench.write(role, { parameters });
      return startProcess("setpriv", [
        ...[`--reuid=${ACCOUNT}`, `--regid=${ACCOUNT}`, "--clear-groups"],
        ...[posternBinary(), "--role", role, "--config", config],
      ]);
    };
    await using refused = await run("tlsproxy", {
      smtpd_tls_security_level: "may",
      smtpd_tls_cert_file: rsaCertificate,
      smtpd_tls_key_file: rsaKey,
    });
    assertEquals(await refused.ended(), 78, refused.stderr);
    assertStringIncludes(refused.stderr, rsaKey);
    assertStringIncludes(refused.stderr, "Permission denied");
    await using served = await run("tlsmgr", {});
    await served.waitFor("readiness", () => /: ready: /.test(served.stderr));
    assertEquals(await statusOfThreads(served.pid, "Uid"), [four(bench.uid)]);
  },
);

rootTest(
  "reload = watch: a key that root alone may read is told of, and can be put right",
  async () => {
    await using bench = await Bench.make();
    const { rsaCertificate, rsaKey } = await writeCertificates(bench.folder.file("tls"));
    await Deno.chmod(rsaKey, 0o600);
    await using process = await bench.start("tlsproxy", {
      service: { reload: "watch" },
      parameters: {
        smtpd_tls_security_level: "may",
        smtpd_tls_cert_file: rsaCertificate,
        smtpd_tls_key_file: rsaKey,
      },
    });
    const logged = (text: string) =>
      process.waitFor(text, () => process.stderr.split("\n").find((line) => line.includes(text)));
    const lost = await logged(
      `warning: watching: "${rsaKey}" cannot be read any more (permission `,
    );
    assertStringIncludes(lost, "group postern");
    process.signal("SIGHUP");
    const failed = await logged("error: reload: the new settings cannot be served: ");
    assertStringIncludes(failed, `Cannot read private key file "${rsaKey}": Permission denied; `);
    assertStringIncludes(failed, "; the settings before it stay in force");
    // That the account may read it is a change as well.
    await Deno.chown(rsaKey, 0, bench.gid);
    await Deno.chmod(rsaKey, 0o640);
    await logged("reload: the new settings are in force");
    process.signal("SIGTERM");
    assertEquals(await process.ended(), 0, process.stderr);
  },
);
