/**
 * A private Postfix instance: an unmodified Postfix in a temporary folder on loopback ports.
 *
 * It owns the folder, the processes of its master(8) and its ports. The system's own Postfix, its
 * settings and its queue are neither read nor touched, and several instances run side by side.
 * master(8) is tied to the test process: when that ends, however it ends, master is told to stop.
 *
 * @module
 */

import { systemClock } from "../../lib/base/clock.ts";
import { type CertificatePaths, writeCertificates } from "./certificates.ts";
import { Maillog } from "./maillog.ts";
import { freePorts, isListening } from "./ports.ts";
import {
  mainCf,
  masterCf,
  type PostfixFolders,
  type PostfixLayout,
  type PostfixOptions,
  type PostfixPorts,
} from "./postfix_config.ts";
import {
  cpuSecondsOf,
  processesOfSession,
  runChecked,
  type RunningProcess,
  startProcess,
} from "./process.ts";
import { TempFolder } from "./temp_folder.ts";
import { waitUntil } from "./wait.ts";

const MASTER = "/usr/lib/postfix/sbin/master";

// master(8) leaves the terminal and the session behind, so nothing would end it with the tests. The
// shell prints its process id, and stops it as soon as the shell's standard input ends, or a signal to
// all of the terminal's processes comes.
const LIFELINE =
  `trap : INT TERM; "$@" & master=$!; echo "$master"; read -r _; kill "$master"; wait "$master"`;

/** A Postfix instance; make it with {@linkcode preparePostfix}. */
export class PostfixInstance implements AsyncDisposable {
  readonly ports: PostfixPorts;
  readonly folders: PostfixFolders;
  readonly certificates: CertificatePaths;
  readonly maillog: Maillog;
  readonly options: PostfixOptions;
  /** What main.cf was made from. */
  readonly layout: PostfixLayout;
  readonly #folder: TempFolder;
  #lifeline: RunningProcess | undefined;
  #masterPid: number | undefined;

  constructor(folder: TempFolder, layout: PostfixLayout, options: PostfixOptions) {
    this.ports = layout.ports;
    this.folders = layout.folders;
    this.certificates = layout.certificates;
    this.maillog = new Maillog(layout.maillog);
    this.options = options;
    this.layout = layout;
    this.#folder = folder;
  }

  /** The path of the UNIX-domain socket of a private service, e.g. `tlsmgr`. */
  socketPath(service: string): string {
    return `${this.folders.queue}/private/${service}`;
  }

  /** Starts master(8) and waits until all its TCP services listen. */
  async start(): Promise<void> {
    const lifeline = startProcess("/bin/sh", [
      "-c",
      LIFELINE,
      "sh",
      MASTER,
      "-c",
      this.folders.config,
    ]);
    this.#lifeline = lifeline;
    this.#masterPid = await lifeline.waitFor(
      "the process id of master",
      () => lifeline.stdout.includes("\n") && Number(lifeline.stdout.trim()),
    );
    const { smtpd, postscreen, passed } = this.ports;
    for (const port of [smtpd, postscreen, passed]) {
      await waitUntil(`Postfix to listen on port ${port}`, () => isListening(port), {
        explain: () => this.maillog.text(),
      });
    }
    await this.maillog.waitForLine(/postfix\/master\[\d+\]: daemon started/);
  }

  /** The process ids of the instance's daemons called `name`, e.g. `tlsproxy`. */
  async pidsOf(name: string): Promise<number[]> {
    if (this.#masterPid === undefined) return [];
    const members = await processesOfSession(this.#masterPid);
    return members.filter((member) => member.name === name).map((member) => member.pid);
  }

  /** Processor seconds that all daemons have used, those that have ended included. */
  async cpuSeconds(): Promise<number> {
    if (this.#masterPid === undefined) return 0;
    const members = await processesOfSession(this.#masterPid);
    const seconds = await Promise.all(members.map(({ pid }) => cpuSecondsOf(pid)));
    return seconds.reduce((sum, one) => sum + one, 0);
  }

  /** Stops all processes of the instance and waits until none is left; the folder stays. */
  async stop(): Promise<void> {
    if (this.#lifeline === undefined) return;
    await this.#lifeline.closeInput();
    await this.#lifeline.ended();
    this.#lifeline = undefined;
    const master = this.#masterPid as number;
    this.#masterPid = undefined;
    // master(8) signals its children and leaves; they need a moment.
    await waitUntil(
      "the end of all Postfix processes",
      async () => (await processesOfSession(master)).length === 0,
      { explain: async () => JSON.stringify(await processesOfSession(master)) },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.#folder[Symbol.asyncDispose]();
    }
  }
}

/**
 * Makes folders, certificates and settings of an instance, but starts nothing: a service that postern
 * serves must be listening in `private/` before the first daemon wants it.
 */
export async function preparePostfix(options: PostfixOptions = {}): Promise<PostfixInstance> {
  const folder = await TempFolder.make(options.name ?? "pf");
  const folders = await makeFolders(folder);
  const [smtpd, postscreen, passed] = freePorts(3);
  const layout: PostfixLayout = {
    folders,
    ports: { smtpd, postscreen, passed },
    certificates: await writeCertificates(`${folder.path}/tls`),
    maillog: folder.file("maillog"),
  };
  const written = [
    await folder.write("config/main.cf", mainCf(layout, options)),
    await folder.write("config/master.cf", masterCf(layout, options)),
  ];
  // Postfix reads a settings file again and again until it is a second or two old, lest somebody be
  // still writing it.
  const aMinuteAgo = systemClock.unixSeconds() - 60;
  for (const path of written) await Deno.utime(path, aMinuteAgo, aMinuteAgo);
  return new PostfixInstance(folder, layout, options);
}

/** Makes the folders with the owners and modes that Postfix's `postfix-files` lists. */
async function makeFolders(folder: TempFolder): Promise<PostfixFolders> {
  const queue = folder.file("queue");
  for (const name of ["config", "tls", "data", "queue", "queue/pid"]) {
    await Deno.mkdir(folder.file(name), { mode: 0o755 });
  }
  // deno-fmt-ignore
  const privateNames = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
    "saved", "trace",
  ];
  const privatePaths = privateNames.map((name) => `${queue}/${name}`);
  for (const path of privatePaths) await Deno.mkdir(path);
  await Deno.mkdir(`${queue}/maildrop`);
  await Deno.mkdir(`${queue}/public`);
  await runChecked("chown", ["postfix", folder.file("data"), ...privatePaths]);
  await runChecked("chmod", ["0700", folder.file("data"), ...privatePaths]);
  await runChecked("chown", ["postfix:postdrop", `${queue}/maildrop`, `${queue}/public`]);
  await runChecked("chmod", ["0730", `${queue}/maildrop`]);
  await runChecked("chmod", ["0710", `${queue}/public`]);
  return {
    root: folder.path,
    config: folder.file("config"),
    queue,
    data: folder.file("data"),
  };
}
