/**
 * Reloads and restarts under load, with a systemd that holds the sockets and the ticket keys.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { AttrClient } from "../../support/attr_client.ts";
import { type CertificatePaths, writeCertificates } from "../../support/certificates.ts";
import { supportPath } from "../../support/paths.ts";
import { type Role, type TomlValue, toToml } from "../../support/postern.ts";
import { type RunningProcess, startProcess } from "../../support/process.ts";
import { TempFolder } from "../../support/temp_folder.ts";
import { inTime, waitUntil } from "../../support/wait.ts";
import { Systemd } from "./_systemd.ts";

const SESSIONS = 50;
const FORCE = /: reload: the new settings are in force$/;

/** Both services, and the files that they are made of. */
class Site implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly certificates: CertificatePaths;
  tlsmgr!: Systemd;
  tlsproxy!: Systemd;
  readonly #stack = new AsyncDisposableStack();

  private constructor(folder: TempFolder, certificates: CertificatePaths) {
    this.folder = folder;
    this.certificates = certificates;
  }

  /** Prepares both and starts tlsmgr. */
  static async prepare(options: { notify?: boolean; store?: number } = {}): Promise<Site> {
    const folder = await TempFolder.make("up");
    await Deno.mkdir(folder.file("queue/private"), { recursive: true });
    const site = new Site(folder, await writeCertificates(folder.path));
    site.#stack.use(folder);
    site.tlsmgr = site.#stack.use(await site.#prepare("tlsmgr", options));
    site.tlsproxy = site.#stack.use(await site.#prepare("tlsproxy", options));
    await site.tlsmgr.start();
    await site.tlsmgr.logged(/: ready: /);
    return site;
  }

  socket(role: Role): string {
    return this.folder.file(`queue/private/${role}`);
  }

  config(role: Role): string {
    return this.folder.file(`${role}.toml`);
  }

  /** Writes the settings of a role anew. */
  async configure(role: Role, more: Record<string, TomlValue> = {}): Promise<void> {
    const { rsaCertificate, rsaKey } = this.certificates;
    const text = toToml({
      queue_directory: this.folder.file("queue"),
      data_directory: this.folder.path,
      smtpd_tls_security_level: "may",
      smtpd_tls_cert_file: rsaCertificate,
      smtpd_tls_key_file: rsaKey,
      ...more,
      service: { user: "", core_dumps: true, drain_timeout: 60 },
    });
    await Deno.writeTextFile(this.config(role), text);
  }

  async #prepare(
    role: Role,
    { notify = true, store = 1 }: { notify?: boolean; store?: number },
  ): Promise<Systemd> {
    await this.configure(role);
    return await Systemd.prepare({
      ...(notify && { notify: this.folder.file(`${role}.notify`) }),
      sockets: [{ name: role, kind: "stream", path: this.socket(role) }],
      store,
    }, ["--role", role, "--config", this.config(role)]);
  }

  /** The ticket key that tlsmgr gives out, in base64. */
  async ticketKey(): Promise<string> {
    using client = await inTime(
      "a connection",
      AttrClient.connectTo(this.socket("tlsmgr"), "tlsmgr_protocol"),
    );
    const request = [["request", "tktkey"], ["keyname", ""]] as const;
    const { attributes } = await inTime("a key", client.ask([...request]));
    assertEquals(attributes[0], ["status", "0"]);
    return attributes[1][1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** Ends a service, and starts it again as `systemctl restart` does. */
async function restart(systemd: Systemd, run: number, signal: Deno.Signal = "SIGTERM") {
  await systemd.signal(signal);
  assertEquals(await systemd.ended(run), signal === "SIGTERM" ? 0 : -9);
  await systemd.start();
  await systemd.notified("READY=1\nSTATUS=Serving a socket", run + 1);
}

/** Clients that pump data through tlsproxy. */
class Pump implements AsyncDisposable {
  readonly #process: RunningProcess;

  constructor(site: Site) {
    const script = supportPath("../integration/daemon/_pump.py");
    this.#process = startProcess("python3", [
      script,
      site.socket("tlsproxy"),
      site.certificates.ca,
    ]);
  }

  async start(count: number): Promise<void> {
    await this.#process.write(`pump ${count}\n`);
  }

  /** A session with a handshake of its own: the certificate that it saw. */
  async certificate(): Promise<string> {
    const { certificate, resumed } = await this.#probe("full");
    assertEquals(resumed, false);
    return certificate;
  }

  /** Whether a session could go on from the one before. */
  async resumes(): Promise<boolean> {
    return (await this.#probe("resume")).resumed;
  }

  async #probe(how: "full" | "resume"): Promise<{ certificate: string; resumed: boolean }> {
    const before = this.#told("probe").length;
    await this.#process.write(`${how}\n`);
    return await this.#process.waitFor("a session", () => {
      assertEquals(this.errors, []);
      return this.#told("probe")[before] as { certificate: string; resumed: boolean } | undefined;
    });
  }

  /** Lets all sessions come to their end: how many there were. */
  async stop(): Promise<number> {
    await this.#process.write("stop\n");
    return await this.#process.waitFor(
      "the end of all sessions",
      () => this.#told("done")[0] as number | undefined,
    );
  }

  get errors(): string[] {
    return this.#told("error") as string[];
  }

  #told(what: string): unknown[] {
    return this.#process.stdout.split("\n").slice(0, -1).flatMap((line) => {
      const told = JSON.parse(line);
      return what in told ? [told[what]] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** Another certificate of the same authority, with a key of its own. */
async function renew(site: Site): Promise<void> {
  const { ecCertificate, ecKey, rsaCertificate, rsaKey } = site.certificates;
  await Deno.copyFile(ecCertificate, rsaCertificate);
  await Deno.copyFile(ecKey, rsaKey);
}

Deno.test("tlsmgr's ticket keys outlive a restart and a crash, and no other file holds them", async () => {
  await using site = await Site.prepare();
  const { tlsmgr } = site;
  assertEquals(tlsmgr.stored, ["ticket-keys"]);
  const key = await site.ticketKey();
  await restart(tlsmgr, 1);
  assertEquals(await site.ticketKey(), key);
  await restart(tlsmgr, 2, "SIGKILL");
  assertEquals(await site.ticketKey(), key);
  const stores = tlsmgr.notifications.filter((text) => text.includes("FDSTORE"));
  assertEquals(stores, ["FDSTORE=1\nFDNAME=ticket-keys"], "it is given once");
  assertEquals(tlsmgr.lines.filter((line) => line.includes("warning: ")), []);
  const bytes = Uint8Array.from(atob(key), (character) => character.charCodeAt(0));
  for await (const { name, isFile } of Deno.readDir(site.folder.path)) {
    if (!isFile) continue;
    const text = (await Deno.readFile(site.folder.file(name))).join();
    assert(!text.includes(bytes.subarray(16, 48).join()), name);
  }
});

Deno.test("tlsmgr makes fresh keys when what was kept is not its own, and says so once", async () => {
  for (const kind of ["file", "memory", "pipe"] as const) {
    await using site = await Site.prepare();
    const { tlsmgr } = site;
    const key = await site.ticketKey();
    await tlsmgr.put("ticket-keys", kind);
    await restart(tlsmgr, 1);
    assertNotEquals(await site.ticketKey(), key);
    const warnings = tlsmgr.lines.filter((line) => line.includes("warning: "));
    assertEquals(warnings.length, 1, warnings.join("\n"));
    assertMatch(warnings[0], /ticket keys of the run before cannot be taken over: it/);
    assertEquals(tlsmgr.stored, ["ticket-keys"]);
    const next = await site.ticketKey();
    await restart(tlsmgr, 2);
    assertEquals(await site.ticketKey(), next, "the store holds the right one again");
  }
});

Deno.test("tlsmgr keeps no keys where nobody keeps descriptors, and says nothing of it", async () => {
  await using without = await Site.prepare({ notify: false });
  const pid = without.tlsmgr.events.find(({ started }) => started !== undefined)!.started!;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const link = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    assert(!link.includes("ticket-keys"), link);
  }
  await using full = await Site.prepare({ store: 0 });
  const key = await full.ticketKey();
  await restart(full.tlsmgr, 1);
  assertNotEquals(await full.ticketKey(), key);
  for (const { tlsmgr } of [without, full]) {
    assertEquals(tlsmgr.lines.filter((line) => line.includes("warning: ")), []);
  }
});

Deno.test("tlsproxy takes nothing that was kept for a listening socket", async () => {
  await using site = await Site.prepare();
  await site.tlsproxy.put("ticket-keys", "pipe");
  await site.tlsproxy.start();
  await site.tlsproxy.notified("READY=1");
  await using pump = new Pump(site);
  await pump.certificate();
});

Deno.test("five reloads and two restarts under fifty sessions: nobody notices", async () => {
  await using site = await Site.prepare();
  const { tlsmgr, tlsproxy } = site;
  await tlsproxy.start();
  await tlsproxy.notified("READY=1");
  await using pump = new Pump(site);
  const certificate = await pump.certificate();
  await pump.start(SESSIONS);
  for (let reload = 1; reload <= 5; reload++) {
    await site.configure("tlsproxy", { smtpd_tls_loglevel: reload % 2 });
    if (reload === 3) await renew(site);
    await tlsproxy.signal("SIGHUP");
    await tlsproxy.notified("READY=1", reload + 1);
    assertEquals(await pump.certificate() === certificate, reload < 3);
    await site.configure("tlsmgr", { smtpd_tls_session_cache_timeout: `${3600 + reload}s` });
    await tlsmgr.signal("SIGHUP");
    await tlsmgr.notified("READY=1", reload + 1);
  }
  for (const systemd of [tlsproxy, tlsmgr]) {
    const told = () => systemd.lines.filter((line) => FORCE.test(line)).length;
    // Log and notifications come by different ways.
    await waitUntil("the line about the fifth reload", () => told() >= 5);
    assertEquals(told(), 5);
  }
  // Settings with a fault change nothing, and are told of once.
  await Deno.writeTextFile(site.config("tlsproxy"), "smtpd_tls_loglevel = false");
  await tlsproxy.signal("SIGHUP");
  await tlsproxy.notified("; the last reload failed: the settings have errors");
  await pump.certificate();
  const errors = tlsproxy.lines.filter((line) => line.includes("error: reload: "));
  assertEquals(errors.length, 1, errors.join("\n"));
  await site.configure("tlsproxy");
  for (let run = 1; run <= 2; run++) {
    await restart(tlsmgr, run);
    await restart(tlsproxy, run);
    // Nobody but the run before can have made its ticket.
    assert(await pump.resumes(), `restart ${run}`);
  }
  const count = await pump.stop();
  assertEquals(pump.errors, []);
  assert(count > SESSIONS, `${count} sessions`);
  for (const systemd of [tlsmgr, tlsproxy]) {
    const problems = systemd.lines.filter((line) => /fatal: |panic: /.test(line));
    assertEquals(problems, []);
  }
});

Deno.test("reload = watch: a renewed certificate is served, and a broken one is not", async () => {
  await using site = await Site.prepare();
  const { tlsproxy } = site;
  const text = await Deno.readTextFile(site.config("tlsproxy"));
  await Deno.writeTextFile(
    site.config("tlsproxy"),
    text.replace("[service]\n", '[service]\nreload = "watch"\n'),
  );
  await tlsproxy.start();
  await tlsproxy.notified("READY=1");
  await using pump = new Pump(site);
  const certificate = await pump.certificate();
  const { rsaCertificate, rsaKey } = site.certificates;
  await Deno.writeTextFile(rsaKey, "no key");
  await tlsproxy.notified("; the last reload failed: the new settings cannot be served: ");
  assertEquals(await pump.certificate(), certificate);
  // As certbot does it: a link is turned to another file.
  for (const [path, from] of [[rsaCertificate, "ec.pem"], [rsaKey, "ec.key"]]) {
    await Deno.symlink(from, `${path}.new`);
    await Deno.rename(`${path}.new`, path);
  }
  await tlsproxy.logged(FORCE);
  assertNotEquals(await pump.certificate(), certificate);
  const errors = tlsproxy.lines.filter((line) => line.includes("error: reload: "));
  assertEquals(errors.length, 1, errors.join("\n"));
});
