/**
 * A healthy installation in a folder, for tests that break one thing of it.
 *
 * @module
 */

import { ManualClock } from "../../../../lib/base/clock.ts";
import type { RoleName } from "../../../../lib/config/parameters.ts";
import type { Machine } from "../../../../lib/cli/doctor/machine.ts";
import { type TomlValue, toToml } from "../../../support/postern.ts";
import { runChecked } from "../../../support/process.ts";
import { TempFolder } from "../../../support/temp_folder.ts";

/** A machine whose answers can be changed. */
export type Answers = { -readonly [Name in keyof Machine]: Machine[Name] };

/** Certificates of 100 days, and their keys; made once for all patients. */
let pems: Promise<Readonly<Record<string, string>>> | undefined;

async function makePems(): Promise<Readonly<Record<string, string>>> {
  await using folder = await TempFolder.make("pki");
  const openssl = (...args: string[]) => runChecked("openssl", args, { cwd: folder.path });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    ...["req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "100"],
    ...["-subj", "/CN=Patient authority"],
  );
  await openssl("req", "-new", ...key, "-keyout", "key", "-out", "csr", "-subj", "/CN=mx.example");
  for (const [name, days] of [["leaf", "100"], ["short", "10"]]) {
    await openssl(
      ...["x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", days],
      ...["-set_serial", days, "-out", name],
    );
  }
  const read = (name: string) => Deno.readTextFile(folder.file(name));
  const [ca, leaf, short] = [await read("ca.pem"), await read("leaf"), await read("short")];
  return {
    "cert.pem": leaf + ca,
    "disordered.pem": leaf + short + ca,
    "short.pem": short + ca,
    "key.pem": await read("key"),
    "other.key": await read("ca.key"),
  };
}

/** The installation. */
export class Patient implements AsyncDisposable {
  readonly folder: TempFolder;
  /** A little ahead of the machine's, so that certificates made meanwhile are good. */
  readonly clock = new ManualClock(Math.floor(Date.now() / 1000) + 60);
  readonly machine: Answers;
  /** Top-level settings; change them before {@linkcode Patient.write}. */
  readonly settings: Record<string, TomlValue>;
  readonly mainCf: Record<string, string>;
  masterCf = "smtp inet n - y - - smtpd\n#tlsmgr unix - - y 1000? 1 tlsmgr\n";
  readonly #sockets: Deno.UnixListener[] = [];

  private constructor(folder: TempFolder) {
    this.folder = folder;
    const owner = { uid: Deno.uid() ?? 0, gids: [Deno.gid() ?? 0] };
    this.machine = {
      clock: this.clock,
      listener: () => Promise.resolve({ processes: [{ pid: 7, name: "postern" }] }),
      openFilesMax: () => 65_536,
      freeBytes: () => Promise.resolve(1e12),
      account: (name) => name === "postfix" ? owner : undefined,
      hasGroup: () => false,
    };
    const shared = { queue_directory: folder.file("queue"), data_directory: folder.file("data") };
    this.mainCf = { compatibility_level: "3.6", ...shared };
    this.settings = {
      ...shared,
      smtpd_tls_security_level: "may",
      smtpd_tls_cert_file: folder.file("cert.pem"),
      smtpd_tls_key_file: folder.file("key.pem"),
      smtpd_tls_session_cache_database: "btree:${data_directory}/smtpd_scache",
    };
  }

  static async make(): Promise<Patient> {
    const patient = new Patient(await TempFolder.make("doc"));
    const { folder } = patient;
    for (const name of ["queue", "queue/private", "data"]) await Deno.mkdir(folder.file(name));
    for (const [name, text] of Object.entries(await (pems ??= makePems()))) {
      await folder.write(name, text, 0o600);
    }
    for (const role of ["tlsmgr", "tlsproxy"] as const) {
      const path = patient.socket(role);
      patient.#sockets.push(Deno.listen({ transport: "unix", path }));
      await Deno.chmod(path, 0o666);
    }
    return patient;
  }

  socket(role: RoleName): string {
    return this.folder.file(`queue/private/${role}`);
  }

  get config(): string {
    return this.folder.file("postern.toml");
  }

  /** Writes settings, main.cf and master.cf. */
  async write(): Promise<void> {
    await this.folder.write("postern.toml", toToml(this.settings));
    const main = Object.entries(this.mainCf).map(([name, value]) => `${name} = ${value}\n`);
    await this.folder.write("main.cf", main.join(""));
    await this.folder.write("master.cf", this.masterCf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.folder[Symbol.asyncDispose]();
  }
}
