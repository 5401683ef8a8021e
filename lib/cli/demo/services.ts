/**
 * Both services as child processes of the demonstration, in a folder of their own.
 *
 * Owns the processes: whoever starts one must stop it. What they log is kept, to be shown when
 * something goes wrong.
 *
 * @module
 */
import { EXIT, FatalError } from "../../base/errors.ts";
import type { RoleName } from "../../config/settings.ts";
import { writeEphemeralCertificate } from "../../tls/ephemeral_certificate.ts";
import { describeFileFault } from "../file_fault.ts";
import { printError } from "../output.ts";

/** Files of the demonstration. */
export interface DemoFolder {
  /** Absolute path. */
  readonly path: string;
  readonly settingsFile: string;
  /** Where tlsmgr listens. */
  readonly tlsmgrSocket: string;
  /** Where tlsproxy listens. */
  readonly tlsproxySocket: string;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;
/** The name in the certificates. */
const HOST_NAME = "localhost";

/** Fills the empty folder `path` with certificates and settings. */
export function furnish(path: string): DemoFolder {
  Deno.mkdirSync(`${path}/private`);
  Deno.mkdirSync(`${path}/data`);
  writeEphemeralCertificate(`${path}/ecdsa.pem`, "ECDSA P-256", HOST_NAME);
  writeEphemeralCertificate(`${path}/rsa.pem`, "RSA-2048", HOST_NAME);
  const settingsFile = `${path}/postern.toml`;
  Deno.writeTextFileSync(settingsFile, settingsText(path), { createNew: true });
  return {
    path,
    settingsFile,
    tlsmgrSocket: `${path}/private/tlsmgr`,
    tlsproxySocket: `${path}/private/tlsproxy`,
  };
}

/** The settings of the demonstration, for both services. */
export function settingsText(path: string): string {
  // A "$" of the path is no parameter.
  const text = (value: string) => JSON.stringify(value.replaceAll("$", "$$$$"));
  return `\
queue_directory = ${text(path)}
data_directory = ${text(`${path}/data`)}
smtpd_tls_security_level = "may"
smtpd_tls_eccert_file = ${text(`${path}/ecdsa.pem`)}
smtpd_tls_eckey_file = ${text(`${path}/ecdsa.pem`)}
smtpd_tls_cert_file = ${text(`${path}/rsa.pem`)}
smtpd_tls_key_file = ${text(`${path}/rsa.pem`)}
smtpd_tls_session_cache_database = "btree:\${data_directory}/smtpd_scache"
smtpd_tls_loglevel = 1

# Root, where root shows it, has made the folder.
[service]
user = ""

# One thread: the session that one connection has left behind is there for the next one.
[service.tlsproxy]
workers = 1
`;
}

/** One service. */
export class DemoService {
  readonly role: RoleName;
  /** What it has logged, unless it was heard. */
  log = "";
  /** Whether its log lines appear on standard error as they come; they are not kept then. */
  isHeard = false;
  readonly #child: Deno.ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  #ended = false;

  private constructor(role: RoleName, child: Deno.ChildProcess) {
    this.role = role;
    this.#child = child;
    this.#listen();
  }

  /** Starts `role` with the settings of `folder`. */
  static start(role: RoleName, folder: DemoFolder): DemoService {
    const { command, args } = ownCommand();
    try {
      const child = new Deno.Command(command, {
        args: [...args, "--role", role, "--config", folder.settingsFile],
        // The folder this was started in may be closed to this user.
        cwd: folder.path,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      return new DemoService(role, child);
    } catch (cause) {
      throw new FatalError(`Cannot start "${command}": ${describeFileFault(cause)}`, {
        exitCode: EXIT.software,
        cause,
      });
    }
  }

  /** Waits until it says that it is ready; throws when it ends before that, or takes too long. */
  async whenReady(): Promise<void> {
    const timer = setTimeout(
      () => this.#ready.reject(this.#fault(`not ready after ${START_LIMIT_MS} ms`)),
      START_LIMIT_MS,
    );
    try {
      await this.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Comes to an end when the service does, with what it has to be called. */
  async whenEnded(): Promise<FatalError> {
    const { code } = await this.#child.status;
    return this.#fault(`it ended with code ${code}`);
  }

  /** Ends the service and waits for that; again is allowed. */
  async stop(): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), STOP_LIMIT_MS);
    await this.#child.status;
    clearTimeout(timer);
  }

  #signal(signal: Deno.Signal): void {
    if (this.#ended) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has ended, and this program is just about to hear of it.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #listen(): void {
    this.#child.status.then(() => this.#ended = true);
    this.#readLog().then(() => this.#ready.reject(this.#fault("it ended before it was ready")));
    // Whoever is not waiting for readiness any more does not want to hear of its loss.
    this.#ready.promise.catch(() => {});
  }

  async #readLog(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      if (this.isHeard) {
        printError(text);
        continue;
      }
      this.log += text;
      if (/\bready: /.test(this.log)) this.#ready.resolve();
    }
  }

  #fault(what: string): FatalError {
    return new FatalError(`Cannot run ${this.role}: ${what}`, { exitCode: EXIT.software });
  }
}

/** How to start this program once more. */
function ownCommand(): { command: string; args: readonly string[] } {
  if (Deno.build.standalone) return { command: Deno.execPath(), args: [] };
  // In a checkout, the script knows where the packages are.
  const tree = Deno.mainModule.replace(/^file:\/\//, "").replace(/\/main\.ts$/, "");
  return {
    command: "sh",
    args: [
      `${decodeURIComponent(tree)}/scripts/deno`,
      "run",
      "-A",
      `${decodeURIComponent(tree)}/main.ts`,
    ],
  };
}
